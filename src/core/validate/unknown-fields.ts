import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { isObject } from '../../api/json.ts';
import type { Finding } from '../types.ts';

/** What to do about a field that people write and this version does not have. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ...['jobManagerPodMeta', 'taskManagerPodMeta'].flatMap((field): [string, string][] => [
    [`spec.${field}.name`, 'no such field: the pods are named by Kubernetes after their Deployment'],
    [`spec.${field}.namespace`, 'no such field: the pods run in the namespace of the FlinkJob'],
  ]),
  ['spec.policies.savepoint.advanceToEndOfEventTime', 'no such field: draining is not supported in this version'],
  ['spec.jobManagerReplicas', 'no such field: there is one JobManager in this version'],
]);

/** The part of a valibot schema that says which fields a map may have. */
type Shaped = {
  readonly type: string;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly wrapped?: unknown;
  readonly item?: unknown;
};

/**
 * Fields that the schema does not have. The API server prunes them, or refuses them at apply; here they are findings, because a field
 * that is ignored in silence is taken for one that works. A list in place of a map is one, too. Open maps (flinkConf, florkConf, pod specs) are not looked into.
 */
export function unknownFields(schema: typeof FlinkJobSpec, raw: unknown, path: string): Finding[] {
  return walk(schema, raw, path);
}

function walk(schema: unknown, raw: unknown, path: string): Finding[] {
  const item = itemOf(schema);
  if (item !== undefined && Array.isArray(raw))
    return raw.flatMap((value: unknown, index) => walk(item, value, `${path}[${index}]`));
  if (Array.isArray(raw) && isMap(schema)) return [{ rule: 'type', path, is: 'is a list', want: 'a map of fields' }];
  const shape = unwrapped(schema);
  if (shape === undefined || !isObject(raw)) return [];
  return Object.entries(raw).flatMap(([name, value]): Finding[] => {
    const at = /^[A-Za-z]\w*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
    if (Object.hasOwn(shape, name)) return walk(shape[name], value, at);
    return [
      {
        rule: 'unknown-field',
        path: at,
        is: 'is not a field',
        want: ADVICE.get(at) ?? suggestion(name, Object.keys(shape)),
      },
    ];
  });
}

/** The fields of a closed map; `undefined` for every other schema. */
function unwrapped(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isShaped(schema)) return undefined;
  if (schema.wrapped !== undefined) return unwrapped(schema.wrapped);
  return schema.type === 'object' ? schema.entries : undefined;
}

/** The schema of a list's items; `undefined` for every other schema. */
function itemOf(schema: unknown): unknown {
  if (!isShaped(schema)) return undefined;
  if (schema.wrapped !== undefined) return itemOf(schema.wrapped);
  return schema.type === 'array' ? schema.item : undefined;
}

/** Whether a schema wants a map; to valibot a list is one, too. */
function isMap(schema: unknown): boolean {
  if (!isShaped(schema)) return false;
  return schema.wrapped === undefined ? /^(object|loose_object|record)$/.test(schema.type) : isMap(schema.wrapped);
}

function isShaped(schema: unknown): schema is Shaped {
  return typeof schema === 'object' && schema !== null && 'type' in schema;
}

/** The known field that a misspelled one is near to, else all of them. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = known.find((other) => distance(name.toLowerCase(), other.toLowerCase()) <= 2);
  return near === undefined ? `one of ${known.join(', ')}` : `${near}, perhaps`;
}

/** Edits between two texts, row by row (Levenshtein). */
function distance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 2) return 3;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
