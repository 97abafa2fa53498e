import type { Operation } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import { leavingWanted, type Facts } from '../facts/facts.ts';
import { parseTime } from '../time.ts';
import { lossAllowed, lossApproved, neverRan, waysOut } from './contract.ts';
import { intend } from './intend.ts';
import { isHeld, isLasting, wayOf } from './leave.ts';
import { CLUSTER_SECONDS, TRANSITION_SECONDS, unreachableSeconds } from './pace.ts';
import { replacedEnd } from './rollback.ts';
import { progress, stalled } from './say.ts';

/**
 * What runs is not what is wanted: which intent is formed? Nothing is touched here.
 *
 *   unwell (policies.health), and nothing else is wanted ──► left like for a change, with the same spec
 *   never ran ──► replaced      restore asked ──► cancel      a way to leave it (leave.ts) ──► stop or cancel
 *   anything that could lose state ──► hold
 */
export function change(facts: Facts): Answer | undefined {
  const { epoch, operation } = facts;
  // A rescale in place holds nothing up: it is a state that Flink is told to be in.
  if (!leavingWanted(facts) || !epoch || epoch.ended || (operation && operation.kind !== 'rescale')) return undefined;
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
  return leave(facts);
}

/** No task of this epoch ever ran: it makes room without being asked, and hands on what it was given. */
function replace(facts: Facts): Answer {
  return {
    rule: 'replaceIntended',
    say: progress(
      facts.suspendWanted ? 'Stopping' : 'Upgrading',
      'Replacing',
      'No task of this epoch ever ran; it makes room for the new spec.',
    ),
    workloads: 'keep',
    ended: replacedEnd(facts),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

function leave(facts: Facts): Answer | undefined {
  const way = wayOf(facts);
  switch (way.kind) {
    case 'stop':
      return retryLater(facts) ?? stop(facts);
    case 'cancel':
      return cancel(facts, 'cancelIntended', `Canceling the job; ${way.why}.`, way.startsEmpty);
    case 'wait':
      return changeWaits(facts, way.why);
    case 'hold':
      if (way.wished ? lossApproved(facts) : lossAllowed(facts)) return loseWhatMustBe(facts);
      return hold(facts, way.why);
    case 'silent':
      return lossAllowed(facts) ? loseWhatMustBe(facts) : changeUnheard(facts, way.why);
    default:
      return way satisfies never;
  }
}

const targetOf = (facts: Facts) => (facts.suspendWanted ? ('Stopping' as const) : ('Upgrading' as const));

function purposeOf(facts: Facts): Operation['purpose'] {
  if (!facts.changeWanted) return 'health';
  if (facts.suspendWanted) return 'suspend';
  const scales = facts.scale?.way === 'upgrade' && facts.upgrades.every(({ effect }) => effect === 'scale');
  if (scales) return 'scale';
  return facts.upgrades.length === 0 && facts.restartNonce !== undefined ? 'restart' : 'upgrade';
}

function stop(facts: Facts): Answer | undefined {
  const say = progress(targetOf(facts), 'TakingSavepoint', 'Stopping the job with a savepoint.');
  return intend(facts, 'stop', purposeOf(facts), 'stopIntended', say) ?? hold(facts, 'No savepoint directory is known');
}

function cancel(facts: Facts, rule: string, message: string, startsEmpty: boolean): Answer | undefined {
  const say = progress(targetOf(facts), 'Canceling', message);
  return intend(facts, 'cancel', purposeOf(facts), rule, say, startsEmpty);
}

/** The user lets go what cannot be kept; what can be found is kept all the same. */
function loseWhatMustBe(facts: Facts): Answer | undefined {
  const message =
    'Canceling the job; it goes on from the newest snapshot that is known, or else empty, as the spec allows.';
  return cancel(facts, 'lossAllowed', message, false);
}

/** The last savepoint failed: the next one has to wait. */
function retryLater(facts: Facts): Answer | undefined {
  const notBefore = parseTime(facts.retry?.notBefore);
  if (notBefore === undefined || facts.now >= notBefore) return undefined;
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

function changeWaits(facts: Facts, why: string): Answer {
  return {
    rule: 'changeWaits',
    say: progress(targetOf(facts), 'ChangeWaits', why),
    workloads: 'run',
    resyncAfterSeconds: facts.flink.heard === 'answered' ? TRANSITION_SECONDS : CLUSTER_SECONDS,
  };
}

/** Nothing is removed, and the message says what is known and which ways lead out. */
function hold(facts: Facts, why: string): Answer {
  return {
    rule: 'changeHolds',
    say: stalled('Stalled', 'StateAtRisk', `${why}. The change waits. ${waysOut(facts)}`),
    workloads: 'run',
    stateSafe: { status: 'False', reason: 'StateAtRisk', message: why },
    resyncAfterSeconds: facts.flink.heard === 'answered' ? 3 : CLUSTER_SECONDS,
  };
}

/**
 * Silence is no reason for anything. It may pass by itself, as while a leader is elected: only what lasts has the ways out told. A change
 * that is held stays so.
 */
function changeUnheard(facts: Facts, why: string): Answer {
  const { foreign } = facts.flink;
  const reason = isHeld(facts) ? 'StateAtRisk' : foreign ? 'ForeignJob' : 'JobManagerUnreachable';
  const ways = isHeld(facts) || isLasting(facts, reason) ? ` ${waysOut(facts)}` : '';
  return {
    rule: 'changeUnheard',
    say: stalled('Stalled', reason, `${why}; nothing is concluded from that. The change waits.${ways}`),
    workloads: 'run',
    resyncAfterSeconds: foreign ? CLUSTER_SECONDS : unreachableSeconds(facts),
  };
}
