import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { apart } from './harness/apart.ts';
import { FLOWS } from './harness/catalogue.ts';
import { report } from './harness/coverage.ts';
import type { DeedName } from './harness/deeds.ts';
import { subjects } from './harness/explore.ts';

/**
 * A new spec breaks out of any step of any flow, and one that is taken back before the stop costs nothing (harness/break-out.ts): done after
 * each write of status, each in a history of its own. Here for one flow and, as `.ci/run` does with FLORK_SIM_STRATEGIES=both, for all core
 * flows; `npm run sim -- --plans all` does it for all.
 */
const DEEDS: readonly DeedName[] = ['spec edited', 'spec edited, and put back when that was seen'];
const every = process.env['FLORK_SIM_STRATEGIES'] === 'both';
const chosen = subjects(FLOWS, 'one').filter(({ flow }) =>
  every ? flow.core === true : flow.name === 'upgrade with a savepoint',
);

describe('a new spec after each step', { concurrency: 2 }, () => {
  for (const { flow, options } of chosen) {
    test(`${flow.name}, ${options.strategy}`, async (context) => {
      const share = { kind: 'deeds', deeds: DEEDS } as const;
      const told = await apart({ kind: 'plans', flow: flow.name, strategy: options.strategy, share }, 2);
      assert.ok(told.kind === 'plans');
      const { plans, failures } = told.explored;
      context.diagnostic(`${plans} plans`);
      assert.deepEqual(failures, []);
      assert.ok(plans >= 2 * DEEDS.length, `${plans} plans`);
    });
  }
});

after(() => console.log(report()));
