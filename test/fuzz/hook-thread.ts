import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parentPort } from 'node:worker_threads';
import type { FlinkResponse } from '../../src/flink/transport.ts';
import { createApp } from '../../src/http/app.ts';
import type { Log } from '../../src/telemetry/log.ts';
import type { Answered, FromHook, ToHook } from './hook.ts';

/**
 * The hook in a thread of its own, so that what is measured here is its work and nothing of the fuzzer's; what Flink answers is asked
 * of the other thread. A request for the lag is answered with that of this thread's event loop.
 */
const RESOLUTION_MS = 5;
const port = parentPort;
if (port === null) throw new Error('this is no thread of the fuzzer');
const lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
lag.enable();
const waiting = new Map<number, (response: FlinkResponse) => void>();
let asked = 0;
let rules: string[] = [];
let bug = '';
let app = appAt(0);
port.on('message', (message: ToHook) => void take(message));
tell({ kind: 'ready' });

function tell(message: FromHook): void {
  port?.postMessage(message);
}

async function take(message: ToHook): Promise<void> {
  if (message.kind === 'new') app = appAt(message.now);
  else if (message.kind === 'post') tell(await post(message));
  else if (message.kind === 'reply') {
    waiting.get(message.id)?.(message.response);
    waiting.delete(message.id);
  } else tell({ kind: 'lag', p99Ms: beyond(lag.percentile(99)), longestMs: beyond(lag.max) });
}

/** By how much a timer was late. */
function beyond(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}

function appAt(now: number): ReturnType<typeof createApp> {
  const told: Log['info'] = (_, fields) => void rules.push(String(fields?.['rule']));
  return createApp({
    transport: ({ method, path }) =>
      new Promise((resolve) => {
        waiting.set(++asked, resolve);
        tell({ kind: 'ask', id: asked, method, path });
      }),
    now: () => now,
    log: {
      debug: () => undefined,
      info: told,
      warn: told,
      error: (text, fields) => void (bug = `${text} ${JSON.stringify(fields)}`),
    },
  });
}

async function post({ call, text }: Extract<ToHook, { readonly kind: 'post' }>): Promise<Answered> {
  [rules, bug] = [[], ''];
  const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
  const before = process.threadCpuUsage();
  const response = await app.request(`/${call}`, { method: 'POST', body: text, headers });
  const answer = await response.text();
  const { user, system } = process.threadCpuUsage(before);
  const said = { kind: 'answered', status: response.status, answer, rules, bug } as const;
  return { ...said, polluted: isPolluted(), cpuMs: (user + system) / 1000 };
}

function isPolluted(): boolean {
  return 'polluted' in {} || 'polluted' in [] || Object.keys(Object.prototype).length > 0;
}
