import type { Operation } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { isTerminal } from '../facts/flink.ts';
import { parsePolicyDuration } from '../duration.ts';
import { parseTime } from '../time.ts';
import { metadataLeft } from './clean-up.ts';
import { asksForSavepoint } from './delete-savepoint.ts';
import { CLUSTER_SECONDS, TRANSITION_SECONDS } from './pace.ts';
import { progress, stalled } from './say.ts';
import { restService } from './service.ts';

/**
 * A savepoint, where one is asked for, comes first (delete-savepoint.ts).
 *
 *   finalize ──► operation delete in status ──observed──► cancel ──► pods to 0 ──proven gone──► metadata (clean-up.ts) ──► no children ──seen──► finalized
 */

/** The time that canceling may take before the pods go all the same. */
function timeoutOf(facts: Facts): { readonly text: string; readonly ms: number } {
  const text = facts.wanted?.policies?.deletion?.timeout ?? '5m';
  return { text, ms: parsePolicyDuration(text) ?? 5 * 60_000 };
}

/** Finalize without deletion: the FlinkJob no longer matches this controller. Its children stay, the next controller finds them. */
export function handedOver(facts: Facts): Answer | undefined {
  if (!facts.input.finalizing || facts.input.job.deletionTimestamp !== undefined) return undefined;
  return {
    rule: 'handedOver',
    say: progress(facts.prior?.state ?? 'Created', 'Starting', 'Handed over to another controller.'),
    workloads: 'keep',
    resyncAfterSeconds: 0,
    finalized: true,
  };
}

/** Nothing is left: the FlinkJob may go. */
export function deleted(facts: Facts): Answer | undefined {
  if (!facts.input.finalizing) return undefined;
  const { observed } = facts.input;
  const optional = [...observed.optional.values()].reduce((sum, names) => sum + names.size, 0);
  if (observed.configMaps.size + observed.services.size + observed.deployments.size + optional > 0) return undefined;
  if ((facts.jobManagerPods ?? 0) > 0 && !isAbandoned(facts)) return undefined;
  const metadata = metadataLeft(facts, 'gone');
  if (metadata) return metadata;
  return {
    rule: 'deleted',
    say: progress('Deleting', 'Deleting', 'All children are gone.'),
    workloads: 'gone',
    resyncAfterSeconds: 0,
    finalized: true,
  };
}

/** The garbage collector takes the children away whatever we say: foreground deletion, or the namespace goes. */
function isAbandoned(facts: Facts): boolean {
  const { job, observed } = facts.input;
  return job.finalizers.includes('foregroundDeletion') || observed.namespace?.metadata.deletionTimestamp !== undefined;
}

/** Children go at once where nobody waits for an orderly end. */
export function deletedByOthers(facts: Facts): Answer | undefined {
  if (!facts.input.finalizing || !isAbandoned(facts)) return undefined;
  return {
    rule: 'deletedByOthers',
    say: progress(
      'Deleting',
      'Deleting',
      `The cluster deletes the children itself (foreground deletion or a terminating namespace); no orderly cancel${asksForSavepoint(facts) ? ', and no savepoint,' : ''} is possible.`,
    ),
    workloads: 'gone',
    resyncAfterSeconds: CLUSTER_SECONDS / 3,
  };
}

/** The intent to delete, in status before anything is done. */
export function deletionIntended(facts: Facts): Answer | undefined {
  if (!facts.input.finalizing || facts.prior?.operation?.kind === 'delete') return undefined;
  const operation: Operation = {
    kind: 'delete',
    purpose: 'delete',
    attempt: (facts.epoch?.attempt ?? 0) + 1,
    generation: facts.input.job.generation,
    startedAt: facts.at,
  };
  return {
    rule: 'deletionIntended',
    say: progress('Deleting', 'Deleting', 'The job is being canceled.'),
    workloads: 'keep',
    operation,
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The job was seen ended, or may not be waited for any longer: in status first, so that a later view of less cannot change it. */
function deletionEndSeen(facts: Facts, timedOut: boolean): Answer {
  const how = facts.flink.job?.state === 'FINISHED' ? 'finished' : 'canceled';
  const ended = facts.epoch?.ended ?? { how, byFlork: true, at: facts.at };
  const what = timedOut
    ? `The job was not seen to end within ${timeoutOf(facts).text} (policies.deletion.timeout)`
    : 'The job has ended';
  return {
    rule: 'deletionEndSeen',
    say: progress('Deleting', 'StoppingPods', `${what}; its pods are being stopped.`),
    workloads: 'keep',
    ended: { ...ended, over: true },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** Cancel while the job lives and answers; when it has ended, cannot, or the time is over, the pods go, and then everything. */
export function deleting(facts: Facts): Answer | undefined {
  if (!facts.input.finalizing) return undefined;
  const { flink, process, jobManager, prior, now } = facts;
  const since = parseTime(prior?.operation?.startedAt) ?? now;
  const processGone =
    process.kind === 'none' || process.kind === 'dead' || jobManager === undefined || jobManager.replicas === 0;
  const gone = isTerminal(flink.job) || processGone;
  const seen = gone || now - since > timeoutOf(facts).ms;
  const standing = jobManager !== undefined && jobManager.replicas !== 0;
  const { endedInStatus } = facts;
  // Its savepoint is complete, and the sinks of the job commit what belongs to it.
  const committing = endedInStatus?.how === 'stopped' && endedInStatus.over !== true;
  if (seen && standing && facts.epoch && (!endedInStatus || committing)) return deletionEndSeen(facts, !gone);
  const over = seen || (facts.epoch?.ended !== undefined && !committing);
  if (!over) {
    const ask = !committing && flink.job !== undefined && flink.job.state !== 'CANCELLING';
    return {
      rule: ask ? 'deleteCancels' : 'deleteWaitsForCancel',
      say: progress(
        'Deleting',
        'Deleting',
        committing
          ? `Savepoint ${endedInStatus.path} is complete; waiting for the job to end.`
          : flink.heard === 'answered'
            ? 'The job is being canceled.'
            : 'Waiting for the JobManager, to cancel the job.',
      ),
      workloads: 'keep',
      ...(ask && flink.job
        ? { commands: [{ kind: 'cancel' as const, service: restService(facts), jobId: flink.job.id }] }
        : {}),
      resyncAfterSeconds: TRANSITION_SECONDS,
    };
  }
  const podsGone =
    (jobManager === undefined || facts.absent.jobManager === 'proven') &&
    (facts.taskManager === undefined || facts.absent.taskManager === 'proven');
  const noPods = facts.input.observed.pods === undefined || facts.input.observed.pods.length === 0;
  if (!podsGone || !noPods) {
    const stuck = facts.stuckPod;
    return {
      rule: 'deleteStopsPods',
      say: stuck
        ? stalled(
            'Deleting',
            'PodStuckTerminating',
            `Pod ${stuck} does not end (node lost?). If its node is really gone: kubectl delete pod ${stuck} --force.`,
          )
        : progress('Deleting', 'StoppingPods', 'Waiting until the pods are gone.'),
      workloads: 'stop',
      resyncAfterSeconds: CLUSTER_SECONDS / 3,
    };
  }
  const metadata = metadataLeft(facts, 'stop');
  if (metadata) return metadata;
  return {
    rule: 'deleteChildren',
    say: progress('Deleting', 'Deleting', 'The pods are gone; the remaining children follow.'),
    workloads: 'gone',
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}
