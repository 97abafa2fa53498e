import type { Answer } from '../answer.ts';
import { approvalToken } from '../build/names.ts';
import type { Facts } from '../facts/facts.ts';
import { parseTime, rfc3339 } from '../time.ts';
import { lossAllowed, neverRan, savepointDirectory } from './contract.ts';
import { operationUnknown } from './gates.ts';
import { intend } from './intend.ts';
import { jobEnded } from './job-ended.ts';
import { TRANSITION_SECONDS, unreachableSeconds } from './pace.ts';
import { progress, stalled } from './say.ts';
import { isStopUnread } from './stop-unread.ts';
import { operationOrphaned, stopCompleted, stopFailed, stopForgotten, stopUnderWay } from './stop.ts';

/**
 * The savepoint of a deletion (policies.deletion.savepoint):
 *
 *   finalize ──► operation stop in status ──observed──► POST stop (drained if asked for) ──► path in status ──observed──► delete.ts
 *
 * The deletion waits for it as long as it takes (S3): one that fails is tried again, and the message says how to do without.
 */

/** Whether the deletion is to take a savepoint. */
export function asksForSavepoint(facts: Facts): boolean {
  return facts.wanted?.policies?.deletion?.savepoint === true;
}

/** Takes the savepoint, or waits for it, until the end of the job is in status or it is given up. */
export function deletionSavepoint(facts: Facts): Answer | undefined {
  const { input, epoch, prior } = facts;
  if (!input.finalizing || prior?.operation?.kind === 'delete' || !asksForSavepoint(facts)) return undefined;
  if (!epoch || !facts.record || epoch.ended || neverRan(facts)) return undefined;
  const unknown = operationUnknown(facts);
  if (unknown) return deletingNow(unknown);
  if (isStopUnread(facts)) return lossAllowed(facts) ? undefined : hold(facts, 'deletionHolds', unreadWhy(facts));
  const answer = stopping(facts) ?? jobEnded(facts);
  return answer ? deletingNow(answer) : taking(facts);
}

/** A stop is under way, whatever it was begun for: a second one is not asked for. */
function stopping(facts: Facts): Answer | undefined {
  if (facts.operation?.kind !== 'stop') return undefined;
  const known = stopCompleted(facts) ?? operationOrphaned(facts);
  if (known) return known;
  const failed = stopFailed(facts);
  if (!failed) return stopForgotten(facts) ?? stopUnderWay(facts);
  const { message } = failed.say;
  return {
    ...failed,
    rule: 'deletionSavepointFailed',
    say: stalled('Deleting', 'SavepointFailed', `${message} ${waysOut(facts)}`),
  };
}

function deletingNow(answer: Answer): Answer {
  return {
    ...answer,
    say: { ...answer.say, state: 'Deleting', as: answer.say.as === 'ready' ? 'progress' : answer.say.as },
  };
}

function taking(facts: Facts): Answer | undefined {
  const { flink, retry, now } = facts;
  const given = lossAllowed(facts);
  const pause = parseTime(retry?.notBefore);
  if (pause !== undefined && given) return undefined;
  if (pause !== undefined && now < pause)
    return hold(facts, 'deletionSavepointLater', `the last attempt failed; the next follows at ${rfc3339(pause)}`);
  if (flink.allTasksRun) {
    const say = progress(
      'Deleting',
      'TakingSavepoint',
      'The job is being stopped with a savepoint before it is deleted.',
    );
    const intent = intend(facts, 'stop', 'delete', 'deletionSavepointIntended', say);
    if (intent) return intent;
  }
  if (given) return undefined;
  return hold(facts, 'deletionHolds', whyNot(facts));
}

function whyNot(facts: Facts): string {
  if (savepointDirectory(facts) === undefined) return 'there is no savepoint directory (policies.savepoint.directory)';
  if (facts.flink.heard === 'unreachable') return 'the JobManager does not answer';
  if (facts.flink.heard === 'not-asked') return 'no JobManager is ready';
  return 'not all tasks of the job run';
}

function unreadWhy(facts: Facts): string {
  const where = facts.epoch?.unread ?? facts.operation?.directory ?? savepointDirectory(facts) ?? 'its directory';
  return `its JobManager ended before the savepoint was read, which lies below ${where} if it was completed`;
}

/** Nothing is stopped; the message says what is waited for and how to delete without. */
function hold(facts: Facts, rule: string, why: string): Answer {
  return {
    rule,
    say: stalled(
      'Deleting',
      rule === 'deletionSavepointLater' ? 'SavepointFailed' : 'StateAtRisk',
      `The deletion waits for the savepoint that policies.deletion.savepoint asks for: ${why}. ${waysOut(facts)}`,
    ),
    workloads: 'run',
    resyncAfterSeconds: facts.flink.heard === 'unreachable' ? unreachableSeconds(facts) : TRANSITION_SECONDS * 2,
  };
}

function waysOut(facts: Facts): string {
  const { epoch, wanted, input } = facts;
  const token =
    epoch && (wanted?.policies?.stateLoss ?? 'ask') === 'ask'
      ? approvalToken(input.job.ref.uid, epoch.number)
      : undefined;
  const approve = token === undefined ? '' : `, spec.approveStateLoss: "${token}"`;
  return `To delete without it: spec.policies.deletion.savepoint: false${approve}, or spec.policies.stateLoss: allow.`;
}
