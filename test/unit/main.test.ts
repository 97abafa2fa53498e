import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeCertificates } from './tls-fixture.ts';
import { readConfig } from '../../src/config.ts';
import { parent, request } from './http/hook-fixture.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
const running: ChildProcess[] = [];
after(() => running.forEach((child) => child.kill('SIGKILL')));

type Flork = {
  readonly child: ChildProcess;
  readonly port: number;
  readonly lines: string[];
  readonly code: Promise<number | null>;
};

function start(env: Record<string, string>): {
  child: ChildProcess;
  lines: string[];
  errors: string[];
  code: Promise<number | null>;
} {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  const lines: string[] = [];
  const errors: string[] = [];
  child.stdout
    ?.setEncoding('utf8')
    .on('data', (text: string) => lines.push(...text.split('\n').filter((line) => line !== '')));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  return { child, lines, errors, code: once(child, 'exit').then(([code]) => code as number | null) };
}

async function listening(env: Record<string, string> = {}): Promise<Flork> {
  const started = start(env);
  for (let tries = 0; tries < 500; tries++) {
    const line = started.lines.find((text) => text.includes('"listening"'));
    if (line !== undefined) return { ...started, port: (JSON.parse(line) as { port: number }).port };
    // oxlint-disable-next-line no-await-in-loop -- waiting is the point
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not listening: ${started.errors.join('')}`);
}

function call(
  port: number,
  path: string,
  options: { body?: string; agent?: Agent; headers?: Record<string, string> } = {},
): Promise<IncomingMessage & { text: string; localPort: number | undefined }> {
  return new Promise((resolve, reject) => {
    const { body, agent, headers } = options;
    const outgoing = httpRequest(
      { port, path, method: body === undefined ? 'GET' : 'POST', headers, ...(agent === undefined ? {} : { agent }) },
      (incoming) => {
        const { localPort } = incoming.socket;
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        incoming.on('end', () => resolve(Object.assign(incoming, { text, localPort })));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('the process', () => {
  it('keeps connections longer than Go does, and ends at once when idle', async () => {
    const flork = await listening();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const first = await call(flork.port, '/healthz', { agent });
    const seconds = Number(/timeout=(\d+)/.exec(String(first.headers['keep-alive']))?.[1]);
    assert.ok(seconds >= 95, String(first.headers['keep-alive']));
    const port = first.localPort;
    assert.equal((await call(flork.port, '/readyz', { agent })).localPort, port);
    flork.child.kill('SIGTERM');
    assert.equal(await flork.code, 0);
    agent.destroy();
    assert.ok(flork.lines.every((line) => typeof JSON.parse(line) === 'object'));
  });

  it('takes a tenant profile from a folder, and takes up a changed one', { timeout: 30_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flork-profile-'));
    const object = parent({}, { image: 'flink:2.3' });
    const kind = { group: 'flork.itom.com', version: 'v1', kind: 'FlinkJob' };
    const body = JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: { uid: 'r', kind, operation: 'CREATE', name: 'a', namespace: 'default', object },
    });
    const headers = { 'content-length': String(Buffer.byteLength(body)) };
    const asked = async (port: number) => (await call(port, '/validate', { body, headers })).text;
    writeFileSync(join(folder, 'volumeKinds'), 'configMap');
    writeFileSync(join(folder, 'imageRegistries'), 'registry.example.com');
    const flork = await listening({ TENANT_PROFILE_DIR: folder });
    assert.match(await asked(flork.port), /is \\"flink:2.3\\"; want an image of a registry/);
    writeFileSync(join(folder, 'imageRegistries'), 'docker.io');
    writeFileSync(join(folder, 'serviceTypes'), 'ClusterIP');
    writeFileSync(join(folder, 'volumeKinds'), 'configMap, emptyDir');
    for (let i = 0; i < 100 && !flork.lines.some((line) => line.includes('tenant profile renewed')); i++) {
      // oxlint-disable-next-line no-await-in-loop -- waiting is the point
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.match(await asked(flork.port), /"allowed":true/);
    flork.child.kill('SIGTERM');
    assert.equal(await flork.code, 0);
    rmSync(folder, { recursive: true });
  });

  it('does not start with a tenant profile that it cannot use', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flork-profile-'));
    writeFileSync(join(folder, 'imageRegistrys'), '');
    for (const [given, line] of [
      [folder, /TENANT_PROFILE_DIR: imageRegistrys: is no list; want one of/],
      [join(folder, 'absent'), /TENANT_PROFILE_DIR: is ".*absent"; want a folder that is there/],
    ] as const) {
      const { code, errors } = start({ TENANT_PROFILE_DIR: given });
      // oxlint-disable-next-line no-await-in-loop -- two of them
      assert.equal(await code, 2);
      assert.match(errors.join(''), line);
    }
    rmSync(folder, { recursive: true });
  });

  it('on SIGTERM is not ready, finishes what is in flight, and exits 0', async () => {
    const flork = await listening();
    const body = JSON.stringify({ controller: {}, parent: parent() });
    const outgoing = httpRequest({
      port: flork.port,
      path: '/customize',
      method: 'POST',
      headers: { 'content-length': String(body.length) },
    });
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    outgoing.write(body.slice(0, 10));
    await new Promise((resolve) => setTimeout(resolve, 100));
    flork.child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await call(flork.port, '/readyz')).statusCode, 503);
    outgoing.end(body.slice(10));
    const [response] = await answered;
    assert.equal(response.statusCode, 200);
    assert.equal(response.headers['connection'], 'close');
    response.resume();
    assert.equal(await flork.code, 0);
  });

  it('does not wait for ever, and not at all after a second signal', async () => {
    const stuck = async (flork: Flork): Promise<void> => {
      const outgoing = httpRequest({
        port: flork.port,
        path: '/customize',
        method: 'POST',
        headers: { 'content-length': '100' },
      });
      outgoing.on('error', () => {});
      outgoing.write('{');
      await new Promise((resolve) => setTimeout(resolve, 100));
      flork.child.kill('SIGTERM');
    };
    const bounded = await listening({ DRAIN_SECONDS: '1' });
    await stuck(bounded);
    assert.equal(await bounded.code, 0);
    const second = await listening({ DRAIN_SECONDS: '600' });
    await stuck(second);
    await new Promise((resolve) => setTimeout(resolve, 100));
    second.child.kill('SIGTERM');
    assert.equal(await second.code, 1);
  });

  it('names a bad value in one line and exits 2', async () => {
    const started = start({ MAX_IN_FLIGHT: 'many' });
    assert.equal(await started.code, 2);
    assert.equal(started.errors.join(''), 'flork: MAX_IN_FLIGHT: is "many"; want a whole number within 1..10000\n');
    const tokenless = start({ FLORK_PODS: 'read', SERVICE_ACCOUNT_DIR: '/nowhere' });
    assert.equal(await tokenless.code, 2);
    assert.equal(
      tokenless.errors.join(''),
      'flork: SERVICE_ACCOUNT_DIR: is "/nowhere/token"; want a file that can be read\n',
    );
    const missing = start({ FLINK_CA_FILE: '/nowhere/ca.pem' });
    assert.equal(await missing.code, 2);
    assert.match(
      missing.errors.join(''),
      /^flork: FLINK_CA_FILE: is "\/nowhere\/ca\.pem"; want a file that can be read\n$/,
    );
  });

  it('exits when its port is taken', async () => {
    const taken = createServer((socket: Socket) => socket.destroy()).listen(0);
    await once(taken, 'listening');
    const started = start({ PORT: String((taken.address() as AddressInfo).port) });
    assert.equal(await started.code, 2);
    taken.close();
  });

  it('answers the hooks over HTTP: chunked, too long, and not JSON', async () => {
    const flork = await listening({ MAX_BODY_BYTES: '4096' });
    const body = JSON.stringify({ controller: {}, parent: parent() });
    const chunked = { 'transfer-encoding': 'chunked' };
    assert.equal((await call(flork.port, '/customize', { body })).statusCode, 200);
    assert.equal((await call(flork.port, '/customize', { body, headers: chunked })).statusCode, 200);
    assert.equal((await call(flork.port, '/customize', { body: ' '.repeat(5000) })).statusCode, 413);
    assert.equal((await call(flork.port, '/customize', { body: ' '.repeat(5000), headers: chunked })).statusCode, 413);
    assert.equal((await call(flork.port, '/sync', { body: 'x' })).statusCode, 400);
    assert.equal(
      (await call(flork.port, '/sync', { body: JSON.stringify(request({ children: null })) })).statusCode,
      400,
    );
    assert.match((await call(flork.port, '/metrics')).text, /flork_hook_answers_total/);
    flork.child.kill('SIGTERM');
    assert.equal(await flork.code, 0);
  });
});

describe('the process with a port for the API server', () => {
  it('answers /validate there, and no hook', async () => {
    const flork = await listening({ ADMISSION_PORT: '0' });
    const { admission } = JSON.parse(flork.lines.find((line) => line.includes('"listening"')) ?? '{}') as {
      admission: number;
    };
    assert.equal((await call(admission, '/validate', { body: '{}' })).statusCode, 400);
    assert.equal((await call(admission, '/readyz')).statusCode, 200);
    const body = JSON.stringify(request());
    assert.equal((await call(flork.port, '/customize', { body })).statusCode, 200);
    for (const path of ['/sync', '/finalize', '/customize'])
      assert.equal((await call(admission, path, { body })).statusCode, 404);
    assert.equal((await call(admission, '/metrics')).statusCode, 404);
    flork.child.kill('SIGTERM');
    assert.equal(await flork.code, 0);
  });
});

describe('the process with TLS', () => {
  it('serves its certificate, and does not start without its key', async (t) => {
    const certificates = makeCertificates();
    if (certificates === undefined) return t.skip('no openssl');
    const { folder, ca } = certificates;
    const files = { TLS_CERT_FILE: join(folder, 'server.crt'), TLS_KEY_FILE: join(folder, 'server.key') };
    const flork = await listening(files);
    const outgoing = httpsGet({ port: flork.port, path: '/readyz', ca, agent: false });
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    response.resume();
    const asked = httpsGet({ port: flork.port, path: '/metrics', ca, agent: false });
    const [metrics] = (await once(asked, 'response')) as [IncomingMessage];
    const end = Date.parse(new X509Certificate(certificates.server.cert).validTo) / 1000;
    const expiration = `flork_certificate_expiration_timestamp_seconds{variable="TLS_CERT_FILE"} ${end}`;
    assert.ok((await text(metrics)).split('\n').includes(expiration));
    flork.child.kill('SIGTERM');
    assert.equal(await flork.code, 0);
    assert.equal(await start({ ...files, TLS_KEY_FILE: join(folder, 'nothing') }).code, 2);
  });
});

describe('the configuration', () => {
  it('has defaults, and takes an empty value for none', () => {
    const read = readConfig({ FLORK_TENANT: '', PORT: '' });
    assert.ok(read.kind === 'config');
    assert.equal(read.config.port, 8080);
    assert.equal(read.config.hook.namespaces, '*');
    assert.equal(read.config.hook.tenant, undefined);
    assert.equal(read.config.readsPods, false);
    assert.ok(Object.isFrozen(read.config) && Object.isFrozen(read.config.hook));
  });

  it('reads who shows the pods', () => {
    for (const [given, readsPods] of [
      ['shown', false],
      ['read', true],
    ] as const) {
      const read = readConfig({ FLORK_PODS: given });
      assert.ok(read.kind === 'config');
      assert.equal(read.config.readsPods, readsPods);
    }
  });

  it('reads namespaces and tenant', () => {
    const read = readConfig({ FLORK_NAMESPACES: 'bar, baz', FLORK_TENANT: 'second', LOG_LEVEL: 'debug' });
    assert.ok(read.kind === 'config');
    assert.deepEqual(read.config.hook.namespaces, ['bar', 'baz']);
    assert.equal(read.config.hook.tenant, 'second');
    assert.equal(read.config.logLevel, 'debug');
  });

  for (const [env, line] of [
    [{ PORT: '70000' }, 'PORT: is "70000"; want a whole number within 0..65535'],
    [{ FLORK_NAMESPACES: 'Bar' }, 'FLORK_NAMESPACES: is "Bar"; want * or namespaces separated by commas'],
    [{ FLORK_PODS: 'none' }, 'FLORK_PODS: is "none"; want shown or read'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL: is "loud"; want one of debug, info, warning, error'],
    [{ TLS_CERT_FILE: '/x' }, 'TLS_KEY_FILE: is not set; want a key together with a certificate'],
  ] as const) {
    it(`refuses ${JSON.stringify(env)}`, () => {
      assert.deepEqual(readConfig(env), { kind: 'invalid', line });
    });
  }
});
