import type { FlinkJobSpec } from '../api/flinkjob.ts';

/** The two kinds of Flink process, spelled as in label flork.itom.com/component. */
export type Role = 'jobmanager' | 'taskmanager';

/** Both roles, JobManager first. */
export const ROLES: readonly Role[] = ['jobmanager', 'taskmanager'];

/** Name of the container that runs Flink; it is added to a pod spec that does not have it. */
export const MAIN_CONTAINER = 'flink-main-container';

type PodSpec = NonNullable<FlinkJobSpec['jobManagerPodSpec']>;
type Container = NonNullable<PodSpec['containers']>[number];

/** The user's pod spec of a role: the TaskManager's own one replaces the JobManager's, as in the original. */
export function podSpecOf(spec: FlinkJobSpec, role: Role): PodSpec | undefined {
  return role === 'taskmanager' ? (spec.taskManagerPodSpec ?? spec.jobManagerPodSpec) : spec.jobManagerPodSpec;
}

/** The user's pod labels and annotations of a role; the TaskManager's own replace the JobManager's. */
export function podMetaOf(spec: FlinkJobSpec, role: Role): FlinkJobSpec['jobManagerPodMeta'] {
  return role === 'taskmanager' ? (spec.taskManagerPodMeta ?? spec.jobManagerPodMeta) : spec.jobManagerPodMeta;
}

/** The container named `flink-main-container` in the user's pod spec of a role. */
export function mainContainerOf(spec: FlinkJobSpec, role: Role): Container | undefined {
  return podSpecOf(spec, role)?.containers?.find((container) => container.name === MAIN_CONTAINER);
}
