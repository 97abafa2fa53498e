import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { report } from './coverage.ts';
import { explore, subjects, type Share } from './explore.ts';
import { FLOWS, type Flow } from './catalogue.ts';

/**
 * What `npm test` runs of all plans: of the core flows every crash, lost answer and stale view, and of all other plans, of all flows,
 * some of each kind, chosen by a seed (`FLORK_SIM_SEED`, 1). `.ci/run` runs more (README.md), `npm run sim -- --plans all` all of them.
 */
const seed = Number(process.env['FLORK_SIM_SEED'] ?? '1');

/** Tests for the flows of one part of `parts`. */
export function exploreShare(which: (flow: Flow) => boolean, ofEach: number, part: number, parts: number): void {
  const chosen = subjects(FLOWS, 'one').filter(({ flow }) => which(flow));
  for (const [index, subject] of chosen.entries()) {
    if (index % parts !== part) continue;
    const { flow, options } = subject;
    const share: Share = { kind: 'some', seed, elementary: flow.core === true, ofEach };
    test(`${flow.name}, ${options.strategy}: ${flow.core === true ? 'every crash, lost answer and stale view, and ' : ''}a share of all else`, async (context) => {
      const { plans, known, failures } = await explore(subject, share);
      context.diagnostic(`${plans} of ${known} plans, seed ${seed}`);
      assert.deepEqual(failures, []);
    });
  }
  after(() => console.log(report()));
}
