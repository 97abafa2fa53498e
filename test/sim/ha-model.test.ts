import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApiServer } from '../../src/sim/models/api-server.ts';
import { virtualClock, type VirtualClock } from '../../src/sim/models/clock.ts';
import { highAvailability, type Contender, type JobHa } from '../../src/sim/models/flink/high-availability.ts';
import { createStorage } from '../../src/sim/models/flink/storage.ts';
import { createRandom } from '../../src/sim/models/random.ts';

/** The model of Flink's high availability by itself: election, stored jobs, checkpoints. */

type Bench = {
  readonly clock: VirtualClock;
  readonly heard: string[];
  readonly contend: (name: string) => Contender;
  readonly job: () => JobHa;
  readonly names: () => readonly string[];
  readonly remove: (name: string) => void;
};

function bench(conf: Readonly<Record<string, string>> = {}): Bench {
  const clock = virtualClock(0);
  const api = createApiServer({ clock, random: createRandom(1) });
  const config = new Map([
    ['high-availability.type', 'kubernetes'],
    ['high-availability.cluster-id', 'c'],
    ['high-availability.storageDir', 'file:///ha'],
    ...Object.entries(conf),
  ]);
  const storage = createStorage();
  const services = highAvailability({ api, clock, storage, config, version: '1.20.4' });
  assert.ok(services !== undefined);
  const heard: string[] = [];
  return {
    clock,
    heard,
    contend: (name) =>
      services.contend(name, (event) => heard.push(`${name} ${event} at ${Math.round(clock.now() / 1000)} s`)),
    job: () => services.job('ab'),
    names: () => api.list('ConfigMap').map((object) => object.metadata.name),
    remove: (name) => void api.remove('somebody', { kind: 'ConfigMap', namespace: 'default', name }),
  };
}

test('without the option there are no services', () => {
  const clock = virtualClock(0);
  const api = createApiServer({ clock, random: createRandom(1) });
  assert.equal(
    highAvailability({ api, clock, storage: createStorage(), config: new Map(), version: '1.20.4' }),
    undefined,
  );
});

test('one of two leads; a graceful end gives the lease to the other within a retry', async () => {
  const { clock, heard, contend } = bench();
  const first = contend('a');
  contend('b');
  await clock.run(30_000);
  assert.deepEqual(heard, ['a granted at 0 s']);
  first.leave();
  await clock.run(40_000);
  assert.deepEqual(heard.slice(1), ['b granted at 30 s']);
});

test('a leader that dies is followed when its lease has expired', async () => {
  const { clock, heard, contend } = bench();
  const first = contend('a');
  contend('b');
  await clock.run(28_000);
  first.die();
  await clock.run(60_000);
  assert.deepEqual(heard.slice(1), ['b granted at 45 s'], 'renewed at 25 s, expired after 15 s more, tried each 5 s');
});

test('a leader that reaches nobody stops by itself', async () => {
  const { clock, heard, contend } = bench();
  const first = contend('a');
  contend('b');
  await clock.run(28_000);
  first.cutOff();
  await clock.run(60_000);
  assert.deepEqual(heard.slice(1), ['a revoked at 40 s', 'b granted at 45 s']);
});

test('the cluster ConfigMap deleted: fatal to the leader alone', async () => {
  const { clock, heard, contend, remove } = bench();
  contend('a');
  contend('b');
  await clock.run(12_000);
  remove('c-cluster-config-map');
  await clock.run(13_000);
  assert.deepEqual(heard.slice(1), ['a gone at 12 s']);
});

test('what is kept of a job: graph, ids, checkpoints; after its end only the result, if that is kept', async () => {
  for (const kept of ['false', 'true']) {
    const { clock, contend, job, names, remove } = bench({ 'job-result-store.delete-on-commit': kept });
    contend('a');
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await clock.run(1_000);
    job().submit({ config: [['x', 'y']] });
    const { checkpoints } = job();
    checkpoints.open();
    assert.deepEqual([checkpoints.next(), checkpoints.next()], [1, 2]);
    checkpoints.goOnFrom(8);
    assert.equal(checkpoints.next(), 9, 'a job that restored a snapshot goes on counting from its id');
    checkpoints.goOnFrom(3);
    assert.equal(checkpoints.next(), 10, 'and never back');
    for (const id of [9, 10, 11]) checkpoints.add({ id, path: `file:///${id}` });
    checkpoints.remove(9);
    assert.deepEqual(
      job()
        .checkpoints.all()
        .map(({ id }) => id),
      [10, 11],
    );
    assert.deepEqual(job().graph(), { config: [['x', 'y']] });
    remove('c-ab-config-map');
    assert.deepEqual([checkpoints.next(), checkpoints.add({ id: 12, path: 'x' })], [undefined, false]);
    job().conclude('FINISHED');
    assert.deepEqual(job().result(), { state: 'FINISHED', dirty: true });
    assert.ok(job().graph() !== undefined, 'what is dirty is not cleaned up yet');
    job().cleanUp();
    assert.deepEqual(names(), ['c-cluster-config-map']);
    assert.equal(job().graph(), undefined);
    assert.deepEqual(job().result(), kept === 'false' ? { state: 'FINISHED', dirty: false } : undefined);
  }
});
