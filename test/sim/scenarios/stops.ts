import assert from 'node:assert/strict';
import { texts } from '../../../src/sim/models/objects.ts';
import {
  condition,
  counter,
  epochOf,
  jobOf,
  killJobManager,
  LIMIT_MS,
  reachRunning,
  reachSettled,
  start,
  upgrade,
} from '../harness/flows.ts';
import { type History } from '../harness/history.ts';
import { reconfigured, SPEC } from '../harness/sample.ts';
import {
  scenario,
  status,
  running,
  savepointsOf,
  restoreConfigMap,
  newestSnapshot,
  assertRewoundTold,
} from '../harness/scenario.ts';

/** Scenarios 7 to 12: stops that go wrong, and killed JobManagers. */

scenario('7 stop issued, answer lost', async (h) => {
  await start(h);
  let lost = 0;
  h.controls.flink = (_index, method) => (method === 'POST' && lost++ < 3 ? 'answer-lost' : 'none');
  await upgrade(h, reconfigured(SPEC, '64'));
  assert.ok(lost > 0);
  assert.equal(savepointsOf(h), 1, 'one savepoint for all that asking');
});

scenario('8 stop done, JobManager gone before the path was recorded', async (h) => {
  await start(h);
  await h.run(30_000);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'the savepoint is complete');
  killJobManager(h);
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded all the same');
  assertRewoundTold(h);
  await reachSettled(h);
});

scenario('9 savepoint fails and the job goes on', async (h) => {
  await start(h);
  h.world.storage.forbid('file:///data/savepoints');
  const process = jobOf(h);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
  assert.match(status(h).message ?? '', /Permission denied/);
  assert.equal(jobOf(h), process, 'the same process');
  assert.equal(jobOf(h)?.state(), 'RUNNING');
  h.world.storage.forbid('');
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded by a later attempt');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('10 savepoint done but job failed while stopping', async (h) => {
  await start(h);
  await h.run(15_000);
  h.world.faults.job.stopFailsAfterSavepoint = true;
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'the savepoint is complete, the job failed');
  h.world.faults.job.stopFailsAfterSavepoint = false;
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded from the path in the error');
  assert.equal(h.ledger.rewinds.length, 0, 'from that very savepoint');
});

const STOP_STEPS: readonly (readonly [string, (h: History) => boolean])[] = [
  ['the stop is intended', (h) => status(h).operation !== undefined],
  ['the stop is asked for', (h) => (h.ledger.counts['stop-asked'] ?? 0) > 0],
  ['the savepoint is complete', (h) => savepointsOf(h) === 1],
  ['the job is FINISHED', (h) => jobOf(h)?.state() === 'FINISHED'],
  ['the path is recorded', (h) => status(h).epoch?.ended !== undefined],
];
for (const [what, reached] of STOP_STEPS) {
  scenario(`11 JobManager killed when ${what}`, async (h) => {
    await start(h);
    await h.run(26_000);
    h.apply(reconfigured(SPEC, '64'));
    await h.until(() => reached(h), LIMIT_MS, what);
    killJobManager(h);
    // A job that FINISHED has deleted its checkpoints: then only the savepoint is left, and nobody but a person can find it.
    const done = (): boolean => running(h) && epochOf(h) === 2;
    await h.until(
      () => done() || (what === 'the job is FINISHED' && condition(h, 'Stalled') === 'True'),
      LIMIT_MS,
      'upgraded',
    );
    assertRewoundTold(h);
    if (done()) await reachSettled(h);
  });
}

scenario('12 JobManager killed without HA, twice, with unrecorded checkpoints', async (h) => {
  await start(h);
  await h.run(95_000);
  for (const time of [1, 2]) {
    const reached = newestSnapshot(h);
    killJobManager(h);
    await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
    await reachRunning(h, `recovered (${time})`);
    assert.ok(
      counter(h) >= reached - 10 * 110,
      `went back from ${reached} to ${counter(h)}: more than the recording interval and Flork's polling`,
    );
    const completed = h.ledger.counts['checkpoint'] ?? 0;
    await h.run(45_000);
    assert.ok((h.ledger.counts['checkpoint'] ?? 0) >= completed + 3, 'checkpoints complete again');
  }
  assert.equal(h.ledger.counts['checkpoint-failed'] ?? 0, 0, 'no checkpoint runs into the files of another process');
  assertRewoundTold(h);
});

scenario('12 JobManager killed and its recorded checkpoint is gone: steps back, or says so', async (h) => {
  await start(h);
  await h.run(40_000);
  const content = texts(restoreConfigMap(h)?.['data']);
  const path =
    Object.values(content)
      .join(' ')
      .match(/file:[^\s"]+/)?.[0] ?? assert.fail('nothing recorded');
  h.world.storage.remove(path);
  killJobManager(h);
  await h.until(() => running(h) || condition(h, 'Stalled') === 'True', LIMIT_MS, 'recovered or told');
});
