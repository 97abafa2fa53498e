import type { Ended } from '../../api/status.ts';
import type { Answer, Say } from '../answer.ts';
import { encodeRecord } from '../build/record.ts';
import { relabelled } from '../build/relabel.ts';
import { changes } from '../change.ts';
import { trustedRecord } from '../facts/epoch.ts';
import type { Facts } from '../facts/facts.ts';
import type { EpochNonces } from '../handled.ts';
import { openRecord, type EpochRecord, type FailedEpoch } from '../record.ts';
import { isReadinessOver, isStable } from '../stability.ts';
import { comparable } from '../snapshot-path.ts';
import { neverRan } from './contract.ts';
import { intend } from './intend.ts';
import { CLUSTER_SECONDS, TRANSITION_SECONDS } from './pace.ts';
import { notStableText } from './say-on.ts';
import { progress, stalled } from './say.ts';
import { heritage } from './snapshots.ts';

/**
 * An epoch that does not become stable makes room for the last stable one (policies.upgrade.rollback: automatic):
 *
 *   readiness over ──► cancel intended ──observed──► PATCH cancel ──► end in status, path: what the epoch started from
 *   failed for good ──────────────────────────────────────────────►  │
 *   never ran ──► replaced ───────────────────────────────────────►  ▼ pods gone ──► next epoch: the stable record, under its own name
 *
 * Never twice: an epoch that is itself a rollback is not rolled back, and runs until the spec differs from the one that failed. A spec
 * that comes meanwhile breaks out of each step, and goes on from the newest snapshot of the failed epoch.
 */

/** The record of the last stable epoch, as status vouches for it. */
function stableRecord({ prior, input }: Facts): EpochRecord | undefined {
  const stable = prior?.stableEpoch;
  if (!stable) return undefined;
  const { job, observed } = input;
  return trustedRecord(job.ref, observed, stable.number, [stable.recordHash], undefined)?.record;
}

/** Whether this epoch may make room for the last stable one, should it not become stable. */
export function mayRollBack(facts: Facts): boolean {
  const { epoch, record, wanted, input, adopted, changeWanted, prior } = facts;
  if (!epoch || !record || adopted || changeWanted || input.job.spec.kind !== 'valid') return false;
  if (wanted?.policies?.upgrade?.rollback !== 'automatic' || isStable(facts)) return false;
  if (record.failed !== undefined || epoch.unread !== undefined || (prior?.stableEpoch?.number ?? 0) >= epoch.number)
    return false;
  // What it has written since it started empty would be given up.
  if (epoch.restoredFrom === undefined && heritage(facts).path !== undefined) return false;
  return stableRecord(facts) !== undefined;
}

/** Whether the epoch is left for the last stable one: decided once, it stands for as long as it may. */
export function rollbackWanted(facts: Facts): boolean {
  const decided = facts.operation?.purpose === 'rollback';
  return mayRollBack(facts) && (decided || isReadinessOver(facts));
}

/** How an epoch ends that is rolled back. */
export function rolledBackEnd(facts: Facts, how: Ended['how']): Ended {
  const given = facts.epoch?.restoredFrom;
  const { path: newest } = heritage(facts);
  // What an epoch that never ran was given is no end of its own: it may run after all, and a path is not told and forgotten again (S5).
  const path = how === 'replaced' ? undefined : given;
  return {
    how,
    ...(given === undefined ? { startsEmpty: true } : {}),
    ...(path === undefined ? {} : { path }),
    rollback: true,
    ...(newest === undefined ? {} : { newest }),
    byFlork: true,
    ...(how === 'replaced' ? {} : { over: true }),
    at: facts.at,
  };
}

