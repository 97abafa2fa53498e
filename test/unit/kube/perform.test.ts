import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Duty } from '../../../src/core/duty.ts';
import type { KubeRequest, KubeResponse } from '../../../src/kube/api.ts';
import { createPerform, type Perform } from '../../../src/kube/perform.ts';

const CLEAN: Duty = {
  kind: 'clean-high-availability',
  namespace: 'team',
  job: 'wordcount',
  uid: 'u-1',
  epochs: [1],
  configMaps: ['wordcount-abc-cluster-config-map', 'wordcount-abc-0123-config-map'],
};
const DELETE: Duty = { kind: 'delete-self', namespace: 'team', job: 'wordcount', uid: 'u-1' };
const EVENT: Duty = {
  kind: 'events',
  namespace: 'team',
  job: 'wordcount',
  uid: 'u-1',
  name: 'wordcount.0123',
  type: 'Normal',
  reason: 'FirstStart',
  message: 'Created → Deploying',
  at: '2026-01-01T00:00:00Z',
};
const signal = new AbortController().signal;

type Call = Extract<KubeRequest, { readonly body: unknown }>;
type Kit = { readonly perform: Perform; readonly calls: Call[]; at: number };
function kit(answer: (request: Call) => KubeResponse | number): Kit {
  const calls: Call[] = [];
  const made: Kit = {
    calls,
    at: 0,
    perform: createPerform({
      now: () => made.at,
      api: async (request) => {
        if (request.method === 'GET') return assert.fail('a duty asks for nothing');
        calls.push(request);
        const given = answer(request);
        return typeof given === 'number' ? { kind: 'response', status: given, text: '{}' } : given;
      },
    }),
  };
  return made;
}

describe('the duties', () => {
  it('remove ConfigMaps by exact name, and no others', async () => {
    const { perform, calls } = kit(() => 200);
    assert.deepEqual(await perform([CLEAN], signal), [{ duty: CLEAN, kind: 'done', text: '' }]);
    assert.deepEqual(
      calls.map(({ method, path }) => `${method} ${path}`),
      CLEAN.configMaps.map((name) => `DELETE /api/v1/namespaces/team/configmaps/${name}`),
    );
  });

  it('delete a FlinkJob by its uid, and create an Event about it', async () => {
    const { perform, calls } = kit(() => 201);
    await perform([DELETE, EVENT], signal);
    assert.equal(calls[0]?.path, '/apis/flork.itom.com/v1/namespaces/team/flinkjobs/wordcount');
    assert.deepEqual(calls[0]?.body['preconditions'], { uid: 'u-1' });
    assert.equal(calls[1]?.method, 'POST');
    assert.deepEqual(calls[1]?.body['involvedObject'], {
      apiVersion: 'flork.itom.com/v1',
      kind: 'FlinkJob',
      name: 'wordcount',
      namespace: 'team',
      uid: 'u-1',
    });
  });

  it('call nothing whose name is not one of Flork', async () => {
    const { perform, calls } = kit(() => 200);
    const bad = [
      { ...CLEAN, configMaps: ['other-abc-cluster-config-map'] },
      { ...CLEAN, configMaps: ['wordcount-restore-abc'] },
      { ...CLEAN, configMaps: ['wordcount-/../secrets/x-config-map'] },
      { ...DELETE, namespace: '../team' },
    ];
    for (const result of await perform(bad, signal)) assert.equal(result.kind, 'refused');
    assert.equal(calls.length, 0);
  });

  for (const [status, duty, kind] of [
    [404, CLEAN, 'done'],
    [404, EVENT, 'refused'],
    [409, DELETE, 'done'],
    [409, EVENT, 'done'],
    [403, CLEAN, 'not-allowed'],
    [422, EVENT, 'refused'],
    [401, CLEAN, 'unknown'],
    [429, CLEAN, 'unknown'],
    [500, DELETE, 'unknown'],
  ] as const) {
    it(`take ${status} to ${duty.kind} for ${kind}`, async () => {
      assert.equal((await kit(() => status).perform([duty], signal))[0]?.kind, kind);
    });
  }

  it('take a refusal by admission for what it is, and pass on its first line', async () => {
    const text = JSON.stringify({ message: 'admission webhook "x" denied the request: no\nmore' });
    const [result] = await kit(() => ({ kind: 'response', status: 403, text })).perform([CLEAN], signal);
    assert.equal(result?.kind, 'refused');
    assert.match(result?.text ?? '', /denied the request: no$/);
  });

  it('leave an API server alone for a while that was not reached', async () => {
    const made = kit(() => ({ kind: 'error', text: 'the API server was not reached (ECONNREFUSED)' }));
    assert.equal((await made.perform([DELETE], signal))[0]?.kind, 'unknown');
    made.at = 29_000;
    assert.equal((await made.perform([CLEAN, DELETE], signal))[1]?.kind, 'unknown');
    assert.equal(made.calls.length, 1);
    made.at = 31_000;
    await made.perform([DELETE], signal);
    assert.equal(made.calls.length, 2);
  });

  it('do not ask at each sync for a right that is missing, in that namespace', async () => {
    const made = kit(({ path }) => (path.includes('/team/') ? 403 : 200));
    await made.perform([DELETE], signal);
    const [again, other] = await made.perform([DELETE, { ...DELETE, namespace: 'other' }], signal);
    assert.equal(again?.kind, 'not-allowed');
    assert.equal(other?.kind, 'done');
    assert.equal(made.calls.length, 2);
    made.at = 11 * 60_000;
    await made.perform([DELETE], signal);
    assert.equal(made.calls.length, 3);
  });

  it('create an Event once', async () => {
    const { perform, calls } = kit(() => 201);
    await perform([EVENT], signal);
    assert.equal((await perform([EVENT], signal))[0]?.kind, 'done');
    assert.equal(calls.length, 1);
  });

  it('survive a client that breaks its promise', async () => {
    const perform = createPerform({ now: () => 0, api: () => Promise.reject(new Error('boom')) });
    assert.equal((await perform([DELETE], signal))[0]?.kind, 'unknown');
  });
});
