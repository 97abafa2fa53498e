import { parseArgs } from 'node:util';
import { recordCorpus } from './corpus.ts';
import { fuzz, nothingFound } from './fuzz.ts';
import { startHook } from './hook.ts';

/**
 * `npm run fuzz -- --seed N --count M`: prints what was answered, the rate, and how long the hook held its event loop. The machine's
 * own share in that shows in the lag of a thread that does nothing, beside it.
 */
const { values } = parseArgs({ options: { seed: { type: 'string' }, count: { type: 'string' } } });
const seed = Number(values.seed ?? 1);
const count = Number(values.count ?? 1_000_000);
const corpus = await recordCorpus();
console.log(
  `${corpus.bodies.length} bodies, ${corpus.replies.size} kinds of answers of Flink; seeds ${seed} to ${seed + count - 1}`,
);

const CHUNK = 100_000;
const LARGEST_LAG_MS = 50;
const [hook, idle] = [await startHook(), await startHook()];
const started = performance.now();
const found = nothingFound();
for (let done = 0; done < count && found.broken.length === 0; done += CHUNK) {
  const next = Math.min(CHUNK, count - done);
  await fuzz(hook, corpus, seed + done, next, found);
  const minutes = (performance.now() - started) / 60_000;
  const answers = JSON.stringify([...found.byStatus].toSorted());
  console.log(`${done + next} cases, ${Math.round((done + next) / minutes)} a minute, ${answers}`);
}
const rules = [...found.byRule].toSorted((a, b) => b[1] - a[1]);
console.log(`${rules.length} rules answered: ${JSON.stringify(Object.fromEntries(rules))}`);
const [own, floor] = [await hook.lag(), await idle.lag()];
console.log(
  `event loop of the hook late by ${own.p99Ms.toFixed(1)} ms (p99), ${own.longestMs.toFixed(1)} ms (longest); of an idle thread by ${floor.p99Ms.toFixed(1)} ms, ${floor.longestMs.toFixed(1)} ms`,
);
const cost = found.cost.percentile(99) / 1000;
console.log(
  `CPU of a request ${(found.cost.percentile(50) / 1000).toFixed(2)} ms (median), ${cost.toFixed(2)} ms (p99), ${found.dearest.cpuMs.toFixed(0)} ms (most, --seed ${found.dearest.seed})`,
);
for (const line of found.broken) console.log(`BROKEN ${line}`);
const slow = count >= 1000 && Math.max(own.p99Ms, cost) > LARGEST_LAG_MS;
if (slow) console.log(`BROKEN the event loop was held for longer than ${LARGEST_LAG_MS} ms`);
await Promise.all([hook.stop(), idle.stop()]);
process.exitCode = found.broken.length > 0 || slow ? 1 : 0;
