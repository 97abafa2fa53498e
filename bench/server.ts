import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { FlinkResponse } from '../src/flink/transport.ts';

/**
 * The measured process: the emitted hook, or the floor, a server that reads and parses the same body and stringifies the same answer.
 * Tells its port, and its CPU time and memory when asked.
 */
export type Told =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'used'; readonly cpuMs: number; readonly rssMiB: number };
export type Setup = {
  readonly kind: 'hook' | 'floor';
  readonly answer: string;
  readonly replies: Readonly<Record<string, FlinkResponse>>;
  readonly now: number;
};

process.on('message', (message: Setup | 'used') => {
  if (message === 'used') {
    const { user, system } = process.cpuUsage();
    tell({ kind: 'used', cpuMs: (user + system) / 1000, rssMiB: process.memoryUsage.rss() / 1024 / 1024 });
  } else {
    void (message.kind === 'floor' ? floor(message) : hook(message)).then((port) => tell({ kind: 'listening', port }));
  }
});

function tell(told: Told): void {
  process.send?.(told);
}

async function floor({ answer }: Setup): Promise<number> {
  const body: unknown = JSON.parse(answer);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const text = JSON.stringify(body);
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
        .end(text);
    });
  });
  server.listen(0);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function hook({ replies, now }: Setup): Promise<number> {
  const dist = new URL('../dist/', import.meta.url);
  const load = <T>(path: string): Promise<T> => import(new URL(path, dist).href) as Promise<T>;
  const { createApp } = await load<typeof import('../src/http/app.ts')>('http/app.js');
  const { startServer } = await load<typeof import('../src/http/server.ts')>('http/server.js');
  const { createLog } = await load<typeof import('../src/telemetry/log.ts')>('telemetry/log.js');
  const { createMetrics } = await load<typeof import('../src/telemetry/metrics.ts')>('telemetry/metrics.js');
  const log = createLog('info', (line) => process.stdout.write(line));
  const app = createApp({
    transport: async ({ path }) =>
      replies[path] ?? { kind: 'error', error: 'unreachable', text: 'not in the scenario' },
    now: () => now,
    log,
    metrics: createMetrics(),
  });
  return (await startServer({ app, port: 0, tls: undefined, log })).port;
}
