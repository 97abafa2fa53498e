import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { settledScenario, type Scenario } from './scenario.ts';
import type { Setup } from './server.ts';
import { median, post, serve, used, type Server } from './serving.ts';

/**
 * npm run bench: what the hook costs beside a floor in the same run, on the emitted JS. Prints, and writes nothing but dist.
 * Rounds of both alternate, so that a noisy machine disturbs both; the median of the rounds' ratios counts.
 */
const KIB = 1024;
const ROUNDS = 9;
const REQUESTS = 400;
const WARM_UP = 1500;
const TARGETS = { ratio: 1.5, rssMiB: 90, readySeconds: 0.6 } as const;

const root = new URL('..', import.meta.url).pathname;
execFileSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
const scenario = await settledScenario(32 * KIB);
await checkSame(scenario);
const verdicts = [await cpu(scenario), await memoryAndStart()].flat();
process.exitCode = verdicts.every(Boolean) ? 0 : 1;

/** CPU per sync of the hook and of the floor. */
async function cpu(given: Scenario): Promise<boolean[]> {
  const [hook, floor] = [await serve(setup('hook', given)), await serve(setup('floor', given))];
  await fire(hook.port, fresh(given.request), WARM_UP);
  await fire(hook.port, given.request, WARM_UP);
  await fire(floor.port, given.request, WARM_UP);
  const rounds: { readonly poll: number; readonly fresh: number; readonly floor: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // One at a time, or they would disturb each other.
    rounds.push({
      // oxlint-disable-next-line no-await-in-loop
      floor: await cost(floor, given.request),
      // oxlint-disable-next-line no-await-in-loop
      poll: await cost(hook, given.request),
      // oxlint-disable-next-line no-await-in-loop
      fresh: await cost(hook, fresh(given.request)),
    });
  }
  hook.child.kill();
  floor.child.kill();
  const size = `${Math.round(given.request.length / KIB)} KiB request, ${Math.round(given.answer.length / KIB)} KiB answer`;
  const used = (of: 'poll' | 'fresh' | 'floor'): string => `${median(rounds.map((round) => round[of])).toFixed(2)} ms`;
  print(`CPU per sync (${size})`, `${used('poll')}; floor ${used('floor')}; when the request is new ${used('fresh')}`);
  const ratio = (of: 'poll' | 'fresh'): number => median(rounds.map((round) => round[of] / round.floor));
  print('  ratio to the floor when the request is new', `${ratio('fresh').toFixed(2)} times (no target)`);
  return [judge('  ratio to the floor, poll of a settled job', ratio('poll'), TARGETS.ratio, 'times')];
}

/** A poll of a settled job repeats its request to the letter; a request that was not seen before costs reading it, too. */
type Requests = string | ((sent: number) => string);

function fresh(request: string): Requests {
  let number = 0;
  return () => request.replace('"controller":{', `"controller":{"bench":${number++},`);
}

function setup(kind: Setup['kind'], { answer, replies, now }: Scenario): Setup {
  return { kind, answer, replies, now };
}

async function cost(server: Server, request: Requests): Promise<number> {
  const before = await used(server);
  await fire(server.port, request, REQUESTS);
  return ((await used(server)) - before) / REQUESTS;
}

/** Sends requests one after the other over a kept connection, as one worker of Metacontroller does. */
async function fire(port: number, requests: Requests, times: number): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let answer = '';
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (let sent = 0; sent < times; sent++)
    answer = await post(port, '/sync', typeof requests === 'string' ? requests : requests(sent), agent);
  agent.destroy();
  return answer;
}

/** The measured hook must decide as the model's did: else something else would be measured. */
async function checkSame(given: Scenario): Promise<void> {
  const { child, port } = await serve(setup('hook', given));
  const answer = await fire(port, given.request, 1);
  child.kill();
  if (answer !== given.answer) throw new Error('the emitted hook answers otherwise than the model saw');
}

/** The process as shipped: start to ready, and resident memory when idle. */
async function memoryAndStart(): Promise<boolean[]> {
  const starts: number[] = [];
  const memories: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    const child = spawn(process.execPath, [`${root}dist/main.js`], {
      env: { PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // oxlint-disable-next-line no-await-in-loop -- one process at a time
    await once(child.stdout, 'data');
    starts.push((performance.now() - began) / 1000);
    // oxlint-disable-next-line no-await-in-loop -- what the start left behind is collected when idle
    await new Promise((resolve) => setTimeout(resolve, 2000));
    memories.push(residentMiB(child.pid));
    child.kill('SIGKILL');
  }
  return [
    judge('process start to ready, best of 5', Math.min(...starts), TARGETS.readySeconds, 's'),
    judge('resident memory, idle', median(memories), TARGETS.rssMiB, 'MiB'),
  ];
}

function residentMiB(pid: number | undefined): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / KIB;
}

function judge(what: string, value: number, target: number, unit: string): boolean {
  print(what, `${value.toFixed(2)} ${unit} (target at most ${target}) ${value <= target ? 'ok' : 'MISSED'}`);
  return value <= target;
}

function print(what: string, says: string): void {
  console.log(`${what.padEnd(54)} ${says}`);
}
