/**
 * Memory that may change only cost, never a decision: results of pure functions, looked up by all they depend on.
 */

/** Remembers the results of a pure function of a text, the `most` newest of them. */
export function rememberedByText<V>(most: number, compute: (text: string) => V): (text: string) => V {
  const known = new Map<string, { readonly value: V }>();
  return (text) => {
    const found = known.get(text);
    if (found) {
      // Where it fills up, the one not asked for the longest time has to stand first.
      if (known.size * 2 > most) {
        known.delete(text);
        known.set(text, found);
      }
      return found.value;
    }
    const value = compute(text);
    if (known.size >= most) known.delete(known.keys().next().value ?? '');
    known.set(text, { value });
    return value;
  };
}

/** Remembers the results of a pure function of an object that is never changed, as long as the object lives. */
export function rememberedByObject<O extends object, V>(compute: (object: O) => V): (object: O) => V {
  const known = new WeakMap<O, { readonly value: V }>();
  return (object) => {
    const found = known.get(object);
    if (found) return found.value;
    const value = compute(object);
    known.set(object, { value });
    return value;
  };
}

/** Whether two JSON values say the same, whatever the order of their keys; an absent key and `undefined` are one. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [a, b] = [one as Readonly<Record<string, unknown>>, other as Readonly<Record<string, unknown>>];
  return (
    Object.keys(a).every((key) => sameJson(a[key], b[key])) &&
    Object.keys(b).every((key) => b[key] === undefined || a[key] !== undefined)
  );
}
