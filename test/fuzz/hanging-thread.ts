import { parentPort } from 'node:worker_threads';
import type { ToHook } from './hook.ts';

/** A hook that ends its thread at one request, and at any other never comes back. */
parentPort?.on('message', (message: ToHook) => {
  if (message.kind === 'post' && message.text === '') process.exit(3);
  while (message.kind === 'post');
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
parentPort?.postMessage({ kind: 'ready' });
