import type { Reason } from '../../api/reasons.ts';
import type { Ended } from '../../api/status.ts';
import type { Answer, Say } from '../answer.ts';
import { findingsText, refusalReason } from './gates.ts';
import { leavingWanted, type Facts } from '../facts/facts.ts';
import { isTerminal } from '../facts/flink.ts';
import { parseTime, rfc3339 } from '../time.ts';
import { mayStartEmpty, neverRan, waysOut } from './contract.ts';
import { failureText } from './job-ended.ts';
import { isGoneFor } from './no-job.ts';
import { CLUSTER_SECONDS, TRANSITION_SECONDS, unreachableSeconds } from './pace.ts';
import { restartsItself, restartWaits } from './redeploy.ts';
import { failedRollsBack, heirOfEnd, isRollbackDue, leavingState, rollbackUnknown } from './rollback.ts';
import { progress, ready, stalled, toldRewound } from './say.ts';
import { declareNext, waitForPods } from './start.ts';

/**
 * The end of an epoch. It is written into status first; only a sync that observes it there takes the JobManager away (S3).
 *
 *   job seen terminal ──► end in status ──observed──► pods to 0 ──proven gone──► next epoch, Suspended, Finished
 */

/** How long a complete stop waits for its job to end before the pods go all the same: the savepoint is what counts. */
const END_PATIENCE_MS = 5 * 60_000;

