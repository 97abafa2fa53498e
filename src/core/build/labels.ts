import type { JobRef } from '../record.ts';
import type { Role } from '../role.ts';

/** What an object serves: one of the two kinds of process, or the job as a whole. */
export type Component = Role | 'job';

/** Label that names the FlinkJob. */
const JOB_LABEL = 'flork.itom.com/job';

/** Label that names the kind of process. */
const COMPONENT_LABEL = 'flork.itom.com/component';

/** Labels of every object that Flork makes. */
export function labels(ref: Pick<JobRef, 'name'>, component: Component): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'flork',
    'app.kubernetes.io/instance': ref.name,
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/managed-by': 'flork',
    [JOB_LABEL]: ref.name,
    ...(component === 'job' ? {} : { [COMPONENT_LABEL]: component }),
  };
}

/** Selector of a role's pods. Constant for life: a Deployment's selector is immutable. */
export function selector(ref: Pick<JobRef, 'name'>, role: Role): Readonly<Record<string, string>> {
  return { [JOB_LABEL]: ref.name, [COMPONENT_LABEL]: role };
}
