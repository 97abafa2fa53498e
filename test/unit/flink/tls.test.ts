import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { undiciTransport, type FlinkResponse, type UndiciOptions } from '../../../src/flink/transport.ts';
import { makeCertificates } from '../tls-fixture.ts';
import { SERVICE } from './flink-fixture.ts';

const certificates = makeCertificates();

describe('the transport with TLS', { skip: certificates === undefined && 'no openssl' }, () => {
  if (certificates === undefined) return;
  const { ca, server, client, pkcs12 } = certificates;
  const https = createServer({ ...server, ca, requestCert: true, rejectUnauthorized: true }, (_request, response) =>
    response.end('{}'),
  );
  after(() => https.close());

  async function call(options: UndiciOptions): Promise<FlinkResponse> {
    if (!https.listening) await once(https.listen(0, '127.0.0.1'), 'listening');
    const { port } = https.address() as AddressInfo;
    const transport = undiciTransport({ ...options, resolve: () => ({ host: '127.0.0.1', port }) });
    const service = { ...SERVICE, scheme: 'https' } as const;
    const response = await transport(
      { service, method: 'GET', path: '/config', timeoutMs: 3000 },
      new AbortController().signal,
    );
    await transport.close();
    return response;
  }

  it('trusts the given CA and shows its client certificate', async () => {
    assert.deepEqual(await call({ ca, cert: client.cert, key: client.key }), {
      kind: 'response',
      status: 200,
      text: '{}',
    });
  });

  it('calls nobody it does not trust', async () => {
    const response = await call({ cert: client.cert, key: client.key });
    assert.ok(response.kind === 'error' && response.error === 'tls');
    assert.match(response.text, /^the certificate of the JobManager is not trusted \([A-Z_]+\): FLINK_CA_FILE$/);
  });

  it('shows a client certificate out of a PKCS#12 file, too', async () => {
    assert.ok(pkcs12 !== undefined);
    assert.equal((await call({ ca, pfx: pkcs12, passphrase: 'changeit' })).kind, 'response');
    assert.equal((await call({ ca, pfx: pkcs12, passphrase: 'other' })).kind, 'error');
  });

  it('is not let in without a client certificate', async () => {
    assert.equal((await call({ ca })).kind, 'error');
  });
});
