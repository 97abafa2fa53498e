import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bearerOf, certified } from '../../../src/http/authenticate.ts';
import { post, request, testApp } from './hook-fixture.ts';

const tokens = ['new-token', 'old-token'];
const app = testApp({ authenticate: bearerOf(() => tokens) });
const sync = (headers: Record<string, string>): Promise<Response> => post(app, '/sync', request(), headers);

describe('a hook that wants a token', () => {
  for (const token of tokens) {
    it(`answers whoever carries ${token}`, async () => {
      assert.equal((await sync({ authorization: `Bearer ${token}` })).status, 200);
    });
  }

  for (const [name, headers] of [
    ['no token', {}],
    ['another token', { authorization: 'Bearer other' }],
    ['the beginning of a token', { authorization: 'Bearer new-' }],
    ['a token that goes on', { authorization: 'Bearer new-token2' }],
    ['a password in its place', { authorization: 'Basic new-token' }],
    ['an empty one', { authorization: 'Bearer ' }],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const response = await sync(headers);
      assert.equal(response.status, 401);
      assert.doesNotMatch(await response.text(), /new-token|old-token|children/);
    });
  }

  it('does not read the body of a stranger', async () => {
    const response = await post(app, '/sync', 'no JSON at all');
    assert.equal(response.status, 401);
  });

  it('wants it for finalize and customize, too', async () => {
    assert.equal((await post(app, '/finalize', request({ finalizing: true }))).status, 401);
    assert.equal((await post(app, '/customize', { controller: {}, parent: request()['parent'] })).status, 401);
  });

  it('wants none of the API server and of probes', async () => {
    assert.equal((await post(app, '/validate', {})).status, 400);
    assert.equal((await app.request('/readyz')).status, 200);
  });

  it('takes up a rotated token at once', async () => {
    let current = ['first'];
    const rotating = testApp({ authenticate: bearerOf(() => current) });
    const call = async (token: string): Promise<number> =>
      (await post(rotating, '/sync', request(), { authorization: `Bearer ${token}` })).status;
    current = ['second'];
    assert.deepEqual([await call('first'), await call('second')], [401, 200]);
  });

  it('lets nobody in while there is no token', async () => {
    const closed = testApp({ authenticate: bearerOf(() => []) });
    assert.equal((await post(closed, '/sync', request(), { authorization: 'Bearer x' })).status, 401);
  });
});

it('a hook that wants a certificate refuses a connection without one', async () => {
  assert.equal((await post(testApp({ authenticate: certified }), '/sync', request())).status, 401);
});
