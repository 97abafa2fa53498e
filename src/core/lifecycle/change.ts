import type { Operation } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { parseTime } from '../time.ts';
import { lossAllowed, neverRan, resolveMode, waysOut, type Mode } from './contract.ts';
import { intend } from './intend.ts';
import { CLUSTER_SECONDS, TRANSITION_SECONDS, unreachableSeconds } from './pace.ts';
import { progress, stalled } from './say.ts';

/**
 * What runs is not what is wanted: which intent is formed? Nothing is touched here.
 *
 *   never ran ──► replaced      restore asked ──► cancel      mode stateless ──► cancel
 *   mode savepoint, all tasks run ──► stop                    anything that could lose state ──► hold
 */
export function change(facts: Facts): Answer | undefined {
  const { epoch, now } = facts;
  // A rescale in place holds nothing up: it is a state that Flink is told to be in.
  if (!facts.changeWanted || !epoch || epoch.ended || (facts.operation && facts.operation.kind !== 'rescale'))
    return undefined;
  const purpose: Operation['purpose'] = facts.suspendWanted
    ? 'suspend'
    : facts.restoreNonce === undefined
      ? facts.scale?.way === 'upgrade' && facts.upgrades.every(({ effect }) => effect === 'scale')
        ? 'scale'
        : 'upgrade'
      : 'restore';
  if (neverRan(facts)) return replace(facts);
  if (facts.restoreNonce !== undefined && !facts.suspendWanted) {
    return intend(
      facts,
      'cancel',
      'restore',
      'restoreIntended',
      progress(
        'Upgrading',
        'RestoreRequested',
        `Canceling the job, to start again from ${facts.wanted?.restore?.from}.`,
      ),
    );
  }
  const pause = parseTime(facts.retry?.notBefore);
  if (pause !== undefined && now < pause) return retryLater(facts, pause);
  return leave(facts, resolveMode(facts), purpose);
}

/** No task of this epoch ever ran: it makes room without being asked, and hands on what it was given. */
function replace(facts: Facts): Answer {
  const path = facts.epoch?.restoredFrom;
  return {
    rule: 'replaceIntended',
    say: progress(
      facts.suspendWanted ? 'Stopping' : 'Upgrading',
      'Replacing',
      'No task of this epoch ever ran; it makes room for the new spec.',
    ),
    workloads: 'keep',
    ended: { how: 'replaced', ...(path ? {} : { startsEmpty: true }), byFlork: true, at: facts.at },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

function retryLater(facts: Facts, notBefore: number): Answer {
  const message =
    facts.prior?.state === 'Stalled' && facts.prior.message
      ? facts.prior.message
      : 'The last savepoint failed; the job goes on.';
  return {
    rule: 'retryLater',
    say: stalled('Stalled', 'SavepointFailed', message),
    workloads: 'run',
    resyncAfterSeconds: Math.max(1, Math.min(15, (notBefore - facts.now) / 1000)),
  };
}

function leave(facts: Facts, mode: Mode, purpose: Operation['purpose']): Answer | undefined {
  const target = purpose === 'suspend' ? 'Stopping' : 'Upgrading';
  if (mode === 'stateless') {
    return intend(
      facts,
      'cancel',
      purpose,
      'cancelIntended',
      progress(target, 'Canceling', 'Canceling the job; its mode is stateless.'),
    );
  }
  if (mode === 'savepoint' && facts.flink.allTasksRun) {
    const intent = intend(
      facts,
      'stop',
      purpose,
      'stopIntended',
      progress(target, 'TakingSavepoint', 'Stopping the job with a savepoint.'),
    );
    if (intent) return intent;
  }
  if (lossAllowed(facts) && !(mode === 'savepoint' && settling(facts))) {
    return intend(
      facts,
      'cancel',
      purpose,
      'lossAllowed',
      progress(target, 'Canceling', 'Canceling the job; its state is given up, as the spec allows.'),
    );
  }
  return mode === 'savepoint' && settling(facts) ? waitForTasks(facts) : hold(facts, mode);
}

/** The job is on its way up and nothing speaks against its getting there. */
function settling(facts: Facts): boolean {
  if (facts.process.kind === 'none' || (facts.process.kind === 'running' && facts.flink.heard === 'not-asked'))
    return true;
  return (
    facts.flink.heard === 'answered' &&
    (facts.flink.job === undefined
      ? !facts.flink.foreign
      : ['INITIALIZING', 'CREATED', 'RUNNING'].includes(facts.flink.job.state))
  );
}

function waitForTasks(facts: Facts): Answer {
  return {
    rule: 'changeWaitsForTasks',
    say: progress(
      facts.suspendWanted ? 'Stopping' : 'Upgrading',
      'TasksStarting',
      'The change waits until all tasks run, so that a savepoint can be taken.',
    ),
    workloads: 'run',
    resyncAfterSeconds: facts.flink.heard === 'answered' ? TRANSITION_SECONDS : CLUSTER_SECONDS,
  };
}

/** Nothing is removed, and the message says what is known and which ways lead out. */
function hold(facts: Facts, mode: Mode): Answer {
  const why = {
    savepoint: 'The job cannot take a savepoint now: not all of its tasks run',
    'last-state':
      'The job writes checkpoints and has no savepoint directory; going on from its newest checkpoint (mode last-state) is not supported yet. Set policies.savepoint.directory',
    stateless: 'The job would start empty',
    unknown: 'Whether the job writes checkpoints is not known, as its JobManager did not say',
  }[mode];
  return {
    rule: mode === 'savepoint' ? 'holdUntilTasksRun' : mode === 'unknown' ? 'holdUnknown' : 'holdLastState',
    say: stalled('Stalled', 'StateAtRisk', `${why}. The change waits. ${waysOut(facts)}`),
    workloads: 'run',
    stateSafe: { status: 'False', reason: 'StateAtRisk', message: why },
    resyncAfterSeconds:
      facts.flink.heard === 'unreachable'
        ? unreachableSeconds(facts)
        : facts.flink.heard === 'answered'
          ? 3
          : CLUSTER_SECONDS,
  };
}
