import type { Random } from '../../src/sim/models/random.ts';

type Path = readonly (string | number)[];

const KEYS: readonly [string, ...string[]] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  'metadata',
  'status',
  'spec',
  '',
  'a'.repeat(300),
  '\u0000',
  '💥',
];

/** Values that break what was not written for them. */
function oddValue(random: Random): unknown {
  return random.pick<() => unknown>([
    () => null,
    () => true,
    () => false,
    () => 0,
    () => -1,
    () => 1e308,
    () => Number.MAX_SAFE_INTEGER + 1,
    () => 0.5,
    () => '',
    () => 'x'.repeat(random.between(1, 5000)),
    () => '../../etc/passwd',
    () => '1e999',
    () => '2026-13-45T99:99:99Z',
    () => '\ud800',
    () => '\u0000',
    () => '__proto__',
    () => [],
    () => ({}),
    () => [[[[[]]]]],
    () => ({ ['__proto__']: { polluted: true } }),
    () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as unknown,
    () => nested(random.between(10, 400)),
    () => Array.from({ length: random.between(1, 2000) }, (_, index) => index),
    () => Object.fromEntries(Array.from({ length: random.between(1, 500) }, (_, index) => [`key-${index}`, index])),
  ])();
}

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** JSON text with some places changed; now and then the text itself is broken. The same generator gives the same text. */
export function mutated(text: string, random: Random): string {
  if (random.chance(0.08)) return brokenText(text, random);
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return brokenText(text, random);
  }
  const places = random.chance(0.6) ? 1 : random.between(2, 8);
  for (let place = 0; place < places; place++) root = changed(root, randomPath(root, random), random);
  return JSON.stringify(root) ?? 'null';
}

function brokenText(text: string, random: Random): string {
  const at = random.between(0, Math.max(0, text.length - 1));
  return random.pick<() => string>([
    () => text.slice(0, at),
    () => `${text.slice(0, at)}${random.pick(['{', '}', '"', '\u0000', ',', '\\', '9'])}${text.slice(at)}`,
    () => text.slice(0, at) + text.slice(at + random.between(1, 40)),
    () => '',
    () => 'null',
    () => '[]',
    () => `${'['.repeat(random.between(1, 3000))}`,
    () => `<html><body>${text.slice(0, 200)}</body></html>`,
  ])();
}

/** Where a hook reads most; what stands above is refused as a whole when it is odd. */
const DEEP: readonly [Path, ...Path[]] = [
  ['parent', 'status'],
  ['parent', 'spec'],
  ['parent', 'metadata'],
  ['children'],
  ['related'],
  ['request', 'object', 'spec'],
];

/** A place in the tree; most often below one of `DEEP`, where the tree has it. */
function randomPath(root: unknown, random: Random): Path {
  const start = random.chance(0.75) ? random.pick(DEEP) : [];
  const path: (string | number)[] = [];
  let value = root;
  for (const key of start) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) break;
    path.push(key);
    value = (value as Record<string | number, unknown>)[key];
  }
  while (typeof value === 'object' && value !== null && !(path.length > 0 && random.chance(0.12))) {
    const keys: (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
    const [first, ...others] = keys;
    if (first === undefined) break;
    const key = random.pick([first, ...others]);
    path.push(key);
    value = (value as Record<string | number, unknown>)[key];
  }
  return path;
}

/** A copy with something else at the path. */
function changed(root: unknown, [key, ...rest]: Path, random: Random): unknown {
  if (key === undefined) return oddValue(random);
  if (Array.isArray(root)) {
    const list: unknown[] = [...root];
    const index = Number(key);
    const deed = rest.length > 0 ? 'deeper' : random.pick(['set', 'remove', 'double']);
    if (deed === 'deeper') list[index] = changed(list[index], rest, random);
    else if (deed === 'remove') list.splice(index, 1);
    else if (deed === 'double') list.splice(index, 0, list[index]);
    else list[index] = oddValue(random);
    return list;
  }
  const entries = Object.entries(root as object);
  const at = entries.findIndex(([name]) => name === key);
  const former = entries[at]?.[1] as unknown;
  if (rest.length > 0) entries[at] = [String(key), changed(former, rest, random)];
  else {
    const deed = random.pick(['set', 'set', 'remove', 'add']);
    if (deed === 'remove') entries.splice(at, 1);
    else if (deed === 'add') entries.push([random.pick(KEYS), random.chance(0.5) ? former : oddValue(random)]);
    else entries[at] = [String(key), oddValue(random)];
  }
  // A plain object literal would take `__proto__` for its prototype; JSON keeps it as a key.
  const object = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of entries)
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  return object;
}
