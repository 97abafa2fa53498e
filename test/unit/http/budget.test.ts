import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { Duty } from '../../../src/core/duty.ts';
import type { FlinkCommand, Questions } from '../../../src/core/flink-view.ts';
import type { Pods, ReadPods } from '../../../src/kube/pods.ts';
import type { FlinkResponse, Transport } from '../../../src/flink/transport.ts';
import { outcome, post, request, testApp } from './hook-fixture.ts';

/** The longest that a sync may hold Metacontroller, whatever Flink and the API server do. */
const LONGEST_MS = 6000;

const service = { name: 'wordcount-rest', namespace: 'default', port: 8081, scheme: 'http' as const };
const JOB = 'a'.repeat(32);
const ASK: Questions = {
  kind: 'ask',
  service,
  jobIds: [JOB],
  wants: {
    detail: true,
    checkpoints: true,
    checkpointConfig: true,
    exceptions: true,
    flinkVersion: true,
    bounds: true,
    restarts: true,
  },
  trigger: { kind: 'savepoint', jobId: JOB, triggerId: 'b'.repeat(32) },
};
const CANCEL: FlinkCommand = { kind: 'cancel', jobId: JOB, service };
const DELETE: Duty = { kind: 'delete-self', namespace: 'default', job: 'wordcount', uid: 'u' };
const tasks = { total: 1, running: 1, finished: 0 };
const OVERVIEW = JSON.stringify({ jobs: [{ jid: JOB, name: 'x', state: 'RUNNING', tasks }] });

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

/** Answers after so long, or gives up as the real transport does: at the call's time-out or the end of the sync. */
const slow =
  (after: (method: string, path: string) => number): Transport =>
  ({ method, path, timeoutMs }, signal) =>
    new Promise((resolve) => {
      const done = (response: FlinkResponse): void => resolve(response);
      const late = (): void => done({ kind: 'error', error: 'timeout', text: 'late' });
      if (signal.aborted) return late();
      signal.addEventListener('abort', late, { once: true });
      setTimeout(late, timeoutMs);
      const text = path === '/jobs/overview' ? OVERVIEW : '{}';
      setTimeout(() => done({ kind: 'response', status: 200, text }), after(method, path));
      return undefined;
    });

/** Reads pods after so long, or gives up as src/kube/api.ts does. */
const slowPods =
  (after: number): ReadPods =>
  (_, timeoutMs) =>
    new Promise<Pods>((resolve) => {
      setTimeout(() => resolve({ kind: 'unread', why: 'late' }), timeoutMs);
      setTimeout(() => resolve({ kind: 'read', pods: [] }), after);
    });

/** Virtual milliseconds until the hook has answered. */
async function answeredAfter(transport: Transport, readPods?: ReadPods, want = 200): Promise<number> {
  const app = testApp({
    transport,
    ...(readPods === undefined ? {} : { readPods }),
    questions: () => ASK,
    reconcile: () => outcome({ commands: [CANCEL, CANCEL, CANCEL], duties: [DELETE] }),
    duties: {
      kinds: ['delete-self'],
      // An API server that accepts and never answers.
      perform: (duties, signal) =>
        new Promise((resolve) => {
          const give = (): void => resolve(duties.map((duty) => ({ duty, kind: 'unknown', text: '' })));
          if (signal.aborted) give();
          else signal.addEventListener('abort', give, { once: true });
        }),
    },
  });
  let status = 0;
  const answer = post(app, '/sync', request()).then((response) => (status = response.status));
  for (let ms = 0; ms <= 20_000; ms += 50) {
    // oxlint-disable-next-line no-await-in-loop -- what waits for these timers goes on before the next
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (status !== 0) {
      await answer;
      assert.equal(status, want, 'a slow Flink is a view, not an error');
      return ms;
    }
    mock.timers.tick(50);
  }
  return assert.fail('never answered');
}

const NEVER = 1_000_000;

describe('a sync holds Metacontroller for six seconds at most', () => {
  for (const [what, after] of [
    ['when nothing is ever answered', () => NEVER],
    [
      'when the first answer comes late and no other does',
      (_: string, path: string) => (path === '/jobs/overview' ? 2900 : NEVER),
    ],
    ['when every answer comes late', () => 2900],
    ['when questions are answered and commands are not', (method: string) => (method === 'GET' ? 10 : NEVER)],
  ] as const) {
    it(what, async () => {
      const ms = await answeredAfter(slow(after));
      assert.ok(ms < LONGEST_MS, `${ms} ms`);
    });

    it(`${what}, and the pods are read as late as they may be`, async () => {
      const ms = await answeredAfter(slow(after), slowPods(1850));
      assert.ok(ms < LONGEST_MS, `${ms} ms`);
    });
  }

  it('and for one that does not answer about pods a third of that: nothing else is asked then', async () => {
    const ms = await answeredAfter(() => assert.fail('Flink was called'), slowPods(NEVER), 503);
    assert.ok(ms < LONGEST_MS / 3, `${ms} ms`);
  });

  it('and not for an API server either', async () => {
    const ms = await answeredAfter(slow(() => 10));
    assert.ok(ms < LONGEST_MS, `${ms} ms`);
  });
});
