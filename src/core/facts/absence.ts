import type { ObservedDeployment, ObservedPod } from '../../api/kube.ts';
import { podsOf } from './process.ts';

/** Whether a workload has no pod left. Unknown is never no (lifecycle.md S9). */
export type Absence = 'proven' | 'disproven' | 'unknown';

/**
 * Proof of absence (lifecycle.md): the workload observed at 0 replicas with a current status that counts no pod, and no pod of the
 * component related, of whatever epoch or owner. A missing workload proves nothing, and neither does its status where pods are not
 * shown: `terminatingReplicas` 0 leaves out a pod that was made after the ReplicaSet was last counted (docs/adr/0060).
 */
export function absenceOf(
  deployment: ObservedDeployment | undefined,
  pods: readonly ObservedPod[] | undefined,
  component: 'jobmanager' | 'taskmanager',
): Absence {
  if (pods && podsOf(pods, component).some((pod) => !isOver(pod))) return 'disproven';
  if (!deployment) return 'unknown';
  const { status, replicas, metadata } = deployment;
  if (replicas !== 0 || (status.replicas ?? 0) > 0 || (status.terminatingReplicas ?? 0) > 0) return 'disproven';
  if (status.observedGeneration === undefined || status.observedGeneration < (metadata.generation ?? Infinity))
    return 'unknown';
  return pods ? 'proven' : 'unknown';
}

/**
 * Whether a pod is an object only: it has failed or succeeded for good and no container of it runs. An evicted pod stays so until
 * somebody deletes it; no ReplicaSet counts it, or takes it away at 0 replicas (the kubelet tells the phase when the containers are stopped).
 */
export function isOver(pod: ObservedPod): boolean {
  return (
    (pod.phase === 'Failed' || pod.phase === 'Succeeded') &&
    pod.containers.every(({ state }) => state.kind !== 'running')
  );
}

/** Pods of a component that were told to end long ago and have not (a lost node, a finalizer). */
export function stuckPod(
  pods: readonly ObservedPod[] | undefined,
  nowText: (ms: number) => string,
  now: number,
): ObservedPod | undefined {
  const longAgo = nowText(now - 5 * 60_000);
  return pods?.find((pod) => pod.metadata.deletionTimestamp !== undefined && pod.metadata.deletionTimestamp < longAgo);
}
