import assert from 'node:assert/strict';
import { epochOf, jobOf, killJobManager, LIMIT_MS, reachRunning, start, upgrade } from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { highlyAvailable, reconfigured, SPEC, type Spec } from '../harness/sample.ts';
import { assertRewoundTold, restoreConfigMap, running, scenario, status, uid } from '../harness/scenario.ts';

/** Recovery of a JobManager that died, in every order of kill, poll and checkpoint; what is gone is left on evidence alone. */

const FLINK_2: Spec = {
  ...SPEC,
  flinkVersion: '2.3',
  image: 'flink:2.3.0',
  flinkConf: {
    'execution.checkpointing.interval': '10s',
    'execution.checkpointing.dir': 'file:///data/checkpoints',
  },
};

/** What the next process would restore. */
const recorded = (h: History): string | undefined =>
  (restoreConfigMap(h)?.['data'] as Record<string, string> | undefined)?.['path'];

/** Deletes every checkpoint, as a careless clean-up of a bucket would. */
function deleteCheckpoints(h: History): void {
  h.tell('somebody deletes all checkpoints');
  for (const { path, kind } of h.world.storage.all()) if (kind === 'checkpoint') h.world.storage.remove(path);
}

/** Nobody is told of anything while the deeds are done. */
async function unattended(h: History, deeds: () => Promise<void> | void): Promise<void> {
  h.controls.hook = () => 'down';
  await h.run(50);
  await deeds();
  h.controls.hook = () => 'up';
}

for (const [version, spec] of [
  ['1.20', SPEC],
  ['2.3', FLINK_2],
] as const) {
  scenario(`12 the recorded checkpoint is gone, Flink ${version}: one step back, on three witnesses`, async (h) => {
    await start(h, spec);
    await h.run(15_000);
    await upgrade(h, reconfigured(spec, '64'));
    const savepoint = status(h).snapshots?.lastSavepoint?.path ?? assert.fail('no savepoint');
    await h.run(30_000);
    assert.notEqual(recorded(h), savepoint, 'a checkpoint is recorded');
    deleteCheckpoints(h);
    killJobManager(h);
    await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
    await h.until(() => status(h).missing !== undefined, LIMIT_MS, 'a first process says so');
    assert.notEqual(recorded(h), savepoint, 'one witness proves nothing');
    await h.until(() => running(h), LIMIT_MS, 'running from the savepoint');
    assert.equal(status(h).missing, undefined, 'told no longer');
    assert.ok(
      status(h).history?.some(({ reason, snapshot }) => reason === 'Rewound' && snapshot === savepoint),
      `history names the step ${JSON.stringify(status(h).history)}`,
    );
    assertRewoundTold(h);
    await h.run(30_000);
    await upgrade(h, reconfigured(spec, '65'));
  });

  scenario(`12 the recorded checkpoint is gone and nothing else is known, Flink ${version}: held`, async (h) => {
    await start(h, spec);
    await h.run(30_000);
    deleteCheckpoints(h);
    killJobManager(h);
    await h.until(() => status(h).conditions?.[0]?.reason === 'SnapshotMissing', LIMIT_MS, 'held, and said');
    assert.match(status(h).message ?? '', /is not there.*approveStateLoss/);
    await h.run(60_000);
    assert.equal(h.ledger.counts['restored'], 1, 'nothing was started empty');
    const token = /lose-[0-9a-f]{12}/.exec(status(h).message ?? '')?.[0] ?? assert.fail('no token');
    h.ledger.permit(uid(h));
    h.apply({ ...spec, approveStateLoss: token });
    await h.until(() => running(h), LIMIT_MS, 'started empty, as approved');
  });
}

scenario('12 what took the place of the recorded checkpoint is gone, too: held', async (h) => {
  await start(h);
  await h.run(15_000);
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(30_000);
  h.tell('somebody deletes all snapshots');
  for (const { path } of h.world.storage.all()) h.world.storage.remove(path);
  killJobManager(h);
  await h.until(() => status(h).missing?.exhausted === true, LIMIT_MS, 'the savepoint is gone, too');
  await h.until(() => status(h).conditions?.[0]?.reason === 'SnapshotMissing', LIMIT_MS, 'held, and said');
  assert.match(status(h).message ?? '', /is not there, nor is/);
});

scenario(
  '8 a stop is done and its JobManager gone, unread, and Flink deleted the recorded checkpoint: held',
  async (h) => {
    await start(h);
    await h.run(30_000);
    h.apply(reconfigured(SPEC, '64'));
    await h.until(() => (h.ledger.counts['stop-asked'] ?? 0) > 0, LIMIT_MS, 'the stop is asked for');
    await unattended(h, async () => {
      await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'the job ended with its savepoint');
      killJobManager(h);
    });
    await h.until(
      () => running(h) || /SnapshotMissing|StateAtRisk/.test(status(h).conditions?.[0]?.reason ?? ''),
      LIMIT_MS,
      'held, or gone on from the savepoint',
    );
    if (!running(h))
      assert.match(status(h).message ?? '', /data\/savepoints/, 'the message says where the savepoint lies');
    assert.equal(h.ledger.rewinds.length, 0, 'nothing was repeated');
  },
);

scenario('12 killed twice with unrecorded checkpoints: resumes, and checkpoints complete', async (h) => {
  await start(h);
  for (const pause of [65_000, 45_000]) {
    await h.run(pause);
    killJobManager(h);
    await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
    await reachRunning(h, 'recovered');
  }
  const before = h.ledger.counts['checkpoint'] ?? 0;
  await h.run(40_000);
  assert.ok((h.ledger.counts['checkpoint'] ?? 0) > before, 'checkpoints complete');
  assert.equal(h.ledger.counts['checkpoint-failed'] ?? 0, 0);
  assertRewoundTold(h);
});

scenario('18 HA metadata gone while the epoch runs: resumes from what is on record', async (h) => {
  await start(h, highlyAvailable(SPEC));
  await h.run(75_000);
  assert.match(recorded(h) ?? '', /chk-/, 'with high availability the newest checkpoint is on record, too');
  await unattended(h, async () => {
    killJobManager(h);
    for (const configMap of h.world.api.list('ConfigMap')) {
      if (configMap.metadata.labels?.['configmap-type'] !== 'high-availability') continue;
      h.tell(`somebody deletes ${configMap.metadata.name}`);
      h.world.api.remove('somebody', {
        kind: 'ConfigMap',
        namespace: configMap.metadata.namespace ?? '',
        name: configMap.metadata.name,
      });
    }
    await h.run(1_000);
  });
  await reachRunning(h, 'recovered');
  assert.equal(epochOf(h), 1);
  const before = h.ledger.counts['checkpoint'] ?? 0;
  await h.run(180_000);
  assert.ok((h.ledger.counts['checkpoint'] ?? 0) > before + 2, JSON.stringify(h.ledger.counts));
  await reachRunning(h);
});
