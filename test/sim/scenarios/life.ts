import assert from 'node:assert/strict';
import {
  counter,
  epochOf,
  isReady,
  isRecording,
  leftovers,
  LIMIT_MS,
  podNames,
  reachRunning,
  reachSettled,
  remove,
  start,
  stateOf,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import { writesSince, type History } from '../harness/history.ts';
import { reconfigured, SPEC, stateless, suspended } from '../harness/sample.ts';
import { scenario, status, running, savepointsOf, confOf } from '../harness/scenario.ts';

/** Scenarios 1 to 6: start, upgrade, suspend, delete. */

scenario('1 first start', async (h) => {
  await start(h);
  await reachSettled(h);
  const since = h.clock.now();
  await h.run(120_000);
  const writes = writesSince(h, since).filter((write) => !isRecording(write));
  assert.deepEqual(writes, [], 'a settled job is not written');
  const recordings = writesSince(h, since).length;
  assert.ok(recordings <= 2, `the newest checkpoint is recorded at most once a minute, not ${recordings} times in two`);
});

scenario('1b a settled job without checkpoints: zero writes', async (h) => {
  await start(h, { ...SPEC, flinkConf: {} });
  await h.run(60_000);
  const since = h.clock.now();
  await h.run(120_000);
  assert.deepEqual(writesSince(h, since), []);
});

scenario('2 upgrade with a savepoint', async (h) => {
  await start(h);
  await h.run(30_000);
  await upgrade(h, reconfigured(SPEC, '64'));
  assert.equal(savepointsOf(h), 1, 'one savepoint');
  assert.equal(h.ledger.rewinds.length, 0, 'nothing is lost or repeated');
  assert.ok(counter(h) > 200);
  await reachSettled(h);
});

scenario('2 upgrade stateless', async (h) => {
  await start(h);
  await h.run(30_000);
  await upgrade(h, reconfigured(stateless(SPEC), '64'));
  assert.equal(savepointsOf(h), 0, 'no savepoint');
  await reachSettled(h);
});

scenario('3 spec changes again during an upgrade', async (h) => {
  await start(h);
  for (const [index, when] of ['operation', 'ended', 'stopped', 'declared', 'starting'].entries()) {
    h.apply(reconfigured(SPEC, String(64 + index)));
    const before = epochOf(h);
    const reached: Record<string, () => boolean> = {
      operation: () => status(h).operation !== undefined,
      ended: () => status(h).epoch?.ended !== undefined,
      stopped: () => podNames(h).length === 0,
      declared: () => epochOf(h) > before,
      starting: () => epochOf(h) > before && podNames(h, 'jobmanager').length > 0,
    };
    await h.until(reached[when] ?? assert.fail(), LIMIT_MS, `in mid-upgrade: ${when}`);
    h.apply(reconfigured(SPEC, String(640 + index)));
    await h.until(
      () => running(h) && confOf(h).includes(`${640 + index}`),
      LIMIT_MS,
      `the second change runs (${when})`,
    );
  }
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('4 spec reverted before the stop: nothing happens', async (h) => {
  await start(h);
  h.controls.flink = (_index, method) => (method === 'POST' ? 'unreachable' : 'none');
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => status(h).operation !== undefined, LIMIT_MS, 'the stop is intended');
  h.apply(SPEC);
  await h.run(200);
  h.controls.flink = () => 'none';
  await h.until(() => running(h) && status(h).operation === undefined, LIMIT_MS, 'running as before');
  await reachSettled(h);
  assert.equal(epochOf(h), 1);
  assert.equal(savepointsOf(h), 0);
});

scenario('4 spec reverted after the stop: a full upgrade back', async (h) => {
  await start(h);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'the job is stopped');
  h.apply(SPEC);
  await h.until(() => running(h) && epochOf(h) >= 2, LIMIT_MS, 'the old spec runs again');
  assert.equal(h.ledger.rewinds.length, 0);
  await reachSettled(h);
});

scenario('5 suspend, change, resume', async (h) => {
  await start(h);
  await h.run(15_000);
  await suspend(h, SPEC);
  await reachSettled(h);
  assert.ok(status(h).knownSavepointPath !== undefined, 'the savepoint is told');
  h.apply(suspended(reconfigured(SPEC, '64')));
  await h.run(10_000);
  assert.equal(stateOf(h), 'Suspended');
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => running(h), LIMIT_MS, 'resumed with the change');
  assert.equal(savepointsOf(h), 1);
  assert.equal(h.ledger.rewinds.length, 0);
  await reachSettled(h);
});

scenario('5b created suspended: a status at once', async (h) => {
  h.apply(suspended(SPEC));
  await h.until(() => isReady(h, 'Suspended'), 10_000, 'Suspended');
  assert.equal(podNames(h).length, 0);
  h.apply(SPEC);
  await reachRunning(h);
});

const DELETIONS: readonly (readonly [string, (h: History) => Promise<void>])[] = [
  [
    'a start',
    async (h) => {
      h.apply(SPEC);
      await h.run(700);
    },
  ],
  [
    'an upgrade',
    async (h) => {
      await start(h);
      h.apply(reconfigured(SPEC, '64'));
      await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'the job is stopped');
    },
  ],
  [
    'the start of the next epoch',
    async (h) => {
      await start(h);
      h.apply(reconfigured(SPEC, '64'));
      await h.until(() => epochOf(h) === 2, LIMIT_MS, 'epoch 2 is declared');
    },
  ],
  [
    'a suspension',
    async (h) => {
      await start(h);
      h.apply(suspended(SPEC));
      await h.until(() => status(h).operation !== undefined, LIMIT_MS, 'the stop is intended');
    },
  ],
  [
    'being suspended',
    async (h) => {
      await start(h);
      await suspend(h, SPEC);
    },
  ],
  [
    'being finished',
    async (h) => {
      h.apply({ ...SPEC, jobArgs: ['--bounded-ms', '4000'] });
      await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'finished');
    },
  ],
  [
    'an unreachable JobManager',
    async (h) => {
      await start(h);
      h.world.faults.flink = () => ({ kind: 'unreachable' });
      await h.run(20_000);
    },
  ],
];

for (const [during, story] of DELETIONS) {
  scenario(`6 deletion during ${during}`, async (h) => {
    await story(h);
    await remove(h);
  });
}

scenario('6 deletion in the foreground, as Argo CD prunes', async (h) => {
  await start(h);
  h.remove('foreground');
  await h.until(() => h.job() === undefined && leftovers(h).length === 0, LIMIT_MS, 'deleted without a trace');
});
