import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { conclude, report } from './harness/coverage.ts';
import { randomHistory } from './harness/random.ts';

/** Seeded random histories: `npm run sim -- --seed N --histories 1` tells the story of one. */
const WANTED = 300;
const MOST = 400;
const PARTS = 4;

let counted = 0;
for (let part = 0; part < PARTS; part++) {
  test(`random histories, part ${part + 1} of ${PARTS}`, async () => {
    for (
      let seed = 1 + part * (MOST / PARTS);
      seed <= (part + 1) * (MOST / PARTS) && counted < ((part + 1) * WANTED) / PARTS;
      seed++
    ) {
      // oxlint-disable-next-line no-await-in-loop -- each in a world of its own, one after the other
      const told = await randomHistory(seed);
      conclude(told.history);
      if (told.counts) counted++;
    }
  });
}

test(`at least ${WANTED} histories completed a start, and a stop, upgrade or deletion, under a fault`, () => {
  assert.ok(counted >= WANTED, `${counted}`);
});

after(() => console.log(report()));
