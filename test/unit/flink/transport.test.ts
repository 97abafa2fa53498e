import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import {
  isAllowedAddress,
  refusal,
  undiciTransport,
  type FlinkRequest,
  type FlinkResponse,
  type UndiciTransport,
} from '../../../src/flink/transport.ts';
import { SERVICE } from './flink-fixture.ts';

const request = (change: Partial<FlinkRequest> = {}): FlinkRequest => ({
  service: SERVICE,
  method: 'GET',
  path: '/config',
  timeoutMs: 10_000,
  ...change,
});
const open: (Server | UndiciTransport | ReturnType<typeof createTcpServer>)[] = [];
after(async () => {
  for (const each of open) await each.close();
});

async function callServer(listener: RequestListener, change: Partial<FlinkRequest> = {}): Promise<FlinkResponse> {
  const server = createServer(listener);
  open.unshift(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return callPort((server.address() as AddressInfo).port, change);
}

async function callPort(
  port: number,
  change: Partial<FlinkRequest> = {},
  signal = new AbortController().signal,
): Promise<FlinkResponse> {
  const transport = undiciTransport({ resolve: () => ({ host: '127.0.0.1', port }), maxResponseBytes: 1000 });
  open.unshift(transport);
  return transport(request(change), signal);
}

describe('the transport', () => {
  it('keeps a connection, but leaves whoever answers with an error', async () => {
    const ports: (number | undefined)[] = [];
    const statuses = [200, 200, 404, 404, 200, 200];
    const server = createServer((incoming, outgoing) => {
      ports.push(incoming.socket.remotePort);
      outgoing.writeHead(statuses[ports.length - 1] ?? 500).end('{}');
    });
    open.unshift(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const transport = undiciTransport({ resolve: () => ({ host: '127.0.0.1', port }) });
    open.unshift(transport);
    for (const status of statuses) {
      const response = await transport(request(), new AbortController().signal);
      assert.equal(response.kind === 'response' && response.status, status);
      await new Promise((resolve) => setTimeout(resolve, 10)); // the connection is free again
    }
    const [first, second, third, fourth, fifth] = ports;
    assert.deepEqual([second, third, fourth], [first, first, first], 'one connection up to the call after the error');
    assert.notEqual(fifth, first);
  });

  it('carries method, path and body, and brings back status and text', async () => {
    const response = await callServer(
      (incoming, outgoing) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () =>
          outgoing.writeHead(202).end(`${incoming.method} ${incoming.url} ${Buffer.concat(chunks).toString()}`),
        );
      },
      { method: 'POST', path: '/jobs/x/stop?a=b', body: { drain: false } },
    );
    assert.deepEqual(response, { kind: 'response', status: 202, text: 'POST /jobs/x/stop?a=b {"drain":false}' });
  });

  it('does not follow a redirect', async () => {
    const response = await callServer((_incoming, outgoing) =>
      outgoing.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    assert.equal(response.kind === 'response' && response.status, 302);
  });

  it('keeps connections, but none for long: it may have reached a stranger', async () => {
    const ports: (number | undefined)[] = [];
    const server = createServer(({ socket }, outgoing) => {
      ports.push(socket.remotePort);
      outgoing.end();
    });
    open.unshift(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const transport = undiciTransport({ resolve: () => ({ host: '127.0.0.1', port }), connectionMs: 1500 });
    open.unshift(transport);
    const calls = async (): Promise<Set<number | undefined>> => {
      ports.length = 0;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (let call = 0; call < 6; call++) await transport(request(), new AbortController().signal);
      return new Set(ports);
    };
    const first = await calls();
    assert.ok(first.size <= 2);
    await new Promise((resolve) => setTimeout(resolve, 1600));
    const later = await calls();
    assert.ok([...first].every((one) => !later.has(one)));
  });

  it('stops reading an answer that is too long', async () => {
    const response = await callServer((_incoming, outgoing) => {
      const timer = setInterval(() => outgoing.write('x'.repeat(600)), 1);
      outgoing.on('close', () => clearInterval(timer));
    });
    assert.equal(response.kind === 'error' && response.error, 'unexpected-reply');
  });

  it('names time-outs, refusals, and what does not speak HTTP', async () => {
    const slow = await callServer(() => {}, { timeoutMs: 50 });
    assert.equal(slow.kind === 'error' && slow.error, 'timeout');
    const half = await callServer((_incoming, outgoing) => void outgoing.writeHead(200).write('{'), { timeoutMs: 50 });
    assert.equal(half.kind === 'error' && half.error, 'timeout');
    const refused = await callPort(1);
    assert.equal(refused.kind === 'error' && refused.error, 'unreachable');
    const tcp = createTcpServer((socket) => socket.end('SSH-2.0-x\r\n'));
    open.unshift(tcp);
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const other = await callPort((tcp.address() as AddressInfo).port);
    assert.equal(other.kind === 'error' && other.error, 'unexpected-reply');
    const tls = await callServer((_incoming, outgoing) => outgoing.end(), { service: { ...SERVICE, scheme: 'https' } });
    assert.equal(tls.kind === 'error' && tls.error, 'tls');
    const gone = await callPort(1, {}, AbortSignal.abort());
    assert.equal(gone.kind === 'error' && gone.error, 'timeout');
  });

  it('refuses to call anything but a Service by its name', async () => {
    for (const service of [
      { ...SERVICE, name: 'a.b' },
      { ...SERVICE, name: 'x@169.254.169.254' },
      { ...SERVICE, name: '' },
      { ...SERVICE, namespace: 'default/..' },
      { ...SERVICE, namespace: 'A' },
      { ...SERVICE, port: 0 },
      { ...SERVICE, port: 8081.5 },
    ]) {
      assert.notEqual(refusal(request({ service })), undefined, JSON.stringify(service));
    }
    assert.notEqual(refusal(request({ path: '/a/../b' })), undefined);
    assert.notEqual(refusal(request({ path: '/host\u0000' })), undefined);
    assert.notEqual(refusal(request({ path: 'jobs' })), undefined);
    assert.equal(refusal(request()), undefined);
    const transport = undiciTransport();
    open.unshift(transport);
    const response = await transport(request({ service: { ...SERVICE, name: 'a.b' } }), new AbortController().signal);
    assert.equal(response.kind === 'error' && response.error, 'refused');
  });

  it('connects to no address of the node or of a cloud', () => {
    for (const address of [
      '127.0.0.1',
      '169.254.169.254',
      '0.0.0.0',
      '::1',
      'fe80::1',
      '::ffff:127.0.0.1',
      '224.0.0.1',
    ]) {
      assert.equal(isAllowedAddress(address), false, address);
    }
    for (const address of ['10.96.0.1', '172.16.1.1', '192.168.1.1', '100.64.1.1', 'fd00::1']) {
      assert.equal(isAllowedAddress(address), true, address);
    }
  });
});
