import { OWNED_KEYS } from '../../src/core/owned-keys.ts';
import type { CelRule, JsonSchema } from './json-schema.ts';

/** Keys of flinkConf that a rule compares with a field. */
const COMPARED = ['parallelism.default', 'taskmanager.numberOfTaskSlots'];
/** Owned keys beyond the list, whose prefix is refused; CEL sees only names that are declared. */
const BY_PREFIX = [
  ['kubernetes.pod-template-file', 'spec.jobManagerPodSpec and spec.taskManagerPodSpec in its place'],
  ['kubernetes.pod-template-file.jobmanager', 'spec.jobManagerPodSpec in its place'],
  ['kubernetes.pod-template-file.taskmanager', 'spec.taskManagerPodSpec in its place'],
  ['job-result-store.storage-path', 'no such key: the result of a job is kept in its status'],
  ['job-result-store.delete-on-commit', 'no such key: the result of a job is kept in its status'],
] as const;
const REFUSED = [...OWNED_KEYS, ...BY_PREFIX.map(([key, want]) => ({ key, want }))];
/** Flink has values at these keys, so that they cannot be declared as maps; their members are seen flat only. */
const VALUES = ['high-availability', 'kubernetes.pod-template-file'];
const BOOLEANS = new Set(['execution.shutdown-on-application-finish', 'job-result-store.delete-on-commit']);
const RESERVED = new Set([
  'namespace',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'return',
  'var',
  'void',
  'while',
]);

/** flinkConf with the keys declared that rules look at, flat and nested; everything else stays open. */
export function declareKeys(flinkConf: JsonSchema): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const key of [...REFUSED.map((one) => one.key), ...COMPARED].toSorted()) {
    const value: JsonSchema = BOOLEANS.has(key) ? { type: 'boolean' } : { 'x-kubernetes-int-or-string': true };
    if (COMPARED.includes(key)) Object.assign(value, { minimum: 1, pattern: '^[1-9][0-9]{0,8}$' });
    properties[key] = value;
    if (hasNested(key)) declareNested(properties, key.split('.'), value);
  }
  return { ...flinkConf, properties, 'x-kubernetes-validations': REFUSED.map(({ key, want }) => refuse(key, want)) };
}

function declareNested(properties: Record<string, JsonSchema>, names: readonly string[], value: JsonSchema): void {
  const [first = '', ...rest] = names;
  if (rest.length === 0) {
    properties[first] = value;
    return;
  }
  const map = (properties[first] ??= { type: 'object', properties: {}, 'x-kubernetes-preserve-unknown-fields': true });
  declareNested((map.properties ??= {}), rest, value);
}

function refuse(key: string, want: string): CelRule {
  const flat = `!has(self.${escaped(key)})`;
  const rule = hasNested(key) ? `${flat} && !(${present('self', key)})` : flat;
  return {
    rule,
    message: `spec.flinkConf["${key}"] is a key that Flork sets; want ${want}`,
    reason: 'FieldValueForbidden',
    fieldPath: `['${key}']`,
  };
}

function hasNested(key: string): boolean {
  return !VALUES.some((value) => key === value || key.startsWith(`${value}.`));
}

/** Whether a nested key is there, asked level by level. */
function present(root: string, key: string): string {
  const names = key.split('.').map((name) => escaped(name));
  return names.map((_, index) => `has(${[root, ...names.slice(0, index + 1)].join('.')})`).join(' && ');
}

/** A property name as CEL writes it (Kubernetes, CRD validation rules). */
function escaped(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

/** A key's value as an integer wherever it is written, else a default. */
export function valueOf(key: string, otherwise: string): string {
  const flat = `self.flinkConf.${escaped(key)}`;
  const nested = `self.flinkConf.${key
    .split('.')
    .map((name) => escaped(name))
    .join('.')}`;
  const hasFlat = `has(self.flinkConf) && has(${flat})`;
  const hasNestedKey = `has(self.flinkConf) && ${present('self.flinkConf', key)}`;
  return `(${hasFlat} ? int(${flat}) : ${hasNestedKey} ? int(${nested}) : ${otherwise})`;
}
