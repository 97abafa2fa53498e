import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../../../src/core/duration.ts';

const cases: readonly (readonly [string | number, number | undefined])[] = [
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['6h', 21_600_000],
  ['7d', 604_800_000],
  ['10 min', 600_000],
  ['500', 500],
  [500, 500],
  ['500 ms', 500],
  ['1500 us', 1],
  ['1.5s', undefined],
  ['-1s', undefined],
  ['5 weeks', undefined],
  ['', undefined],
];

for (const [text, expected] of cases) {
  test(`duration ${JSON.stringify(text)} is ${expected ?? 'nothing'}`, () => {
    assert.equal(parseDuration(text), expected);
  });
}
