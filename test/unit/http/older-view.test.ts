import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createViews, versionsOf } from '../../../src/http/older-view.ts';
import { parent, post, recorder, request, testApp, UID } from './hook-fixture.ts';

const SECOND = 1_000;
const shows = (versions: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(versions));

describe('the guard against old views', () => {
  it('refuses whatever shows one object older than before', () => {
    const refuses = createViews();
    assert.equal(refuses('u', shows({ parent: '10', jobManager: '9' }), 0), false);
    assert.equal(refuses('u', shows({ parent: '9', jobManager: '9' }), 0), true, '9 is less than 10');
    assert.equal(refuses('u', shows({ parent: '11', jobManager: '8' }), 0), true);
    assert.equal(refuses('u', shows({ parent: '10', jobManager: '9' }), 0), false, 'a refused view is not remembered');
  });

  it('answers the same view again, newer ones and those of other FlinkJobs', () => {
    const refuses = createViews();
    for (const version of [
      '9',
      '9',
      '10',
      '99',
      '100',
      '99999999999999999998',
      '99999999999999999999',
      '100000000000000000000',
    ])
      assert.equal(refuses('u', shows({ parent: version }), 0), false, version);
    assert.equal(refuses('other', shows({ parent: '1' }), 0), false);
  });

  it('concludes nothing from a child that is not shown', () => {
    const refuses = createViews();
    refuses('u', shows({ parent: '1', jobManager: '5' }), 0);
    assert.equal(refuses('u', shows({ parent: '2' }), 0), false);
    assert.equal(refuses('u', shows({ parent: '2', jobManager: '4' }), 0), true, 'and forgets nothing of it');
    assert.equal(refuses('u', shows({ parent: '2', jobManager: '6' }), 0), false, 'made again');
  });

  it('compares whole numbers only', () => {
    const refuses = createViews();
    for (const version of ['b', 'a', '5', '04', '-1', '1.5', '']) {
      assert.equal(refuses('u', shows({ parent: version }), 0), false, version);
    }
  });

  it('gives up after 30 s of refusals in a row, and what it knew with them', () => {
    const refuses = createViews();
    refuses('u', shows({ parent: '50', jobManager: '50' }), 0);
    assert.equal(refuses('u', shows({ parent: '20', jobManager: '20' }), 10 * SECOND), true);
    assert.equal(refuses('u', shows({ parent: '20', jobManager: '20' }), 39 * SECOND), true);
    assert.equal(refuses('u', shows({ parent: '21', jobManager: '20' }), 40 * SECOND), false, 'etcd was restored');
    assert.equal(refuses('u', shows({ parent: '22', jobManager: '21' }), 41 * SECOND), false);
    assert.equal(refuses('u', shows({ parent: '21', jobManager: '21' }), 42 * SECOND), true, 'and guards again');
  });

  it('counts from the first refusal since the last answer', () => {
    const refuses = createViews();
    refuses('u', shows({ parent: '5' }), 0);
    for (let second = 1; second <= 100; second++) {
      assert.equal(refuses('u', shows({ parent: '4' }), second * SECOND), true);
      assert.equal(refuses('u', shows({ parent: '5' }), second * SECOND), false);
    }
  });

  it('ends its patience although the clock is put back', () => {
    const refuses = createViews();
    refuses('u', shows({ parent: '5' }), 100 * SECOND);
    assert.equal(refuses('u', shows({ parent: '4' }), 100 * SECOND), true);
    assert.equal(refuses('u', shows({ parent: '4' }), 0), true);
    assert.equal(refuses('u', shows({ parent: '4' }), 30 * SECOND), false);
  });

  it('forgets the FlinkJob that was not shown for the longest time', () => {
    const refuses = createViews(2);
    for (const uid of ['a', 'b', 'a', 'c']) refuses(uid, shows({ parent: '5' }), 0);
    assert.equal(refuses('a', shows({ parent: '4' }), 0), true);
    assert.equal(refuses('b', shows({ parent: '4' }), 0), false, 'forgotten');
  });

  it('forgets the object that was not shown for the longest time', () => {
    const refuses = createViews();
    for (let epoch = 1; epoch <= 70; epoch++) refuses('u', shows({ parent: '100', [`epoch ${epoch}`]: '9' }), 0);
    assert.equal(refuses('u', shows({ parent: '100', 'epoch 70': '8' }), 0), true);
    assert.equal(refuses('u', shows({ parent: '100', 'epoch 1': '8' }), 0), false);
  });

  it('looks at the parent, at Deployments and at ConfigMaps', () => {
    const object = (resourceVersion: unknown): Record<string, unknown> => ({ metadata: { resourceVersion } });
    const versions = versionsOf({
      parent: parent({ resourceVersion: '7' }) as Parameters<typeof versionsOf>[0]['parent'],
      children: {
        'ConfigMap.v1': { 'x-conf': object('3'), odd: object(4), bare: {} },
        'Deployment.apps/v1': { x: object('4') },
        'Service.v1': { x: object('5') },
      },
    });
    assert.deepEqual(Object.fromEntries(versions), {
      parent: '7',
      'ConfigMap.v1 x-conf': '3',
      'Deployment.apps/v1 x': '4',
    });
  });
});

describe('/sync and an old view', () => {
  const shown = (version: string, finalizing = false): Record<string, unknown> =>
    request({ parent: parent({ resourceVersion: version }), finalizing });

  it('is shown again in a second, and nothing is decided', async () => {
    let decisions = 0;
    const { log, lines } = recorder();
    const app = testApp({
      log,
      questions: () => {
        decisions++;
        return { kind: 'none', why: 'test' };
      },
    });
    assert.equal((await post(app, '/sync', shown('10'))).status, 200);
    const refused = await post(app, '/sync', shown('9'));
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.ok(!(await refused.text()).includes(UID));
    assert.equal((await post(app, '/finalize', shown('9', true))).status, 429);
    assert.equal(decisions, 1);
    assert.equal(lines.at(-1)?.fields['rule'], 'olderView');
  });

  it('is answered by another replica', async () => {
    await post(testApp(), '/sync', shown('10'));
    assert.equal((await post(testApp(), '/sync', shown('9'))).status, 200);
  });
});
