import type { KubeObject, Tree } from './objects.ts';
import { equal, jsonOf, list, tree } from './objects.ts';

/** Metacontroller's dynamic apply: a three-way merge of what is, what was last applied and what is wanted. */

export const LAST_APPLIED = 'metacontroller.k8s.io/last-applied-configuration';

/** Keys that Metacontroller takes for the identity of a list's items, in its order. */
const LIST_KEYS = ['containerPort', 'port', 'mountPath', 'name', 'uid', 'ip', 'path'] as const;
/** Metadata that belongs to the system and is never written. */
const SYSTEM = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'selfLink',
  'managedFields',
];

/** For observed objects what was found to be no change, as merging is most of the work of a settled sync. */
const settled = new WeakMap<KubeObject, KubeObject>();

/** The object that a PUT would send; the observed one itself when nothing differs. */
export function dynamicApply(observed: KubeObject, desired: KubeObject): KubeObject {
  const memory = observed.metadata.annotations?.[LAST_APPLIED];
  if (settled.get(observed) === desired) return observed;
  const wanted = jsonOf(desired);
  const last: unknown = memory === undefined ? {} : memory === wanted ? desired : JSON.parse(memory);
  const merged = mergeTrees(tree(observed), tree(last), tree(desired), mergeField) as unknown as KubeObject;
  const metadata: Record<string, unknown> = { ...merged.metadata };
  for (const field of SYSTEM) restore(metadata, observed.metadata, field);
  metadata['annotations'] = { ...merged.metadata.annotations, [LAST_APPLIED]: wanted };
  const result: Record<string, unknown> = { ...merged, metadata };
  restore(result, observed, 'status');
  if (!equal(result, observed)) return result as KubeObject;
  settled.set(observed, desired);
  return observed;
}

/** The object that a first POST sends. */
export function withLastApplied(desired: KubeObject): KubeObject {
  const annotations = { ...desired.metadata.annotations, [LAST_APPLIED]: jsonOf(desired) };
  return { ...desired, metadata: { ...desired.metadata, annotations } };
}

/** What a field of an observed object was last merged with; most of an object stays what it was while its status changes. */
const merges = new WeakMap<object, { readonly last: unknown; readonly desired: unknown; readonly merged: unknown }>();

/** As `merge`, and where that changes nothing the very field that was observed. */
function mergeField(observed: unknown, last: unknown, desired: unknown): unknown {
  if (typeof observed !== 'object' || observed === null) return merge(observed, last, desired);
  const known = merges.get(observed);
  if (known !== undefined && known.last === last && known.desired === desired) return known.merged;
  const fresh = merge(observed, last, desired);
  const merged = equal(fresh, observed) ? observed : fresh;
  merges.set(observed, { last, desired, merged });
  return merged;
}

/** Three-way merge: fields that were last applied and are no longer wanted go, fields of others stay. */
export function merge(observed: unknown, last: unknown, desired: unknown): unknown {
  if (Array.isArray(desired)) return mergeLists(list(observed), list(last), desired);
  if (typeof desired !== 'object' || desired === null) return desired;
  return mergeTrees(tree(observed), tree(last), tree(desired));
}

function mergeTrees(observed: Tree, last: Tree, desired: Tree, one: typeof merge = merge): Tree {
  const merged: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(observed)) if (!(name in last) || name in desired) merged[name] = value;
  for (const [name, value] of Object.entries(desired)) {
    merged[name] = name in observed ? one(observed[name], last[name], value) : value;
  }
  return merged;
}

function mergeLists(observed: readonly unknown[], last: readonly unknown[], desired: readonly unknown[]): unknown {
  const key = LIST_KEYS.find((name) =>
    [...observed, ...last, ...desired].every((item) => tree(item)[name] !== undefined),
  );
  if (key === undefined || desired.length === 0) return desired;
  const byKey = (items: readonly unknown[]): Map<unknown, unknown> =>
    new Map(items.map((item) => [tree(item)[key], item]));
  const [is, was, wanted] = [byKey(observed), byKey(last), byKey(desired)];
  const merged: unknown[] = [];
  for (const [id, item] of is) {
    if (wanted.has(id)) merged.push(merge(item, was.get(id), wanted.get(id)));
    else if (!was.has(id)) merged.push(item);
  }
  for (const [id, item] of wanted) if (!is.has(id)) merged.push(item);
  return merged;
}

function restore(into: Record<string, unknown>, from: Tree, field: string): void {
  if (from[field] === undefined) delete into[field];
  else into[field] = from[field];
}
