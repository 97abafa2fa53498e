/**
 * `npm run e2e:full`: the full matrix on the cluster of KUBECONFIG. Each result is appended to test/e2e/results/full.jsonl, and what is
 * there already is not run again, so that it can be run in several goes; `node test/e2e/report.ts` writes docs/reliability.md from it.
 *
 *   --only kill/4,scenario/   cases by name or beginning of it     --again        also what has passed already
 *   --flink 1.20              one Flink version                    --times 1      how often, in place of what each case says
 *   --ha yes|no               one setting of high availability     --minutes 30   starts no case after so long
 *   --lane b                  a namespace of its own, so that two runs can go on at once (with E2E_INSTALL=no; only one may need the gate)
 */
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES } from './cases/all.ts';
import type { Case } from './cases/case.ts';
import { openLane, type Lane } from './cases/lane.ts';
import { VERSIONS, type FlinkVersion } from './lib/flink-job.ts';
import { startGate } from './lib/gate.ts';
import { chooseHost, install } from './lib/install.ts';
import { Cluster } from './lib/kube.ts';
import { startModelHost } from './lib/model-host.ts';
import { keepPodLogs } from './lib/pod-logs.ts';
import { RESULTS, readResults, surroundings, withoutPlace, type Result } from './lib/results.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    flink: { type: 'string' },
    ha: { type: 'string' },
    lane: { type: 'string', default: '' },
    times: { type: 'string' },
    minutes: { type: 'string', default: '100000' },
    again: { type: 'boolean', default: false },
  },
});
const end = Date.now() + Number(options.minutes) * 60_000;
const wanted = options.only.split(',').filter((name) => name !== '');
const isWanted = (name: string): boolean =>
  wanted.length === 0 || wanted.some((word) => name === word || (word.endsWith('/') && name.startsWith(word)));

const host = await chooseHost();
if (process.env['E2E_INSTALL'] !== 'no') await install(host);
const stop = host.kind === 'model' ? await startModelHost(host.strategy) : undefined;
await using cluster = await Cluster.connect();
await using gate = await startGate(cluster);
const known = options.again ? [] : await readResults();
const around = await surroundings(host);
let failures = 0;

async function write(result: Result): Promise<void> {
  await mkdir(dirname(RESULTS), { recursive: true });
  await appendFile(RESULTS, `${JSON.stringify(result)}\n`);
}

async function runCase(lane: Lane, item: Case, round: number): Promise<void> {
  const since = Date.now();
  const label = `${item.name} Flink ${lane.version}${lane.ha ? ' with high availability' : ''} (${round})`;
  const head = {
    at: new Date().toISOString(),
    name: item.name,
    what: item.what,
    flink: lane.version,
    ha: lane.ha,
    round,
    ...around,
  };
  const seconds = (): number => Math.round((Date.now() - since) / 1000);
  try {
    const outcome = await item.run(lane);
    await write({ ...head, ok: true, seconds: seconds(), ...outcome });
    console.log(`ok ${label}: ${seconds()} s, repeated ${outcome.repeated} ${outcome.note}`);
  } catch (error) {
    failures++;
    const text = withoutPlace(String((error as Error).stack ?? error));
    await write({ ...head, ok: false, seconds: seconds(), repeated: 0, note: '', error: text.slice(0, 4000) });
    console.log(`FAILED ${label}: ${seconds()} s\n${text}`);
    console.log(`# what the pods logged: ${await keepPodLogs(lane.namespace)}`);
    await lane.forgetShared().catch((problem: unknown) => console.log(`# ${String(problem)}`));
  }
}

/** What is left to do in a lane: rounds of all its cases. */
function plan(version: FlinkVersion, ha: boolean): readonly { readonly item: Case; readonly round: number }[] {
  const mine = CASES.filter((item) => isWanted(item.name) && item.versions.includes(version) && item.ha.includes(ha));
  const passed = (item: Case): number =>
    known.filter((result) => result.ok && result.name === item.name && result.flink === version && result.ha === ha)
      .length;
  const most = Math.max(0, ...mine.map((item) => Number(options.times ?? item.times)));
  return Array.from({ length: most }, (_, index) => index + 1).flatMap((round) =>
    mine
      .filter((item) => round <= Number(options.times ?? item.times) && round > passed(item))
      .map((item) => ({ item, round })),
  );
}

for (const version of VERSIONS.filter((one) => options.flink === undefined || one === options.flink)) {
  for (const ha of [false, true].filter((one) => options.ha === undefined || one === (options.ha === 'yes'))) {
    const items = plan(version, ha);
    if (items.length === 0 || Date.now() > end) continue;
    const lane = await openLane(cluster, gate, version, ha, options.lane);
    for (const { item, round } of items) if (Date.now() < end) await runCase(lane, item, round);
    await lane.forgetShared();
    await lane.close();
  }
}
await stop?.();
console.log(`# ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
