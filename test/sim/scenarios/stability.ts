import assert from 'node:assert/strict';
import { condition, epochOf, isReady, LIMIT_MS, reachRunning, reachSettled, start, stateOf } from '../harness/flows.ts';
import { reconfigured, SPEC, withPolicies, type Spec } from '../harness/sample.ts';
import { running, scenario, status, uid } from '../harness/scenario.ts';

/** When a job is Ready: all its tasks run and, where it writes checkpoints, one of this epoch is complete. */

const CHECKPOINTS = 'file:///data/checkpoints';

/** The sample job, that writes a checkpoint every so often. */
const checkpointing = (interval: string): Spec => ({
  ...SPEC,
  flinkConf: { ...(SPEC['flinkConf'] as object), 'execution.checkpointing.interval': interval },
});

scenario('stable: a job that checkpoints once an hour is asked for one, and is Ready in seconds', async (h) => {
  await start(h, checkpointing('1h'));
  assert.equal(h.ledger.counts['checkpoint'], 1, 'one checkpoint, which Flork asked for');
  const { epoch } = status(h);
  assert.ok(epoch?.runningAt !== undefined && epoch.stableAt !== undefined);
  assert.equal(epoch.clock, undefined, 'the clock is gone');
  const since = Date.parse(epoch.stableAt) - Date.parse(epoch.runningAt);
  assert.ok(since <= 4_000, `stable ${since} ms after its tasks ran`);
  await reachSettled(h);
  assert.equal(h.ledger.counts['checkpoint-asked'], 1, 'asked for once');
  assert.deepEqual(
    status(h).history?.map(({ reason }) => reason),
    ['Running', 'FirstStart'],
  );
});

scenario('stable: a job that checkpoints every second is not asked', async (h) => {
  await start(h, checkpointing('1s'));
  assert.equal(h.ledger.counts['checkpoint-asked'] ?? 0, 0);
});

scenario('stable: a restored checkpoint is none of its own', async (h) => {
  await start(h);
  await h.run(15_000);
  h.world.storage.forbid(CHECKPOINTS);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => epochOf(h) === 2 && status(h).epoch?.runningAt !== undefined, LIMIT_MS, 'its tasks run');
  await h.run(60_000);
  assert.equal(status(h).epoch?.stableAt, undefined);
  assert.equal(condition(h, 'Ready'), 'False');
  assert.match(status(h).message ?? '', /attempt failed|asked for failed/);
  h.world.storage.forbid('');
  await reachRunning(h, 'stable with its first checkpoint');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('stable: a spec that changes while the first checkpoint is awaited is not held up', async (h) => {
  await start(h);
  h.world.storage.forbid(CHECKPOINTS);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => epochOf(h) === 2 && status(h).operation?.kind === 'checkpoint', LIMIT_MS, 'intended');
  h.apply(reconfigured(SPEC, '65'));
  await h.until(() => epochOf(h) === 3, LIMIT_MS, 'the next epoch');
  h.world.storage.forbid('');
  await h.until(() => running(h), LIMIT_MS, 'the newest spec runs');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario(
  'not stable: a job without a complete checkpoint is told after its time, and Ready with its first',
  async (h) => {
    h.world.storage.forbid(CHECKPOINTS);
    h.apply(withPolicies(SPEC, { upgrade: { readiness: '2m' } }));
    await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
    assert.match(status(h).message ?? '', /completed no checkpoint within 120 s/);
    assert.equal(epochOf(h), 1, 'nothing is done about it');
    h.world.storage.forbid('');
    await reachRunning(h, 'stable with its first checkpoint');
    await reachSettled(h);
  },
);

scenario('not stable: a job that restarts without end is told after its time', async (h) => {
  h.apply({ ...withPolicies(SPEC, { upgrade: { readiness: '1m' } }), jobArgs: ['--fail-over-ms', '10'] });
  await h.until(() => stateOf(h) === 'Stalled', LIMIT_MS, 'told');
  assert.match(status(h).message ?? '', /did not get all its tasks to run|completed no checkpoint/);
  h.ledger.permit(uid(h));
  h.apply(withPolicies(SPEC, { stateLoss: 'allow' }));
  await h.until(() => isReady(h) && epochOf(h) === 2, LIMIT_MS, 'the corrected spec runs');
});

scenario('not stable: a pod that finds no node has all the time it needs', async (h) => {
  h.world.faults.schedulable = () => false;
  h.apply(withPolicies(SPEC, { upgrade: { readiness: '1m' } }));
  await h.run(10 * 60_000);
  assert.equal(condition(h, 'Stalled'), undefined);
  h.world.faults.schedulable = () => true;
  await reachRunning(h);
});

scenario('not stable: a hook that was away for ten minutes asks first, and judges then', async (h) => {
  h.apply(withPolicies(checkpointing('1h'), { upgrade: { readiness: '1m' } }));
  await h.until(() => status(h).epoch?.clock?.since !== undefined, LIMIT_MS, 'its tasks run');
  h.controls.hook = () => 'down';
  await h.run(10 * 60_000);
  h.controls.hook = () => 'up';
  await reachRunning(h, 'stable with the checkpoint that Flork asks for');
  const told = h.world.api.writes.some(({ object }) => JSON.stringify(object['status'] ?? '').includes('NotStable'));
  assert.equal(told, false);
});
