import { FLINK_VERSIONS } from '../../src/api/flinkjob.ts';
import { LONGEST_NAME } from '../../src/core/validate/name.ts';
import { valueOf } from './flink-conf.ts';
import type { CelRule } from './json-schema.ts';

const SLOTS = valueOf('taskmanager.numberOfTaskSlots', '1');
const DEFAULT_PARALLELISM = valueOf('parallelism.default', '0');
const SUPPORTED = FLINK_VERSIONS.map((version) => version.replace('.', '[.]')).join('|');

/** Rules over the fields of a spec. */
export const SPEC_RULES: readonly CelRule[] = [
  {
    rule: '!has(self.python) || !has(self.jarURI)',
    message: 'spec.jarURI is set beside spec.python; want one of the two',
    reason: 'FieldValueForbidden',
    fieldPath: '.jarURI',
  },
  {
    rule: '!has(self.python) || !has(self.jobClassName)',
    message: 'spec.jobClassName is set beside spec.python; want one of the two',
    reason: 'FieldValueForbidden',
    fieldPath: '.jobClassName',
  },
  {
    rule: '!has(self.python) || has(self.python.script) != has(self.python.module)',
    message: 'spec.python has both or neither of script and module; want exactly one of them',
    reason: 'FieldValueInvalid',
    fieldPath: '.python',
  },
  {
    rule: '!has(self.restore) || !has(self.restore.nonce) || (has(self.restore.from) && self.restore.from.size() > 0)',
    message: 'spec.restore.nonce is set without spec.restore.from; want the snapshot to restore in from',
    reason: 'FieldValueInvalid',
    fieldPath: '.restore.nonce',
  },
  {
    rule: `!has(self.image) || has(self.flinkVersion) || self.image.matches(':(${SUPPORTED})([.][0-9]+)?(-scala_?[0-9.]+)?(-java[0-9]+)?(@.*)?$')`,
    message: `spec.flinkVersion is absent and the tag of spec.image does not tell a version that Flork runs; want one of ${FLINK_VERSIONS.join(', ')} in flinkVersion`,
    reason: 'FieldValueRequired',
    fieldPath: '.flinkVersion',
  },
  {
    rule: `!has(self.parallelism) || ${DEFAULT_PARALLELISM} in [0, self.parallelism]`,
    message: 'spec.parallelism differs from spec.flinkConf["parallelism.default"]; want one of the two',
    reason: 'FieldValueInvalid',
    fieldPath: '.parallelism',
  },
  {
    rule: `!has(self.taskManagerReplicas) || (has(self.parallelism) ? self.parallelism : ${DEFAULT_PARALLELISM}) <= self.taskManagerReplicas * ${SLOTS}`,
    message:
      'spec.parallelism is more than spec.taskManagerReplicas × taskmanager.numberOfTaskSlots; want at most that, or more taskManagerReplicas; without parallelism it follows them',
    reason: 'FieldValueInvalid',
    fieldPath: '.parallelism',
  },
];

/** Rules over the labels and annotations of pods, whose names are Kubernetes' to give. */
export const POD_META_RULES: readonly CelRule[] = [
  {
    rule: '!has(self.name)',
    message: 'name is not a field of pod labels and annotations; want no such field: Kubernetes names the pods',
    reason: 'FieldValueForbidden',
    fieldPath: '.name',
  },
  {
    rule: '!has(self.__namespace__)',
    message:
      'namespace is not a field of pod labels and annotations; want no such field: pods run in the namespace of the FlinkJob',
    reason: 'FieldValueForbidden',
    fieldPath: '.namespace',
  },
];

/** Rules over the whole object. */
export const OBJECT_RULES: readonly CelRule[] = [
  {
    rule: `self.metadata.name.size() <= ${LONGEST_NAME} && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
    message: `metadata.name is too long or has other characters; want at most ${LONGEST_NAME} characters, a-z, 0-9 and -, beginning with a letter and not ending with -`,
  },
];
