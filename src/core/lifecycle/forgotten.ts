import type { Operation } from '../../api/status.ts';
import type { Facts } from '../facts/facts.ts';
import { parseTime, rfc3339 } from '../time.ts';

/**
 * What Flink was asked for and no longer knows. It keeps a result in memory for five minutes (rest.async.store-duration,
 * CompletedOperationCache), and whatever is under way it knows: a trigger that it does not know, and knew, is over. Asked again under
 * the same id it would be done a second time (S1), so that its number is used up; first the listing has time to show what came of it.
 */

/** Longer than Flink's listing lags behind (web.refresh-interval, 3 s), and its clock with it. */
const LISTING_LAG_MS = 10_000;
/** What was asked so long ago may have been heard, done and forgotten while nobody looked. */
const OLD_MS = 4 * 60_000;

/** Flink's clock, as that of the snapshots that are compared with it. */
export function clockOf({ view, now }: Facts): number {
  return (view.kind === 'answered' && view.detail.kind === 'value' ? view.detail.value.now : undefined) ?? now;
}

/** Whether Flink says of this very trigger that it knows nothing of it. */
export function isUnknown({ view }: Facts): boolean {
  return view.kind === 'answered' && view.trigger.kind === 'absent';
}

/** Whether it has been unknown for so long that the listing shows what came of it. A clock that went back is another clock. */
export function isListedSince({ view, ...facts }: Facts, { unknownSince }: Operation): boolean {
  const since = parseTime(unknownSince);
  if (since === undefined || view.kind !== 'answered' || view.checkpoints.kind !== 'value') return false;
  return Math.abs(clockOf({ view, ...facts }) - since) >= LISTING_LAG_MS;
}

/** Whether Flink knew of it, or may have, and has forgotten it. */
export function isForgotten(facts: Facts, operation: Operation): boolean {
  if (!isUnknown(facts)) return false;
  if (operation.known === true) return isListedSince(facts, operation);
  const { view } = facts;
  const listed = view.kind === 'answered' && view.checkpoints.kind === 'value';
  return listed && clockOf(facts) - (parseTime(operation.askedAt) ?? Infinity) > OLD_MS;
}

/** The operation as this sync's answer about its trigger leaves it: known, or unknown since now. */
export function withMemory(facts: Facts, operation: Operation): Operation {
  const { view } = facts;
  if (operation.kind === 'dispose') return operation;
  const { unknownSince, ...rest } = operation;
  if (view.kind === 'answered' && view.trigger.kind === 'value') return { ...rest, known: true };
  if (!isUnknown(facts) || operation.known !== true || unknownSince !== undefined) return operation;
  return { ...rest, unknownSince: rfc3339(clockOf(facts)) };
}
