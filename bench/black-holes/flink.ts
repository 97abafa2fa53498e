import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a JobManager answers: as Flink does, or in one of the ways in which nobody may be held up. */
export type Manner = 'well' | 'never' | 'dripping' | 'endless';

/** All JobManagers of the bench: one server, told apart by the loopback address that is called. */
export async function startJobManagers(
  of: (address: string) => { readonly jobId: string; readonly manner: Manner },
  start: number,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer((request, response) => {
    const { jobId, manner } = of(request.socket.localAddress?.replace('::ffff:', '') ?? '');
    if (manner === 'well') {
      const [status, body] = replyOfFlink(request.url ?? '', jobId, start, Date.now());
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } else if (manner === 'dripping') drip(response);
    else if (manner === 'endless') pour(response);
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 200);
  response.on('close', () => clearInterval(timer));
}

/** 50 MB, as fast as they are taken. */
function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  let left = 50 * 1024 * 1024;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  more();
}

/** What a JobManager says of a job that has run since `start`, with all tasks, and is stable: it counts checkpoints and names none. */
export function replyOfFlink(path: string, jobId: string, start: number, now: number): readonly [number, unknown] {
  if (path === '/jobs/overview') {
    const tasks = {
      total: 2,
      created: 0,
      scheduled: 0,
      deploying: 0,
      running: 2,
      finished: 0,
      canceling: 0,
      canceled: 0,
      failed: 0,
      reconciling: 0,
      initializing: 0,
    };
    return [
      200,
      { jobs: [{ jid: jobId, name: 'Counting', state: 'RUNNING', 'start-time': start, 'end-time': -1, tasks }] },
    ];
  }
  if (path === '/config') return [200, { 'flink-version': '1.20.4' }];
  if (path.endsWith('/checkpoints/config')) {
    const externalization = { enabled: true, delete_on_cancellation: false };
    return [200, { mode: 'exactly_once', interval: 10_000, timeout: 600_000, externalization }];
  }
  if (path.endsWith('/checkpoints')) {
    const counts = { restored: 0, total: 1, in_progress: 0, completed: 1, failed: 0 };
    return [200, { counts, latest: { completed: null, savepoint: null, failed: null, restored: null }, history: [] }];
  }
  if (path === `/jobs/${jobId}`) {
    return [200, { jid: jobId, state: 'RUNNING', now, timestamps: { RUNNING: start }, vertices: [{ parallelism: 1 }] }];
  }
  return [404, { errors: ['Not found'] }];
}
