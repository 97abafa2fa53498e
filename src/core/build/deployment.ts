import type { Child } from '../../api/kube.ts';
import { merge } from '../merge.ts';
import type { Role } from '../role.ts';
import { child } from './child.ts';
import type { Conf, Context } from './context.ts';
import { EPOCH } from './children.ts';
import { FEATURES } from './features/list.ts';
import { labels, selector } from './labels.ts';
import { main, podTemplate } from './pod.ts';

/** Annotation of the pods: uid of the FlinkJob they run for. */
const JOB_UID = 'flork.itom.com/job-uid';

/** A role's Deployment, without replicas. Never two generations of pods at a time, and no old template to roll back to by hand. */
export function deployment(context: Context, role: Role, conf: Conf, args: readonly string[]): Child {
  const { ref } = context;
  const owned = {
    metadata: {
      labels: selector(ref, role),
      annotations: { [EPOCH]: String(context.number), [JOB_UID]: ref.uid },
    },
    ...main({ args }),
  };
  const template = merge(
    { metadata: { labels: labels(ref, role) } },
    podTemplate(context, role, conf, FEATURES),
    owned,
  );
  const name = role === 'jobmanager' ? context.names.jobManager : context.names.taskManager;
  return child(ref, 'Deployment', name, role, {
    spec: {
      revisionHistoryLimit: 0,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: selector(ref, role) },
      template,
    },
  });
}
