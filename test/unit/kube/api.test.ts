import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, describe, it } from 'node:test';
import { inClusterApi, type KubeResponse } from '../../../src/kube/api.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { makeCertificates } from '../tls-fixture.ts';
import { scratch } from '../../scratch.ts';

const certificates = makeCertificates();
const skip = certificates === undefined ? 'no openssl here' : false;
const { ca = '', server: identity } = certificates ?? {};
const open: { close: () => unknown }[] = [];
after(async () => {
  for (const each of open) await each.close();
});

type Seen = {
  readonly authorization: string | undefined;
  readonly type: string | undefined;
  readonly method: string;
  readonly body: string;
};

/** An API server that answers as told. */
async function apiServer(answer: (response: ServerResponse, count: number) => void) {
  const seen: Seen[] = [];
  const server = createServer({ ...identity }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { authorization, 'content-type': type } = request.headers;
      seen.push({ authorization, type, method: request.method ?? '', body });
      answer(response, seen.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({ close: () => server.closeAllConnections() }, server);
  return { seen, port: (server.address() as AddressInfo).port };
}

function client(port: number, trusted = ca) {
  const folder = scratch('kube');
  const [tokenFile, caFile] = [join(folder, 'token'), join(folder, 'ca.crt')];
  writeFileSync(tokenFile, 'first\n');
  writeFileSync(caFile, trusted);
  const api = inClusterApi({ host: '127.0.0.1', port, tokenFile, caFile, log: silentLog, checkMs: 20 });
  open.unshift(api);
  const call = (timeoutMs = 2000, signal = new AbortController().signal): Promise<KubeResponse> =>
    api(
      { method: 'DELETE', path: '/api/v1/namespaces/team/configmaps/x', body: { kind: 'DeleteOptions' }, timeoutMs },
      signal,
    );
  const get = (maxBytes: number): Promise<KubeResponse> =>
    api(
      { method: 'GET', path: '/api/v1/namespaces/team/pods', maxBytes, timeoutMs: 2000 },
      new AbortController().signal,
    );
  return { call, get, tokenFile };
}

describe('the client of the API server', { skip }, () => {
  it('sends the token of the ServiceAccount, and a renewed one without a restart', async () => {
    const { seen, port } = await apiServer((response) => response.end('{}'));
    const { call, tokenFile } = client(port);
    assert.deepEqual(await call(), { kind: 'response', status: 200, text: '{}' });
    writeFileSync(tokenFile, 'second');
    for (let tries = 0; tries < 100 && seen.at(-1)?.authorization !== 'Bearer second'; tries++) {
      await sleep(20);
      await call();
    }
    assert.equal(seen[0]?.authorization, 'Bearer first');
    assert.equal(seen.at(-1)?.authorization, 'Bearer second');
    assert.equal(seen[0]?.method, 'DELETE');
    assert.equal(seen[0]?.body, '{"kind":"DeleteOptions"}');
  });

  it('trusts the CA of the cluster alone', async () => {
    const { seen, port } = await apiServer((response) => response.end('{}'));
    const response = await client(port, '').call();
    assert.equal(response.kind, 'error');
    assert.equal(seen.length, 0);
  });

  it('gives up in time, and when the sync is over', async () => {
    const { port } = await apiServer(() => {});
    const late = await client(port).call(50);
    assert.deepEqual(late, { kind: 'error', text: 'no answer of the API server in time' });
    const over = AbortSignal.timeout(50);
    assert.equal((await client(port).call(60_000, over)).kind, 'error');
  });

  it('passes on a refusal, and reads no endless answer', async () => {
    const { port } = await apiServer((response, count) => {
      if (count === 1) response.writeHead(403).end('{"message":"no"}');
      else response.end('x'.repeat(2_000_000));
    });
    const { call } = client(port);
    assert.deepEqual(await call(), { kind: 'response', status: 403, text: '{"message":"no"}' });
    const long = await call();
    assert.ok(long.kind === 'response' && long.text.length < 300_000);
  });

  it('asks for content without a body, and has all of it or an error', async () => {
    const { seen, port } = await apiServer((response, count) => response.end('x'.repeat(count * 300_000)));
    const { get } = client(port);
    const whole = await get(300_000);
    assert.ok(whole.kind === 'response' && whole.text.length === 300_000);
    const text = 'the answer of the API server is longer than 599999 bytes';
    assert.deepEqual(await get(599_999), { kind: 'error', text });
    assert.deepEqual(
      seen.map(({ method, body, type }) => [method, body, type]),
      [
        ['GET', '', undefined],
        ['GET', '', undefined],
      ],
    );
  });

  it('says that nobody is there, and wants its files', async () => {
    assert.equal((await client(1).call()).kind, 'error');
    const missing = { host: '127.0.0.1', port: 1, tokenFile: '/nowhere', caFile: '/nowhere', log: silentLog };
    assert.throws(() => inClusterApi(missing), /SERVICE_ACCOUNT_DIR/);
  });
});
