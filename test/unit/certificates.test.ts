import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstNotAfter, notAfterOfPkcs12, type Expires } from '../../src/certificates.ts';
import { identifiedTransport } from '../../src/flink/identity.ts';
import { startServer } from '../../src/http/server.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { recorder, testApp } from './http/hook-fixture.ts';
import { makeCertificates, NO_FILES } from './tls-fixture.ts';

const brief = makeCertificates('ec', [], 1);
const long = makeCertificates('ec', [], 9);

const endOf = (pem: string): number => Date.parse(new X509Certificate(pem).validTo) / 1000;

/** Remembers the newest of what is told. */
function heard(): { readonly expires: Expires; readonly ends: Map<string, number | undefined> } {
  const ends = new Map<string, number | undefined>();
  return { expires: (variable, notAfter) => void ends.set(variable, notAfter), ends };
}

/** Waits until a change of files has been told; fails after ten seconds. */
async function told(ends: ReadonlyMap<string, number | undefined>, variable: string, end: number): Promise<void> {
  for (let tries = 0; ends.get(variable) !== end; tries++) {
    assert.ok(tries < 1000, `${variable}: ${ends.get(variable)}`);
    // oxlint-disable-next-line no-await-in-loop -- waiting is the point
    await sleep(10);
  }
}

describe('when certificates run out', { skip: (brief === undefined || long === undefined) && 'no openssl' }, () => {
  if (brief === undefined || long === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'flork-certificates-'));
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const { log } = recorder();

  it('is told of the first in a chain or bundle, wherever it stands', () => {
    const [first, later] = [brief.server.cert, brief.ca];
    assert.ok(endOf(first) < endOf(later));
    for (const pem of [first + later, later + first, `# a comment\n${later}\n\n${first}`])
      assert.equal(firstNotAfter(pem), endOf(first));
  });

  it('is not told of what is no certificate', () => {
    const [begin, end] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];
    for (const none of ['', 'none', brief.server.key, `${begin}\nAAAA\n${end}\n`])
      assert.equal(firstNotAfter(none), undefined);
    assert.equal(firstNotAfter(`${begin}\nAAAA\n${end}\n${brief.ca}`), endOf(brief.ca));
  });

  it('is told of PKCS#12', () => {
    assert.equal(notAfterOfPkcs12(brief.pkcs12, 'changeit'), endOf(brief.client.cert));
  });

  it('is told of what the hook serves and whom it trusts, at first and after a renewal', async () => {
    const certFile = file('tls.crt', brief.server.cert);
    const keyFile = file('tls.key', brief.server.key);
    const tls = { certFile, keyFile, clientCaFile: file('ca.crt', brief.ca) };
    const { expires, ends } = heard();
    const server = await startServer({ app: testApp(), port: 0, tls, log, expires, checkMs: 10 });
    const client = ['TLS_CLIENT_CA_FILE', endOf(brief.ca)] as const;
    assert.deepEqual([...ends], [['TLS_CERT_FILE', endOf(brief.server.cert)], client]);
    file('tls.key', long.server.key);
    file('tls.crt', long.server.cert);
    await told(ends, 'TLS_CERT_FILE', endOf(long.server.cert));
    await server.drain(0);
  });

  it('is told of no hook without TLS', async () => {
    const { expires, ends } = heard();
    const server = await startServer({ app: testApp(), port: 0, tls: undefined, log, expires });
    assert.equal(ends.size, 0);
    await server.drain(0);
  });

  it('is told of trust and identity towards Flink, at first and after a renewal', async () => {
    const { expires, ends } = heard();
    const options = { expires, checkMs: 10 };
    const pem = {
      caFile: file('flink-ca', brief.ca),
      certFile: file('cert', brief.client.cert),
      keyFile: file('key', brief.client.key),
    };
    const byPem = identifiedTransport({ ...NO_FILES, ...pem }, log, options);
    assert.deepEqual(
      [...ends],
      [
        ['FLINK_CA_FILE', endOf(brief.ca)],
        ['FLINK_CERT_FILE', endOf(brief.client.cert)],
      ],
    );
    file('key', long.client.key);
    file('cert', long.client.cert);
    await told(ends, 'FLINK_CERT_FILE', endOf(long.client.cert));
    await byPem.close();
    ends.clear();
    const bundle = { pkcs12File: file('p12', brief.pkcs12), pkcs12PasswordFile: file('password', 'changeit\n') };
    const byPkcs12 = identifiedTransport({ ...NO_FILES, ...bundle }, log, options);
    assert.deepEqual([...ends], [['FLINK_PKCS12_FILE', endOf(brief.client.cert)]]);
    file('p12', long.pkcs12);
    await told(ends, 'FLINK_PKCS12_FILE', endOf(long.client.cert));
    await byPkcs12.close();
    ends.clear();
    await identifiedTransport(NO_FILES, log, options).close();
    assert.equal(ends.size, 0);
  });

  it('is a metric for each file, as it is at the scrape, and none for a file that is no longer used', async () => {
    const certificates = new Map([
      ['TLS_CERT_FILE', 1_800_000_000],
      ['FLINK_CA_FILE', 1_900_000_000],
    ]);
    const metrics = createMetrics(certificates);
    const samples = async (): Promise<readonly string[]> =>
      (await metrics.text()).split('\n').filter((line) => line.startsWith('flork_certificate_expiration'));
    const sample = (variable: string, value: number): string =>
      `flork_certificate_expiration_timestamp_seconds{variable="${variable}"} ${value}`;
    assert.deepEqual(await samples(), [sample('TLS_CERT_FILE', 1_800_000_000), sample('FLINK_CA_FILE', 1_900_000_000)]);
    certificates.delete('FLINK_CA_FILE');
    certificates.set('TLS_CERT_FILE', 1_850_000_000);
    assert.deepEqual(await samples(), [sample('TLS_CERT_FILE', 1_850_000_000)]);
    certificates.clear();
    assert.deepEqual(await samples(), []);
  });
});
