import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { conclude, coverage, report } from './harness/coverage.ts';
import { FLOWS } from './harness/flows.ts';
import { disturbed, nameOf, plansOf, reference } from './harness/plans.ts';

/**
 * Every single crash, lost answer and stale view of every flow: the undisturbed flow is recorded, every disturbance is derived
 * from its trace, and each is run by itself (Sieve's method). The flow must reach what it promised, and then settle.
 */
for (const [index, flow] of FLOWS.entries()) {
  const options = {
    seed: 101 + index,
    strategy: [0, 4, 6].includes(index) ? 'dynamic-apply' : 'server-side-apply',
  } as const;
  test(`${flow.name}: every crash and every stale view`, async (context) => {
    const { trace, history } = await reference(flow, options);
    conclude(history);
    const plans = plansOf(trace);
    const failures: string[] = [];
    for (const [number, plan] of plans.entries()) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- each in a world of its own, one after the other
        conclude(await disturbed(flow, plan, options, number % 6 === 0));
      } catch (error) {
        failures.push(`${nameOf(plan)}: ${error instanceof Error ? error.message : String(error)}`);
        if (failures.length >= 3) break;
      }
    }
    context.diagnostic(`${plans.length} plans`);
    assert.deepEqual(failures, []);
  });
}

/** Effects that the flows have, each of which must have been cut. */
const EFFECTS = [
  'finalizer FlinkJob',
  'finalizer-removal FlinkJob',
  'hook sync',
  'hook finalize',
  'status FlinkJob',
  'create ConfigMap',
  'create Service',
  'create Deployment',
  'update ConfigMap',
  'update Deployment',
  'apply ConfigMap',
  'apply Deployment',
  'delete ConfigMap',
  'delete Service',
  'delete Deployment',
];

after(() => {
  console.log(report());
  const missed = EFFECTS.filter((effect) => !coverage.crashes.has(`after ${effect}`));
  assert.deepEqual(missed, [], 'every effect is cut somewhere');
});
