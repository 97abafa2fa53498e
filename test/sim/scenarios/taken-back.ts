import assert from 'node:assert/strict';
import { epochOf, LIMIT_MS, start, stateOf } from '../harness/flows.ts';
import { SPEC, suspended } from '../harness/sample.ts';
import { running, scenario, status } from '../harness/scenario.ts';

/** What is asked for and taken back before Flink hears of it. */

scenario('4 a suspension that is taken back before the stop: the job goes on', async (h) => {
  await start(h);
  await h.run(15_000);
  h.controls.flink = (_index, method) => (method === 'POST' ? 'unreachable' : 'none');
  h.apply(suspended(SPEC));
  await h.until(() => status(h).operation?.kind === 'stop', LIMIT_MS, 'intended');
  await h.run(3_000);
  assert.equal(stateOf(h), 'Stopping');
  h.apply(SPEC);
  await h.until(() => running(h), LIMIT_MS, 'it goes on');
  assert.equal(epochOf(h), 1);
  assert.equal(h.ledger.counts['stop-asked'] ?? 0, 0);
});
