import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { comparable } from '../../src/core/snapshot-path.ts';
import { cleanUp, prepare } from './flink/bare.ts';
import {
  FlinkJob,
  VERSIONS,
  counterJob,
  everythingIn,
  savepointsOnDisk,
  startKiller,
  type Progress,
} from './lib/flink-job.ts';
import { Cluster, kubectl, sleep } from './lib/kube.ts';
import { countWrites, prepareCounting, stopCounting, writesDuring } from './lib/writes.ts';

/** `what` and how long it took, for the report. */
function took(version: string, what: string, since: number, note = ''): void {
  console.log(`# Flink ${version}: ${what} ${((Date.now() - since) / 1000).toFixed(1)} s ${note}`);
}

for (const version of VERSIONS) {
  describe(`a stateful job on Flink ${version}`, { timeout: 1_200_000 }, () => {
    const namespace = `flork-e2e-${version.replace('.', '-')}`;
    let cluster: Cluster;
    let job: FlinkJob;
    let empty: readonly string[];
    let progress: Progress;

    before(async () => {
      cluster = await Cluster.connect();
      job = new FlinkJob(cluster, 'counter', namespace);
      await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s']);
      await prepare(namespace, version);
      await startKiller(namespace, version);
      await kubectl([
        '-n',
        namespace,
        'exec',
        'killer',
        '--',
        'bash',
        '-c',
        `rm -rf /var/tmp/flork-e2e/${namespace}/*`,
      ]);
      await prepareCounting(namespace);
      empty = await everythingIn(namespace);
    });

    after(async () => {
      await stopCounting();
      await cleanUp(namespace, version);
      await cluster[Symbol.asyncDispose]();
    });

    test('starts and is Ready once all its tasks run', async () => {
      const since = Date.now();
      const writes = await writesDuring(cluster, namespace, async () => {
        await kubectl(['apply', '-f', '-'], JSON.stringify(counterJob('counter', namespace, version)));
        await job.ready(120);
      });
      const ready = await job.get();
      took(version, 'kubectl apply to Ready', since, JSON.stringify(writes));
      assert.ok((writes['metacontroller-status'] ?? 0) > 0, 'writes are counted');
      assert.equal(ready.status.state, 'Running');
      assert.equal(ready.status.epoch.number, 1);
      progress = await job.counting('the job counts', 60, (p) => p.offset > 200 && p.completed >= 1);
      assert.equal(progress.first, 0);
    });

    test('a configuration change upgrades it through one savepoint, and it counts on', async () => {
      const before = await job.progress();
      const since = Date.now();
      const writes = await writesDuring(cluster, namespace, async () => {
        await cluster.patch(job.path, { spec: { flinkConf: { 'pipeline.object-reuse': 'true' } } });
        await job.ready(180);
      });
      const ready = await job.get();
      took(version, 'configuration change to Ready', since, JSON.stringify(writes));
      assert.equal(ready.status.epoch.number, 2);
      const savepoints = await savepointsOnDisk(namespace);
      assert.equal(savepoints.length, 1, `exactly one savepoint: ${savepoints.join(' ')}`);
      progress = await job.counting('the job counts on', 60, (p) => p.completed >= 1);
      assert.ok(progress.first > before.offset, `counts on after ${before.offset}, not from ${progress.first}`);
      assert.equal(comparable(progress.restoredFrom ?? ''), savepoints[0]?.replace(/\/_metadata$/, ''));
      assert.equal(comparable(ready.status.epoch.restoredFrom), comparable(progress.restoredFrom ?? ''));
      assert.notEqual(progress.jobId, before.jobId);
    });

    for (const kill of ['first', 'second']) {
      test(`its JobManager is killed without high availability (${kill}) and it goes on`, async () => {
        const before = await job.counting('three checkpoints that Flork need not know', 90, (p) => p.completed >= 4);
        const restarts = (await job.pods('jobmanager'))[0]?.status?.containerStatuses?.[0]?.restartCount as number;
        const since = Date.now();
        await job.killJobManager();
        progress = await job.counting(
          'another process counts',
          180,
          (p) => p.jobId !== before.jobId && p.completed >= 1,
        );
        took(
          version,
          `${kill} kill to all tasks running and a new checkpoint`,
          since,
          `(had counted ${before.offset}, went on from ${progress.first})`,
        );
        assert.ok(progress.first > 0, 'restored, not started empty');
        assert.equal(
          (await job.pods('jobmanager'))[0]?.status?.containerStatuses?.[0]?.restartCount,
          restarts + 1,
          'one restart of the container',
        );
        const later = await job.counting('more checkpoints', 60, (p) => p.completed >= progress.completed + 3);
        assert.equal(later.jobId, progress.jobId, 'the process stays');
        const status = (await job.ready(60)).status;
        assert.equal(status.epoch.number, 2, 'the same epoch');
        assert.equal(status.epoch.jobId, progress.jobId);
      });
    }

    test('suspends with a savepoint and resumes from it', async () => {
      const before = await job.progress();
      let since = Date.now();
      await cluster.patch(job.path, { spec: { state: 'suspended' } });
      const suspended = await job.ready(120, 'Suspended');
      took(version, 'suspension to Suspended', since);
      assert.equal(suspended.status.state, 'Suspended');
      // A pod that has failed for good may stay a moment as an object; no container of it runs.
      const left = [...(await job.pods('jobmanager')), ...(await job.pods('taskmanager'))];
      const live = left.filter((pod) => !['Failed', 'Succeeded'].includes(String(pod.status?.phase)));
      assert.deepEqual(live, [], 'no pod is left');
      assert.equal((await savepointsOnDisk(namespace)).length, 2, 'one more savepoint');
      since = Date.now();
      await cluster.patch(job.path, { spec: { state: 'running' } });
      await job.status('resumed', 180, (j) => j.status.state === 'Running' && j.status.epoch.number === 3);
      await job.ready(60);
      took(version, 'resumption to Ready', since);
      progress = await job.counting('the job counts on', 60, (p) => p.completed >= 1);
      assert.ok(progress.first > before.offset, `counts on after ${before.offset}, not from ${progress.first}`);
      assert.equal((await savepointsOnDisk(namespace)).length, 2, 'no further savepoint');
    });

    test('when settled, at most one ConfigMap a minute is written and no status', { timeout: 240_000 }, async () => {
      await job.ready(60);
      await sleep(20_000);
      const counted = await countWrites(cluster, namespace, 59);
      console.log(
        `# Flink ${version}: streaming job, settled, ${counted.seconds.toFixed(0)} s: ${JSON.stringify(counted.writes)}; changed: ${counted.changed.join(', ')}`,
      );
      assert.equal(counted.writes['metacontroller-status'], 0, `no status write: ${counted.changed.join(', ')}`);
      assert.ok(
        (counted.writes['metacontroller-configmaps'] ?? 0) <= 1,
        `one ConfigMap write a minute: ${counted.changed.join(', ')}`,
      );
      assert.equal(counted.writes['metacontroller-rest'], 0, `nothing else: ${counted.changed.join(', ')}`);
      assert.equal(counted.writes['flork'], 0);
    });

    test('deleted, it leaves no object behind', async () => {
      const since = Date.now();
      await kubectl(['-n', namespace, 'delete', 'flinkjob', 'counter', '--timeout=180s']);
      took(version, 'deletion', since);
      await sleep(3000);
      assert.deepEqual(await everythingIn(namespace), empty);
    });

    test('without checkpoints to record, a settled job costs no write at all', { timeout: 300_000 }, async () => {
      const still = new FlinkJob(cluster, 'still', namespace);
      const manifest = counterJob('still', namespace, version);
      await kubectl(
        ['apply', '-f', '-'],
        JSON.stringify({ ...manifest, spec: { ...(manifest['spec'] as object), flinkConf: {} } }),
      );
      await still.ready(120);
      await sleep(20_000);
      const counted = await countWrites(cluster, namespace, 60);
      console.log(
        `# Flink ${version}: job without checkpoints, settled, ${counted.seconds.toFixed(0)} s: ${JSON.stringify(counted.writes)}`,
      );
      const {
        'metacontroller-leases': _leases,
        'metacontroller-other-namespaces': _others,
        ...writes
      } = counted.writes;
      assert.deepEqual(
        writes,
        {
          'metacontroller-configmaps': 0,
          'metacontroller-status': 0,
          'metacontroller-rest': 0,
          flork: 0,
          'others-in-namespace': 0,
        },
        counted.changed.join(', '),
      );
      await kubectl(['-n', namespace, 'delete', 'flinkjob', 'still', '--timeout=180s']);
      await sleep(3000);
      assert.deepEqual(await everythingIn(namespace), empty);
    });
  });
}
