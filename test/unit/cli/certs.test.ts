import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { createAuthority, createLeaf } from '../../../src/cli/certs/authority.ts';
import { certified } from '../../../src/http/authenticate.ts';
import { startServer } from '../../../src/http/server.ts';
import { recorder, testApp } from '../http/hook-fixture.ts';

const CLI = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'flork-certs-'));
after(() => rmSync(root, { recursive: true }));

function certs(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'certs', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}
const read = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');
const certificate = (folder: string, name: string) => new X509Certificate(read(folder, name));

describe('flork certs', () => {
  const first = join(root, 'first');

  it('writes a CA, a certificate for the names of the hook, and one for its caller', () => {
    assert.deepEqual(certs('--out', first, '--client', '--days', '30'), { status: 0, stdout: '', stderr: '' });
    const ca = certificate(first, 'ca.crt');
    const server = certificate(first, 'tls.crt');
    const client = certificate(first, 'client.crt');
    assert.ok(ca.ca && ca.verify(ca.publicKey));
    for (const leaf of [server, client]) {
      assert.ok(!leaf.ca && leaf.verify(ca.publicKey) && leaf.checkIssued(ca));
      assert.equal(Math.round((leaf.validToDate.getTime() - Date.now()) / 86_400_000), 30);
    }
    for (const name of ['flork.flork-system.svc', 'flork.flork-system', 'flork-admission.flork-system.svc'])
      assert.equal(server.checkHost(name), name);
    assert.equal(server.checkHost('flork.other.svc'), undefined);
    assert.deepEqual([server.keyUsage, client.keyUsage], [['1.3.6.1.5.5.7.3.1'], ['1.3.6.1.5.5.7.3.2']]);
    for (const key of ['ca.key', 'tls.key', 'client.key']) assert.equal(statSync(join(first, key)).mode & 0o777, 0o600);
  });

  it('overwrites nothing', () => {
    const before = read(first, 'ca.key');
    const { status, stderr } = certs('--out', first);
    assert.equal(status, 2);
    assert.match(stderr, /^flork certs: --out: .*ca\.crt is there already; want an empty folder\n$/);
    assert.equal(read(first, 'ca.key'), before);
    const half = join(root, 'half');
    mkdirSync(half);
    writeFileSync(join(half, 'tls.key'), 'mine');
    assert.equal(certs('--out', half).status, 2);
    assert.deepEqual(readdirSync(half), ['tls.key']);
  });

  it('renews a certificate with the CA that is there', () => {
    const renewed = join(root, 'renewed');
    assert.equal(certs('--out', renewed, '--ca', first).status, 0);
    assert.ok(certificate(renewed, 'tls.crt').verify(certificate(first, 'ca.crt').publicKey));
    assert.equal(read(renewed, 'ca-bundle.crt'), read(first, 'ca.crt'));
    assert.ok(!readdirSync(renewed).includes('ca.key'), 'the key of the CA stays where it is');
  });

  it('replaces the CA with an overlap in which both are trusted', () => {
    const next = join(root, 'next');
    assert.equal(certs('--out', next, '--previous-ca', join(first, 'ca.crt')).status, 0);
    assert.equal(read(next, 'ca-bundle.crt'), read(next, 'ca.crt') + read(first, 'ca.crt'));
    assert.notEqual(read(next, 'ca.crt'), read(first, 'ca.crt'));
  });

  it('prints Secrets that hold no key of the CA', () => {
    const { status, stdout } = certs('--secrets', '--client', '--namespace', 'streams', '--ca', first);
    assert.equal(status, 0);
    const secrets = parseAllDocuments(stdout).map((document) => document.toJS());
    assert.deepEqual(
      secrets.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      ['streams/flork-tls', 'streams/flork-client-tls'],
    );
    for (const { type, stringData } of secrets) {
      assert.equal(type, 'kubernetes.io/tls');
      assert.deepEqual(Object.keys(stringData), ['tls.crt', 'tls.key', 'ca.crt']);
      assert.ok(!JSON.stringify(stringData).includes(JSON.stringify(read(first, 'ca.key')).slice(40, 90)));
    }
    assert.equal(
      new X509Certificate(secrets[0].stringData['tls.crt']).checkHost('flork.streams.svc'),
      'flork.streams.svc',
    );
  });

  it('writes a component with the Secrets and the CA for whoever calls', () => {
    const folder = join(root, 'component');
    assert.equal(certs('--component', folder, '--ca', first).status, 0);
    const [component] = parseAllDocuments(read(folder, 'kustomization.yaml')).map((document) => document.toJS());
    assert.equal(component.kind, 'Component');
    const [controller, webhook] = component.patches.map(({ patch }: { patch: string }) => JSON.parse(patch));
    assert.deepEqual(controller[0], {
      op: 'test',
      path: '/spec/endpointConfigs/0/host',
      value: 'flork.flork-system.svc:8080',
    });
    assert.equal(controller[1].value.inline, read(first, 'ca.crt'));
    assert.equal(Buffer.from(webhook[0].value, 'base64').toString(), read(first, 'ca.crt'));
    assert.equal(statSync(join(folder, 'secrets.yaml')).mode & 0o777, 0o600);
    assert.match(certs('--component', folder).stderr, /--component: .* is there already/);
  });

  for (const [name, args, says] of [
    ['nowhere to put them', [], /^usage/],
    ['a name that is none', ['--secrets', '--namespace', 'A'], /--namespace: is "A"; want a DNS label/],
    ['no number of days', ['--secrets', '--days', 'ten'], /--days: is "ten"; want a number of days/],
    [
      'a CA that is not there',
      ['--secrets', '--ca', '/nowhere'],
      /\/nowhere\/ca\.crt: cannot be read; want a PEM file/,
    ],
    ['an unknown option', ['--secret'], /Unknown option/],
  ] as const) {
    it(`refuses ${name}`, () => {
      const { status, stdout, stderr } = certs(...args);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, says);
    });
  }
});

it('a CA whose key is another one signs nothing', async () => {
  const [one, other] = [await createAuthority('one', 1, Date.now()), await createAuthority('other', 1, Date.now())];
  const leaf = { name: 'x', use: 'server', names: ['x'] } as const;
  await assert.rejects(createLeaf({ cert: one.cert, key: other.key }, leaf, 1, Date.now()), /not its own/);
});

it('the hook serves such a certificate, and knows its caller by one', async () => {
  const folder = join(root, 'served');
  const authority = await createAuthority('flork CA', 1, Date.now());
  const server = await createLeaf(authority, { name: 'flork', use: 'server', names: ['127.0.0.1'] }, 1, Date.now());
  const client = await createLeaf(authority, { name: 'metacontroller', use: 'client', names: [] }, 1, Date.now());
  mkdirSync(folder);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const tls = {
    certFile: file('crt', server.cert),
    keyFile: file('key', server.key),
    clientCaFile: file('ca', authority.cert),
  };
  const { log } = recorder();
  const running = await startServer({ app: testApp({ authenticate: certified }), port: 0, tls, log });
  const status = (identity: object): Promise<number> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: running.port, path: '/customize', method: 'POST', agent: false };
      const outgoing = request({ ...options, ca: authority.cert, ...identity }, (incoming) => {
        incoming.resume();
        resolve(incoming.statusCode ?? 0);
      });
      outgoing.on('error', reject);
      outgoing.end('{}');
    });
  assert.equal(await status({ cert: client.cert, key: client.key }), 400, 'let in, to hear that the body is none');
  assert.equal(await status({}), 401);
  await running.drain(500);
});
