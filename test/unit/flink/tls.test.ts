import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { undiciTransport, type FlinkResponse, type UndiciOptions } from '../../../src/flink/transport.ts';
import { makeCertificates } from '../tls-fixture.ts';
import { SERVICE } from './flink-fixture.ts';

const certificates = makeCertificates();

/** A server that refuses during the handshake, by TLS 1.2, as Flink's does; one of Node does it only afterwards. */
async function openssl(folder: string): Promise<{ readonly port: number; readonly stop: () => void }> {
  const identity = ['-cert', 'server.crt', '-key', 'server.key', '-CAfile', 'ca.crt'];
  const words = ['s_server', '-accept', '127.0.0.1:0', ...identity, '-Verify', '1', '-verify_return_error', '-tls1_2'];
  const child = spawn('openssl', [...words, '-www'], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] });
  let printed = '';
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    printed += String(text);
    const port = /^ACCEPT .*:(\d+)$/m.exec(printed)?.[1];
    if (port !== undefined) return { port: Number(port), stop: () => void child.kill() };
  }
  throw new Error(`openssl s_server ended: ${printed}`);
}

describe('the transport with TLS', { skip: certificates === undefined && 'no openssl' }, () => {
  if (certificates === undefined) return;
  const { ca, server, client, pkcs12 } = certificates;
  const https = createServer({ ...server, ca, requestCert: true, rejectUnauthorized: true }, (_request, response) =>
    response.end('{}'),
  );
  after(() => https.close());

  async function call(options: UndiciOptions, at?: number): Promise<FlinkResponse> {
    if (!https.listening) await once(https.listen(0, '127.0.0.1'), 'listening');
    const port = at ?? (https.address() as AddressInfo).port;
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

  it(
    'hears of a certificate that is not accepted first, and says that its own trust is not known yet',
    { timeout: 20_000 },
    async () => {
      const other = makeCertificates();
      assert.ok(other !== undefined);
      const { port, stop } = await openssl(certificates.folder);
      const stranger = { cert: other.client.cert, key: other.client.key };
      const refused =
        /^the JobManager does not accept the certificate of Flork \([A-Z0-9_]+\): FLINK_CERT_FILE .*: whether .* FLINK_CA_FILE$/;
      const distrusted = /^the certificate of the JobManager is not trusted \([A-Z_]+\): FLINK_CA_FILE$/;
      for (const [options, text] of [
        [{ ...stranger, ca: other.ca }, refused],
        [{ ...stranger, ca }, refused],
        [{ ...client, ca: other.ca }, distrusted],
      ] as const) {
        // oxlint-disable-next-line no-await-in-loop -- s_server takes one at a time
        const response = await call(options, port);
        assert.ok(response.kind === 'error' && response.error === 'tls', JSON.stringify(response));
        assert.match(response.text, text);
      }
      assert.equal((await call({ ...client, ca }, port)).kind, 'response');
      stop();
    },
  );

  it('is not let in without a client certificate', async () => {
    assert.equal((await call({ ca })).kind, 'error');
  });
});
