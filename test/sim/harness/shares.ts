import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { apart } from './apart.ts';
import { report } from './coverage.ts';
import { subjects, type Share } from './explore.ts';
import { FLOWS, type Flow } from './catalogue.ts';

/**
 * What `npm test` runs of all plans: of the core flows every crash, lost answer and stale view, and of all other plans, of all flows,
 * some of each kind, chosen by a seed (`FLORK_SIM_SEED`, 1). `.ci/run` runs more (README.md), `npm run sim -- --plans all` all of them.
 */
const seed = Number(process.env['FLORK_SIM_SEED'] ?? '1');

/** Tests for the flows of one part of `parts`. */
export function exploreShare(which: (flow: Flow) => boolean, ofEach: number, part: number, parts: number): void {
  const chosen = subjects(FLOWS, 'one').filter(({ flow }) => which(flow));
  for (const [index, { flow, options }] of chosen.entries()) {
    if (index % parts !== part) continue;
    const { name } = flow;
    const { strategy } = options;
    const share: Share = { kind: 'some', seed, elementary: flow.core === true, ofEach: ofEach * (flow.part ?? 1) };
    test(`${name}, ${strategy}: ${flow.core === true ? 'every crash, lost answer and stale view, and ' : ''}a share of all else`, async (context) => {
      const told = await apart({ kind: 'plans', flow: name, strategy, share });
      assert.ok(told.kind === 'plans');
      const { plans, known, failures } = told.explored;
      context.diagnostic(`${plans} of ${known} plans, seed ${seed}`);
      assert.deepEqual(failures, []);
    });
  }
  after(() => console.log(report()));
}
