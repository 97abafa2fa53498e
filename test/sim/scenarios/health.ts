import assert from 'node:assert/strict';
import { epochOf, LIMIT_MS, reachRunning, start } from '../harness/flows.ts';
import { SPEC, type Spec } from '../harness/sample.ts';
import { running, scenario, status } from '../harness/scenario.ts';

/** A job that runs and is unwell (policies.health). */

const policy = (policies: object, spec: Spec = SPEC): Spec => ({
  ...spec,
  policies: { ...(spec['policies'] as object), ...policies },
});

scenario(
  'a job that restarts again and again: deployed anew from its newest snapshot, less and less often',
  async (h) => {
    const failing = { ...SPEC, jobArgs: ['--fail-over-ms', '15000'] };
    await start(h, policy({ health: { restarts: 3, window: '5m' } }, failing));
    await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'deployed anew');
    assert.ok(status(h).epoch?.restoredFrom !== undefined);
    assert.ok(status(h).history?.some(({ reason }) => reason === 'Unhealthy'));
    assert.equal(status(h).redeploy?.attempts, 1);
    await h.run(30 * 60_000);
    assert.ok(epochOf(h) >= 3 && epochOf(h) <= 7, `no storm: epoch ${epochOf(h)} after half an hour`);
    h.apply(SPEC);
    await h.until(() => running(h) && status(h).redeploy === undefined, 3 * 3_600_000, 'well for long enough');
    await reachRunning(h);
  },
);

scenario('checkpoints stall: left by the way that an upgrade would take, and well again', async (h) => {
  await start(h, policy({ health: { checkpointStall: '2m' } }));
  await h.run(60_000);
  h.world.faults.job.checkpointsFail = true;
  await h.until(() => epochOf(h) === 2 && status(h).epoch?.runningAt !== undefined, 400_000, 'deployed anew');
  h.world.faults.job.checkpointsFail = false;
  assert.ok(status(h).epoch?.restoredFrom !== undefined);
  await reachRunning(h, 'stable');
  await h.run(10 * 60_000);
  assert.equal(epochOf(h), 2, 'once was enough');
  await reachRunning(h);
});

scenario('mode stateless and a job that is unwell: its state is kept all the same', async (h) => {
  await start(h, policy({ health: { checkpointStall: '2m' }, upgrade: { mode: 'stateless' } }));
  await h.run(60_000);
  h.world.faults.job.checkpointsFail = true;
  await h.until(() => epochOf(h) === 2 && status(h).epoch?.runningAt !== undefined, 400_000, 'deployed anew');
  h.world.faults.job.checkpointsFail = false;
  assert.ok(status(h).epoch?.restoredFrom !== undefined, 'not empty');
  await reachRunning(h);
});
