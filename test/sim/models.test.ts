import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dynamicApply, LAST_APPLIED, merge, withLastApplied } from '../../src/sim/models/apply.ts';
import { createApiServer } from '../../src/sim/models/api-server.ts';
import { virtualClock } from '../../src/sim/models/clock.ts';
import { parseConfig, readLaunch } from '../../src/sim/models/flink/entry-point.ts';
import { createQueue } from '../../src/sim/models/metacontroller/queue.ts';
import { createInformer } from '../../src/sim/models/metacontroller/informer.ts';
import { decodeAnswer } from '../../src/sim/models/metacontroller/hook.ts';
import { expand } from '../../src/sim/models/pod-config.ts';
import { at as valueAt, list, numberAt, tree, type KubeObject } from '../../src/sim/models/objects.ts';
import { startKubelet } from '../../src/sim/models/kubelet.ts';
import { createRandom } from '../../src/sim/models/random.ts';

/** The models themselves: what they promise to be like. */

const configMap = (data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'one', namespace: 'default' },
  data,
});
const at = { kind: 'ConfigMap', namespace: 'default', name: 'one' };

test('clock: one event at a time, in order, and processes stand still in between', async () => {
  const clock = virtualClock(0);
  const heard: string[] = [];
  clock.spawn(async () => {
    await clock.sleep(10);
    heard.push(`a ${clock.now()}`);
    await clock.sleep(10);
    heard.push(`a ${clock.now()}`);
  });
  clock.after(15, () => heard.push(`b ${clock.now()}`));
  await clock.run(100);
  assert.deepEqual(heard, ['a 10', 'b 15', 'a 20']);
  assert.equal(clock.now(), 100);
});

test('clock: time stands still while a foreign computation works, and goes on while it pauses twice at once', async () => {
  const clock = virtualClock(0);
  const ends: number[] = [];
  clock.spawn(async () => {
    const both = await clock.outside(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return Promise.all([clock.pause(5), clock.pause(9)]);
    });
    ends.push(both.length, clock.now());
  });
  await clock.run(100);
  assert.deepEqual(ends, [2, 9]);
});

test('clock: a failing process fails the run', async () => {
  const clock = virtualClock(0);
  clock.spawn(() => Promise.reject(new Error('boom')));
  await assert.rejects(clock.run(1), /boom/);
});

test('random: the same seed gives the same numbers, forks do not disturb each other', () => {
  const [a, b] = [createRandom(5), createRandom(5)];
  a.fork('x').next();
  assert.deepEqual([a.next(), a.uuid()], [b.next(), b.uuid()]);
  assert.notEqual(createRandom(6).next(), createRandom(5).next());
});

test('API server: generations, conflicts, the status subresource, finalizers', () => {
  const clock = virtualClock(0);
  const api = createApiServer({ clock, random: createRandom(1) });
  const ref = { kind: 'FlinkJob', namespace: 'default', name: 'one' };
  const job: KubeObject = {
    apiVersion: 'v1',
    kind: 'FlinkJob',
    metadata: { name: 'one', namespace: 'default', finalizers: ['x'] },
    spec: { a: 1 },
  };
  api.create('user', job);
  const first = api.get(ref) ?? assert.fail();
  assert.deepEqual(first['status'], { observedGeneration: -1 });
  assert.equal(api.create('user', job).kind, 'refused');
  api.update('user', { ...first, spec: { a: 2 }, status: { ignored: true } });
  const second = api.get(ref) ?? assert.fail();
  assert.equal(second.metadata.generation, 2);
  assert.deepEqual(second['status'], { observedGeneration: -1 });
  assert.deepEqual(api.update('user', first).kind, 'refused', 'an older resourceVersion is a conflict');
  api.updateStatus('hook', { ...second, status: { state: 'Running' } });
  assert.equal(api.get(ref)?.metadata.generation, 2, 'status has no generation');
  const writes = api.writes.length;
  api.updateStatus('hook', { ...(api.get(ref) ?? first), status: { state: 'Running' } });
  assert.equal(api.writes.length, writes, 'an equal write is none');
  api.remove('user', ref);
  assert.equal(api.get(ref)?.metadata.generation, 3, 'deletion raises the generation');
  api.update('user', { ...(api.get(ref) ?? first), metadata: { ...(api.get(ref) ?? first).metadata, finalizers: [] } });
  assert.equal(api.get(ref), undefined);
});

test('API server: server-side apply drops what its manager no longer wants', () => {
  const api = createApiServer({ clock: virtualClock(0), random: createRandom(1) });
  api.apply('m', configMap({ a: '1', b: '2' }));
  api.apply('m', configMap({ a: '1' }));
  assert.deepEqual(api.get(at)?.['data'], { a: '1' });
});

test('dynamic apply: what was applied and is no longer wanted goes, what others added stays, equal is equal', () => {
  const observed = { ...withLastApplied(configMap({ a: '1', b: '2' })), data: { a: '1', b: '2', other: 'x' } };
  const next = dynamicApply(observed, configMap({ a: '1' }));
  assert.deepEqual(next['data'], { a: '1', other: 'x' });
  assert.equal(next.metadata.annotations?.[LAST_APPLIED], JSON.stringify(configMap({ a: '1' })));
  assert.equal(dynamicApply(next, configMap({ a: '1' })), next);
});