/** The time to become stable is over: the intent. Nothing follows from silence, or from what somebody else answers. */
export function rollBack(facts: Facts): Answer | undefined {
  const { epoch, operation, flink } = facts;
  if (!epoch || epoch.ended || (operation && operation.kind !== 'rescale') || !rollbackWanted(facts)) return undefined;
  if (flink.heard === 'unreachable' || flink.foreign) return undefined;
  const say = progress('RollingBack', 'RollingBack', `${notStableText(facts)} The last stable epoch takes its place.`);
  if (!neverRan(facts)) return intend(facts, 'cancel', 'rollback', 'rollbackIntended', say);
  return {
    rule: 'rollbackReplaces',
    say,
    workloads: 'keep',
    ended: rolledBackEnd(facts, 'replaced'),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** A job that failed for good before it was stable is rolled back at once. */
export function failedRollsBack(facts: Facts): Answer | undefined {
  if (!mayRollBack(facts)) return undefined;
  return {
    rule: 'failedRollsBack',
    say: progress(
      'RollingBack',
      'RollingBack',
      'The job failed before it was stable; the last stable epoch takes its place.',
    ),
    workloads: 'keep',
    ended: rolledBackEnd(facts, 'failed'),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** Whether the next epoch of an ended one is a rollback, which another spec breaks out of. */
export function isRollbackDue({ endedInStatus, changeWanted, suspendWanted, upgrades }: Facts): boolean {
  return endedInStatus?.rollback === true && (!changeWanted || (suspendWanted && upgrades.length === 0));
}

/**
 * A rollback is due and the record of the last stable epoch is not shown, or status does not name it any more: nothing is started, and
 * least of all what was ended.
 */
export function rollbackUnknown(facts: Facts): Answer | undefined {
  if (!isRollbackDue(facts) || stableRecord(facts) !== undefined) return undefined;
  const stable = facts.prior?.stableEpoch;
  const why = stable
    ? `The record ConfigMap of epoch ${stable.number}, the last stable one, is gone or does not match its hash`
    : 'Status does not name the last stable epoch any more';
  const ways = `correct the spec, or set spec.restartNonce to run it as it is, from ${heirBeyondRollback(facts) ?? 'nothing'}`;
  return {
    rule: 'rollbackUnknown',
    say: stalled(
      'Stalled',
      'RecordMissing',
      `${why}, so that the job cannot be rolled back. Nothing is started: ${stable ? `restore that ConfigMap, ${ways}` : ways}.`,
    ),
    workloads: 'stop',
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}

/** What is said of an epoch whose pods are being stopped. */
export function leavingState(facts: Facts): Say['state'] {
  if (facts.suspendWanted) return 'Stopping';
  return isRollbackDue(facts) ? 'RollingBack' : 'Upgrading';
}

/** What the next epoch goes on from: another spec, from the newest snapshot of what was to be rolled back. */
export function heirOfEnd(facts: Facts): string | undefined {
  const breaksOut = facts.endedInStatus?.rollback && !isRollbackDue(facts);
  return breaksOut ? heirBeyondRollback(facts) : givenOn(facts);
}

/** The newest snapshot of what was to be rolled back. */
function heirBeyondRollback(facts: Facts): string | undefined {
  return facts.endedInStatus?.newest ?? givenOn(facts);
}

/** What the ended epoch left, or, where it never ran, what it was given. */
function givenOn(facts: Facts): string | undefined {
  const ended = facts.endedInStatus;
  return ended?.how === 'replaced' ? (handedOn(facts) ?? ended.path) : ended?.path;
}

/** What an epoch that never ran hands on: what it was given, or, where it was a rollback, what it left behind. */
function handedOn(facts: Facts): string | undefined {
  return isBehindFailed(facts) ? newestOfFailed(facts) : facts.epoch?.restoredFrom;
}

/** How an epoch ends that never ran and makes room for another spec. It may run after all: nothing is told that would be forgotten (S5). */
export function replacedEnd(facts: Facts): Ended {
  const empty = handedOn(facts) === undefined ? { startsEmpty: true } : {};
  return { how: 'replaced', ...empty, byFlork: true, at: facts.at };
}

/** The record of the next epoch where no spec is rendered for it: a rollback, or one that stands. */
export function standingRecord(
  facts: Facts,
  number: number,
  restoredFrom: string | undefined,
  handled: EpochNonces,
): EpochRecord | undefined {
  const { ref } = facts.input.job;
  const given = { number, handled, ...(restoredFrom === undefined ? {} : { restoredFrom }) };
  if (isRollbackDue(facts)) {
    const stable = stableRecord(facts);
    const failed = failedOf(facts, stable);
    return stable && failed && relabelled(ref, stable, { ...given, failed });
  }
  const { record } = facts;
  return facts.heldBack && record?.failed ? relabelled(ref, record, { ...given, failed: record.failed }) : undefined;
}

function failedOf({ record, epoch, endedInStatus }: Facts, stable: EpochRecord | undefined): FailedEpoch | undefined {
  if (!record || !epoch || !stable) return undefined;
  const open = openRecord(record);
  const newest = endedInStatus?.newest;
  return {
    number: epoch.number,
    generation: epoch.generation,
    recordHash: encodeRecord(open).hash,
    spec: open.spec,
    ...(epoch.restoredFrom === undefined ? {} : { path: epoch.restoredFrom }),
    ...(newest === undefined ? {} : { newest }),
    to: stable.number,
  };
}

/** The newest snapshot of the epoch that was rolled back; a record that is not shown says nothing of that. */
function newestOfFailed({ record, prior }: Facts): string | undefined {
  return record === undefined ? prior?.failedEpoch?.newest : record.failed?.newest;
}

/**
 * Whether the spec is still the one that failed. A record that is not shown may only not be shown yet: then the record of the failed
 * epoch itself tells it or, where that is gone too, the generation of the spec that failed.
 */
function isHeldBack({ heldBack, input, prior, record, wanted }: Facts): boolean {
  const failed = prior?.failedEpoch;
  if (record !== undefined || failed === undefined || wanted === undefined) return heldBack;
  const { job, observed } = input;
  const own = trustedRecord(job.ref, observed, failed.number, [failed.recordHash], undefined)?.record;
  if (own === undefined) return job.generation === failed.generation;
  return !changes(own.spec, wanted).some(({ effect }) => effect === 'upgrade');
}

/** A rolled-back epoch that never started, and another spec: the newest snapshot is what that goes on from. */
function isBehindFailed(facts: Facts): boolean {
  const { epoch } = facts;
  const newest = newestOfFailed(facts);
  if (newest === undefined || !epoch || isHeldBack(facts)) return false;
  return epoch.restoredFrom === undefined || comparable(newest) !== comparable(epoch.restoredFrom);
}

/** An epoch is declared and not started, and another spec has come meanwhile. */
export function isBrokenOut(facts: Facts): boolean {
  return isBehindFailed(facts) || (facts.record !== undefined && !facts.heldBack && facts.upgrades.length > 0);
}

/**
 * It makes room: its record stays what it is, and the next epoch goes on from what it was given or, where it is a rollback, from the newest
 * snapshot of the one that failed.
 */
export function declaredMakesRoom(facts: Facts): Answer {
  return {
    rule: 'declaredMakesRoom',
    say: progress('Upgrading', 'Replacing', 'A new spec takes the place of the epoch that was to be started.'),
    workloads: 'keep',
    ended: replacedEnd(facts),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}
