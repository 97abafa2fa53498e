import { refOf, type KubeObject } from '../../../src/sim/models/objects.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import { editAndPutBackWhenSeen } from './break-out.ts';
import { statusOf } from './checker.ts';
import { killJobManager, outage, pods } from './flows.ts';
import type { History } from './history.ts';
import { editMeaninglessly } from './meaningless.ts';
import { reconfigured, suspended, type Spec } from './sample.ts';

/** What the user or the cluster may do in the middle of a flow. */
export const DEEDS = [
  'JobManager killed',
  'TaskManagers killed',
  'JobManager Deployment deleted',
  'TaskManager Deployment deleted',
  'restore ConfigMap deleted',
  'record deleted',
  'configuration deleted',
  'Services deleted',
  'JobManager Deployment scaled to 0 by hand',
  'labels of the JobManager Deployment edited',
  'status wiped',
  'status of an earlier epoch put back',
  'results of triggers forgotten',
  'spec edited',
  'spec edited and put back',
  'spec edited, and put back when that was seen',
  'FlinkJob edited without a meaning',
  'spec refused',
  'suspended',
  'deleted',
  'deleted in the foreground',
  'hook down for ten minutes',
] as const;
export type DeedName = (typeof DEEDS)[number];

/** Does it; `over` is heard when what the history promised is promised no longer. */
export function doDeed(h: History, deed: DeedName, over = (): void => undefined): void {
  h.tell(`now: ${deed}`);
  switch (deed) {
    case 'JobManager killed':
      return killJobManager(h);
    case 'TaskManagers killed':
      return pods(h, 'taskmanager').forEach((pod) => h.world.kubelet.kill(pod));
    case 'JobManager Deployment deleted':
      return removeAll(h, 'Deployment', '-jobmanager');
    case 'TaskManager Deployment deleted':
      return removeAll(h, 'Deployment', '-taskmanager');
    case 'restore ConfigMap deleted':
      return removeAll(h, 'ConfigMap', '-restore-');
    case 'record deleted':
      return removeAll(h, 'ConfigMap', '-epoch-');
    case 'configuration deleted':
      return removeAll(h, 'ConfigMap', '-conf-');
    case 'Services deleted':
      return removeAll(h, 'Service', '-');
    case 'JobManager Deployment scaled to 0 by hand':
      return editWorkload(h, (live) => ({ ...live, spec: { ...(live['spec'] as object), replicas: 0 } }));
    case 'labels of the JobManager Deployment edited':
      return editWorkload(h, (live) => ({ ...live, metadata: { ...live.metadata, labels: { somebody: 'else' } } }));
    case 'status wiped':
      return withStatus(h, {});
    case 'status of an earlier epoch put back':
      return putBack(h);
    case 'results of triggers forgotten':
      return h.world.runtime.jobManagers().forEach((manager) => manager.forget());
    case 'spec edited':
      return withSpec(h, (spec) => h.apply(edited(spec)));
    case 'spec edited and put back':
      return withSpec(h, (spec) => {
        h.apply(edited(spec));
        h.apply(spec);
      });
    case 'spec edited, and put back when that was seen':
      return withSpec(h, (spec) => editAndPutBackWhenSeen(h, edited(spec), over));
    case 'FlinkJob edited without a meaning':
      return withSpec(h, () => h.edit(editMeaninglessly));
    case 'spec refused':
      return withSpec(h, (spec) => h.apply({ ...spec, parallelism: 7, taskManagerReplicas: 1 }));
    case 'suspended':
      return withSpec(h, (spec) => h.apply(suspended(spec)));
    case 'deleted':
      return h.remove();
    case 'deleted in the foreground':
      return h.remove('foreground');
    case 'hook down for ten minutes':
      return outage(h, 600_000);
    default:
      return deed satisfies never;
  }
}

/** Another spec, of a job that runs: what made it fail is corrected. */
function edited({ jobArgs, ...spec }: Spec): Spec {
  const fails = JSON.stringify(jobArgs ?? []).includes('--fail');
  return reconfigured(fails || jobArgs === undefined ? spec : { ...spec, jobArgs }, '2048');
}

function removeAll(h: History, kind: string, part: string): void {
  for (const object of h.world.api.list(kind, NAMESPACE)) {
    if (object.metadata.name.includes(part)) h.world.api.remove('somebody', refOf(object));
  }
}

function editWorkload(h: History, change: (live: KubeObject) => KubeObject): void {
  const live = h.world.api.list('Deployment', NAMESPACE).find(({ metadata }) => metadata.name.endsWith('-jobmanager'));
  if (live !== undefined) h.world.api.update('somebody', change(live));
}

function withSpec(h: History, act: (spec: Spec) => void): void {
  const job = h.job();
  if (job !== undefined && job.metadata.deletionTimestamp === undefined) act(job['spec'] as Spec);
}

/** As a backup restored over the live object would. */
function putBack(h: History): void {
  const live = h.job();
  const epoch = live === undefined ? undefined : statusOf(live).epoch?.number;
  const older = h.world.api.writes.findLast(
    ({ object }) => object.kind === 'FlinkJob' && (statusOf(object).epoch?.number ?? 0) < (epoch ?? 0),
  );
  if (older !== undefined) withStatus(h, older.object['status']);
}

/** Writes another status; what the former one intended is forgotten. */
function withStatus(h: History, status: unknown): void {
  h.edit((live) => {
    h.ledger.forgot(live.metadata.uid ?? '');
    return { ...live, status };
  });
}
