/* oxlint-disable max-lines -- one table, read as a whole */
import type { FlinkJobSpec } from '../api/flinkjob.ts';
import { canonical } from './build/canonical.ts';
import { configured } from './conf-effects.ts';
import { flinkVersionOf, mainImageOf } from './flink-version.ts';
import { MAIN_CONTAINER, podMetaOf, podSpecOf } from './role.ts';

/**
 * What a change of a field does to a running job. `ignore`: nothing is restarted, the field is read when it is needed;
 * `scale`: another parallelism, of the same epoch where Flink can rescale; `upgrade`: a new epoch.
 */
export type Effect = 'ignore' | 'scale' | 'upgrade';

/**
 * A thing that a spec says: the field it is named after, what a change of it does, a note for docs/changes.md, and its value
 * however it was spelled. A row stands for all fields below its own that have no row themselves.
 */
export type Row = {
  readonly field: string;
  readonly effect: Effect;
  readonly note: string;
  readonly read: (spec: FlinkJobSpec) => unknown;
};

export const SAVEPOINT_DIRECTORY = 'execution.checkpointing.savepoint-dir';

/** Every thing a spec says but flinkConf, whose keys conf-effects.ts has. Code, documentation and status.plan read this table. */
export const CHANGE_TABLE: readonly Row[] = [
  {
    field: 'flinkVersion',
    effect: 'upgrade',
    note: 'The version that the image tag says, said here, is no change.',
    read: (spec) => flinkVersionOf(spec),
  },
  {
    field: 'image',
    effect: 'upgrade',
    note: 'The same image at another place (pod spec, configuration key) is no change.',
    read: (spec) => [mainImageOf(spec, 'jobmanager'), mainImageOf(spec, 'taskmanager')],
  },
  {
    field: 'jarURI',
    effect: 'upgrade',
    note: 'The same as configuration key `pipeline.jars`.',
    read: (spec) => spec.jarURI ?? configured(spec, 'pipeline.jars'),
  },
  { field: 'jobClassName', effect: 'upgrade', note: '', read: (spec) => spec.jobClassName },
  {
    field: 'jobArgs',
    effect: 'upgrade',
    note: 'Order counts.',
    read: (spec) => JSON.stringify(spec.jobArgs ?? []),
  },
  { field: 'python', effect: 'upgrade', note: '', read: (spec) => spec.python },
  {
    field: 'florkConf.shadowConfigFiles',
    effect: 'upgrade',
    note: '',
    read: (spec) => spec.florkConf?.shadowConfigFiles ?? false,
  },
  {
    field: 'florkConf.cleanHighAvailability',
    effect: 'ignore',
    note: 'Read when metadata is to be removed.',
    read: (spec) => spec.florkConf?.cleanHighAvailability,
  },
  {
    field: 'florkConf.preferClusterInternalService',
    effect: 'ignore',
    note: 'Read at every call.',
    read: (spec) => spec.florkConf?.preferClusterInternalService,
  },
  {
    field: 'florkConf',
    effect: 'ignore',
    note: 'Fields that Flork does not know are kept with the next epoch.',
    read: (spec) => ({
      ...spec.florkConf,
      shadowConfigFiles: undefined,
      cleanHighAvailability: undefined,
      preferClusterInternalService: undefined,
    }),
  },
  { field: 'jobManagerPodMeta', effect: 'upgrade', note: '', read: (spec) => spec.jobManagerPodMeta },
  {
    field: 'jobManagerPodSpec',
    effect: 'upgrade',
    note: 'Another spelling of a quantity, or an empty value for none, is no change.',
    read: (spec) => withoutImage(podSpecOf(spec, 'jobmanager')),
  },
  {
    field: 'taskManagerPodMeta',
    effect: 'upgrade',
    note: 'Those of the JobManager, spelled out, are no change.',
    read: (spec) => podMetaOf(spec, 'taskmanager'),
  },
  {
    field: 'taskManagerPodSpec',
    effect: 'upgrade',
    note: 'That of the JobManager, spelled out, is no change.',
    read: (spec) => withoutImage(podSpecOf(spec, 'taskmanager')),
  },
  { field: 'jobManagerResources', effect: 'upgrade', note: '', read: (spec) => spec.jobManagerResources },
  { field: 'taskManagerResources', effect: 'upgrade', note: '', read: (spec) => spec.taskManagerResources },
  {
    field: 'additionalConfFiles',
    effect: 'upgrade',
    note: '',
    read: (spec) => JSON.stringify(Object.entries(spec.additionalConfFiles ?? {}).toSorted()),
  },
  {
    field: 'parallelism',
    effect: 'scale',
    note: 'The same as configuration key `parallelism.default`. Without effect in reactive mode.',
    read: (spec) => text(spec.parallelism ?? configured(spec, 'parallelism.default')),
  },
  {
    field: 'taskManagerReplicas',
    effect: 'scale',
    note: 'The target of the scale subresource.',
    read: (spec) => text(spec.taskManagerReplicas),
  },
  { field: 'jobManagerReplicas', effect: 'upgrade', note: '', read: (spec) => spec.jobManagerReplicas ?? 1 },
  {
    field: 'state',
    effect: 'ignore',
    note: 'Acts by itself: the job is stopped with a snapshot, or goes on from it.',
    read: (spec) => spec.state ?? 'running',
  },
  {
    field: 'restore.nonce',
    effect: 'ignore',
    note: 'Acts by itself: a new value starts the job anew from `restore.from`; removing it does nothing.',
    read: (spec) => spec.restore?.nonce,
  },
  {
    field: 'restore',
    effect: 'ignore',
    note: 'Acts only together with a new `restore.nonce`, or at the first start.',
    read: (spec) => ({ ...spec.restore, nonce: undefined }),
  },
  {
    field: 'restartNonce',
    effect: 'ignore',
    note: 'Acts by itself: a new value starts the same spec anew, with its state; removing it does nothing.',
    read: (spec) => spec.restartNonce,
  },
  {
    field: 'savepointNonce',
    effect: 'ignore',
    note: 'Acts by itself: a new value takes a savepoint; removing it does nothing.',
    read: (spec) => spec.savepointNonce,
  },
  {
    field: 'checkpointNonce',
    effect: 'ignore',
    note: 'Acts by itself: a new value takes a checkpoint; removing it does nothing.',
    read: (spec) => spec.checkpointNonce,
  },
  {
    field: 'approveStateLoss',
    effect: 'ignore',
    note: 'Read when Flork holds rather than lose state.',
    read: (spec) => spec.approveStateLoss,
  },
  {
    field: 'policies.upgrade',
    effect: 'ignore',
    note: 'Read when an upgrade begins, and while an epoch becomes stable.',
    read: (spec) => spec.policies?.upgrade,
  },
  {
    field: 'policies.stateLoss',
    effect: 'ignore',
    note: 'Read when state could be lost.',
    read: (spec) => spec.policies?.stateLoss,
  },
  {
    field: 'policies.savepoint.directory',
    effect: 'upgrade',
    note: `The same as configuration key \`${SAVEPOINT_DIRECTORY}\`; a slash at its end is no change.`,
    read: (spec) => (spec.policies?.savepoint?.directory ?? configured(spec, SAVEPOINT_DIRECTORY))?.replace(/\/+$/, ''),
  },
  {
    field: 'policies.savepoint',
    effect: 'ignore',
    note: 'Read when a savepoint is taken, or removed.',
    read: (spec) => ({ ...spec.policies?.savepoint, directory: undefined }),
  },
  {
    field: 'policies.checkpoint',
    effect: 'ignore',
    note: 'Read when a checkpoint is taken, or removed.',
    read: (spec) => spec.policies?.checkpoint,
  },
  {
    field: 'policies.deletion',
    effect: 'ignore',
    note: 'Read when the FlinkJob is deleted, or its job has ended.',
    read: (spec) => spec.policies?.deletion,
  },
  {
    field: 'policies.restart',
    effect: 'ignore',
    note: 'Read when the job has ended.',
    read: (spec) => spec.policies?.restart,
  },
  { field: 'policies.health', effect: 'ignore', note: 'Read at every sync.', read: (spec) => spec.policies?.health },
  {
    field: 'policies.scaleCooldown',
    effect: 'ignore',
    note: 'Read when a change of scale needs a restart.',
    read: (spec) => spec.policies?.scaleCooldown,
  },
  {
    field: 'policies.ttlSecondsAfterFinished',
    effect: 'ignore',
    note: 'Read when the job has ended.',
    read: (spec) => spec.policies?.ttlSecondsAfterFinished,
  },
  { field: 'ingress', effect: 'ignore', note: 'The Ingress alone.', read: (spec) => spec.ingress },
  { field: 'httpRoute', effect: 'ignore', note: 'The HTTPRoute alone.', read: (spec) => spec.httpRoute },
  {
    field: 'podDisruptionBudget',
    effect: 'ignore',
    note: 'The PodDisruptionBudget alone.',
    read: (spec) => spec.podDisruptionBudget,
  },
  { field: 'networkPolicy', effect: 'ignore', note: 'The NetworkPolicy alone.', read: (spec) => spec.networkPolicy },
  {
    field: 'podMonitor',
    effect: 'ignore',
    note: 'The PodMonitor alone; reporter and port come with the next epoch.',
    read: (spec) => spec.podMonitor,
  },
];

function text(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** A pod spec without the main container's image, which is a thing of its own; a main container that says nothing else is none. */
function withoutImage(podSpec: ReturnType<typeof podSpecOf>): unknown {
  if (podSpec === undefined) return undefined;
  const containers = podSpec.containers?.flatMap((container) => {
    if (container.name !== MAIN_CONTAINER) return [container];
    const rest = canonical({ ...container, image: undefined });
    return Object.keys(rest).length > 1 ? [rest] : [];
  });
  return { ...podSpec, containers };
}