test('dynamic apply: lists merge by key only when every item has it, and else are replaced', () => {
  assert.deepEqual(merge([{ name: 'a', x: 1 }, { name: 'b' }], [], [{ name: 'a', y: 2 }]), [
    { name: 'a', x: 1, y: 2 },
    { name: 'b' },
  ]);
  assert.deepEqual(merge(['a', 'b'], [], ['c']), ['c']);
});

test('informer: an older view is the cache before its last events', () => {
  const informer = createInformer(() => 0);
  const version = (resourceVersion: string): KubeObject => ({
    ...configMap({}),
    metadata: { ...configMap({}).metadata, resourceVersion },
  });
  for (const one of ['1', '2', '3']) informer.accept({ kind: 'set', object: version(one) });
  const seen = (behind: number): string | undefined => [...informer.view(behind).values()][0]?.metadata.resourceVersion;
  assert.deepEqual([seen(0), seen(1), seen(2), seen(3)], ['3', '2', '1', undefined]);
});

test('queue: one sync of a parent at a time, failures back off, an event comes at once, timers merge to the earliest', async () => {
  const clock = virtualClock(0);
  const at: number[] = [];
  let failing = true;
  const queue = createQueue(clock, async () => {
    at.push(clock.now());
    await clock.sleep(2);
    return failing ? { kind: 'failed' } : { kind: 'done' };
  });
  queue.add('job');
  queue.add('job');
  await clock.run(40);
  assert.deepEqual(at, [1, 9, 22], 'after 5 ms, then after 10 ms');
  failing = false;
  queue.add('job');
  await clock.run(45);
  at.length = 0;
  queue.addAfter('job', 100);
  queue.addAfter('job', 50);
  queue.addAfter('job', 80);
  await clock.run(300);
  assert.deepEqual(at, [46, 96].slice(-at.length));
});

test('hook answers: strict about their own fields, and a null child is what crashes Metacontroller', () => {
  assert.equal(decodeAnswer('{"status":{},"children":[],"extra":1}'), 'unknown field "extra"');
  assert.throws(() => decodeAnswer('{"children":[null]}'), /crashes/);
  assert.deepEqual(decodeAnswer('{}'), { status: undefined, children: [], resyncAfterSeconds: 0, finalized: false });
});

test('kubelet: variables are expanded, escaped and unknown ones kept', () => {
  assert.equal(expand('$(A) $$(A) $(B)', { A: 'x' }), 'x $(A) $(B)');
});

test('kubelet: a process is counted when it starts, and not while it is held back', async () => {
  const clock = virtualClock(0);
  const api = createApiServer({ clock, random: createRandom(1) });
  startKubelet({
    api,
    clock,
    random: createRandom(1),
    runtime: {
      start: ({ exit }) => {
        clock.after(1_000, () => exit(2, ''));
        return { terminate: () => undefined, kill: () => undefined, listening: () => false };
      },
    },
    pulls: () => true,
    schedulable: () => true,
  });
  const seen: string[] = [];
  api.watch(({ object }) => {
    const [main] = list(valueAt(object, 'status', 'containerStatuses'));
    const [state = ''] = Object.keys(tree(valueAt(main, 'state')));
    const line = `${state} ${numberAt(main, 'restartCount')}`;
    if (state !== '' && line !== seen.at(-1)) seen.push(line);
  });
  api.create('test', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', namespace: 'default' },
    spec: { containers: [{ name: 'main', image: 'one' }] },
  });
  await clock.run(20_000);
  assert.deepEqual(seen, [
    'waiting 0',
    'running 0',
    'terminated 0',
    'running 1',
    'terminated 1',
    'waiting 1',
    'running 2',
    'terminated 2',
    'waiting 2',
  ]);
});

const launch = (command: readonly string[]): ReturnType<typeof readLaunch> =>
  readLaunch({
    pod: configMap({}),
    restartCount: 0,
    command,
    env: {},
    files: { '/opt/flink/conf/config.yaml': 'parallelism.default: "2"\n' },
    exit: () => undefined,
  });

test('entry point: options up to --, the first unknown one begins the arguments of the job', () => {
  const read = launch([
    'standalone-job',
    '-Da=b',
    '--job-id',
    'a'.repeat(32),
    '--fromSavepoint=file:///x',
    '--jars',
    'a.jar',
    '--job-classname',
    'C',
    '--',
    '-D',
    'x',
  ]);
  assert.ok(typeof read !== 'string');
  assert.deepEqual(
    [read.config.get('a'), read.config.get('parallelism.default'), read.restoreFrom, read.className, read.jobArgs],
    ['b', '2', 'file:///x', 'C', ['-D', 'x']],
  );
  const broken = launch(['standalone-job', '--claimMode', 'CLAIM', '--job-id', 'a'.repeat(32)]);
  assert.ok(typeof broken !== 'string' && broken.jobId === undefined && broken.jobArgs.length === 4);
  assert.match(String(launch(['standalone-job', '--job-id', 'short'])), /not valid/);
});

test('entry point: both configuration files are read, quoted or not', () => {
  assert.deepEqual(
    [...parseConfig('# c\na.b: "x: y"\nc: 10s\n')],
    [
      ['a.b', 'x: y'],
      ['c', '10s'],
    ],
  );
});
