import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ApplyStrategy } from '../../src/sim/models/metacontroller/sync.ts';
import { lags, milestones, parseTrace, staleness, type TraceLine } from '../../src/sim/trace.ts';
import { remove, start, upgrade } from './harness/flows.ts';
import { createHistory } from './harness/history.ts';
import { reconfigured, SPEC as SAMPLE, type Spec } from './harness/sample.ts';

/** The model of Metacontroller against the real one: what test/e2e recorded, the model must show in order and staleness. */
const DIRECTORY = join(import.meta.dirname, '../fixtures/metacontroller');
const SEEDS = 12;

/** The flows were recorded without a checkpoint that Flork asks for: that of this job comes by itself before Flork would. */
const SPEC: Spec = {
  ...SAMPLE,
  flinkConf: { ...(SAMPLE['flinkConf'] as object), 'execution.checkpointing.interval': '1s' },
};

/** One job's life in the model, cut where the recorded flows are cut: by flow. */
async function modelled(strategy: ApplyStrategy, seed: number): Promise<Life> {
  const h = createHistory({ seed, strategy, traced: true });
  const cut = (): number => h.tracer.lines.length;
  await start(h, SPEC);
  await h.run(100);
  const afterStart = cut();
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(100);
  const afterUpgrade = cut();
  await remove(h);
  const { lines } = h.tracer;
  return new Map([
    ['start', lines.slice(0, afterStart)],
    ['upgrade', lines.slice(afterStart, afterUpgrade)],
    ['delete', lines.slice(afterUpgrade)],
  ]);
}

type Life = ReadonlyMap<string, readonly TraceLine[]>;

const lives = new Map<ApplyStrategy, Promise<readonly Life[]>>();

/** So many lives under a strategy, each lived once for all flows. */
function livesUnder(strategy: ApplyStrategy): Promise<readonly Life[]> {
  const known = lives.get(strategy) ?? live(strategy);
  lives.set(strategy, known);
  return known;
}

async function live(strategy: ApplyStrategy): Promise<readonly Life[]> {
  const lived: Life[] = [];
  // oxlint-disable-next-line no-await-in-loop -- each in a world of its own
  for (let seed = 1; seed <= SEEDS; seed++) lived.push(await modelled(strategy, seed));
  return lived;
}

const files = existsSync(DIRECTORY) ? readdirSync(DIRECTORY).filter((name) => name.endsWith('.jsonl')) : [];

test('traces of the real Metacontroller are there', { skip: files.length === 0 && 'none recorded yet' }, () => {
  assert.ok(files.length > 0);
});

for (const file of files) {
  const trace = parseTrace(readFileSync(join(DIRECTORY, file), 'utf8'));
  if (trace === undefined) continue;
  test(`${file}: the model shows the same order and at least the same staleness`, async () => {
    const real = trace.lines;
    const { flow, strategy } = trace.header;
    const runs = (await livesUnder(strategy as ApplyStrategy)).map(
      (life) => life.get(flow) ?? assert.fail(`no flow ${flow}`),
    );
    const order = milestones(real);
    const orders = runs.map((lines) => milestones(lines));
    assert.ok(
      orders.some((one) => JSON.stringify(one) === JSON.stringify(order)),
      `real:\n${order.join('\n')}\nmodel:\n${orders[0]?.join('\n')}`,
    );
    const worst = Math.max(0, ...staleness(real));
    const shown = Math.max(0, ...runs.flatMap((lines) => staleness(lines)));
    assert.ok(shown >= worst, `the real one was ${worst} answers behind, the model at most ${shown}`);
    const missing = [...lags(real)].filter((kind) => !runs.some((lines) => lags(lines).has(kind)));
    assert.deepEqual(missing, [], 'every kind of lag that was seen is modelled');
  });
}
