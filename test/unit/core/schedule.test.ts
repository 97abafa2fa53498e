import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everMatches, latestMatch, parseCron } from '../../../src/core/cron.ts';
import { countFrom, dueSlot, parseSchedule } from '../../../src/core/schedule.ts';

const at = (text: string): number => Date.parse(`${text}:00Z`);
const printed = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);
/** The latest minute up to a time, within a year before it. */
const latest = (line: string, until: string): string | undefined =>
  printed(latestMatch(parseCron(line) ?? assert.fail(line), at(until) - 366 * 86_400_000, at(until)));

describe('a cron line', () => {
  for (const [line, until, expected] of [
    ['* * * * *', '2026-03-01T00:00', '2026-03-01T00:00'],
    ['0 3 * * *', '2026-03-01T02:59', '2026-02-28T03:00'],
    ['0 3 * * *', '2026-03-01T03:00', '2026-03-01T03:00'],
    ['*/15 8-18 * * *', '2026-03-01T07:00', '2026-02-28T18:45'],
    ['5,35 0-10/5 * * *', '2026-03-01T09:00', '2026-03-01T05:35'],
    ['0 0 1 * *', '2026-03-31T12:00', '2026-03-01T00:00'],
    ['0 12 * feb *', '2026-12-31T00:00', '2026-02-28T12:00'],
    ['0 0 * * sun', '2026-11-27T00:00', '2026-11-22T00:00'],
    ['0 0 * * 7', '2026-11-27T00:00', '2026-11-22T00:00'],
    ['0 0 * * mon-fri', '2026-11-29T12:00', '2026-11-27T00:00'],
    ['0 0 13 * fri', '2026-11-27T12:00', '2026-11-27T00:00'],
    ['0 0 13 * fri', '2026-11-15T12:00', '2026-11-13T00:00'],
    ['0 0 */2 * fri', '2026-11-27T12:00', '2026-11-27T00:00'],
  ] as const) {
    test(`"${line}" until ${until} was last at ${expected}`, () => assert.equal(latest(line, until), expected));
  }

  test('a day fits one of its two fields when both are given, and both when one begins with an asterisk', () => {
    assert.equal(latest('0 0 1 * fri', '2026-11-29T00:00'), '2026-11-27T00:00');
    assert.equal(latest('0 0 */10 * fri', '2026-11-29T00:00'), '2026-09-11T00:00');
  });

  for (const line of [
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '*/0 * * * *',
    '5/10 * * * *',
    '9-5 * * * *',
    '@daily',
    'a * * * *',
    '* * * foo *',
    '1,,2 * * * *',
    '-1 * * * *',
  ]) {
    test(`"${line}" is none`, () => assert.equal(parseCron(line), undefined));
  }

  test('29 February comes, if rarely; 30 February never does', () => {
    assert.ok(everMatches(parseCron('0 0 29 2 *') ?? assert.fail()));
    assert.ok(!everMatches(parseCron('0 0 30 2 *') ?? assert.fail()));
    assert.equal(
      printed(latestMatch(parseCron('0 0 29 2 *') ?? assert.fail(), 0, at('2027-12-31T00:00'))),
      '2024-02-29T00:00',
    );
  });

  test('neither the time after which nor one beyond that until which counts', () => {
    const daily = parseCron('0 3 * * *') ?? assert.fail();
    assert.equal(latestMatch(daily, at('2026-03-01T03:00'), at('2026-03-02T02:59')), undefined);
    assert.equal(latestMatch(daily, at('2026-03-01T02:59'), at('2026-03-01T03:00')), at('2026-03-01T03:00'));
  });

  test('agrees with a search minute by minute', () => {
    for (const line of ['7 */5 * * *', '0 0 1,15 * tue', '30 6 * 3-5/2 sat', '59 23 31 * *']) {
      const cron = parseCron(line) ?? assert.fail();
      let newest: number | undefined;
      for (let time = at('2026-02-25T00:00'); time <= at('2026-04-05T00:00'); time += 60_000) {
        const date = new Date(time);
        const byDate = cron.days.has(date.getUTCDate());
        const byWeekday = cron.weekdays.has(date.getUTCDay());
        const day = cron.eitherDay ? byDate || byWeekday : byDate && byWeekday;
        if (
          day &&
          cron.months.has(date.getUTCMonth() + 1) &&
          cron.hours.has(date.getUTCHours()) &&
          cron.minutes.has(date.getUTCMinutes())
        )
          newest = time;
        if (time % (7 * 3_600_000) === 0)
          assert.equal(latestMatch(cron, at('2026-02-24T23:59'), time), newest, `${line} ${printed(time)}`);
      }
    }
  });
});

describe('a schedule', () => {
  const sixHours = parseSchedule('6h') ?? assert.fail();
  const nightly = parseSchedule('0 3 * * *') ?? assert.fail();

  test('is a duration of at least a minute, or a cron line that comes', () => {
    assert.deepEqual(parseSchedule('90m'), { kind: 'every', ms: 5_400_000 });
    assert.equal(parseSchedule('59s'), undefined);
    assert.equal(parseSchedule('60s')?.kind, 'every');
    assert.equal(parseSchedule('0 0 31 4 *'), undefined);
    assert.equal(parseSchedule('nightly'), undefined);
  });

  test('a duration counts from the last slot; many that were missed are one', () => {
    const last = at('2026-03-01T00:00');
    assert.equal(dueSlot(sixHours, last, at('2026-03-01T05:59')), undefined);
    assert.equal(dueSlot(sixHours, last, at('2026-03-01T06:00')), at('2026-03-01T06:00'));
    assert.equal(dueSlot(sixHours, last, at('2026-03-09T01:00')), at('2026-03-09T01:00'));
  });

  test('a cron line is due once for its newest slot, however many were missed', () => {
    const due = dueSlot(nightly, at('2026-03-01T03:00'), at('2026-03-09T12:00'));
    assert.equal(due, at('2026-03-09T03:00'));
    assert.equal(dueSlot(nightly, due ?? 0, at('2026-03-09T12:01')), undefined);
  });

  test('a clock that goes back makes no slot due again; one that was far ahead is forgotten', () => {
    const last = at('2026-03-02T03:00');
    assert.equal(dueSlot(nightly, last, at('2026-03-02T02:30')), undefined);
    assert.equal(dueSlot(nightly, last, at('2026-03-02T03:00')), undefined);
    assert.equal(dueSlot(sixHours, last, at('2026-03-02T02:30')), undefined);
    assert.equal(countFrom(last, at('2026-03-02T02:30')), last);
    assert.equal(countFrom(at('2027-03-02T03:00'), at('2026-03-02T03:00')), at('2026-03-02T03:00'));
    assert.equal(countFrom(undefined, 5), 5);
  });
});
