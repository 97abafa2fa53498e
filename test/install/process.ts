import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A process that a test started. */
export type Running = { readonly output: () => string; readonly stop: () => Promise<void> };

/** Starts a process and keeps what it prints; `stop` ends it and waits. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Running {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const ended = once(child, 'exit').catch((error: unknown) => void (printed += String(error)));
  return {
    output: () => printed,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
