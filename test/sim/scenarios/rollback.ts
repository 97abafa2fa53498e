import assert from 'node:assert/strict';
import { doDeed } from '../harness/deeds.ts';
import { aged, condition, epochOf, isReady, LIMIT_MS, reachSettled, stateOf } from '../harness/flows.ts';
import { reconfigured, SPEC, withPolicies, type Spec } from '../harness/sample.ts';
import { confOf, running, scenario, status } from '../harness/scenario.ts';
import type { History } from '../harness/history.ts';

/** policies.upgrade.rollback: an epoch that does not become stable makes room for the last stable one. */

const GOOD = withPolicies(SPEC, { upgrade: { rollback: 'automatic', readiness: '1m' } });

/** Its tasks run for less than a moment, again and again. */
const LOOPING: Spec = { ...reconfigured(GOOD, '64'), jobArgs: ['--fail-over-ms', '10'] };
const FAILING: Spec = { ...reconfigured(GOOD, '64'), jobArgs: ['--fail-after-ms', '1'] };
const THROWING: Spec = { ...reconfigured(GOOD, '64'), jobArgs: ['--throw'] };

async function rolledBack(h: History, bad: Spec): Promise<void> {
  await aged(h, GOOD);
  h.apply(bad);
  await h.until(() => stateOf(h) === 'RolledBack', LIMIT_MS, 'rolled back');
}

function assertRolledBack(h: History): void {
  const { epoch, failedEpoch, history } = status(h);
  assert.equal(epoch?.number, 3);
  assert.equal(failedEpoch?.number, 2);
  assert.equal(epoch.restoredFrom, failedEpoch.path, 'from what the failed epoch started from');
  assert.ok(history?.some(({ reason }) => reason === 'RolledBack'));
  assert.equal(condition(h, 'Ready'), 'False');
  assert.equal(condition(h, 'Stalled'), 'True');
  assert.doesNotMatch(confOf(h), /max-parallelism[^,]*64/, 'the configuration of the first epoch');
}

scenario('15 starts, then crash-loops after RUNNING: rolled back, once', async (h) => {
  await rolledBack(h, LOOPING);
  assertRolledBack(h);
  await h.run(20 * 60_000);
  assert.equal(epochOf(h), 3, 'it stays so');
  await reachSettled(h);
});

scenario('15 a job that fails for good before it is stable is rolled back at once', async (h) => {
  await rolledBack(h, FAILING);
  assertRolledBack(h);
});

scenario('15 main() throws after an upgrade: rolled back', async (h) => {
  await rolledBack(h, THROWING);
  assertRolledBack(h);
});

scenario('15 a short readiness is over while tasks are being started', async (h) => {
  const short = (spec: Spec): Spec => withPolicies(spec, { upgrade: { rollback: 'automatic', readiness: '20s' } });
  await aged(h, short(GOOD));
  h.apply(short(LOOPING));
  await h.until(() => stateOf(h) === 'RolledBack', LIMIT_MS, 'rolled back');
  assertRolledBack(h);
});

scenario('15 pods that find no node are not rolled back', async (h) => {
  await aged(h, GOOD);
  h.world.faults.schedulable = () => false;
  h.apply(reconfigured(GOOD, '64'));
  await h.run(10 * 60_000);
  assert.equal(epochOf(h), 2);
  h.world.faults.schedulable = () => true;
  await h.until(() => isReady(h) && epochOf(h) === 2, LIMIT_MS, 'the new spec runs');
});

scenario('15 never twice: a rolled-back epoch that is not stable either is told', async (h) => {
  await aged(h, GOOD);
  h.apply(LOOPING);
  await h.until(() => epochOf(h) === 3, LIMIT_MS, 'rolled back');
  h.world.storage.forbid('file:///data/checkpoints');
  await h.run(10 * 60_000);
  assert.equal(epochOf(h), 3);
  assert.equal(condition(h, 'Stalled'), 'True');
  h.world.storage.forbid('');
  await h.until(() => stateOf(h) === 'RolledBack', LIMIT_MS, 'stable');
});

