import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { request as httpRequest, type Agent } from 'node:http';
import type { Setup, Told } from './server.ts';

/** The measured processes (server.ts) as a bench sees them. */
export type Server = { readonly child: ChildProcess; readonly port: number };

/** Starts one, and waits until it listens. */
export async function serve(setup: Setup): Promise<Server> {
  const child = fork(new URL('./server.ts', import.meta.url), {
    stdio: ['ignore', openSync('/dev/null', 'w'), 'inherit', 'ipc'],
  });
  child.send(setup);
  const told = await next(child);
  if (told.kind !== 'listening') throw new Error('the server did not listen');
  return { child, port: told.port };
}

async function next(child: ChildProcess): Promise<Told> {
  const [told] = (await once(child, 'message')) as [Told];
  return told;
}

/** CPU of the process so far, in milliseconds. */
export async function used({ child }: Server): Promise<number> {
  child.send('used');
  const told = await next(child);
  return told.kind === 'used' ? told.cpuMs : Number.NaN;
}

/** The text of an answer to a POST; rejects when it is not 200. */
export function post(port: number, path: string, body: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = httpRequest({ port, path, method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${response.statusCode}: ${text}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The middle one; of an even number the upper. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
