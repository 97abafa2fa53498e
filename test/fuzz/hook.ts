import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FlinkRequest, FlinkResponse } from '../../src/flink/transport.ts';
import type { Body } from './corpus.ts';

/** What the thread of the hook is sent. `new` makes another app, which remembers nothing. */
export type ToHook =
  | { readonly kind: 'new'; readonly now: number }
  | { readonly kind: 'post'; readonly call: Body['call']; readonly text: string }
  | { readonly kind: 'reply'; readonly id: number; readonly response: FlinkResponse }
  | { readonly kind: 'lag' };

/** An answer of the hook, the rules that it told of, its complaint of a bug (or ''), and what it cost. */
export type Answered = {
  readonly kind: 'answered';
  readonly status: number;
  readonly answer: string;
  readonly rules: readonly string[];
  readonly bug: string;
  readonly polluted: boolean;
  readonly cpuMs: number;
};
type Asked = Pick<FlinkRequest, 'method' | 'path'>;
/** How late timers of a thread were. */
export type Lag = { readonly kind: 'lag'; readonly p99Ms: number; readonly longestMs: number };
export type FromHook =
  | { readonly kind: 'ready' }
  | Answered
  | Lag
  | (Asked & { readonly kind: 'ask'; readonly id: number });

/** The hook in its thread. What it does not answer in time, or dies of, rejects with a line that says so, and another thread is begun. */
export type Hook = {
  readonly renew: (now: number) => void;
  readonly post: (call: Body['call'], text: string, reply: (asked: Asked) => FlinkResponse) => Promise<Answered>;
  readonly lag: () => Promise<Lag>;
  readonly stop: () => Promise<void>;
};

type Pending = {
  readonly reply: (asked: Asked) => FlinkResponse;
  readonly told: (message: Answered | Lag) => void;
  readonly failed: (reason: unknown) => void;
};

/** `thread` is a module that speaks the two types above; `patienceMs` is how long one request may take. */
export async function startHook(
  patienceMs = 10_000,
  thread: URL = new URL('./hook-thread.ts', import.meta.url),
): Promise<Hook> {
  let pending: Pending | undefined;
  let worker = await begun();

  /** A thread that has said that it is ready: its start is no part of a request. */
  async function begun(): Promise<Worker> {
    const next = new Worker(thread);
    await once(next, 'message');
    next.on('error', (thrown) => pending?.failed(thrown));
    next.on('exit', (code) => pending?.failed(new Error(`the thread ended (${code})`)));
    next.on('message', (message: FromHook) => {
      if (message.kind === 'ask') send({ kind: 'reply', id: message.id, response: asked(message) });
      else if (message.kind !== 'ready') pending?.told(message);
    });
    return next;
  }
  function asked(request: Asked): FlinkResponse {
    return pending?.reply(request) ?? { kind: 'error', error: 'unreachable', text: 'nobody waits for the answer' };
  }
  function send(message: ToHook): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    worker.postMessage(message);
  }

  /** Sends, and waits for what comes back; one at a time. */
  async function exchange(message: ToHook, reply: Pending['reply']): Promise<Answered | Lag> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Answered | Lag>((told, failed) => {
        pending = { reply, told, failed };
        timer = setTimeout(() => failed(new Error(`no answer for ${patienceMs} ms`)), patienceMs);
        send(message);
      });
    } catch (thrown) {
      pending = undefined;
      await worker.terminate();
      worker = await begun();
      throw thrown;
    } finally {
      pending = undefined;
      clearTimeout(timer);
    }
  }
  return {
    renew: (now) => send({ kind: 'new', now }),
    post: async (call, text, reply) => (await exchange({ kind: 'post', call, text }, reply)) as Answered,
    lag: async () => (await exchange({ kind: 'lag' }, asked)) as Lag,
    stop: async () => void (await worker.terminate()),
  };
}