scenario('15 a new scale alone does not try the failed spec again, and a corrected spec does', async (h) => {
  await rolledBack(h, LOOPING);
  h.apply({ ...LOOPING, parallelism: 2 });
  await h.run(60_000);
  assert.equal(epochOf(h), 3);
  assert.equal(stateOf(h), 'RolledBack');
  h.apply(reconfigured(GOOD, '65'));
  await h.until(() => isReady(h) && epochOf(h) === 4, LIMIT_MS, 'the corrected spec runs');
  assert.equal(status(h).failedEpoch, undefined);
});

scenario('15 the spec put back to what runs: Ready, and nothing restarts', async (h) => {
  await rolledBack(h, LOOPING);
  h.apply(GOOD);
  await h.until(() => isReady(h), LIMIT_MS, 'Ready');
  assert.equal(epochOf(h), 3);
});

scenario('15 a corrected spec breaks out of a rollback', async (h) => {
  await aged(h, GOOD);
  h.apply(LOOPING);
  await h.until(() => stateOf(h) === 'RollingBack', LIMIT_MS, 'on the way back');
  h.apply(reconfigured(GOOD, '65'));
  await h.until(() => running(h) && epochOf(h) > 2, LIMIT_MS, 'the corrected spec runs');
  assert.match(confOf(h), /max-parallelism: 65/);
});

scenario('15 a corrected spec takes the place of a rollback that is declared and not started', async (h) => {
  await aged(h, GOOD);
  h.apply(LOOPING);
  let path: string | undefined;
  h.world.api.watch(() => {
    if (path !== undefined || epochOf(h) !== 3) return;
    path = status(h).failedEpoch?.path;
    h.apply(reconfigured(GOOD, '65'));
  });
  await h.until(() => running(h) && epochOf(h) === 4, LIMIT_MS, 'the corrected spec runs');
  assert.match(confOf(h), /max-parallelism: 65/);
  assert.equal(status(h).epoch?.restoredFrom, path);
  assert.equal(status(h).failedEpoch, undefined);
});

scenario(
  '15 what the failed epoch has written since is left behind, and a corrected spec goes on from its own epoch',
  async (h) => {
    await aged(h, GOOD);
    h.apply({ ...reconfigured(GOOD, '64'), jobArgs: ['--fail-after-ms', '15000'] });
    await h.until(() => epochOf(h) === 2, LIMIT_MS, 'declared');
    h.world.faults.flink = () => ({ kind: 'unreachable' });
    await h.run(40_000);
    h.world.faults.flink = () => ({ kind: 'none' });
    await h.until(() => stateOf(h) === 'RolledBack', LIMIT_MS, 'rolled back');
    assertRolledBack(h);
    const { newest, path } = status(h).failedEpoch ?? {};
    assert.ok(newest !== undefined && newest !== path, 'it had written a checkpoint');
    assert.equal(h.ledger.rewinds.length, 1, 'once');
    await h.run(30_000);
    h.apply(reconfigured(GOOD, '65'));
    await h.until(() => isReady(h) && epochOf(h) === 4, LIMIT_MS, 'the corrected spec runs');
    assert.notEqual(status(h).epoch?.restoredFrom, newest);
    assert.equal(h.ledger.rewinds.length, 1);
  },
);

scenario(
  '15 the records are deleted in the middle of a rollback: nothing starts, that is told, and a corrected spec runs',
  async (h) => {
    await aged(h, GOOD);
    h.apply(LOOPING);
    await h.until(() => status(h).epoch?.ended?.rollback === true, LIMIT_MS, 'left for the stable epoch');
    doDeed(h, 'record deleted');
    await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
    await h.run(10 * 60_000);
    assert.equal(h.ledger.alive(h.job()?.metadata.uid ?? ''), undefined);
    assert.match(status(h).message ?? '', /spec\.restartNonce/);
    h.apply(reconfigured(GOOD, '65'));
    await h.until(() => isReady(h), LIMIT_MS, 'the corrected spec runs');
    assert.match(confOf(h), /max-parallelism: 65/);
  },
);
