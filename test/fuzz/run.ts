import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { recordCorpus } from './corpus.ts';
import { add, fuzz } from './fuzz.ts';

/** `npm run fuzz -- --seed N --count M`: prints what was answered, the rate, and how long the event loop was held. */
const { values } = parseArgs({ options: { seed: { type: 'string' }, count: { type: 'string' } } });
const seed = Number(values.seed ?? 1);
const count = Number(values.count ?? 1_000_000);
const corpus = await recordCorpus();
console.log(
  `${corpus.bodies.length} bodies, ${corpus.replies.size} kinds of answers of Flink; seeds ${seed} to ${seed + count - 1}`,
);

const CHUNK = 10_000;
const LARGEST_LAG_MS = 50;
const lag = monitorEventLoopDelay({ resolution: 5 });
lag.enable();
const started = performance.now();
const statuses = new Map<number, number>();
const rules = new Map<string, number>();
const broken: string[] = [];
for (let done = 0; done < count && broken.length === 0; done += CHUNK) {
  const part = await fuzz(corpus, seed + done, Math.min(CHUNK, count - done));
  for (const [status, times] of part.byStatus) add(statuses, status, times);
  for (const [rule, times] of part.byRule) add(rules, rule, times);
  broken.push(...part.broken);
  const minutes = (performance.now() - started) / 60_000;
  if ((done / CHUNK) % 10 === 9 || done + CHUNK >= count)
    console.log(
      `${Math.min(done + CHUNK, count)} cases, ${Math.round((done + CHUNK) / minutes)} a minute, ${JSON.stringify([...statuses].toSorted())}`,
    );
}
lag.disable();
console.log(
  `${rules.size} rules answered: ${JSON.stringify(Object.fromEntries([...rules].toSorted((a, b) => b[1] - a[1])))}`,
);
const p99 = lag.percentile(99) / 1e6;
console.log(`event loop held for ${p99.toFixed(1)} ms (p99), ${(lag.max / 1e6).toFixed(1)} ms (longest)`);
for (const line of broken) console.log(`BROKEN ${line}`);
const slow = count >= 1000 && p99 > LARGEST_LAG_MS;
if (slow) console.log(`BROKEN the event loop was held for longer than ${LARGEST_LAG_MS} ms`);
process.exitCode = broken.length > 0 || slow ? 1 : 0;
