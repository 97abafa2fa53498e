import { FLINK_VERSIONS } from '../../src/api/flinkjob.ts';
import { OWNED_KEYS } from '../../src/core/owned-keys.ts';
import { LONGEST_NAME } from '../../src/core/validate/name.ts';
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
    if (COMPARED.includes(key)) value.pattern = '^[1-9][0-9]{0,8}$';
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
  return { rule, message: `spec.flinkConf["${key}"] is a key that Flork sets; want ${want}` };
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
function valueOf(key: string, otherwise: string): string {
  const flat = `self.flinkConf.${escaped(key)}`;
  const nested = `self.flinkConf.${key
    .split('.')
    .map((name) => escaped(name))
    .join('.')}`;
  const hasFlat = `has(self.flinkConf) && has(${flat})`;
  const hasNestedKey = `has(self.flinkConf) && ${present('self.flinkConf', key)}`;
  return `(${hasFlat} ? int(${flat}) : ${hasNestedKey} ? int(${nested}) : ${otherwise})`;
}

const SLOTS = valueOf('taskmanager.numberOfTaskSlots', '1');
const DEFAULT_PARALLELISM = valueOf('parallelism.default', '0');
const SUPPORTED = FLINK_VERSIONS.map((version) => version.replace('.', '[.]')).join('|');

/** Rules over the fields of a spec. */
export const SPEC_RULES: readonly CelRule[] = [
  {
    rule: '!has(self.python) || !has(self.jarURI)',
    message: 'spec.jarURI is set beside spec.python; want one of the two',
  },
  {
    rule: '!has(self.python) || !has(self.jobClassName)',
    message: 'spec.jobClassName is set beside spec.python; want one of the two',
  },
  {
    rule: '!has(self.python) || has(self.python.script) != has(self.python.module)',
    message: 'spec.python has both or neither of script and module; want exactly one of them',
  },
  {
    rule: '!has(self.restore) || !has(self.restore.nonce) || has(self.restore.from)',
    message: 'spec.restore.nonce is set without spec.restore.from; want the snapshot to restore in from',
  },
  {
    rule: `!has(self.image) || has(self.flinkVersion) || self.image.matches(':(${SUPPORTED})([.][0-9]+)?(-scala_?[0-9.]+)?(-java[0-9]+)?(@.*)?$')`,
    message: `spec.flinkVersion is absent and the tag of spec.image does not tell a version that Flork runs; want one of ${FLINK_VERSIONS.join(', ')} in flinkVersion`,
  },
  {
    rule: `!has(self.parallelism) || ${DEFAULT_PARALLELISM} in [0, self.parallelism]`,
    message: 'spec.parallelism differs from spec.flinkConf["parallelism.default"]; want one of the two',
  },
  {
    rule: `!has(self.taskManagerReplicas) || (has(self.parallelism) ? self.parallelism : ${DEFAULT_PARALLELISM}) <= self.taskManagerReplicas * ${SLOTS}`,
    message:
      'spec.parallelism is more than spec.taskManagerReplicas × taskmanager.numberOfTaskSlots; want at most that, or more taskManagerReplicas; without parallelism it follows them',
  },
];

/** Rules over the labels and annotations of pods, whose names are Kubernetes' to give. */
export const POD_META_RULES: readonly CelRule[] = [
  {
    rule: '!has(self.name)',
    message: 'name is not a field of pod labels and annotations; want no such field: Kubernetes names the pods',
  },
  {
    rule: '!has(self.__namespace__)',
    message:
      'namespace is not a field of pod labels and annotations; want no such field: pods run in the namespace of the FlinkJob',
  },
];

/** The file that holds the Flink configuration has one writer. */
export const FILE_RULES: readonly CelRule[] = [
  {
    rule: "!('config.yaml' in self) && !('flink-conf.yaml' in self)",
    message: 'spec.additionalConfFiles names the Flink configuration itself; want spec.flinkConf in its place',
  },
];

/** Rules over the whole object. */
export const OBJECT_RULES: readonly CelRule[] = [
  {
    rule: `self.metadata.name.size() <= ${LONGEST_NAME} && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
    message: `metadata.name is too long or has other characters; want at most ${LONGEST_NAME} characters, a-z, 0-9 and -, beginning with a letter and not ending with -`,
  },
];
