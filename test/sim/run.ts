import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { conclude, coverage, report } from './harness/coverage.ts';
import { explore, subjects, type Share } from './harness/explore.ts';
import { FLOWS } from './harness/catalogue.ts';
import { randomHistory } from './harness/random.ts';

/**
 * `npm run sim -- --seed N --histories M`: random histories from seed N on; a failure prints its seed, its shrunk story and the
 * invariant. `--plans all`: also every plan of every flow, `--plans both`: under both apply strategies. `--of N`: of flows
 * that are not core flows only each N-th plan. `--workers K`: in K threads.
 */
type Options = {
  readonly first: number;
  readonly histories: number;
  readonly plans: 'none' | 'one' | 'both';
  readonly part: number;
  readonly parts: number;
  readonly of: number;
};
type Message =
  | { readonly kind: 'failure'; readonly message: string }
  | { readonly kind: 'plans'; readonly flow: string; readonly ran: number; readonly ms: number }
  | { readonly kind: 'history'; readonly end: string; readonly faults: readonly string[]; readonly counts: boolean }
  | { readonly kind: 'report'; readonly text: string };

/** Runs a part of everything; memory does not grow with the number of histories. */
async function runPart(options: Options, tell: (message: Message) => void): Promise<void> {
  const { part, parts, of } = options;
  for (const subject of options.plans === 'none' ? [] : subjects(FLOWS, options.plans)) {
    const started = performance.now();
    const share: Share = { kind: 'all', part, parts: subject.flow.core === true ? parts : parts * of };
    // oxlint-disable-next-line no-await-in-loop -- each in a world of its own, one after the other
    const { plans, failures } = await explore(subject, share);
    const flow = `${subject.flow.name}, ${subject.options.strategy}`;
    tell({ kind: 'plans', flow, ran: plans, ms: performance.now() - started });
    for (const message of failures) tell({ kind: 'failure', message });
  }
  for (let seed = options.first + part; seed < options.first + options.histories; seed += parts) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one history at a time, so that a seed is all there is to it
      const told = await randomHistory(seed);
      conclude(told.history);
      tell({ kind: 'history', end: told.end, faults: told.faults, counts: told.counts });
    } catch (error) {
      tell({ kind: 'failure', message: error instanceof Error ? error.message : String(error) });
    }
  }
  tell({ kind: 'report', text: report(coverage) });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      histories: { type: 'string', default: '300' },
      plans: { type: 'string', default: 'none' },
      workers: { type: 'string', default: '1' },
      of: { type: 'string', default: '1' },
      /** Only the first line of each failure, and all of them. */
      keep: { type: 'boolean', default: false },
    },
  });
  const parts = Number(values.workers);
  const histories = Number(values.histories);
  const plans = values.plans === 'all' ? 'one' : values.plans === 'both' ? 'both' : 'none';
  const totals = { histories: 0, counted: 0, plans: 0, failed: 0, planMs: 0 };
  const ends = new Map<string, number>();
  const faults = new Map<string, number>();
  const flows = new Map<string, number>();
  const started = performance.now();
  const more = (map: Map<string, number>, name: string, by = 1): void => {
    map.set(name, (map.get(name) ?? 0) + by);
  };
  const hear = (message: Message): void => {
    switch (message.kind) {
      case 'failure':
        totals.failed++;
        console.log(values.keep ? message.message.split('\n')[0] : `\n${message.message}\n`);
        if (!values.keep && totals.failed >= 5) process.exit(1);
        break;
      case 'plans':
        totals.plans += message.ran;
        totals.planMs = performance.now() - started;
        more(flows, message.flow, message.ran);
        break;
      case 'history':
        totals.histories++;
        if (message.counts) totals.counted++;
        more(ends, message.end);
        for (const name of message.faults) more(faults, name);
        if (totals.histories % 10_000 === 0) console.log(`${totals.histories} histories`);
        break;
      case 'report':
        console.log(message.text);
        break;
      default:
        message satisfies never;
    }
  };
  const options = { first: Number(values.seed), histories, plans, parts, of: Number(values.of) } as const;
  if (parts === 1) await runPart({ ...options, part: 0 }, hear);
  else await Promise.all(Array.from({ length: parts }, (_, part) => inWorker({ ...options, part }, hear)));
  const ms = performance.now() - started;
  const list = (rows: ReadonlyMap<string, number>): string =>
    [...rows].map(([name, count]) => `${name} ${count}`).join(', ');
  const rate = (count: number, within: number): number => Math.round((count * 60_000) / Math.max(1, within));
  if (flows.size > 0) {
    console.log(`plans: ${list(flows)}`);
    console.log(
      `${totals.plans} plans in ${Math.round(totals.planMs / 1000)} s, ${rate(totals.plans, totals.planMs)} a minute`,
    );
  }
  console.log(`ends: ${list(ends)}`);
  console.log(`faults: ${list(faults)}`);
  console.log(
    `${totals.histories} histories, ${totals.counted} of them a life under faults, ${rate(totals.histories, ms - totals.planMs)} a minute; ${totals.failed} failed; ${Math.round(ms / 1000)} s in all`,
  );
  process.exitCode = totals.failed > 0 ? 1 : 0;
}

function inWorker(options: Options, hear: (message: Message) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: options });
    worker.on('message', hear);
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
}

if (isMainThread) await main();
else {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  await runPart(workerData as Options, (message) => parentPort?.postMessage(message));
}
