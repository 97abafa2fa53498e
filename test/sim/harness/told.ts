import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { apart } from './apart.ts';
import { report } from './coverage.ts';

/** So many histories have to complete a start, and a stop, upgrade or deletion, under a fault, in each of two files. */
const WANTED = 150;
const MOST = 200;

/** Seeded random histories from `first` on: `npm run sim -- --seed N --histories 1` tells the story of one. */
export function tellHistories(first: number): void {
  test(`random histories from seed ${first} on`, async () => {
    const told = await apart({ kind: 'histories', first, most: MOST, wanted: WANTED });
    const counted = told.kind === 'histories' ? told.counted : 0;
    assert.ok(counted >= WANTED, `${counted} of ${WANTED} were a life under faults`);
  });
  after(() => console.log(report()));
}
