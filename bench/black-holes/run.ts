import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { startJobManagers, type Manner } from './flink.ts';
import { addressOf, createParent, type Answer, type Parent, type Told } from './parents.ts';

/**
 * npm run bench:black-holes: a thousand FlinkJobs over real sockets on loopback, of which a hundred JobManagers accept and never answer,
 * drip, or pour 50 MB. Calls the hook as Metacontroller does with the shipped flags. The floor is the same minute before they begin.
 */
const PARENTS = 1000;
const BLACK_HOLES = 100;
/** kustomize/components/metacontroller: --workers=20; webhook time-out of metacontroller/composite-controller.yaml. */
const WORKERS = 20;
const WEBHOOK_MS = 10_000;
const RESYNC_MS = 60_000;
const MEASURED_MS = Number(process.env['BENCH_SECONDS'] ?? 60) * 1000;
const TARGETS = { longestSeconds: 6, othersP99Seconds: 1 } as const;
const MANNERS: readonly Manner[] = ['never', 'never', 'dripping', 'endless'];

type Sample = {
  readonly parent: Parent;
  readonly waitedMs: number;
  readonly calledMs: number;
  readonly status: number;
};

const created = Date.now() - 3_600_000;
const parents = Array.from({ length: PARENTS }, (_, index) => createParent(index, created));
const byAddress = new Map(parents.map((parent) => [addressOf(parent.name), parent]));
let broken = false;
const isHole = (parent: Parent): boolean => parent.index % (PARENTS / BLACK_HOLES) === 0;
const mannerOf = (parent: Parent): Manner =>
  broken && isHole(parent) ? (MANNERS[Math.floor(parent.index / 10) % MANNERS.length] ?? 'never') : 'well';

const flink = await startJobManagers((address) => {
  const parent = byAddress.get(address);
  return { jobId: parent?.jobId() ?? '', manner: parent === undefined ? 'never' : mannerOf(parent) };
}, created);
const child = fork(new URL('./hook.ts', import.meta.url), {
  env: { ...process.env, FLINK_PORT: String(flink.port) },
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
const [told] = (await once(child, 'message')) as [Told];
const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });

// Metacontroller's work queue: a parent is in it once, and comes back by its timer or at the resync at the latest.
const queue: { readonly parent: Parent; readonly since: number }[] = [];
const queued = new Set<Parent>();
const timers = new Map<Parent, NodeJS.Timeout>();
const idle: (() => void)[] = [];
let samples: Sample[] = [];
let over = false;

function due(parent: Parent): void {
  if (queued.has(parent) || over) return;
  queued.add(parent);
  queue.push({ parent, since: performance.now() });
  idle.shift()?.();
}

async function worker(): Promise<void> {
  for (;;) {
    if (over) return;
    const next = queue.shift();
    if (next === undefined) {
      // oxlint-disable-next-line no-await-in-loop -- waiting is the point
      await new Promise<void>((resolve) => idle.push(resolve));
      continue;
    }
    const { parent, since } = next;
    queued.delete(parent);
    const called = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- a worker does one after the other
    const { status, text } = await post(parent.request());
    const calledMs = performance.now() - called;
    samples.push({ parent, waitedMs: called - since, calledMs, status });
    const answer = status === 200 ? (JSON.parse(text) as Answer) : undefined;
    const changed = answer !== undefined && JSON.stringify(answer.status) !== told200.get(parent);
    if (answer !== undefined) {
      parent.take(answer);
      told200.set(parent, JSON.stringify(answer.status));
    }
    clearTimeout(timers.get(parent));
    const after = changed ? 20 : status === 200 ? (answer?.resyncAfterSeconds ?? RESYNC_MS / 1000) * 1000 : 1000;
    timers.set(
      parent,
      setTimeout(() => due(parent), Math.min(after, RESYNC_MS)),
    );
  }
}
const told200 = new Map<Parent, string>();

function post(body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
    const options = { port: told.port, path: '/sync', method: 'POST', agent, headers, timeout: WEBHOOK_MS };
    const outgoing = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('time-out')));
    outgoing.on('error', (error) => resolve({ status: 0, text: error.message }));
    outgoing.end(body);
  });
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** From falling due to the answer: what a job feels. */
const felt = (of: readonly Sample[]): number[] => of.map(({ waitedMs, calledMs }) => (waitedMs + calledMs) / 1000);
const others = (of: readonly Sample[]): Sample[] => of.filter(({ parent }) => !isHole(parent));
const say = (what: string, text: string): void => console.log(`${what.padEnd(58)} ${text}`);
const judge = (what: string, value: number, target: number): boolean => {
  say(what, `${value.toFixed(3)} s (target under ${target}) ${value < target ? 'ok' : 'MISSED'}`);
  return value < target;
};

const workers = Array.from({ length: WORKERS }, worker);
for (const parent of parents) due(parent);
const patience = performance.now() + 120_000;
// oxlint-disable-next-line no-await-in-loop -- waiting is the point
while (!parents.every((parent) => parent.state() === 'Running') && performance.now() < patience) await sleep(200);
const running = parents.filter((parent) => parent.state() === 'Running').length;
say('FlinkJobs running', `${running} of ${PARENTS}`);
await sleep(RESYNC_MS / 3);
samples = [];
await sleep(MEASURED_MS);
const floor = samples;
samples = [];
broken = true;
await sleep(MEASURED_MS);
const measured = samples;
over = true;
for (const wake of idle.splice(0)) wake();
for (const timer of timers.values()) clearTimeout(timer);
await Promise.race([Promise.all(workers), sleep(WEBHOOK_MS)]);
child.kill('SIGKILL');
agent.destroy();
flink.close();

const holes = measured.filter(({ parent }) => isHole(parent));
const p99 = percentile(felt(others(measured)), 0.99);
const floorP99 = percentile(felt(others(floor)), 0.99);
say('syncs of the others, of black holes', `${others(measured).length}, ${holes.length}`);
say('answers other than 200', String(measured.filter(({ status }) => status !== 200).length));
say(
  'others, from due to answered: median, floor',
  `${percentile(felt(others(measured)), 0.5).toFixed(4)} s, ${percentile(felt(others(floor)), 0.5).toFixed(4)} s`,
);
say(
  'others, p99 against the floor',
  `${p99.toFixed(3)} s, ${floorP99.toFixed(3)} s: ${(p99 / floorP99).toFixed(1)} times`,
);
say(
  'syncs of black holes: median',
  `${percentile(
    holes.map(({ calledMs }) => calledMs / 1000),
    0.5,
  ).toFixed(3)} s`,
);
const verdicts = [
  running === PARENTS && holes.length > BLACK_HOLES / 2,
  judge(
    'longest sync, as Metacontroller sees it',
    Math.max(...measured.map(({ calledMs }) => calledMs)) / 1000,
    TARGETS.longestSeconds,
  ),
  judge('p99 of the others', p99, TARGETS.othersP99Seconds),
];
process.exit(verdicts.every(Boolean) ? 0 : 1);
