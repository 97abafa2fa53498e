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

/** One job's life in the model, cut where the recorded flows are cut. */
async function modelled(flow: string, strategy: ApplyStrategy, seed: number): Promise<readonly TraceLine[]> {
  const h = createHistory({ seed, strategy, traced: true });
  const cut = (): number => h.tracer.lines.length;
  await start(h, SPEC);
  await h.run(100);
  if (flow === 'start') return h.tracer.lines.slice(0, cut());
  const afterStart = cut();
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(100);
  if (flow === 'upgrade') return h.tracer.lines.slice(afterStart);
  const afterUpgrade = cut();
  await remove(h);
  return h.tracer.lines.slice(afterUpgrade);
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
    const runs: (readonly TraceLine[])[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      // oxlint-disable-next-line no-await-in-loop -- each in a world of its own
      runs.push(await modelled(trace.header.flow, trace.header.strategy as ApplyStrategy, seed));
    }
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
