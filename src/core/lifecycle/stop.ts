import type { Answer } from '../answer.ts';
import { leavingWanted, type Facts } from '../facts/facts.ts';
import { isTerminal } from '../facts/flink.ts';
import { rfc3339 } from '../time.ts';
import { clockOf, isForgotten, isUnknown, withMemory } from './forgotten.ts';
import { usedUp } from './intend.ts';
import { answersWithoutJob, hasStopLostItsJob } from './no-job.ts';
import { TRANSITION_SECONDS, unreachableSeconds } from './pace.ts';
import { progress, stalled } from './say.ts';
import { restService } from './service.ts';
import { savepointBelow } from './snapshots.ts';

/**
 * A stop in progress:
 *
 *   intended ──observed──► POST stop (repeated until its trigger is known) ──COMPLETED──► path in status and restore ConfigMap
 */

const stateOf = (facts: Facts) =>
  facts.operation?.purpose === 'suspend' ? ('Stopping' as const) : ('Upgrading' as const);

/**
 * The operation's process is gone, so its trigger is too (Flink keeps results in memory): what happens next is decided anew. A cancel
 * is asked of whatever process runs the same job, as with high availability the next one does.
 */
export function operationOrphaned(facts: Facts): Answer | undefined {
  const { operation, process, flink, epoch } = facts;
  if (!operation || ['delete', 'rescale'].includes(operation.kind) || epoch?.ended) return undefined;
  const dead = process.kind === 'dead' && operation.kind === 'stop';
  // One that is told beside the very epoch that it led to is left from an older view.
  const back = operation.purpose === 'rollback' && facts.record?.failed === undefined;
  const otherProcess =
    process.kind === 'running' &&
    !facts.standbys &&
    operation.process !== undefined &&
    operation.process !== process.id &&
    !(operation.kind === 'cancel' && (facts.record?.highAvailability || back));
  const otherJob =
    !back && flink.job !== undefined && operation.jobId !== undefined && flink.job.id !== operation.jobId;
  const forgotten = hasStopLostItsJob(facts);
  if (!dead && !otherProcess && !otherJob && !forgotten) return undefined;
  return {
    rule: dead ? 'stopLostItsProcess' : forgotten ? 'stopLostItsJob' : 'operationOrphaned',
    say: progress(
      stateOf(facts),
      'ChangeWaits',
      `The JobManager that was asked (attempt ${operation.attempt}) is gone; a new attempt follows when the job runs again.`,
    ),
    workloads: 'run',
    operation: null,
    ...usedUp(facts),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The savepoint of the stop is complete: its path is recorded, and no new process can start any more. Nothing else happens yet (S3). */
export function stopCompleted(facts: Facts): Answer | undefined {
  const { operation, view, epoch } = facts;
  if (operation?.kind !== 'stop' || epoch?.ended || view.kind !== 'answered') return undefined;
  const trigger = view.trigger.kind === 'value' ? view.trigger.value : undefined;
  const listed = savepointBelow(facts, operation.directory)?.path;
  const path =
    trigger?.kind === 'completed' ? trigger.path : trigger?.kind === 'failed' ? (trigger.path ?? undefined) : listed;
  if (path === undefined) return undefined;
  const failed = trigger?.kind === 'failed';
  return {
    rule: failed ? 'stopCompletedWithFailure' : 'stopCompleted',
    say: progress(
      stateOf(facts),
      'TakingSavepoint',
      failed
        ? `Savepoint ${path} is complete; the job failed while it stopped, so that side effects of its last moments may be uncommitted.`
        : `Savepoint ${path} is complete; waiting for the job to end.`,
    ),
    workloads: 'run',
    operation: { ...operation, result: { path, at: facts.at } },
    ...usedUp(facts),
    ended: {
      how: 'stopped',
      path,
      kind: 'savepoint',
      byFlork: true,
      ...(isTerminal(facts.flink.job) ? { over: true } : {}),
      at: facts.at,
    },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The savepoint failed: the job goes on, and a new attempt follows with a growing pause. */
export function stopFailed(facts: Facts): Answer | undefined {
  const { operation, view, epoch, now } = facts;
  if (operation?.kind !== 'stop' || epoch?.ended) return undefined;
  const trigger = view.kind === 'answered' && view.trigger.kind === 'value' ? view.trigger.value : undefined;
  const lost = operation.known === true && isForgotten(facts, operation);
  const failure =
    operation.result?.failure ??
    (trigger?.kind === 'failed' && trigger.path === undefined ? trigger.text : undefined) ??
    (lost ? 'Flink no longer knows what came of it, and lists no savepoint' : undefined);
  if (failure === undefined || isTerminal(facts.flink.job)) return undefined;
  const failures = (facts.retry?.failures ?? 0) + 1;
  const pauseSeconds = Math.min(300, 10 * 2 ** (failures - 1));
  return {
    rule: 'stopFailed',
    say: stalled(
      'Stalled',
      'SavepointFailed',
      `Savepoint failed (attempt ${operation.attempt}): ${failure}. The job goes on; next attempt in ${pauseSeconds} s.`,
    ),
    workloads: 'run',
    operation: null,
    ...usedUp(facts),
    retry: { failures, notBefore: rfc3339(now + pauseSeconds * 1000) },
    resyncAfterSeconds: Math.min(pauseSeconds, 15),
  };
}

/** Flink may have heard of this stop, failed it and forgotten it: it is asked for anew, under the next number (S1). */
export function stopForgotten(facts: Facts): Answer | undefined {
  const { operation, epoch, flink } = facts;
  if (operation?.kind !== 'stop' || epoch?.ended || isTerminal(flink.job) || flink.job === undefined) return undefined;
  if (!isForgotten(facts, operation)) return undefined;
  return {
    rule: 'stopForgotten',
    say: progress(
      stateOf(facts),
      'ChangeWaits',
      `Flink does not know of attempt ${operation.attempt}, which it was asked for long ago; a new one follows.`,
    ),
    workloads: 'run',
    operation: null,
    ...usedUp(facts),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The spec is as it was and the stop was never sent: nothing happens (scenario 4). */
export function stopWithdrawn(facts: Facts): Answer | undefined {
  const { operation, view, flink, epoch } = facts;
  if (operation?.kind !== 'stop' || epoch?.ended || leavingWanted(facts)) return undefined;
  if (view.kind !== 'answered' || view.trigger.kind !== 'absent' || isTerminal(flink.job) || flink.job === undefined)
    return undefined;
  return {
    rule: 'stopWithdrawn',
    say: progress('Running', 'TasksStarting', 'The spec is again what runs; nothing was stopped.'),
    workloads: 'run',
    operation: null,
    ...(operation.known ? usedUp(facts) : {}),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/**
 * A stop that Flink does not know, and that cannot be asked for now: not all tasks run. It counts as a failed one, so that a job that
 * never runs for long is not waited for without end. Its number stands: while Flink may know of it, no other is asked for (S1).
 */
export function stopUnsent(facts: Facts): Answer | undefined {
  const { operation, view, flink, epoch } = facts;
  if (operation?.kind !== 'stop' || epoch?.ended || isTerminal(flink.job) || flink.job === undefined) return undefined;
  if (view.kind !== 'answered' || view.trigger.kind !== 'absent') return undefined;
  if (flink.allTasksRun) return undefined;
  return {
    rule: 'stopUnsent',
    say: progress(
      stateOf(facts),
      'ChangeWaits',
      'The job could not be stopped, as not all of its tasks run; the change waits.',
    ),
    workloads: 'run',
    operation: null,
    ...(operation.known ? usedUp(facts) : {}),
    retry: { failures: (facts.retry?.failures ?? 0) + 1, notBefore: facts.at },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The intent to stop is observed: ask Flink, again and again with one id until it knows of it; then wait. */
export function stopUnderWay(facts: Facts): Answer | undefined {
  const { operation, flink, epoch } = facts;
  if (operation?.kind !== 'stop' || epoch?.ended || isTerminal(flink.job)) return undefined;
  const { triggerId, directory, jobId, known } = operation;
  const ask =
    isUnknown(facts) &&
    !known &&
    flink.allTasksRun &&
    triggerId !== undefined &&
    directory !== undefined &&
    jobId !== undefined;
  const unreachable = flink.heard === 'unreachable';
  return {
    rule: ask ? 'stopAsked' : unreachable ? 'stopUnheard' : 'stopUnderWay',
    say: unreachable
      ? progress(
          stateOf(facts),
          'JobManagerUnreachable',
          'The JobManager does not answer while the job is being stopped; waiting.',
        )
      : answersWithoutJob(facts)
        ? progress(stateOf(facts), 'JobStarting', 'The JobManager lists no job; the stop waits for it.')
        : progress(stateOf(facts), 'TakingSavepoint', `Stopping the job with a savepoint to ${directory}.`),
    workloads: 'run',
    operation: ask ? { askedAt: rfc3339(clockOf(facts)), ...operation } : withMemory(facts, operation),
    ...(ask
      ? {
          commands: [
            {
              kind: 'stop' as const,
              service: restService(facts),
              jobId,
              triggerId,
              directory,
              formatType: facts.wanted?.policies?.savepoint?.format ?? ('CANONICAL' as const),
              // A drained job is not to be resumed: only where it is deleted.
              drain:
                operation.purpose === 'delete' && facts.wanted?.policies?.savepoint?.advanceToEndOfEventTime === true,
            },
          ],
        }
      : {}),
    resyncAfterSeconds: unreachable ? unreachableSeconds(facts) : TRANSITION_SECONDS,
  };
}
