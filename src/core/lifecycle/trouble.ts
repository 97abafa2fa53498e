import type { ObservedDeployment, ObservedPod } from '../../api/kube.ts';
import type { Reason } from '../../api/reasons.ts';
import { isOver } from '../facts/absence.ts';
import type { Facts } from '../facts/facts.ts';
import { parseTime } from '../time.ts';

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
  const sorted = pods.toSorted((a, b) => rank(a) - rank(b) || a.metadata.name.localeCompare(b.metadata.name));
  for (const pod of sorted.filter((one) => !isOver(one))) {
    const trouble = troubleOfPod(pod, facts);
    if (trouble) return trouble;
  }
  return refused(facts.jobManager) ?? refused(facts.taskManager) ?? lost(sorted, facts);
}

/** How long a past end explains a job that does not run; what lies further back is another story. */
const RECENT_MS = 10 * 60_000;

function isRecent(time: string | undefined, facts: Facts): boolean {
  const at = parseTime(time);
  return at !== undefined && facts.now - at < RECENT_MS;
}

/** A pod that the node gave up (evicted, node shut down): its object stays, another one takes its place. */
function lost(pods: readonly ObservedPod[], facts: Facts): Trouble | undefined {
  const ends = (pod: ObservedPod) =>
    pod.containers.flatMap(({ state }) => (state.kind === 'terminated' ? [state.finishedAt] : []));
  const pod = pods.find(
    (one) =>
      one.phase === 'Failed' && [...ends(one), one.metadata.creationTimestamp].some((time) => isRecent(time, facts)),
  );
  return (
    pod && {
      reason: 'PodFailed',
      message: `Pod ${pod.metadata.name} has failed${pod.reason ? ` (${pod.reason})` : ''}: ${pod.message || 'the node gives no reason'}. Another one takes its place.`,
      stalls: false,
    }
  );
}

function troubleOfPod(pod: ObservedPod, facts: Facts): Trouble | undefined {
  const { name } = pod.metadata;
  const scheduled = pod.conditions.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return { reason: 'Unschedulable', message: `Pod ${name} is unschedulable: ${scheduled.message}`, stalls: false };
  }
  for (const container of pod.containers) {
    const { state, lastState } = container;
    const where = `Container ${container.name} of pod ${name}`;
    const end = state.kind === 'terminated' ? state : lastState;
    if (end.kind === 'terminated' && end.reason === 'OOMKilled' && isRecent(end.finishedAt, facts)) {
      return {
        reason: 'OutOfMemory',
        message: `${where} was killed, as it used more memory than its limit (OOMKilled, exit code ${end.exitCode}). A larger memory limit, or a smaller share for what the job allocates outside the heap.`,
        stalls: container.restartCount >= 2 && state.kind !== 'running',
      };
    }
    if (state.kind !== 'waiting') continue;
    if (IMAGE.includes(state.reason))
      return { reason: 'ImagePullFailed', message: `${where}: ${state.reason}. ${state.message}`, stalls: true };
    if (CONFIG.includes(state.reason))
      return { reason: 'ContainerConfigInvalid', message: `${where}: ${state.reason}. ${state.message}`, stalls: true };
    if (state.reason === 'CrashLoopBackOff') {
      const how =
        lastState.kind === 'terminated'
          ? ` It ended with exit code ${lastState.exitCode} (${lastState.reason}). ${lastLine(lastState.message)}`
          : '';
      return {
        reason: 'CrashLooping',
        message: `${where} ends again and again.${how}`,
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
