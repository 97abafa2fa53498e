/**
 * A sample of what the full matrix (cases/) was last seen to pass, chosen by the commit; E2E_SAMPLE=<seed> takes another one or the same again, E2E_SAMPLE_SECONDS is
 * about how long it may take (300). `npm run e2e:full -- --only <name>` runs a case alone.
 */
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { CASES } from './cases/all.ts';
import { openLane, type Lane } from './cases/lane.ts';
import { VERSIONS } from './lib/flink-job.ts';
import { startGate, type Gate } from './lib/gate.ts';
import { ROOT } from './lib/kit.ts';
import { Cluster } from './lib/kube.ts';
import { keepPodLogs } from './lib/pod-logs.ts';
import { readResults } from './lib/results.ts';
import { chooseSample, seenPassing, variantsOf } from './lib/sample.ts';

const seed =
  process.env['E2E_SAMPLE'] ?? execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
const drawn = seenPassing(variantsOf(CASES), await readResults()).filter(({ version }) => VERSIONS.includes(version));
const sample = chooseSample(drawn, seed, Number(process.env['E2E_SAMPLE_SECONDS'] ?? 300));
console.log(`# sample of the full matrix; again: E2E_SAMPLE=${seed} npm run e2e -- sample`);

describe('a sample of the full matrix', { concurrency: false }, () => {
  let cluster: Cluster;
  let gate: Gate;
  before(async () => {
    cluster = await Cluster.connect();
    gate = await startGate(cluster);
  });
  after(async () => {
    await gate[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  for (const { version, ha, cases } of sample) {
    describe(`on Flink ${version}${ha ? ' with high availability' : ''}`, { concurrency: false }, () => {
      let lane: Lane;
      before(async () => {
        lane = await openLane(cluster, gate, version, ha);
      });
      after(async () => {
        await lane.forgetShared();
        await lane.close();
      });
      for (const item of cases) {
        test(`${item.name}: ${item.what}`, { timeout: 900_000 }, async () => {
          try {
            const { repeated, note } = await item.run(lane);
            console.log(`# ${item.name} Flink ${version}: repeated ${repeated} ${note}`);
          } catch (error) {
            console.log(`# what the pods logged: ${await keepPodLogs(lane.namespace)}`);
            await lane.forgetShared().catch((problem: unknown) => console.log(`# ${String(problem)}`));
            throw error;
          }
        });
      }
    });
  }
});
