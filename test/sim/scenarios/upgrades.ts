import assert from 'node:assert/strict';
import {
  condition,
  counter,
  epochOf,
  isReady,
  jobOf,
  killJobManager,
  LIMIT_MS,
  pods,
  podNames,
  reachRunning,
  reachSettled,
  start,
  stateOf,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { reconfigured, SPEC, stateless, suspended, withPolicies, type Spec } from '../harness/sample.ts';
import { assertRewoundTold, confOf, running, savepointsOf, scenario, status, uid } from '../harness/scenario.ts';

/** Upgrades without a savepoint, by last-state, and what follows when a savepoint cannot be taken (scenarios 2 to 5, 8, 9, 17). */

const LAST_STATE = withPolicies(SPEC, { upgrade: { mode: 'last-state' } });
const { policies: _, ...NO_DIRECTORY } = SPEC;
const upgraded = (h: History): boolean => running(h) && epochOf(h) === 2;
const asked = (h: History): number => h.ledger.counts['cancel-asked'] ?? 0;

function assertFromCheckpoint(h: History): void {
  assert.match(status(h).epoch?.restoredFrom ?? '', /\/chk-\d+$/, 'from a checkpoint');
  assert.equal(savepointsOf(h), 0, 'no savepoint');
  assert.equal(h.ledger.rewinds.length, 0, 'from the newest');
}

scenario('2 upgrade by last-state, as there is no savepoint directory', async (h) => {
  await start(h, NO_DIRECTORY);
  await h.run(37_000);
  await upgrade(h, reconfigured(NO_DIRECTORY, '64'));
  assertFromCheckpoint(h);
  assert.ok(counter(h) > 200);
  await reachSettled(h);
});

scenario('2 upgrade by last-state, said by the spec', async (h) => {
  await start(h, LAST_STATE);
  await h.run(25_000);
  await upgrade(h, reconfigured(LAST_STATE, '64'));
  assertFromCheckpoint(h);
  await reachSettled(h);
});

scenario('2 upgrade by last-state: the first checkpoint is waited for', async (h) => {
  await start(h, NO_DIRECTORY);
  h.apply(reconfigured(NO_DIRECTORY, '64'));
  await h.until(() => upgraded(h), LIMIT_MS, 'upgraded');
  assertFromCheckpoint(h);
});

scenario('2 last-state with a checkpoint that is too old: a savepoint is taken', async (h) => {
  const spec = withPolicies(
    { ...SPEC, flinkConf: { ...(SPEC['flinkConf'] as object), 'execution.checkpointing.interval': '60s' } },
    { upgrade: { mode: 'last-state', maxCheckpointAge: '10s' } },
  );
  await start(h, spec);
  await h.run(90_000);
  await upgrade(h, reconfigured(spec, '64'));
  assert.equal(savepointsOf(h), 1);
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('2 last-state with a young checkpoint: the age asks for nothing', async (h) => {
  const spec = withPolicies(SPEC, { upgrade: { mode: 'last-state', maxCheckpointAge: '1m' } });
  await start(h, spec);
  await h.run(25_000);
  await upgrade(h, reconfigured(spec, '64'));
  assertFromCheckpoint(h);
});

const DELETED: Spec = {
  ...LAST_STATE,
  flinkConf: {
    ...(SPEC['flinkConf'] as object),
    'execution.checkpointing.externalized-checkpoint-retention': 'DELETE_ON_CANCELLATION',
  },
};

scenario('checkpoint config says deleted on cancellation: a savepoint is taken', async (h) => {
  await start(h, DELETED);
  await h.run(25_000);
  await upgrade(h, reconfigured(DELETED, '64'));
  assert.equal(savepointsOf(h), 1);
  assert.equal(asked(h), 0, 'nothing was canceled');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('checkpoint config says deleted on cancellation, and no savepoint directory: held', async (h) => {
  const { policies: __, ...bare } = DELETED;
  await start(h, bare);
  await h.run(25_000);
  const process = jobOf(h);
  h.apply(reconfigured(bare, '64'));
  await h.until(() => /deleted when it is canceled/.test(status(h).message ?? ''), LIMIT_MS, 'told');
  await h.run(120_000);
  assert.equal(asked(h), 0, 'nothing was canceled');
  assert.equal(jobOf(h), process);
  h.apply(withPolicies(reconfigured(bare, '64'), { savepoint: { directory: 'file:///data/savepoints' } }));
  await h.until(() => upgraded(h), LIMIT_MS, 'upgraded with a savepoint');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('3 spec changes again during an upgrade by last-state', async (h) => {
  await start(h, LAST_STATE);
  await h.run(12_000);
  for (const [index, when] of ['operation', 'asked', 'ended', 'declared'].entries()) {
    const before = { epoch: epochOf(h), asked: asked(h) };
    h.apply(reconfigured(LAST_STATE, String(64 + index)));
    const reached: Record<string, () => boolean> = {
      operation: () => status(h).operation !== undefined,
      asked: () => asked(h) > before.asked,
      ended: () => status(h).epoch?.ended !== undefined,
      declared: () => epochOf(h) > before.epoch,
    };
    await h.until(reached[when] ?? assert.fail(), LIMIT_MS, `in mid-upgrade: ${when}`);
    h.apply(reconfigured(LAST_STATE, String(640 + index)));
    await h.until(
      () => running(h) && confOf(h).includes(`${640 + index}`),
      LIMIT_MS,
      `the second change runs (${when})`,
    );
  }
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('4 spec reverted before the cancel: nothing happens', async (h) => {
  await start(h, LAST_STATE);
  await h.run(12_000);
  h.controls.flink = (_index, method) => (method === 'PATCH' ? 'unreachable' : 'none');
  h.apply(reconfigured(LAST_STATE, '64'));
  await h.until(() => status(h).operation !== undefined, LIMIT_MS, 'the cancel is intended');
  h.apply(LAST_STATE);
  await h.run(200);
  h.controls.flink = () => 'none';
  await h.until(() => running(h) && status(h).operation === undefined, LIMIT_MS, 'running as before');
  await reachSettled(h);
  assert.equal(epochOf(h), 1);
  assert.equal(asked(h), 0);
});

scenario('4 spec reverted after the cancel, and status forgets it: Flork tells its own cancel', async (h) => {
  await start(h, LAST_STATE);
  await h.run(12_000);
  h.apply(reconfigured(LAST_STATE, '64'));
  await h.until(() => asked(h) > 0, LIMIT_MS, 'the cancel is asked for');
  h.controls.hook = () => 'down';
  await h.run(50);
  h.apply(LAST_STATE);
  h.edit((live) => ({ ...live, status: {} }));
  await h.until(() => jobOf(h)?.state() === 'CANCELED', LIMIT_MS, 'canceled');
  h.controls.hook = () => 'up';
  await h.until(() => upgraded(h), LIMIT_MS, 'it runs again');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('5 suspend, change, resume by last-state', async (h) => {
  await start(h, NO_DIRECTORY);
  await h.run(25_000);
  await suspend(h, NO_DIRECTORY);
  await reachSettled(h);
  assert.match(status(h).epoch?.ended?.path ?? '', /\/chk-\d+$/, 'the checkpoint is told');
  h.apply(suspended(reconfigured(NO_DIRECTORY, '64')));
  await h.run(10_000);
  assert.equal(stateOf(h), 'Suspended');
  h.apply(reconfigured(NO_DIRECTORY, '64'));
  await h.until(() => running(h), LIMIT_MS, 'resumed with the change');
  assertFromCheckpoint(h);
  await reachSettled(h);
});

scenario('7 cancel asked, answer lost', async (h) => {
  await start(h, LAST_STATE);
  await h.run(25_000);
  let lost = 0;
  h.controls.flink = (_index, method) => (method === 'PATCH' && lost++ < 2 ? 'answer-lost' : 'none');
  await upgrade(h, reconfigured(LAST_STATE, '64'));
  assert.ok(lost > 0);
  assertFromCheckpoint(h);
});

for (const when of ['CANCELLING', 'CANCELED']) {
  scenario(`8 job ${when}, JobManager gone before the path was recorded`, async (h) => {
    await start(h, LAST_STATE);
    await h.run(47_000);
    h.apply(reconfigured(LAST_STATE, '64'));
    await h.until(() => jobOf(h)?.state() === when, LIMIT_MS, when);
    killJobManager(h);
    await h.until(() => upgraded(h), LIMIT_MS, 'upgraded all the same, from what is on record');
    assert.match(status(h).epoch?.restoredFrom ?? '', /\/chk-\d+$/);
    assert.ok(
      status(h).history?.some(({ reason }) => reason === 'Rewound'),
      'told',
    );
    assertRewoundTold(h);
    await reachSettled(h);
  });
}

/** TaskManagers are gone and do not come back: Flink restarts the job without end. */
async function withoutTaskManagers(h: History): Promise<void> {
  h.world.faults.schedulable = (pod) => !pod.metadata.name.includes('-taskmanager');
  for (const pod of pods(h, 'taskmanager')) h.world.api.remove('somebody', refTo(pod));
  await h.until(() => jobOf(h)?.state() === 'RESTARTING', LIMIT_MS, 'the job restarts');
}
const refTo = (pod: { metadata: { name: string; namespace?: string } }) => ({
  kind: 'Pod',
  namespace: pod.metadata.namespace ?? '',
  name: pod.metadata.name,
});

scenario('9 no savepoint can be taken for good: the job goes on from its newest checkpoint', async (h) => {
  await start(h);
  await h.run(25_000);
  await withoutTaskManagers(h);
  h.apply(reconfigured(SPEC, '64'));
  await h.run(30_000);
  assert.equal(asked(h), 0, 'not at once');
  await h.until(() => epochOf(h) === 2, LIMIT_MS, 'left without a savepoint');
  h.world.faults.schedulable = () => true;
  await h.until(() => upgraded(h), LIMIT_MS, 'upgraded');
  assert.match(status(h).epoch?.restoredFrom ?? '', /\/chk-\d+$/);
  assert.equal(savepointsOf(h), 0);
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('9 no savepoint can be taken, and fallback is wait: it is waited for', async (h) => {
  const spec = withPolicies(SPEC, { upgrade: { fallback: 'wait' } });
  await start(h, spec);
  await h.run(25_000);
  await withoutTaskManagers(h);
  h.apply(reconfigured(spec, '64'));
  await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
  await h.run(200_000);
  assert.equal(asked(h), 0, 'nothing is canceled');
  assert.equal(epochOf(h), 1);
  h.world.faults.schedulable = () => true;
  await h.until(() => upgraded(h), LIMIT_MS, 'upgraded');
  assert.equal(savepointsOf(h), 1);
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('9 savepoints fail again and again: the job goes on from its newest checkpoint', async (h) => {
  await start(h);
  await h.run(15_000);
  h.world.storage.forbid('file:///data/savepoints');
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
  assert.equal(asked(h), 0, 'not after the first');
  await h.until(() => upgraded(h), LIMIT_MS, 'upgraded');
  assert.ok((h.ledger.counts['savepoint-failed'] ?? 0) >= 3);
  assertFromCheckpoint(h);
});

scenario('11 JobManager that never comes back for long: left by what is on record', async (h) => {
  await start(h);
  await h.run(70_000);
  h.controls.hook = () => 'down';
  await h.run(50);
  const killing = { on: true };
  const kill = (): void => {
    if (!killing.on || epochOf(h) !== 1) return;
    killJobManager(h);
    h.clock.after(1_000, kill);
  };
  kill();
  await h.run(5_000);
  h.apply(reconfigured(SPEC, '64'));
  h.controls.hook = () => 'up';
  await h.until(() => epochOf(h) === 2, LIMIT_MS, 'left');
  killing.on = false;
  await h.until(() => upgraded(h), LIMIT_MS, 'upgraded');
  assert.match(status(h).epoch?.restoredFrom ?? '', /\/chk-\d+$/);
  assertRewoundTold(h);
});

scenario('8 JobManager gone and its recorded snapshot, too: held with the ways out', async (h) => {
  await start(h);
  await h.run(40_000);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'the job is FINISHED, which deletes its checkpoints');
  killJobManager(h);
  const known = h.world.storage.all().find(({ kind }) => kind === 'savepoint')?.path ?? assert.fail('no savepoint');
  await h.until(() => stateOf(h) === 'Stalled' && /is not there/.test(status(h).message ?? ''), LIMIT_MS, 'held');
  await h.run(120_000);
  assert.equal(epochOf(h), 1, 'nothing is started from what is not there');
  assert.match(status(h).message ?? '', /Savepoints of this FlinkJob lie below file:\/\/\/data\/savepoints/);
  h.apply({ ...reconfigured(SPEC, '64'), restore: { from: known, nonce: 1 } });
  await h.until(() => upgraded(h), LIMIT_MS, 'restored from the savepoint that a person found');
});

scenario('17 job FAILED, then spec repaired: from its newest checkpoint, nothing repeated', async (h) => {
  await start(h, { ...SPEC, jobArgs: ['--fail-after-ms', '40000'] });
  await h.until(() => stateOf(h) === 'Failed', LIMIT_MS, 'Failed');
  h.apply(SPEC);
  await h.until(() => upgraded(h), LIMIT_MS, 'repaired');
  assert.match(status(h).epoch?.restoredFrom ?? '', /\/chk-\d+$/);
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('16 job finishes while it is to be canceled: it stays finished', async (h) => {
  const spec = { ...LAST_STATE, jobArgs: ['--bounded-ms', '20000'] };
  await start(h, spec);
  h.controls.flink = (_index, method) => (method === 'PATCH' ? 'timeout' : 'none');
  await h.run(11_000);
  h.apply(reconfigured(spec, '64'));
  await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'finished by itself');
  h.controls.flink = () => 'none';
  await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'Finished');
  await reachSettled(h);
  assert.equal(epochOf(h), 1, 'a finished job is not run again');
});

scenario('30 restartNonce: a new value acts once, no value never', async (h) => {
  const spec = { ...SPEC, restartNonce: 7 };
  await start(h, spec);
  await reachSettled(h);
  assert.equal(epochOf(h), 1, 'recorded on a new object');
  assert.equal(status(h).handled?.restartNonce, 7);
  h.apply({ ...SPEC, restartNonce: 8 });
  h.apply({ ...SPEC, restartNonce: 9 });
  await h.until(() => upgraded(h), LIMIT_MS, 'deployed anew, with its state');
  assert.equal(savepointsOf(h), 1);
  assert.equal(h.ledger.rewinds.length, 0);
  await reachSettled(h);
  h.apply(SPEC);
  await reachSettled(h);
  assert.equal(epochOf(h), 2, 'acted once; removed, it does nothing');
  h.controls.hook = () => 'down';
  await h.run(50);
  h.edit((live) => ({ ...live, status: {}, spec: { ...SPEC, restartNonce: 10 } }));
  await h.run(500);
  h.controls.hook = () => 'up';
  await reachRunning(h, 'adopted');
  await reachSettled(h);
  assert.equal(epochOf(h), 2, 'recorded on an adopted object');
  assert.equal(status(h).handled?.restartNonce, 10);
  h.apply({ ...SPEC, restartNonce: 11 });
  await h.until(() => running(h) && epochOf(h) === 3, LIMIT_MS, 'deployed anew');
});

scenario('30 restartNonce by last-state, and while suspended', async (h) => {
  await start(h, LAST_STATE);
  await h.run(25_000);
  h.apply({ ...LAST_STATE, restartNonce: 1 });
  await h.until(() => upgraded(h), LIMIT_MS, 'deployed anew');
  assertFromCheckpoint(h);
  await h.run(25_000);
  await suspend(h, { ...LAST_STATE, restartNonce: 1 });
  h.apply(suspended({ ...LAST_STATE, restartNonce: 2 }));
  await h.run(20_000);
  assert.equal(stateOf(h), 'Suspended');
  h.apply({ ...LAST_STATE, restartNonce: 2 });
  await h.until(() => running(h) && epochOf(h) === 3, LIMIT_MS, 'resumed');
  await reachSettled(h);
  assert.equal(epochOf(h), 3, 'the resumption was the restart');
});

scenario('a stateless upgrade that is made last-state before the cancel was sent keeps its state', async (h) => {
  await start(h);
  await h.run(25_000);
  h.controls.flink = (_index, method) => (method === 'PATCH' ? 'unreachable' : 'none');
  h.apply(reconfigured(stateless(SPEC), '64'));
  await h.until(() => status(h).operation?.startsEmpty === true, LIMIT_MS, 'it would start empty');
  h.apply(SPEC);
  await h.until(() => running(h) && status(h).operation === undefined, LIMIT_MS, 'withdrawn');
  h.controls.flink = () => 'none';
  await upgrade(h, reconfigured(LAST_STATE, '64'));
  assertFromCheckpoint(h);
  assert.ok(uid(h) !== '' && podNames(h).length > 0);
});
