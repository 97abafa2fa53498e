import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readJob } from '../../../src/core/observe-job.ts';

const metadata = { name: 'job', namespace: 'jobs', uid: 'u' };
const parent = (more: object = {}, meta: object = {}) => ({
  apiVersion: 'flork.itom.com/v1',
  kind: 'FlinkJob',
  metadata: { ...metadata, ...meta },
  ...more,
});

test('a new FlinkJob has a spec and no status', () => {
  const job = readJob(parent({ spec: { image: 'flink:2.2' }, status: { observedGeneration: -1 } }, { generation: 1 }));
  assert.deepEqual(job, {
    ref: { name: 'job', namespace: 'jobs', uid: 'u' },
    generation: 1,
    deletionTimestamp: undefined,
    finalizers: [],
    paused: false,
    spec: { kind: 'valid', spec: { image: 'flink:2.2' } },
    status: undefined,
  });
});

test('a wrong spec is findings, a missing one too', () => {
  assert.equal(readJob(parent({ spec: { image: 1 } })).spec.kind, 'invalid');
  assert.equal(readJob(parent()).spec.kind, 'invalid');
});

test('the tenant is told by a label', () => {
  assert.equal(readJob(parent({}, { labels: { 'flork.itom.com/tenant': 'a' } })).ref.tenant, 'a');
});

for (const [value, paused] of [
  ['true', true],
  ['false', false],
  ['yes', false],
] as const) {
  test(`annotation paused: "${value}" ${paused ? 'freezes' : 'does not freeze'} the job`, () => {
    assert.equal(readJob(parent({}, { annotations: { 'flork.itom.com/paused': value } })).paused, paused);
  });
}

test('a deletion is seen, and null is none', () => {
  assert.equal(readJob(parent({}, { deletionTimestamp: null })).deletionTimestamp, undefined);
  assert.equal(readJob(parent({}, { deletionTimestamp: 't', finalizers: ['f'] })).deletionTimestamp, 't');
});
