import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeRequest, KubeResponse } from '../../../src/kube/api.ts';
import { createReadPods, type Pods } from '../../../src/kube/pods.ts';

const JOB = { namespace: 'team', name: 'wordcount' };
const pod = (name: string, metadata: object = {}): object => ({
  metadata: { name, namespace: 'team', labels: { 'flork.itom.com/job': 'wordcount' }, ...metadata },
});
const list = (items: unknown, more: object = {}): string =>
  JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '7' }, items, ...more });

/** What is read of an answer, and by which calls. */
async function read(
  answer: KubeResponse | string,
  job = JOB,
): Promise<{ readonly pods: Pods; readonly calls: readonly KubeRequest[] }> {
  const calls: KubeRequest[] = [];
  const readPods = createReadPods({
    maxBytes: 1000,
    api: async (request) => {
      calls.push(request);
      return typeof answer === 'string' ? { kind: 'response', status: 200, text: answer } : answer;
    },
  });
  return { pods: await readPods(job, 1900, new AbortController().signal), calls };
}

describe('the pods of a FlinkJob', () => {
  it('are asked for by namespace and label, most recent, all at once, and within a time and a size', async () => {
    const { calls } = await read(list([]));
    assert.deepEqual(calls, [
      {
        method: 'GET',
        path: '/api/v1/namespaces/team/pods?labelSelector=flork.itom.com%2Fjob%3Dwordcount',
        maxBytes: 1000,
        timeoutMs: 1900,
      },
    ]);
  });

  it('are those of the list, and none where it is empty', async () => {
    const pods = [pod('a'), pod('b')];
    assert.deepEqual((await read(list(pods))).pods, { kind: 'read', pods });
    assert.deepEqual((await read(list([]))).pods, { kind: 'read', pods: [] });
  });

  for (const [what, answer] of [
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['cut off', list([pod('a')]).slice(0, -3)],
    ['nested without end', list([pod('a')], { x: JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`) })],
    ['an empty object', '{}'],
    ['null', 'null'],
    ['a Status', '{"kind":"Status","apiVersion":"v1","status":"Success"}'],
    ['another list', list([], { kind: 'ServiceList' })],
    ['of another version', list([], { apiVersion: 'v2' })],
    ['a list without metadata', list([], { metadata: undefined })],
    ['a list without items', list(undefined)],
    ['a list of null', list(null)],
    ['a list of nulls', list([null])],
    ['items that are no array', list({})],
    ['a page of a list', list([pod('a')], { metadata: { continue: 'abc' } })],
    ['a pod without a name', list([pod('')])],
    ['a pod without metadata', list([{}])],
    ['a pod of another namespace', list([pod('a'), pod('b', { namespace: 'other' })])],
    ['a pod of another job', list([pod('a', { labels: { 'flork.itom.com/job': 'other' } })])],
    ['a pod without labels', list([pod('a', { labels: undefined })])],
  ] as const)
    it(`are not read from an answer that is ${what}`, async () => {
      const why = 'the answer of the API server is no list of the pods of this job';
      assert.deepEqual((await read(answer)).pods, { kind: 'unread', why });
    });

  for (const status of [201, 204, 301, 400, 401, 404, 410, 429, 500, 503, 504])
    it(`are not read from a ${status}, be there a list in it`, async () => {
      const { pods } = await read({ kind: 'response', status, text: list([]) });
      assert.deepEqual(pods, { kind: 'unread', why: `the API server answers ${status}: no reason given` });
    });

  it('are not read without a right, which is named', async () => {
    const message =
      'pods is forbidden: User "system:serviceaccount:flork-system:flork" cannot list resource "pods" in API group "" in the namespace "team"';
    const { pods } = await read({ kind: 'response', status: 403, text: JSON.stringify({ kind: 'Status', message }) });
    const why = `Flork has no right to list pods in namespace team; the API server answers 403: ${message}`;
    assert.deepEqual(pods, { kind: 'unread', why });
  });

  it('are not read where nobody answers', async () => {
    const text = 'no answer of the API server in time';
    assert.deepEqual((await read({ kind: 'error', text })).pods, { kind: 'unread', why: text });
  });

  it('are not asked for by what is no name, and there are none by a name that no label can have', async () => {
    for (const job of [
      { ...JOB, namespace: '../x' },
      { ...JOB, namespace: 'a/b' },
      { ...JOB, name: '' },
      { ...JOB, name: 'a,b' },
      { ...JOB, name: 'a%2Cb' },
    ]) {
      const { pods, calls } = await read(list([]), job);
      assert.deepEqual([pods, calls], [{ kind: 'unread', why: 'not names of Kubernetes' }, []]);
    }
    const { pods, calls } = await read(list([]), { ...JOB, name: 'a'.repeat(64) });
    assert.deepEqual([pods, calls], [{ kind: 'read', pods: [] }, []]);
    assert.equal((await read(list([]), { ...JOB, name: 'a'.repeat(63) })).calls.length, 1);
  });
});
