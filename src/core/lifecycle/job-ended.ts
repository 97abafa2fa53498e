import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { isTerminal } from '../facts/flink.ts';
import { mayStartEmpty, resolveMode } from './contract.ts';
import { TRANSITION_SECONDS } from './pace.ts';
import { progress, ready, stalled } from './say.ts';
import { heritage, savepointOfStop } from './snapshots.ts';
import { isShadow, stopUnread } from './stop-unread.ts';

/**
 * A job that Flink calls terminal: was it stopped by Flork, did it finish, fail, or did somebody cancel it? The answer is written
 * into status; what follows from it is the business of end.ts.
 */

/** Flink says that the job has ended, and Flork did not ask for it. */
export function jobEnded(facts: Facts): Answer | undefined {
  const { job } = facts.flink;
  if (!job || !isTerminal(job) || facts.epoch?.ended) return undefined;
  if (stopMayExplain(facts)) return waitForStory(facts);
  const unread = stopUnread(facts);
  if (unread) return unread;
  const own = job.state === 'FINISHED' ? savepointOfStop(facts) : undefined;
  if (own) {
    return {
      rule: 'stopFoundDone',
      say: progress('Upgrading', 'TakingSavepoint', `Savepoint ${own.path} is complete and the job has ended.`),
      workloads: 'run',
      ended: { how: 'stopped', path: own.path, kind: 'savepoint', byFlork: true, over: true, at: facts.at },
      resyncAfterSeconds: TRANSITION_SECONDS,
    };
  }
  if (job.state === 'CANCELED' && (facts.changeWanted || facts.restore?.canceling)) return canceledOnTheWay(facts);
  const how = job.state === 'FINISHED' ? 'finished' : job.state === 'CANCELED' ? 'canceled' : 'failed';
  const say =
    how === 'failed'
      ? stalled('Failed', 'JobFailed', failureText(facts))
      : ready(
          'Finished',
          how === 'finished' ? 'Finished' : 'Canceled',
          how === 'finished' ? 'The job has finished.' : 'The job was canceled in Flink, not by Flork; it stays so.',
        );
  return {
    rule: `job${how[0]?.toUpperCase()}${how.slice(1)}`,
    say,
    workloads: 'run',
    operation: null,
    ended: { how, ...(how === 'finished' ? {} : heritage(facts)), byFlork: false, over: true, at: facts.at },
    transition: { reason: say.reason },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/**
 * Canceled while another epoch is asked for, or while the restore ConfigMap tells of Flork's own intent, and status does not say by
 * whom: a lagging or wiped status forgets that Flork did it. The spec says what comes next, and the state-loss contract from where.
 */
function canceledOnTheWay(facts: Facts): Answer {
  const from = facts.restoreNonce === undefined ? undefined : facts.wanted?.restore?.from;
  const dropped = resolveMode(facts) === 'stateless' && !facts.suspendWanted;
  const left = from ? { path: from } : dropped ? {} : heritage(facts);
  return {
    rule: 'canceledOnTheWay',
    say: progress(
      facts.suspendWanted ? 'Stopping' : 'Upgrading',
      'StoppingPods',
      'The job is canceled; its pods are being stopped.',
    ),
    workloads: 'run',
    ended: {
      how: 'canceled',
      ...left,
      ...(left.path === undefined && (dropped || mayStartEmpty(facts)) ? { startsEmpty: true } : {}),
      byFlork: true,
      over: true,
      at: facts.at,
    },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/**
 * Flink answers about checkpoints from a cache (rest.cache.checkpoint-statistics.timeout, 3 s): only some time after the end, by
 * Flink's own clock, is the last snapshot sure to be listed.
 */
const STATISTICS_LAG_MS = 5000;

/** Whether what Flink lists of an ended job is all there is. */
export function isSettled(facts: Facts): boolean {
  const { view, flink } = facts;
  if (view.kind !== 'answered' || view.detail.kind !== 'value') return false;
  const { now } = view.detail.value;
  const ended = flink.job?.endTime;
  return now !== undefined && (ended === undefined || now - ended >= STATISTICS_LAG_MS);
}

/** A terminal job may have been stopped by Flork: only definite answers about its trigger and its snapshots tell otherwise. */
function stopMayExplain(facts: Facts): boolean {
  const { view, operation } = facts;
  // Without a graph (tasks.total is 0) nothing could be stopped: main() threw, or the job could not be restored; Flink says which.
  if (facts.flink.job?.tasks.total === 0 && facts.flink.job.state === 'FAILED')
    return view.kind !== 'answered' || view.exceptions.kind !== 'value';
  if (!isSettled(facts)) return true;
  if (isShadow(facts)) return false;
  if (view.kind !== 'answered' || view.checkpoints.kind === 'failed' || view.checkpoints.kind === 'not-asked')
    return true;
  if (operation?.kind !== 'stop') return false;
  if (view.trigger.kind === 'value') return view.trigger.value.kind === 'in-progress';
  return view.trigger.kind !== 'absent';
}

function waitForStory(facts: Facts): Answer {
  return {
    rule: 'endUnclear',
    say: progress(facts.prior?.state ?? 'Running', 'TakingSavepoint', 'The job has ended; how is being asked.'),
    workloads: 'run',
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** Why the job failed, in Flink's first lines. */
export function failureText(facts: Facts): string {
  const { view } = facts;
  const newest =
    view.kind === 'answered' && view.exceptions.kind === 'value' ? view.exceptions.value.newest : undefined;
  const again = facts.wanted?.policies?.restart?.failed === 'fromLastSnapshot';
  const follows = again ? '' : ' It is not restarted (policies.restart); a corrected spec starts it again.';
  return `The job has failed for good${newest ? `: ${newest.text}` : ''}.${follows}`;
}
