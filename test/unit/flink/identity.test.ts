import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { identifiedTransport } from '../../../src/flink/identity.ts';
import { recorder } from '../http/hook-fixture.ts';
import { makeCertificates, NO_FILES } from '../tls-fixture.ts';
import { scratch } from '../../scratch.ts';

const certificates = makeCertificates();

describe('the identity towards Flink', { skip: certificates === undefined && 'no openssl' }, () => {
  if (certificates === undefined) return;
  const folder = scratch('identity');
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const { client, server, ca, pkcs12 } = certificates;
  const { log } = recorder();

  it('is read from PEM or PKCS#12', async () => {
    const pem = { caFile: file('ca', ca), certFile: file('cert', client.cert), keyFile: file('key', client.key) };
    await identifiedTransport({ ...NO_FILES, ...pem }, log).close();
    const bundle = { pkcs12File: file('p12', pkcs12), pkcs12PasswordFile: file('password', 'changeit\n') };
    await identifiedTransport({ ...NO_FILES, ...bundle }, log).close();
    await identifiedTransport(NO_FILES, log).close();
  });

  it('is not taken when the file is missing, the key fits no certificate, or the password opens nothing', () => {
    assert.throws(
      () => identifiedTransport({ ...NO_FILES, caFile: '/nowhere' }, log),
      /^Error: FLINK_CA_FILE: is "\/nowhere"/,
    );
    const misfit = { certFile: file('cert', client.cert), keyFile: file('other-key', server.key) };
    assert.throws(() => identifiedTransport({ ...NO_FILES, ...misfit }, log), /mismatch/);
    const closed = { pkcs12File: file('p12', pkcs12), pkcs12PasswordFile: file('wrong', 'other') };
    assert.throws(() => identifiedTransport({ ...NO_FILES, ...closed }, log), /mac verify|invalid/i);
  });
});
