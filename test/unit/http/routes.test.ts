import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Hono } from 'hono';
import type { Finding } from '../../../src/core/types.ts';
import { CHILD, outcome, parent, post, request, STATUS, testApp } from './hook-fixture.ts';

describe('/finalize', () => {
  it('decides as finalizing and says whether it is done', async () => {
    const seen: boolean[] = [];
    const app = testApp({
      reconcile: (input) => {
        seen.push(input.finalizing);
        return outcome({ finalized: true, resyncAfterSeconds: 0, children: [] });
      },
    });
    const response = await post(app, '/finalize', request({ finalizing: true }));
    assert.deepEqual(await response.json(), { status: STATUS, children: [], finalized: true });
    assert.deepEqual(seen, [true]);
    const going = await post(testApp(), '/finalize', request({ finalizing: true }));
    assert.deepEqual(await going.json(), {
      status: STATUS,
      children: [CHILD],
      resyncAfterSeconds: 2,
      finalized: false,
    });
  });

  it('is not called without finalizing', async () => {
    assert.equal((await post(testApp(), '/finalize', request())).status, 400);
  });
});

describe('/customize', () => {
  it('answers exactly the pods of the job and its namespace', async () => {
    const response = await post(testApp(), '/customize', { controller: {}, parent: parent() });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      relatedResources: [
        {
          apiVersion: 'v1',
          resource: 'pods',
          namespace: 'default',
          labelSelector: { matchLabels: { 'flork.itom.com/job': 'wordcount' } },
        },
        { apiVersion: 'v1', resource: 'namespaces', names: ['default'] },
      ],
    });
  });

  it('answers the namespace alone where Flork reads the pods', async () => {
    const app = testApp({ readPods: () => assert.fail('the pods were read') });
    const response = await post(app, '/customize', { controller: {}, parent: parent() });
    const own = { apiVersion: 'v1', resource: 'namespaces', names: ['default'] };
    assert.deepEqual(await response.json(), { relatedResources: [own] });
  });

  it('refuses what is no request of a FlinkJob', async () => {
    assert.equal((await post(testApp(), '/customize', { parent: parent() })).status, 400);
    assert.equal(
      (await post(testApp(), '/customize', { controller: {}, parent: { ...parent(), kind: 'Job' } })).status,
      404,
    );
  });
});

describe('/validate', () => {
  const findings: readonly Finding[] = [
    { rule: 'image', path: 'spec.image', is: 'is not set', want: 'an image' },
    { rule: 'name', path: 'metadata.name', is: 'has 60 characters', want: 'at most 45' },
  ];
  const invalid = testApp({ validateSpec: () => ({ kind: 'invalid', findings }) });
  const review = (change: Record<string, unknown> = {}): unknown => ({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'r1',
      kind: { group: 'flork.itom.com', version: 'v1', kind: 'FlinkJob' },
      operation: 'CREATE',
      name: 'wordcount',
      namespace: 'default',
      dryRun: true,
      object: parent(),
      oldObject: null,
      ...change,
    },
  });
  type Answer = {
    kind: string;
    response: { uid: string; allowed: boolean; warnings?: string[]; status?: Record<string, unknown> };
  };
  const ask = async (app: Hono, body: unknown): Promise<Answer> => {
    const response = await post(app, '/validate', body);
    assert.equal(response.status, 200);
    return (await response.json()) as Answer;
  };

  it('allows what the rules allow', async () => {
    assert.deepEqual(await ask(testApp(), review()), {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'r1', allowed: true },
    });
  });

  it('denies with all findings, as causes too', async () => {
    const { response } = await ask(invalid, review());
    assert.equal(response.allowed, false);
    assert.deepEqual(response.status, {
      code: 422,
      reason: 'Invalid',
      status: 'Failure',
      message:
        'spec.image: is not set; want an image (image)\nmetadata.name: has 60 characters; want at most 45 (name)',
      details: {
        group: 'flork.itom.com',
        kind: 'FlinkJob',
        causes: [
          { reason: 'FieldValueInvalid', field: 'spec.image', message: 'is not set; want an image (image)' },
          { reason: 'FieldValueInvalid', field: 'metadata.name', message: 'has 60 characters; want at most 45 (name)' },
        ],
      },
    });
  });

  it('lets deletions through, and updates that leave an invalid spec as it was or concern an object that is going', async () => {
    assert.equal(
      (await ask(invalid, review({ operation: 'DELETE', object: null, oldObject: parent() }))).response.allowed,
      true,
    );
    const same = await ask(invalid, review({ operation: 'UPDATE', oldObject: parent() }));
    assert.equal(same.response.allowed, true);
    assert.equal(same.response.warnings?.length, 2);
    const going = parent({ deletionTimestamp: '2026-01-01T00:00:00Z' });
    assert.equal(
      (await ask(invalid, review({ operation: 'UPDATE', object: going, oldObject: parent({}, {}) }))).response.allowed,
      true,
    );
    assert.equal(
      (await ask(invalid, review({ operation: 'UPDATE', oldObject: parent({}, {}) }))).response.allowed,
      false,
    );
  });

  it('warns of a restore path that does not act', async () => {
    const spec = (from: string, nonce: number): unknown => ({ restore: { from, nonce } });
    const update = (next: unknown): unknown =>
      review({ operation: 'UPDATE', object: parent({}, next), oldObject: parent({}, spec('s3://a', 1)) });
    assert.match(
      (await ask(testApp(), update(spec('s3://b', 1)))).response.warnings?.[0] ?? '',
      /^spec\.restore\.from: /,
    );
    assert.equal((await ask(testApp(), update(spec('s3://b', 2)))).response.warnings, undefined);
  });

  it('judges an object without uid, not one without name; leaves other kinds alone', async () => {
    assert.equal((await ask(testApp(), review({ object: parent({ uid: undefined }) }))).response.allowed, true);
    assert.equal((await ask(testApp(), review({ object: parent({ name: 7 }) }))).response.allowed, false);
    assert.equal((await ask(testApp(), review({ object: null }))).response.allowed, false);
    assert.equal(
      (await ask(invalid, review({ kind: { group: '', version: 'v1', kind: 'Pod' } }))).response.allowed,
      true,
    );
  });

  it('refuses what is no AdmissionReview', async () => {
    assert.equal((await post(testApp(), '/validate', {})).status, 400);
  });
});

describe('health', () => {
  it('is ready until the process drains, and then asks callers to connect elsewhere', async () => {
    let draining = false;
    const app = testApp({ draining: () => draining });
    assert.equal((await app.request('/healthz')).status, 200);
    assert.equal((await app.request('/readyz')).status, 200);
    assert.equal((await post(app, '/sync', request())).headers.get('connection'), null);
    draining = true;
    assert.equal((await app.request('/healthz')).status, 200);
    assert.equal((await app.request('/readyz')).status, 503);
    const response = await post(app, '/sync', request());
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('connection'), 'close');
  });
});

describe('the app', () => {
  it('can be mounted in another one', async () => {
    const outer = new Hono().route('/flork', testApp());
    assert.equal((await post(outer, '/flork/sync', request())).status, 200);
    assert.equal((await outer.request('/flork/healthz')).status, 200);
    assert.equal((await outer.request('/flork/nothing')).status, 404);
    assert.equal((await outer.request('/flork/sync')).status, 404);
  });
});
