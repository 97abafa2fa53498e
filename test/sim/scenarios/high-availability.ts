import assert from 'node:assert/strict';
import { NAMESPACE } from '../../../src/sim/world.ts';
import {
  counter,
  epochOf,
  haMetadata,
  jobOf,
  killJobManager,
  LIMIT_MS,
  reachRunning,
  start,
  upgrade,
} from '../harness/flows.ts';
import { highlyAvailable, reconfigured, SPEC } from '../harness/sample.ts';
import { running, savepointsOf, scenario, status } from '../harness/scenario.ts';

/** What Flink's own high availability does by itself, and what Flork makes of it. */

const HA = highlyAvailable(SPEC);

scenario('high availability: a killed JobManager goes on from the newest checkpoint, recorded or not', async (h) => {
  await start(h, HA);
  await h.run(45_000);
  const id = jobOf(h)?.id;
  const before = h.world.storage.all().at(-1)?.counter ?? 0;
  killJobManager(h);
  await h.until(() => jobOf(h) === undefined, 5_000, 'gone');
  await reachRunning(h, 'recovered');
  assert.equal(jobOf(h)?.id, id, 'under the same job id');
  assert.ok(counter(h) >= before, `${counter(h)} of ${before}`);
  assert.equal(epochOf(h), 1);
  assert.equal(h.ledger.counts['checkpoint-failed'] ?? 0, 0);
  assert.ok(!status(h).history?.some(({ reason }) => reason === 'Rewound'), 'nothing that was committed comes again');
  await h.run(30_000);
  assert.ok((h.world.storage.all().at(-1)?.counter ?? 0) > before, 'checkpoints complete');
});

scenario('high availability: an upgrade with a savepoint has metadata of its own', async (h) => {
  await start(h, HA);
  await h.run(25_000);
  const before = haMetadata(h).length;
  assert.equal(before, 2, 'one ConfigMap of the cluster and one of the job');
  await upgrade(h, reconfigured(HA, '64'));
  assert.equal(savepointsOf(h), 1);
  assert.equal(h.ledger.rewinds.length, 0);
  assert.ok(
    haMetadata(h).some((name) => !name.includes('cluster')),
    'the new job has its own',
  );
});

scenario('18 HA metadata gone: what Flork recorded is gone on from', async (h) => {
  await start(h, HA);
  await h.run(75_000);
  for (const name of haMetadata(h)) h.world.api.remove('somebody', { kind: 'ConfigMap', namespace: NAMESPACE, name });
  await h.until(() => jobOf(h) === undefined, 30_000, 'which is fatal to the JobManager');
  await h.until(() => running(h), LIMIT_MS, 'runs again');
  assert.ok(counter(h) > 0);
});

for (const [when, afterMs, shown] of [
  ['', 1_000, undefined],
  [', before its metadata is removed', 0, 'FINISHED'],
] as const) {
  scenario(`high availability: a finished job is not run again by a restart of its JobManager${when}`, async (h) => {
    h.controls.hook = () => 'up';
    h.apply({ ...HA, jobArgs: ['--bounded-ms', '9000'] });
    await h.until(() => jobOf(h)?.state() === 'RUNNING', LIMIT_MS, 'runs');
    h.controls.hook = () => 'down';
    await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'finished, and nobody saw it');
    await h.run(afterMs);
    killJobManager(h);
    await h.run(40_000);
    assert.equal(jobOf(h)?.state(), shown, 'nothing runs');
    assert.equal(h.ledger.counts.restored, 1);
  });
}
