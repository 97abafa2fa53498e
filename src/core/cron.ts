import { rfc3339 } from './time.ts';

/**
 * Cron lines of five fields, in UTC: minute, hour, day of month, month, day of week (0 and 7 are Sunday). A field is a list of
 * numbers, ranges (1-5), `*` for all, and steps behind a range or behind `*` (0-30/10); months and days of the week may be given by
 * their first three letters. As in crontab(5), a day fits when either of its two fields does, if neither of them begins with `*`;
 * else both have to. Why there is no library for it: docs/adr/0009.
 */
export type Cron = {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Whether a day has to fit one of its two fields, or both. */
  readonly eitherDay: boolean;
};

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** February 29 comes at least once in so many days (there is none in 2100, nor in other full centuries). */
const LONGEST_GAP_DAYS = 8 * 366;

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Reads a cron line; `undefined` when it is none. */
export function parseCron(text: string): Cron | undefined {
  const [minute, hour, day, month, weekday, ...rest] = text.trim().split(/\s+/);
  if (!minute || !hour || !day || !month || !weekday || rest.length > 0) return undefined;
  const minutes = parseField(minute, 0, 59, []);
  const hours = parseField(hour, 0, 23, []);
  const days = parseField(day, 1, 31, []);
  const months = parseField(month, 1, 12, MONTHS);
  const named = parseField(weekday, 0, 7, WEEKDAYS);
  if (!minutes || !hours || !days || !months || !named) return undefined;
  const weekdays = new Set([...named].map((number) => number % 7));
  return { minutes, hours, days, months, weekdays, eitherDay: !day.startsWith('*') && !weekday.startsWith('*') };
}

/** The numbers that a field names; the names of `names` stand for the numbers from the least one on. */
function parseField(
  text: string,
  least: number,
  most: number,
  names: readonly string[],
): ReadonlySet<number> | undefined {
  const numberOf = (word: string): number | undefined => {
    const named = names.indexOf(word.toLowerCase());
    if (named >= 0) return named + least;
    const number = /^\d{1,2}$/.test(word) ? Number(word) : -1;
    return number >= least && number <= most ? number : undefined;
  };
  const found = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:(?<all>\*)|(?<from>\w+)(?:-(?<to>\w+))?)(?:\/(?<step>\d{1,2}))?$/.exec(part)?.groups;
    if (!match) return undefined;
    const from = match['all'] ? least : numberOf(match['from'] ?? '');
    const to = match['all'] ? most : match['to'] === undefined ? from : numberOf(match['to']);
    const step = Number(match['step'] ?? 1);
    const stepOfOne = match['step'] !== undefined && !match['all'] && match['to'] === undefined;
    if (from === undefined || to === undefined || from > to || step < 1 || stepOfOne) return undefined;
    for (let number = from; number <= to; number += step) found.add(number);
  }
  return found;
}

/** The latest minute that the line names, after one time and not after another (epoch milliseconds); `undefined` when there is none. */
export function latestMatch(cron: Cron, after: number, until: number): number | undefined {
  const first = Math.max(after + 1, until - LONGEST_GAP_DAYS * DAY_MS);
  for (let day = Math.floor(until / DAY_MS); day * DAY_MS + DAY_MS > first; day -= 1) {
    if (!fitsDay(cron, day)) continue;
    const last = Math.min(until, day * DAY_MS + DAY_MS - 1);
    for (
      let time = Math.floor(last / MINUTE_MS) * MINUTE_MS;
      time >= Math.max(first, day * DAY_MS);
      time -= MINUTE_MS
    ) {
      const minute = (time - day * DAY_MS) / MINUTE_MS;
      if (cron.hours.has(Math.floor(minute / 60)) && cron.minutes.has(minute % 60)) return time;
    }
  }
  return undefined;
}

/** Whether the line names any minute at all (not so: 30 February). */
export function everMatches(cron: Cron): boolean {
  return latestMatch(cron, 0, LONGEST_GAP_DAYS * DAY_MS) !== undefined;
}

/** `day` counts from 1970-01-01, which was a Thursday. */
function fitsDay(cron: Cron, day: number): boolean {
  const [, month, date] = /^\d+-(\d\d)-(\d\d)/.exec(rfc3339(day * DAY_MS)) ?? [];
  const byDate = cron.days.has(Number(date));
  const byWeekday = cron.weekdays.has((((day + 4) % 7) + 7) % 7);
  return cron.months.has(Number(month)) && (cron.eitherDay ? byDate || byWeekday : byDate && byWeekday);
}
