import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObserved } from '../../../src/api/observed.ts';

const ref = { namespace: 'jobs' };
const metadata = (name: string, namespace = 'jobs') => ({ name, namespace });

test('children are known by their names', () => {
  const observed = readObserved(
    {
      'ConfigMap.v1': { 'jobs/a': { metadata: metadata('a'), data: { x: 'y' } } },
      'Service.v1': { s: { metadata: metadata('s') } },
      'Deployment.apps/v1': {
        d: {
          metadata: { ...metadata('d'), generation: 3, annotations: { 'flork.itom.com/epoch': '1' } },
          spec: { replicas: 0, template: { metadata: { annotations: { a: 'b' } } } },
          status: { observedGeneration: 2, conditions: [{ type: 'Available', status: 'True' }] },
        },
      },
    },
    undefined,
    ref,
  );
  assert.deepEqual(observed.configMaps.get('a')?.data, { x: 'y' });
  assert.equal(observed.services.get('s')?.metadata.name, 's');
  const deployment = observed.deployments.get('d');
  assert.equal(deployment?.replicas, 0);
  assert.equal(deployment?.metadata.generation, 3);
  assert.deepEqual(deployment?.templateAnnotations, { a: 'b' });
  assert.equal(deployment?.status.observedGeneration, 2);
  assert.equal(deployment?.status.replicas, undefined, 'not told is not 0');
  assert.deepEqual(deployment?.status.conditions, [{ type: 'Available', status: 'True', reason: '', message: '' }]);
});

test('a number that Kubernetes would not have as a count is not told', () => {
  const read = (replicas: unknown, observedGeneration: unknown) => {
    const deployment = { metadata: metadata('d'), spec: { replicas }, status: { replicas, observedGeneration } };
    const shown = { 'Deployment.apps/v1': { d: deployment } } as never;
    const found = readObserved(shown, undefined, ref).deployments.get('d');
    return [found?.replicas, found?.status.replicas, found?.status.observedGeneration];
  };
  assert.deepEqual(read(1e308, 1e308), [undefined, undefined, undefined]);
  assert.deepEqual(read(2 ** 31, 2 ** 31), [undefined, undefined, 2 ** 31]);
  assert.deepEqual(read(2 ** 31 - 1, 1), [2 ** 31 - 1, 2 ** 31 - 1, 1]);
  assert.deepEqual(read(-1, 0.5), [undefined, undefined, undefined]);
});

test('objects of other namespaces and objects without a name are skipped', () => {
  const observed = readObserved(
    {
      'ConfigMap.v1': { 'other/a': { metadata: metadata('a', 'other') }, b: { metadata: { namespace: 'jobs' } }, c: 7 },
    },
    {
      'Pod.v1': { p: { metadata: metadata('p', 'other') } },
      'Namespace.v1': { other: { metadata: { name: 'other' } } },
    },
    ref,
  );
  assert.equal(observed.configMaps.size, 0);
  assert.deepEqual(observed.pods, []);
  assert.equal(observed.namespace, undefined);
});

test('pods that were not shown are unknown, pods that were shown are a list', () => {
  assert.equal(readObserved({}, {}, ref).pods, undefined);
  assert.equal(readObserved({}, null, ref).pods, undefined);
  assert.deepEqual(readObserved({}, { 'Pod.v1': {} }, ref).pods, []);
});

test('the parent’s namespace is found', () => {
  const observed = readObserved(
    {},
    { 'Namespace.v1': { '/jobs': { metadata: { name: 'jobs', labels: { a: 'b' } } } } },
    ref,
  );
  assert.deepEqual(observed.namespace?.metadata.labels, { a: 'b' });
});

test('a container tells what it does and how it last ended', () => {
  const status = {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'flink-main-container',
        restartCount: 2,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: 's', finishedAt: 'f' } },
      },
    ],
  };
  const pods = readObserved(
    {},
    { 'Pod.v1': { p: { metadata: metadata('p'), spec: { nodeName: 'n' }, status } } },
    ref,
  ).pods;
  assert.deepEqual(pods?.[0]?.containers, [
    {
      name: 'flink-main-container',
      restartCount: 2,
      ready: false,
      state: { kind: 'waiting', reason: 'CrashLoopBackOff', message: 'back-off' },
      lastState: {
        kind: 'terminated',
        reason: 'OOMKilled',
        message: '',
        exitCode: 137,
        startedAt: 's',
        finishedAt: 'f',
      },
    },
  ]);
  assert.equal(pods?.[0]?.nodeName, 'n');
});

for (const rubbish of [
  null,
  1,
  'x',
  [],
  [null],
  { metadata: 1 },
  { metadata: { name: 1 } },
  {
    metadata: { ...metadata('x'), labels: [1] },
    spec: 1,
    status: { conditions: 'x', containerStatuses: [1, null, { state: 'x' }] },
  },
]) {
  test(`rubbish does no harm: ${JSON.stringify(rubbish)}`, () => {
    for (const key of ['ConfigMap.v1', 'Service.v1', 'Deployment.apps/v1', 'Pod.v1', 'Namespace.v1']) {
      readObserved({ [key]: { x: rubbish } }, { [key]: { x: rubbish } }, ref);
      readObserved({ [key]: rubbish }, { [key]: rubbish }, ref);
    }
  });
}
