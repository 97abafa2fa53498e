import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Core } from './harness/core.ts';
import { realCore } from './harness/core.ts';
import { epochOf, isReady, LIMIT_MS, reachRunning, start, upgrade } from './harness/flows.ts';
import { Broken, createHistory } from './harness/history.ts';
import { MUTANTS } from './harness/mutants.ts';
import { reconfigured, SPEC } from './harness/sample.ts';

/** The proof of the harness: wrong cores are caught by an invariant, and the real one passes the very same histories. */

async function unreachableForAWhile(core: Core): Promise<void> {
  const h = createHistory({ seed: 31, core });
  await start(h);
  await h.run(20_000);
  h.world.faults.flink = () => ({ kind: 'unreachable' });
  await h.run(60_000);
  h.world.faults.flink = () => ({ kind: 'none' });
  await reachRunning(h);
}

async function upgraded(core: Core): Promise<void> {
  const h = createHistory({ seed: 32, core });
  await start(h);
  await h.run(15_000);
  await upgrade(h, reconfigured(SPEC, '64'));
}

async function wipedAfterAnUpgrade(core: Core): Promise<void> {
  const h = createHistory({ seed: 33, core });
  await start(h);
  await h.run(15_000);
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(25_000);
  h.edit((live) => ({ ...live, status: {} }));
  await h.until(() => isReady(h) && epochOf(h) === 2, LIMIT_MS, 'adopted');
}

const HISTORIES = [unreachableForAWhile, upgraded, wipedAfterAnUpgrade];

async function brokenBy(core: Core): Promise<string | undefined> {
  for (const history of HISTORIES) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the first that catches is enough
      await history(core);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      return `${history.name}: ${error.violation.invariant}: ${error.violation.detail}`;
    }
  }
  return undefined;
}

test('the real core passes', async () => {
  assert.equal(await brokenBy(realCore), undefined);
});

for (const { name, core } of MUTANTS) {
  test(`caught: a core that ${name}`, async (context) => {
    const caught = await brokenBy(core);
    assert.ok(caught !== undefined, 'the mutant survives');
    context.diagnostic(caught);
  });
}
