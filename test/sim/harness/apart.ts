import { availableParallelism } from 'node:os';
import { after } from 'node:test';
import { Worker } from 'node:worker_threads';
import { add, coverage } from './coverage.ts';
import type { Answer, Task, Told } from './thread.ts';

/**
 * Histories are told in threads of their own: the test runner follows every promise of the thread that it runs in, which costs a
 * history a sixth of its time.
 */
type Waiting = { readonly task: Task; readonly done: (told: Told) => void; readonly failed: (error: Error) => void };

const THREAD = new URL('./thread.ts', import.meta.url);

const idle: Worker[] = [];
const waiting: Waiting[] = [];
let threads = 0;

/** Tells it as soon as a thread is free, of which there are `most`, and adds what it hit to the coverage; rejects as the task does. */
export function apart(task: Task, most = 1): Promise<Told> {
  return new Promise((done, failed) => {
    waiting.push({ task, done, failed });
    if (idle.length === 0 && threads < Math.min(most, availableParallelism())) {
      threads++;
      idle.push(new Worker(THREAD, { resourceLimits: { maxYoungGenerationSizeMb: 96 } }));
    }
    next();
  });
}

function next(): void {
  if (waiting.length === 0) return;
  const worker = idle.pop();
  if (worker === undefined) return;
  const { task, done, failed } = waiting.shift() as Waiting;
  const fail = (error: Error): void => failed(error);
  worker.once('error', fail);
  worker.once('message', (answer: Answer) => {
    worker.off('error', fail);
    idle.push(worker);
    next();
    if (answer.kind === 'failed') return failed(new Error(answer.message));
    add(coverage, answer.coverage);
    done(answer.told);
  });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(task);
}

after(async () => {
  await Promise.all(idle.map((worker) => worker.terminate()));
});