/** The end is known from the children, status does not show it (lagging or wiped): it is written again before anything follows. */
export function endUnrecorded(facts: Facts): Answer | undefined {
  const ended = facts.epoch?.ended;
  if (!ended || facts.endedInStatus) return undefined;
  return {
    rule: 'endUnrecorded',
    say: endedSay(facts, ended),
    workloads: 'keep',
    ended,
    ...(ended.rewound ? toldRewound(ended) : {}),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** How an end is told: an end for good as what it is, one on the way to something else as a step. */
function endedSay(facts: Facts, ended: Ended): Say {
  if (ended.how === 'failed') return failedSay(facts);
  if (!ended.byFlork) return settledSay(ended);
  return progress(
    facts.prior?.state === 'Upgrading' || facts.prior?.state === 'RollingBack' ? facts.prior.state : 'Stopping',
    'StoppingPods',
    `The job has ended (${ended.how}).`,
  );
}

function settledSay(ended: Ended): Say {
  return ended.how === 'finished'
    ? ready('Finished', 'Finished', 'The job has finished.')
    : ready('Finished', 'Canceled', 'The job was canceled in Flink, not by Flork; it stays so.');
}

function failedSay(facts: Facts): Say {
  const { prior } = facts;
  const message = prior?.message !== undefined && prior.state === 'Failed' ? prior.message : failureText(facts);
  return stalled('Failed', 'JobFailed', message);
}

/** An epoch was to make room because it had never run, and now it runs, or it can no longer be told: it is left alone, or stopped like any other. */
export function replacementWithdrawn(facts: Facts): Answer | undefined {
  const { endedInStatus, flink, process, jobManager } = facts;
  if (endedInStatus?.how !== 'replaced' || endedInStatus.over || isTerminal(flink.job) || jobManager?.replicas === 0)
    return undefined;
  const untold = (process.kind === 'none' || process.kind === 'dead') && !neverRan(facts);
  if (!flink.anyTaskRan && !untold) return undefined;
  return {
    rule: 'replacementWithdrawn',
    say: progress(
      'Upgrading',
      'TasksStarting',
      'The job may have begun to run after all; it is stopped like any other.',
    ),
    workloads: 'run',
    ended: null,
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** FINISHED, or CANCELED by someone else: for good. The pods go, the FlinkJob stays. */
export function settledEnd(facts: Facts): Answer | undefined {
  const ended = facts.endedInStatus;
  if (!ended || ended.byFlork || ended.how === 'failed') return undefined;
  const again = runsAgain(facts, ended);
  if (again) return facts.absent.both ? declareNext(facts, again) : waitForPods(facts, 'endedMakesRoom');
  const until = (parseTime(ended.at) ?? facts.now) + (facts.wanted?.policies?.ttlSecondsAfterFinished ?? 0) * 1000;
  const rule = ended.how === 'finished' ? 'finished' : 'canceledByOthers';
  if (facts.now < until) {
    const said = settledSay(ended);
    return {
      rule: `${rule}Stays`,
      say: { ...said, message: `${said.message} Its JobManager stays until ${rfc3339(until)}.` },
      workloads: 'jobmanager-only',
      resyncAfterSeconds: Math.min(3600, Math.ceil((until - facts.now) / 1000)),
    };
  }
  return {
    rule,
    say: settledSay(ended),
    workloads: 'stop',
    resyncAfterSeconds: facts.absent.both ? 0 : CLUSTER_SECONDS,
  };
}

/**
 * What runs a job again that came to its end: a restore that is asked for; for a finished one, where policies.restart.finished allows
 * it, another spec. A finished job leaves no state: it starts empty.
 */
function runsAgain(facts: Facts, ended: Ended): Parameters<typeof declareNext>[1] | undefined {
  const { wanted, suspendWanted } = facts;
  if (suspendWanted || facts.input.job.spec.kind === 'invalid') return undefined;
  if (facts.restoreNonce !== undefined && wanted?.restore?.from)
    return { path: wanted.restore.from, reason: 'RestoreRequested' };
  const allowed = ended.how === 'finished' && wanted?.policies?.restart?.finished === 'onSpecChange';
  return allowed && facts.changeWanted ? { path: undefined, reason: 'SpecChanged' } : undefined;
}

/** FAILED for good: the JobManager stays to show why; a new spec, or a restore, starts the next epoch under the state-loss contract. */
export function failedEnd(facts: Facts): Answer | undefined {
  const ended = facts.endedInStatus;
  // What Flork ended so makes room for the next epoch.
  if (ended?.how !== 'failed' || ended.byFlork) return undefined;
  const back = failedRollsBack(facts);
  if (back) return back;
  const waits = leavingWanted(facts) ? undefined : restartWaits(facts);
  if (waits) return waits;
  if (!leavingWanted(facts) && !restartsItself(facts)) {
    return {
      rule: 'failed',
      say: failedSay(facts),
      workloads: 'jobmanager-only',
      resyncAfterSeconds: 0,
    };
  }
  const restorable = ended.path !== undefined || facts.restoreNonce !== undefined || ended.startsEmpty === true;
  if (restorable) return undefined;
  if (neverRan(facts) || mayStartEmpty(facts)) {
    return {
      rule: 'failedStartsEmpty',
      say: progress(
        'Upgrading',
        'StoppingPods',
        'The failed job leaves no state that has to be kept; its pods are being stopped.',
      ),
      workloads: 'keep',
      ended: { ...ended, startsEmpty: true },
      resyncAfterSeconds: TRANSITION_SECONDS,
    };
  }
  return {
    rule: 'failedHolds',
    say: stalled(
      'Stalled',
      'StateAtRisk',
      `The job failed and no snapshot of it is known, so nothing is started in its place. ${waysOut(facts)}`,
    ),
    workloads: 'jobmanager-only',
    stateSafe: { status: 'False', reason: 'StateAtRisk', message: 'The job ran and no snapshot of it is known.' },
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}

/**
 * The job was seen ended, or its process gone: written into status before anything follows, as it may not be seen again. What
 * happens to the pods from here on depends on status alone.
 */
function endSeen(facts: Facts, ended: Ended): Answer {
  return {
    rule: 'endSeen',
    say: progress(leavingState(facts), 'StoppingPods', 'The job has ended; its pods are being stopped.'),
    workloads: 'keep',
    ended: { ...ended, over: true },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/**
 * The snapshot that the next epoch goes on from. A failed job whose change is stateless leaves nothing to it, as one that runs would:
 * its state may be why it failed. Where nobody changes anything (policies.restart, health), or it is only suspended, the state stays.
 */
function heirOf(facts: Facts, ended: Ended): string | undefined {
  const { wanted, changeWanted, suspendWanted } = facts;
  const drops = changeWanted && !suspendWanted && wanted?.policies?.upgrade?.mode === 'stateless';
  return ended.how === 'failed' && drops ? undefined : heirOfEnd(facts);
}

/** An epoch that Flork ended, or a failed one that makes room: once its job is seen ended or its process gone, its pods go; then comes what is wanted. */
export function retire(facts: Facts): Answer | undefined {
  const ended = facts.endedInStatus;
  if (!ended || (!ended.byFlork && ended.how !== 'failed')) return undefined;
  const { process, flink, jobManager, now } = facts;
  const heir = heirOf(facts, ended);
  const leavingProcess = process.kind === 'running' && process.leaving;
  const processGone =
    process.kind === 'none' || process.kind === 'dead' || leavingProcess || jobManager?.replicas === 0;
  const unlisted = isGoneFor(facts, ended.at);
  const patienceOver = now - (parseTime(ended.at) ?? now) > END_PATIENCE_MS;
  const proven =
    ended.how === 'replaced' ? neverRan(facts) || jobManager?.replicas === 0 : processGone || unlisted || patienceOver;
  const gone = isTerminal(flink.job) || proven;
  if (!ended.over && gone) return endSeen(facts, ended);
  if (!ended.over) {
    return {
      rule: 'waitForEnd',
      say: progress(
        leavingState(facts),
        'TakingSavepoint',
        `${ended.path ? `${ended.path} is complete` : 'The job was told to end'}; waiting for the job to end.`,
      ),
      workloads: 'keep',
      resyncAfterSeconds: flink.heard === 'unreachable' ? unreachableSeconds(facts) : TRANSITION_SECONDS,
    };
  }
  if (!facts.absent.both) return waitForPods(facts, 'stopPods');
  if (facts.suspendWanted) {
    return {
      rule: 'suspended',
      say: ready(
        'Suspended',
        'Suspended',
        heir ? `Suspended; it will resume from ${heir}.` : 'Suspended; it will start empty.',
      ),
      workloads: 'stop',
      operation: null,
      retry: null,
      ...(facts.prior?.state === 'Suspended'
        ? {}
        : { transition: { reason: 'Suspended' as const, ...(heir ? { snapshot: heir } : {}) } }),
      resyncAfterSeconds: 0,
    };
  }
  if (facts.input.job.spec.kind === 'invalid') {
    return {
      rule: 'nextWaitsForValidSpec',
      say: stalled(
        'Stalled',
        refusalReason(facts),
        `The job is stopped and waits for a valid spec. ${findingsText(facts)}`,
      ),
      workloads: 'stop',
      resyncAfterSeconds: 0,
    };
  }
  const unknown = rollbackUnknown(facts);
  if (unknown) return unknown;
  const restore = facts.restoreNonce === undefined ? undefined : facts.wanted?.restore?.from;
  if (!restore && heir === undefined && !ended.startsEmpty && !mayStartEmpty(facts)) return nothingToGoOnFrom(facts);
  const reason = restore
    ? 'RestoreRequested'
    : facts.prior?.state === 'Suspended'
      ? 'Resumed'
      : reasonAnew(facts, heir);
  return declareNext(facts, { path: restore ?? heir, reason });
}

function reasonAnew(facts: Facts, heir: string | undefined): Reason {
  if (isRollbackDue(facts)) return 'RolledBack';
  if (facts.healthWanted && !facts.changeWanted) return 'Unhealthy';
  if (facts.changeWanted || facts.endedInStatus?.how !== 'failed') return 'SpecChanged';
  return heir !== undefined && facts.prior?.missing?.steppedTo === heir ? 'Rewound' : 'Redeployed';
}

/** The next epoch would start empty, and nothing says that it may. */
function nothingToGoOnFrom(facts: Facts): Answer {
  return {
    rule: 'nothingToGoOnFrom',
    say: stalled(
      'Stalled',
      'StateAtRisk',
      `The job has ended and no snapshot of it is known, so the next epoch waits. ${waysOut(facts)}`,
    ),
    workloads: 'stop',
    stateSafe: { status: 'False', reason: 'StateAtRisk', message: 'The job ran and no snapshot of it is known.' },
    resyncAfterSeconds: 0,
  };
}
