import type { Answer } from '../answer.ts';
import { leavingWanted, type Facts } from '../facts/facts.ts';
import { isTerminal } from '../facts/flink.ts';
import { lossAllowed, resolveMode, waysOut } from './contract.ts';
import { CLUSTER_SECONDS, TRANSITION_SECONDS } from './pace.ts';
import { progress, stalled, toldRewound } from './say.ts';
import { ownDirectory, unreadHint } from './snapshots.ts';

/**
 * A job that was being stopped with a savepoint has finished, and its JobManager ended before that was read. With high availability the
 * next one finds the result of the job not cleaned up yet (JobResultStore, a dirty result) and tells how it ended, and nothing else
 * (CheckpointResourcesCleanupRunner). The savepoint is the only state: Flink deletes the checkpoints of a job that finishes.
 *
 *   restore asked ──► from there      mode stateless ──► empty      loss allowed ──► from what is older      else ──► hold
 */

/** Whether Flink knows nothing of the job but how it ended. */
export function isShadow({ flink }: Facts): boolean {
  return flink.job !== undefined && isTerminal(flink.job) && flink.job.tasks.total === 0;
}

/** Whether a savepoint of Flork may have ended it, and nobody can tell any more. Where another epoch is wanted, status may have forgotten the stop. */
export function isStopUnread(facts: Facts): boolean {
  const { flink, epoch, operation } = facts;
  if (flink.job?.state !== 'FINISHED' || !isShadow(facts)) return false;
  return epoch?.unread !== undefined || operation?.kind === 'stop' || leavingWanted(facts);
}

export function stopUnread(facts: Facts): Answer | undefined {
  if (!isStopUnread(facts)) return undefined;
  const from = facts.restoreNonce === undefined ? undefined : facts.wanted?.restore?.from;
  if (from !== undefined) return goOn(facts, { path: from });
  if (resolveMode(facts) === 'stateless' && !facts.suspendWanted) return goOn(facts, {});
  if (lossAllowed(facts)) return goOn(facts, { path: older(facts) }, true);
  const why = unreadHint(facts) ?? unknownHint(facts);
  return {
    rule: 'stopUnread',
    say: stalled('Stalled', 'StateAtRisk', `${why} Nothing is started in its place. ${waysOut(facts)}`),
    workloads: 'jobmanager-only',
    operation: null,
    stateSafe: { status: 'False', reason: 'StateAtRisk', message: why },
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}

function unknownHint(facts: Facts): string {
  const directory = facts.operation?.directory ?? ownDirectory(facts);
  return `The job has finished, and Flink does not tell by what: a savepoint of it lies below ${directory ?? 'its directory'} if it was stopped with one.`;
}

/** What is left of the state: the newest savepoint of this epoch that was read, or what it started from. */
function older({ prior, epoch }: Facts): string | undefined {
  const saved = prior?.snapshots?.lastSavepoint;
  return saved !== undefined && saved.epoch === epoch?.number ? saved.path : epoch?.restoredFrom;
}

function goOn(facts: Facts, { path }: { readonly path?: string | undefined }, rewound = false): Answer {
  return {
    rule: 'stopUnreadGoesOn',
    say: progress(
      facts.suspendWanted ? 'Stopping' : 'Upgrading',
      'StoppingPods',
      `The job has ended; the next epoch starts ${path === undefined ? 'empty' : `from ${path}`}.`,
    ),
    workloads: 'run',
    operation: null,
    ended: {
      how: 'finished',
      ...(path === undefined ? { startsEmpty: true } : { path }),
      byFlork: true,
      over: true,
      at: facts.at,
    },
    ...(rewound ? toldRewound({ path }) : {}),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}
