import assert from 'node:assert/strict';
import { at } from '../../../src/sim/models/objects.ts';
import {
  counter,
  epochOf,
  isReady,
  jobOf,
  killJobManager,
  outage,
  reachRunning,
  reachSettled,
  remove,
  start,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { reconfigured, SPEC } from '../harness/sample.ts';
import { savepointsOf, scenario, status } from '../harness/scenario.ts';

/** Two versions of Flork: one after the other, and both answering in turn as while a Deployment of the hook is rolled. */

const TURNS = {
  'one call each': (index: number) => (index % 2 === 0 ? 'this' : 'earlier'),
  'three calls each': (index: number) => (index % 6 < 3 ? 'this' : 'earlier'),
} as const;

/**
 * S10: from its first process on the pods of an epoch keep the bytes that they began with, whichever version answers. (In the first
 * moments of a job neither version sees what the other has written: then the last to be applied is the one that starts.)
 */
function assertPodsKept(h: History): void {
  const begun = new Set<string>();
  const templates = new Map<string, string>();
  for (const { object } of h.world.api.writes) {
    const epoch = `${object.metadata.annotations?.['flork.itom.com/epoch']}`;
    if (object.kind === 'Pod' && JSON.stringify(object['status'] ?? {}).includes('"running"')) begun.add(epoch);
    if (object.kind !== 'Deployment') continue;
    const key = `${object.metadata.name} of epoch ${epoch}`;
    const template = JSON.stringify(at(object, 'spec', 'template'));
    if (begun.has(epoch)) assert.equal(template, templates.get(key), key);
    templates.set(key, template);
  }
  assert.ok(begun.size > 0);
}

const rendersEarlier = (h: History): boolean =>
  h.world.api
    .list('Deployment')
    .every((deployment) => JSON.stringify(at(deployment, 'spec', 'template')).includes('rendered-by'));

scenario(
  '24 Flork upgraded and rolled back with a running job: nothing restarts, and each renders the epochs it declares',
  async (h) => {
    h.controls.version = () => 'earlier';
    await start(h);
    assert.ok(rendersEarlier(h));
    await h.run(25_000);
    const processes = h.ledger.counts['process-started'];
    for (const version of ['this', 'earlier', 'this'] as const) {
      h.controls.version = () => version;
      // oxlint-disable-next-line no-await-in-loop -- one version after the other
      await reachSettled(h);
    }
    assert.deepEqual([h.ledger.counts['process-started'], epochOf(h)], [processes, 1]);
    assert.ok(rendersEarlier(h), 'the newer version leaves the epoch as it is');
    await upgrade(h, reconfigured(SPEC, '64'));
    assert.ok(!rendersEarlier(h), 'its own epochs it renders itself');
    h.controls.version = () => 'earlier';
    await reachSettled(h);
    assert.equal(epochOf(h), 2);
    killJobManager(h);
    await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
    await reachRunning(h, 'recovered');
    assert.ok(!rendersEarlier(h));
    await upgrade(h, reconfigured(SPEC, '96'));
    assert.deepEqual([savepointsOf(h), rendersEarlier(h)], [2, true]);
    assertPodsKept(h);
    await remove(h);
  },
);

for (const [how, turn] of Object.entries(TURNS)) {
  scenario(`24 two versions answer in turn, ${how}: a whole life, one savepoint for each change`, async (h) => {
    h.controls.version = turn;
    await start(h);
    await upgrade(h, reconfigured(SPEC, '64'));
    assert.equal(savepointsOf(h), 1);
    await h.run(25_000);
    killJobManager(h);
    await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
    await reachRunning(h, 'recovered');
    await suspend(h, reconfigured(SPEC, '64'));
    h.apply(reconfigured(SPEC, '64'));
    await reachRunning(h, 'resumed');
    assert.equal(savepointsOf(h), 2);
    assert.ok(counter(h) > 0);
    await reachSettled(h);
    assertPodsKept(h);
    await remove(h);
  });

  scenario(
    `24 two versions answer in turn, ${how}: every savepoint fails at first, and none is asked for twice`,
    async (h) => {
      h.controls.version = turn;
      await start(h);
      h.world.storage.forbid('file:///data/savepoints');
      h.apply(reconfigured(SPEC, '64'));
      await h.until(() => status(h).retry !== undefined, 60_000, 'the first has failed');
      h.world.storage.forbid('');
      await h.until(() => epochOf(h) === 2 && isReady(h), 200_000, 'upgraded');
      assert.equal(savepointsOf(h), 1);
      assertPodsKept(h);
    },
  );
}

scenario('24 what the newer version has begun is waited for by the one that does not know it', async (h) => {
  await start(h);
  h.apply({ ...SPEC, savepointNonce: 1 });
  await h.until(() => status(h).operation?.kind === 'savepoint', 60_000, 'the savepoint is intended');
  const begun = status(h).operation;
  h.controls.version = () => 'earlier';
  h.apply({ ...reconfigured(SPEC, '64'), savepointNonce: 1 });
  await h.run(60_000);
  assert.deepEqual(status(h).operation, begun, 'it is as it was');
  assert.equal(status(h).conditions?.find(({ type }) => type === 'Stalled')?.reason, 'OperationUnknown');
  assert.ok((h.counts.rules.get('operationUnknown') ?? 0) > 0);
  outage(h, 5_000);
  h.controls.version = () => 'this';
  await h.until(() => epochOf(h) === 2 && isReady(h), 200_000, 'upgraded');
  assertPodsKept(h);
});
