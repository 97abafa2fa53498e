import assert from 'node:assert/strict';
import type { KubeObject } from '../../../src/sim/models/objects.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import { epochOf, jobOf, killJobManager, LIMIT_MS, podNames, reachRunning, start, upgrade } from '../harness/flows.ts';
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

  scenario(`11 JobManager killed when a stop has ended the job and is not read, Flink ${version}: held`, async (h) => {
    await start(h, spec);
    await h.run(25_000);
    const taken = () => h.world.storage.all().find(({ kind }) => kind === 'savepoint')?.path;
    h.controls.flink = (_index, method) => (method === 'GET' && taken() ? 'unreachable' : 'none');
    h.apply(reconfigured(spec, '64'));
    await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'the job has ended');
    killJobManager(h);
    h.controls.flink = () => 'none';
    await h.run(60);
    h.apply(reconfigured(spec, '65'));
    await h.until(() => /lies below file:\S*\/1 if it was completed/.test(status(h).message ?? ''), LIMIT_MS, 'held');
    await h.run(600_000);
    assert.equal(h.ledger.counts.restored, 1, 'its checkpoints are gone, and nobody goes on without the savepoint');
    h.apply({ ...reconfigured(spec, '65'), restore: { from: taken(), nonce: 1 } });
    await h.until(() => running(h), LIMIT_MS, 'from the savepoint that was named');
    assert.equal(status(h).epoch?.restoredFrom, taken());
    assert.equal(h.ledger.rewinds.length, 0);
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

for (const [version, spec] of [
  ['1.20', SPEC],
  ['2.3', FLINK_2],
] as const) {
  scenario(
    `8 a stop is done and its JobManager gone, unread, and Flink ${version} deleted the recorded checkpoint: held`,
    async (h) => {
      await start(h, spec);
      await h.run(15_000);
      await upgrade(h, reconfigured(spec, '63'));
      await h.run(30_000);
      h.apply(reconfigured(spec, '64'));
      await h.until(() => (h.ledger.counts['stop-asked'] ?? 0) > 1, LIMIT_MS, 'the stop is asked for');
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
      await h.run(120_000);
      assert.equal(h.ledger.rewinds.length, 0, 'nothing was repeated');
    },
  );
}

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

/** A hand in the children, whatever it does to one of them. */
const EDITS: readonly (readonly [
  string,
  'Deployment' | 'Service' | 'ConfigMap',
  string,
  (live: KubeObject) => KubeObject,
])[] = [
  ['JobManager scaled up', 'Deployment', '-jobmanager', (live) => scaled(live, 3)],
  ['TaskManagers scaled up', 'Deployment', '-taskmanager', (live) => scaled(live, 5)],
  ['TaskManagers scaled to 0', 'Deployment', '-taskmanager', (live) => scaled(live, 0)],
  [
    'labels of the Deployment',
    'Deployment',
    '-jobmanager',
    (live) => labelled(live, { 'flork.itom.com/job': 'other' }),
  ],
  ['a label more', 'Deployment', '-taskmanager', (live) => labelled(live, { team: 'x' })],
  [
    'selector of the Service',
    'Service',
    '-rest',
    (live) => ({ ...live, spec: { ...(live['spec'] as object), selector: {} } }),
  ],
  ['what the next process starts with', 'ConfigMap', '-restore-', (live) => ({ ...live, data: { restore: 'x' } })],
  ['Flink configuration', 'ConfigMap', '-conf-', (live) => ({ ...live, data: {} })],
];

const scaled = (live: KubeObject, replicas: number): KubeObject => ({
  ...live,
  spec: { ...(live['spec'] as object), replicas },
});
const labelled = (live: KubeObject, labels: Record<string, string>): KubeObject => ({
  ...live,
  metadata: { ...live.metadata, labels: { ...live.metadata.labels, ...labels } },
});

scenario('20 every child edited by hand: it is as it was, and the same process runs on', async (h) => {
  await start(h);
  await h.run(15_000);
  const process = jobOf(h);
  for (const [what, kind, part, edited] of EDITS) {
    const live =
      h.world.api.list(kind, NAMESPACE).find(({ metadata }) => metadata.name.includes(part)) ?? assert.fail(part);
    h.tell(`somebody edits: ${what}`);
    h.world.api.update('somebody', edited(live));
    await h.run(15_000);
    await reachRunning(h, what);
    assert.equal(jobOf(h), process, `${what}: the JobManager runs on`);
    const [jobManagers, taskManagers] = ['jobmanager', 'taskmanager'].map((role) => podNames(h, role).length);
    assert.deepEqual([jobManagers, taskManagers], [1, 1], what);
  }
  assert.match(recorded(h) ?? '', /chk-/);
  await upgrade(h, reconfigured(SPEC, '64'));
});

scenario(
  '20 both Deployments and the record deleted by hand at once: started again from what is on record',
  async (h) => {
    await start(h);
    await h.run(25_000);
    await unattended(h, () => {
      for (const kind of ['Deployment', 'ConfigMap'] as const) {
        for (const { metadata } of h.world.api.list(kind, NAMESPACE)) {
          if (kind === 'ConfigMap' && !metadata.name.includes('-epoch-')) continue;
          h.tell(`somebody deletes ${metadata.name}`);
          h.world.api.remove('somebody', { kind, namespace: NAMESPACE, name: metadata.name });
        }
      }
    });
    await h.until(() => jobOf(h) === undefined, LIMIT_MS, 'the JobManager is gone');
    await reachRunning(h, 'started again');
    assert.ok(
      h.ledger.rewinds.every(({ to }) => to > 0),
      'not from nothing',
    );
    assertRewoundTold(h);
  },
);
