import { CONF_RULES, CONF_VARIABLES } from './flink-conf.ts';
import { binding, NEW_FLINKJOB, policy } from './policy.ts';
import { SPEC_RULES, SPEC_VARIABLES } from './spec.ts';

const NAME = 'flork-flinkjobs';

/**
 * The policy of component admission-policy: rules of src/core/validate that the CRD cannot tell. A rule that cannot be evaluated lets
 * the FlinkJob pass, as the hook asks it again.
 */
export function admissionPolicy(): readonly object[] {
  const scope = { ...NEW_FLINKJOB, name: NAME, failurePolicy: 'Ignore' } as const;
  return [policy(scope, [...CONF_VARIABLES, ...SPEC_VARIABLES], [...CONF_RULES, ...SPEC_RULES]), binding(NAME)];
}
