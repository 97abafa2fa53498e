import { parseArgs } from 'node:util';
import { conclude, coverage, report } from './harness/coverage.ts';
import { randomHistory } from './harness/random.ts';

/** `npm run sim -- --seed N --histories M`: random histories from seed N on; a failure prints its seed and its story. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    histories: { type: 'string', default: '300' },
    keep: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const ends = new Map<string, number>();
const faults = new Map<string, number>();
let counted = 0;
let failed = 0;
const started = performance.now();
for (let seed = first; seed < first + Number(values.histories); seed++) {
  try {
    // oxlint-disable-next-line no-await-in-loop -- one history at a time, so that a seed is all there is to it
    const told = await randomHistory(seed);
    conclude(told.history);
    if (told.counts) counted++;
    ends.set(told.end, (ends.get(told.end) ?? 0) + 1);
    for (const name of told.faults) faults.set(name, (faults.get(name) ?? 0) + 1);
  } catch (error) {
    failed++;
    const message = error instanceof Error ? error.message : String(error);
    console.log(values.keep ? message.split('\n')[0] : message);
    if (!values.keep) break;
  }
}
const list = (rows: ReadonlyMap<string, number>): string =>
  [...rows].map(([name, count]) => `${name} ${count}`).join(', ');
console.log(report());
console.log(`ends: ${list(ends)}`);
console.log(`faults: ${list(faults)}`);
console.log(
  `${counted} of ${coverage.histories} histories count, ${failed} failed, ${Math.round(performance.now() - started)} ms`,
);
process.exitCode = failed > 0 ? 1 : 0;
