import assert from 'node:assert/strict';
import { epochOf, reachSettled, start, upgrade } from '../harness/flows.ts';
import { writesSince } from '../harness/history.ts';
import { MEANINGLESS } from '../harness/meaningless.ts';
import { reconfigured, SPEC, type Spec } from '../harness/sample.ts';
import { running, savepointsOf, scenario } from '../harness/scenario.ts';

/** S10: no edit that means nothing to what runs touches it. */

scenario(
  'a FlinkJob edited in every way that means nothing: its status tells that it was seen, and that is all',
  async (h) => {
    await start(h);
    await reachSettled(h);
    const { 'process-started': processes } = h.ledger.counts;
    for (const [name, edit] of MEANINGLESS) {
      const since = h.clock.now();
      const generation = h.job()?.metadata.generation;
      h.tell(`user: ${name}`);
      h.edit(edit);
      // oxlint-disable-next-line no-await-in-loop -- one edit after the other
      await h.run(30_000);
      const touched = writesSince(h, since).filter((write) => /Deployment|Service|-conf-|-epoch-/.test(write));
      assert.deepEqual(touched, [], name);
      assert.ok(running(h), name);
      const isOfSpec = h.job()?.metadata.generation !== generation;
      assert.equal(isOfSpec, name !== 'a label and an annotation more' && name !== 'its fields in another order', name);
    }
    assert.deepEqual([epochOf(h), savepointsOf(h), h.ledger.counts['process-started']], [1, 0, processes]);
    await reachSettled(h);
    await upgrade(h, reconfigured(h.job()?.['spec'] as Spec, '64'));
    assert.deepEqual([epochOf(h), savepointsOf(h)], [2, 1]);
    await upgrade(h, reconfigured(SPEC, '32'));
    assert.equal(h.ledger.rewinds.length, 0);
  },
);
