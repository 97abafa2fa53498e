import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { identifiedTransport, type FlinkFiles } from '../../src/flink/identity.ts';
import type { FlinkResponse, UndiciTransport } from '../../src/flink/transport.ts';
import { until } from '../e2e/lib/kube.ts';
import { recorder } from '../unit/http/hook-fixture.ts';
import { makeCertificates, NO_FILES, type Certificates } from '../unit/tls-fixture.ts';
import { startJobManager, type JobManager } from './real-flink.ts';
import { scratch } from '../scratch.ts';

/** A Flink distribution, of which a JobManager is started on this machine. */
const HOME = process.env['FLINK_HOME'] ?? '';
const service = { name: 'orders-rest', namespace: 'team', port: 8081, scheme: 'https' } as const;

describe("Flink's REST with mutual TLS", { skip: HOME === '' && 'FLINK_HOME names no Flink' }, () => {
  const folder = scratch('mtls');
  let ours: Certificates;
  let others: Certificates;
  let flink: JobManager;

  /** Puts a file in place of another at once, as the kubelet swaps a mounted Secret. */
  function put(name: string, content: string | Buffer): string {
    const file = join(folder, name);
    writeFileSync(`${file}.next`, content);
    renameSync(`${file}.next`, file);
    return file;
  }
  const pem = (of: Certificates, trusted: Certificates): FlinkFiles => ({
    ...NO_FILES,
    caFile: put('ca.crt', trusted.ca),
    certFile: put('tls.crt', of.client.cert),
    keyFile: put('tls.key', of.client.key),
  });
  const { log, lines } = recorder();
  const transportOf = (files: FlinkFiles): UndiciTransport =>
    identifiedTransport(files, log, { resolve: () => ({ host: '127.0.0.1', port: flink.port }), checkMs: 20 });
  const ask = (transport: UndiciTransport, method: 'GET' | 'PATCH' = 'GET', path = '/config'): Promise<FlinkResponse> =>
    transport({ service, method, path, timeoutMs: 10_000 }, new AbortController().signal);

  async function once(files: FlinkFiles): Promise<FlinkResponse> {
    const transport = transportOf(files);
    try {
      return await ask(transport);
    } finally {
      await transport.close();
    }
  }

  before(async () => {
    const [first, second] = [makeCertificates('rsa'), makeCertificates('rsa')];
    assert.ok(first !== undefined && second !== undefined, 'openssl is needed');
    [ours, others] = [first, second];
    flink = await startJobManager(HOME, ours);
    await until(
      'the JobManager answers',
      120,
      async () => (await once(pem(ours, ours))).kind === 'response' || undefined,
      async () => flink.output().slice(-3000),
    );
  });
  after(() => flink?.stop());

  test('is asked and commanded with a certificate as PEM', async () => {
    const transport = transportOf(pem(ours, ours));
    const answer = await ask(transport);
    assert.ok(answer.kind === 'response' && answer.status === 200 && 'flink-version' in JSON.parse(answer.text));
    const unknown = await ask(transport, 'PATCH', `/jobs/${'0'.repeat(32)}?mode=cancel`);
    assert.ok(unknown.kind === 'response' && unknown.status === 404, JSON.stringify(unknown));
    await transport.close();
  });

  test('and as PKCS#12', async () => {
    const bundle = { pkcs12File: put('client.p12', ours.pkcs12), pkcs12PasswordFile: put('password', 'changeit\n') };
    const answer = await once({ ...NO_FILES, caFile: put('ca.crt', ours.ca), ...bundle });
    assert.ok(answer.kind === 'response' && answer.status === 200);
  });

  test('a wrong CA is told', async () => {
    const answer = await once(pem(ours, others));
    assert.ok(answer.kind === 'error' && answer.error === 'tls', JSON.stringify(answer));
    assert.match(answer.text, /^the certificate of the JobManager is not trusted \([^)]+\): FLINK_CA_FILE$/);
  });

  for (const [what, files] of [
    ['no certificate', () => ({ ...NO_FILES, caFile: put('ca.crt', ours.ca) })],
    ['a certificate of another CA', () => pem(others, ours)],
  ] as const) {
    test(`${what} is not let in, and that is told`, async () => {
      const answer = await once(files());
      assert.ok(answer.kind === 'error' && answer.error === 'tls', JSON.stringify(answer));
      assert.match(answer.text, /^the JobManager does not accept the certificate of Flork \([^)]+\): FLINK_CERT_FILE/);
    });
  }

  test('where neither side trusts the other, the message names both', async () => {
    const answer = await once(pem(others, others));
    assert.ok(answer.kind === 'error' && answer.error === 'tls', JSON.stringify(answer));
    assert.match(answer.text, /^the JobManager does not accept .*: FLINK_CERT_FILE .* FLINK_CA_FILE$/);
  });

  test('an identity that is swapped is used without a restart', async () => {
    const transport = transportOf(pem(others, ours));
    assert.equal((await ask(transport)).kind, 'error');
    pem(ours, ours);
    await until('the new one is taken up', 10, async () => (await ask(transport)).kind === 'response' || undefined);
    assert.ok(lines.some(({ message }) => message === 'identity towards Flink renewed'));
    await transport.close();
  });
});
