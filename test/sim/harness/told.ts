import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { conclude, report } from './coverage.ts';
import { randomHistory } from './random.ts';

/** So many histories have to complete a start, and a stop, upgrade or deletion, under a fault, in each of two files. */
const WANTED = 150;
const MOST = 200;

/** Seeded random histories from `first` on: `npm run sim -- --seed N --histories 1` tells the story of one. */
export function tellHistories(first: number): void {
  let counted = 0;
  test(`random histories from seed ${first} on`, async () => {
    for (let seed = first; seed < first + MOST && counted < WANTED; seed++) {
      // oxlint-disable-next-line no-await-in-loop -- each in a world of its own, one after the other
      const told = await randomHistory(seed);
      conclude(told.history);
      if (told.counts) counted++;
    }
    assert.ok(counted >= WANTED, `${counted} of ${WANTED} were a life under faults`);
  });
  after(() => console.log(report()));
}
