import { everMatches, latestMatch, parseCron, type Cron } from './cron.ts';
import { parsePolicyDuration } from './duration.ts';

/** When something is done by itself: so long after the last time, or at the minutes of a cron line in UTC. */
export type Schedule = { readonly kind: 'every'; readonly ms: number } | { readonly kind: 'cron'; readonly cron: Cron };

/** No duration is shorter: it is the step of a cron line, too. */
const SHORTEST_MS = 60_000;

/** A slot that lies so far in the future was written by a clock that was wrong. */
const WRONG_CLOCK_MS = 86_400_000;

/** Reads policies.savepoint.schedule and policies.checkpoint.schedule; `undefined` when it is neither, or never comes. */
export function parseSchedule(text: string): Schedule | undefined {
  const ms = parsePolicyDuration(text);
  if (ms !== undefined) return ms >= SHORTEST_MS ? { kind: 'every', ms } : undefined;
  const cron = parseCron(text);
  return cron && everMatches(cron) ? { kind: 'cron', cron } : undefined;
}

/**
 * The slot that is due, as epoch milliseconds, given the last one (acted on, or when the schedule was first seen); `undefined` when
 * none is. However many were missed, one is due: the newest. A clock that goes back makes none due a second time.
 */
export function dueSlot(schedule: Schedule, last: number, now: number): number | undefined {
  if (schedule.kind === 'every') return now - last >= schedule.ms ? now : undefined;
  return now > last ? latestMatch(schedule.cron, last, now) : undefined;
}

/** What the last slot is to be taken for: as it stands, or from now on where it lies in a future that no clock can have meant. */
export function countFrom(last: number | undefined, now: number): number {
  return last === undefined || last - now > WRONG_CLOCK_MS ? now : last;
}
