import type { ObservedDeployment, ObservedPod } from '../../api/kube.ts';
import type { Reason } from '../../api/reasons.ts';
import type { Facts } from '../facts/facts.ts';

/** What pods and workloads say is wrong, before Flink could. */
export type Trouble = { readonly reason: Reason; readonly message: string; readonly stalls: boolean };

const IMAGE = ['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError'];
const CONFIG = ['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'];

/** The first trouble that a pod of the epoch or one of its Deployments reports; JobManager before TaskManagers. */
export function troubleOf(facts: Facts): Trouble | undefined {
  const { job, observed } = facts.input;
  const pods = (observed.pods ?? []).filter(
    (pod) =>
      pod.metadata.annotations?.['flork.itom.com/job-uid'] === job.ref.uid &&
      pod.metadata.deletionTimestamp === undefined,
  );
  const rank = (pod: ObservedPod) => (pod.metadata.labels?.['flork.itom.com/component'] === 'jobmanager' ? 0 : 1);
  for (const pod of pods.toSorted((a, b) => rank(a) - rank(b) || a.metadata.name.localeCompare(b.metadata.name))) {
    const trouble = troubleOfPod(pod);
    if (trouble) return trouble;
  }
  return refused(facts.jobManager) ?? refused(facts.taskManager);
}

function troubleOfPod(pod: ObservedPod): Trouble | undefined {
  const { name } = pod.metadata;
  const scheduled = pod.conditions.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return { reason: 'Unschedulable', message: `Pod ${name} is unschedulable: ${scheduled.message}`, stalls: false };
  }
  for (const container of pod.containers) {
    const { state, lastState } = container;
    if (state.kind !== 'waiting') continue;
    const where = `Container ${container.name} of pod ${name}`;
    if (IMAGE.includes(state.reason))
      return { reason: 'ImagePullFailed', message: `${where}: ${state.reason}. ${state.message}`, stalls: true };
    if (CONFIG.includes(state.reason))
      return { reason: 'ContainerConfigInvalid', message: `${where}: ${state.reason}. ${state.message}`, stalls: true };
    if (state.reason === 'CrashLoopBackOff') {
      const end =
        lastState.kind === 'terminated'
          ? ` It ended with exit code ${lastState.exitCode} (${lastState.reason}). ${lastLine(lastState.message)}`
          : '';
      return {
        reason: 'CrashLooping',
        message: `${where} ends again and again.${end}`,
        stalls: container.restartCount >= 2,
      };
    }
  }
  return undefined;
}

/** ReplicaFailure is how quota, Pod Security and admission show on a Deployment (apps/v1 DeploymentReplicaFailure). */
function refused(deployment: ObservedDeployment | undefined): Trouble | undefined {
  const failure = deployment?.status.conditions.find(
    (condition) => condition.type === 'ReplicaFailure' && condition.status === 'True',
  );
  return (
    failure && {
      reason: 'PodsRefused',
      message: `The cluster refuses pods of ${deployment?.metadata.name}: ${failure.message}`,
      stalls: true,
    }
  );
}

/** The line of a termination message (the end of the log) that names the cause, short. */
function lastLine(message: string): string {
  const lines = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at ') && !line.startsWith('...'));
  const cause =
    lines.findLast((line) => line.startsWith('Caused by:')) ??
    lines.findLast((line) => /Exception|Error/.test(line)) ??
    lines.at(-1) ??
    '';
  return cause.slice(0, 300);
}
