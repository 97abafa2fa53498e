import { execFileSync } from 'node:child_process';
import { Agent } from 'node:http';
import type { Setup } from './server.ts';
import { median, post, serve, used, type Server } from './serving.ts';

/**
 * npm run bench:validate: what /validate costs, over HTTP on loopback and one request at a time, beside a floor in the same run: a
 * server that parses the same body and answers as much. Rounds of both alternate; the medians count.
 */
const KIB = 1024;
const ROUNDS = 9;
const REQUESTS = 100;
const TARGET_MS = 20;

const root = new URL('..', import.meta.url).pathname;
execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });

const SMALL = { flinkVersion: '1.20', image: 'flink:1.20', jarURI: 'local:///opt/flink/usrlib/a.jar', parallelism: 1 };
const mount = [{ name: 'state', mountPath: '/state' }];
const TYPICAL = {
  ...SMALL,
  flinkConf: { 'execution.checkpointing.interval': '10s', 'state.checkpoints.dir': 's3://bucket/checkpoints' },
  policies: { savepoint: { directory: 's3://bucket/savepoints', schedule: '6h' }, upgrade: { mode: 'savepoint' } },
  jobManagerResources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { memory: '1Gi' } },
  taskManagerResources: { requests: { cpu: '1', memory: '4Gi' }, limits: { memory: '4Gi' } },
  jobManagerPodSpec: {
    containers: [{ name: 'flink-main-container', volumeMounts: mount }],
    volumes: [{ name: 'state', emptyDir: {} }],
  },
};
/** As much as a spec may hold (src/core/validate/files.ts): settings, each of them judged. */
const LARGEST = { ...TYPICAL, flinkConf: { ...TYPICAL.flinkConf, ...settings(190 * KIB) } };

function settings(bytes: number): Record<string, string> {
  const count = Math.floor(bytes / 70);
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `my.setting.number-${String(index).padStart(6, '0')}`,
      'x'.repeat(70 - 25 - 6),
    ]),
  );
}

/** An update, which carries the object twice. */
function review(spec: object): string {
  const object = (changed: object): object => ({
    apiVersion: 'flork.itom.com/v1',
    kind: 'FlinkJob',
    metadata: { name: 'orders', namespace: 'default', uid: '5f8d1a4e-1111-4222-8333-444455556666' },
    spec: { ...spec, ...changed },
  });
  const kind = { group: 'flork.itom.com', version: 'v1', kind: 'FlinkJob' };
  const request = {
    uid: 'review',
    kind,
    operation: 'UPDATE',
    object: object({ parallelism: 2 }),
    oldObject: object({}),
  };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}

type Round = { readonly cpuMs: number; readonly taken: readonly number[] };

const setup = (kind: Setup['kind'], answer: string): Setup => ({ kind, answer, replies: {}, now: 0 });

/** One round: CPU of a request, and milliseconds from request to answer of each. */
async function round(server: Server, body: string): Promise<Round> {
  const before = await used(server);
  const taken = await times(server.port, body);
  return { cpuMs: ((await used(server)) - before) / REQUESTS, taken };
}

/** Milliseconds from request to answer, of each request. */
async function times(port: number, body: string): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const taken: number[] = [];
  for (let sent = 0; sent < REQUESTS; sent++) {
    const began = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await post(port, '/validate', body, agent);
    taken.push(performance.now() - began);
  }
  agent.destroy();
  return taken;
}

/** Prints one line for a spec; whether its CPU is within the target. */
async function measure(name: string, spec: object): Promise<boolean> {
  const body = review(spec);
  const hook = await serve(setup('hook', '{}'));
  const agent = new Agent();
  const answer = await post(hook.port, '/validate', body, agent);
  agent.destroy();
  if (!answer.includes('"allowed":true')) throw new Error(`${name} is not acceptable: ${answer.slice(0, 500)}`);
  const floor = await serve(setup('floor', answer));
  // oxlint-disable-next-line no-await-in-loop -- warm, one after the other
  for (const { port } of [hook, floor]) await times(port, body);
  const rounds: { readonly hook: Round; readonly floor: Round }[] = [];
  for (let count = 0; count < ROUNDS; count++)
    // oxlint-disable-next-line no-await-in-loop -- one at a time, or they would disturb each other
    rounds.push({ floor: await round(floor, body), hook: await round(hook, body) });
  for (const { child } of [hook, floor]) child.kill();
  const cpu = (of: 'hook' | 'floor'): number => median(rounds.map((each) => each[of].cpuMs));
  const wall = (of: 'hook' | 'floor'): number => median(rounds.flatMap((each) => each[of].taken));
  const ratio = median(rounds.map((each) => each.hook.cpuMs / each.floor.cpuMs));
  const ok = cpu('hook') <= TARGET_MS;
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  console.log(
    `${name.padEnd(8)} ${String(Math.round(body.length / KIB)).padStart(4)} KiB: CPU ${ms(cpu('hook'))} (target at most ${TARGET_MS} ms) ${ok ? 'ok' : 'MISSED'}, floor ${ms(cpu('floor'))}, ${ratio.toFixed(1)} times; median to the answer ${ms(wall('hook'))}, floor ${ms(wall('floor'))}`,
  );
  return ok;
}

const verdicts: boolean[] = [];
for (const [name, spec] of Object.entries({ small: SMALL, typical: TYPICAL, largest: LARGEST }))
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  verdicts.push(await measure(name, spec));
process.exitCode = verdicts.every(Boolean) ? 0 : 1;
