import { canonicalQuantity } from '../quantity.ts';

/**
 * Brings what Flork emits into the form in which the API server stores it, so that an applied child compares equal to
 * what comes back and neither of Metacontroller's apply strategies writes again: no null, no empty value that the server drops,
 * no `false` or 0 that it leaves out, quantities as it prints them, keys sorted.
 */

/** Maps from text to text: their empty values are kept by the API server and may mean something. */
const TEXT_MAPS = new Set([
  'labels',
  'annotations',
  'data',
  'binaryData',
  'matchLabels',
  'nodeSelector',
  'selector',
  'volumeAttributes',
  'options',
]);

/** Maps from resource name to quantity. */
const QUANTITY_MAPS = new Set(['requests', 'limits', 'capacity', 'overhead']);

/** Quantities by themselves. */
const QUANTITIES = new Set(['sizeLimit', 'divisor']);

/** Objects that say something by being there, even empty. */
const SAYS_EMPTY = new Set(['emptyDir', 'labelSelector', 'namespaceSelector', 'podSelector']);

/** Texts that say something by being there, even empty: no class, the core API group. */
const SAYS_EMPTY_TEXT = new Set(['group', 'storageClassName']);

/** Booleans that are plain in the API (`false` is left out by the server); all others are pointers and keep `false`. */
const PLAIN_FLAGS = new Set([
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'stdin',
  'stdinOnce',
  'tty',
  'paused',
  'publishNotReadyAddresses',
  'readOnly',
]);

/** Numbers that are plain in the API (0 is left out by the server, or means its default). */
const PLAIN_NUMBERS = new Set([
  'hostPort',
  'nodePort',
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
  'minReadySeconds',
]);

/**
 * Defaults of the API server inside lists that Metacontroller cannot merge by key: unsaid, they would be removed and added for ever.
 * Keyed by the field that holds the object.
 */
const FILLED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  fieldRef: { apiVersion: 'v1' },
  resourceFieldRef: { divisor: '0' },
  serviceAccountToken: { expirationSeconds: 3600 },
};
const FILLED_ITEMS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { ports: { protocol: 'TCP' } };

/** A value in canonical form; canonical values stay as they are. */
export function canonical<T>(value: T): T {
  return (canonicalIn('', value) ?? {}) as T;
}

/** JSON with sorted keys and without blanks; nothing but `undefined` is left out. Equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function canonicalIn(key: string, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => canonicalItem(key, item)).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (typeof value === 'object') return canonicalObject(key, value as Readonly<Record<string, unknown>>);
  if (typeof value === 'string' && QUANTITIES.has(key)) return canonicalQuantity(value) ?? value;
  if (typeof value === 'number' && QUANTITIES.has(key)) return canonicalQuantity(value) ?? String(value);
  if (value === '' && !SAYS_EMPTY_TEXT.has(key)) return undefined;
  if (value === false && PLAIN_FLAGS.has(key)) return undefined;
  if (value === 0 && PLAIN_NUMBERS.has(key)) return undefined;
  return value;
}

/** Inside a list an empty text or object is an item like any other. */
function canonicalItem(list: string, item: unknown): unknown {
  if (Array.isArray(item)) return canonicalIn('', item) ?? [];
  if (typeof item !== 'object' || item === null) return item ?? undefined;
  return canonicalObject('', { ...FILLED_ITEMS[list], ...item }) ?? {};
}

function canonicalObject(key: string, given: Readonly<Record<string, unknown>>): unknown {
  const value = { ...FILLED[key], ...given };
  const entries: [string, unknown][] = [];
  for (const name of Object.keys(value).sort()) {
    const member = canonicalMember(key, name, value[name]);
    if (member !== undefined) entries.push([name, member]);
  }
  return entries.length === 0 && !SAYS_EMPTY.has(key) ? undefined : Object.fromEntries(entries);
}

function canonicalMember(key: string, name: string, member: unknown): unknown {
  if (QUANTITY_MAPS.has(key) && (typeof member === 'string' || typeof member === 'number')) {
    return canonicalQuantity(member) ?? String(member);
  }
  if (TEXT_MAPS.has(key) && typeof member === 'string') return member;
  return canonicalIn(name, member);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sorted(item));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((name) => [name, sorted(object[name])]),
  );
}
