import assert from 'node:assert/strict';
import { epochNames } from '../../../src/core/build/names.ts';
import type { DutyKind } from '../../../src/core/duty.ts';
import { FLORK } from '../../../src/sim/models/kube-api.ts';
import { at } from '../../../src/sim/models/objects.ts';
import {
  epochOf,
  haMetadata,
  isReady,
  LIMIT_MS,
  podNames,
  reachRunning,
  reachSettled,
  remove,
  start,
  stateOf,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { highlyAvailable, NAME, reconfigured, SPEC } from '../harness/sample.ts';
import { running, scenario, status, uid } from '../harness/scenario.ts';

/** The duties that need the API server: metadata of high availability, deletion by trigger, Events. */

const HA = highlyAvailable(SPEC);
const CLEAN: readonly DutyKind[] = ['clean-high-availability'];

const clusterOf = (h: History, epoch: number): string => epochNames({ name: NAME, uid: uid(h) }, epoch).clusterId;
const metadataOf = (h: History, cluster: string): readonly string[] =>
  haMetadata(h).filter((name) => name.startsWith(`${cluster}-`));
const writesOfFlork = (h: History, kind: string): number =>
  h.world.api.writes.filter((write) => write.actor === FLORK && write.ref.kind === kind).length;

scenario('HA metadata of an ended epoch goes once the next one is stable, and no sooner', async (h) => {
  h.controls.duties = CLEAN;
  await start(h, HA);
  await h.run(25_000);
  const [first, second] = [clusterOf(h, 1), clusterOf(h, 2)];
  h.apply(reconfigured(HA, '64'));
  await h.until(() => epochOf(h) === 2 && podNames(h).length > 0, LIMIT_MS, 'epoch 2 starts');
  assert.notEqual(metadataOf(h, first).length, 0, 'kept until then');
  await h.until(() => running(h), LIMIT_MS, 'upgraded');
  await h.until(() => metadataOf(h, first).length === 0, 60_000, 'cleaned');
  assert.equal(metadataOf(h, second).length, 2, 'that of the running epoch stays');
  await h.until(() => status(h).highAvailability?.[0]?.cleaned === true, 60_000, 'told');
  await reachSettled(h);
  assert.match(status(h).leftovers?.join() ?? '', new RegExp(`^Epoch 1: files below file:///data/ha: ${first}$`));
});

scenario('deletion cleans the HA metadata of all epochs', async (h) => {
  await start(h, HA);
  await h.run(15_000);
  await upgrade(h, reconfigured(HA, '64'));
  await h.run(15_000);
  assert.ok(haMetadata(h).length > 2, 'nobody cleaned so far');
  h.controls.duties = CLEAN;
  h.remove();
  await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
  assert.deepEqual(haMetadata(h), []);
});

scenario('deletion in the foreground cleans the HA metadata, too', async (h) => {
  h.controls.duties = CLEAN;
  await start(h, HA);
  await h.run(15_000);
  h.remove('foreground');
  await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
  assert.deepEqual(haMetadata(h), []);
});

scenario('deletion of a suspended job whose status was wiped cleans the HA metadata of all epochs', async (h) => {
  h.controls.duties = CLEAN;
  await start(h, HA);
  await h.run(15_000);
  await upgrade(h, reconfigured(HA, '64'));
  await suspend(h, reconfigured(HA, '64'));
  h.edit((live) => ({ ...live, status: {} }));
  await h.run(20_000);
  h.remove();
  await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
  assert.deepEqual(haMetadata(h), []);
});

scenario('without the right to clean, status lists what is left', async (h) => {
  await start(h, HA);
  await h.run(15_000);
  const first = clusterOf(h, 1);
  await upgrade(h, reconfigured(HA, '64'));
  assert.match(status(h).leftovers?.join() ?? '', new RegExp(`Epoch 1: ConfigMaps with label app=${first}`));
  assert.notEqual(metadataOf(h, first).length, 0);
  await reachSettled(h);
  h.remove();
  await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted all the same');
});

scenario('refused by RBAC: listed, and the job runs on; cleaned once the right is there', async (h) => {
  h.controls.duties = CLEAN;
  h.world.faults.kube = () => 'forbidden';
  await start(h, HA);
  await h.run(15_000);
  const first = clusterOf(h, 1);
  await upgrade(h, reconfigured(HA, '64'));
  await h.until(() => /no right/.test(status(h).leftovers?.join() ?? ''), 60_000, 'listed');
  await reachSettled(h);
  assert.ok(isReady(h));
  h.world.faults.kube = () => 'none';
  await h.until(() => metadataOf(h, first).length === 0, 15 * 60_000, 'cleaned');
  h.world.faults.kube = () => 'forbidden';
  const before = h.clock.now();
  h.remove();
  await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
  assert.ok(h.clock.now() - before < 60_000, 'a deletion does not wait for a right');
});

for (const fault of ['unreachable', 'timeout'] as const) {
  scenario(
    `API server ${fault} for the duties: the deletion completes by its time-out and says what is left`,
    async (h) => {
      h.controls.duties = ['clean-high-availability', 'events'];
      h.world.faults.kube = () => fault;
      await start(h, { ...HA, policies: { ...(HA['policies'] as object), deletion: { timeout: '3m' } } });
      await h.run(15_000);
      const cluster = clusterOf(h, 1);
      h.remove();
      const before = h.clock.now();
      await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
      assert.ok(h.clock.now() - before > 170_000, 'it tried for as long');
      const told = h.world.api.writes.some(
        ({ ref, object }) =>
          ref.kind === 'FlinkJob' && JSON.stringify(at(object, 'status', 'leftovers') ?? '').includes(`app=${cluster}`),
      );
      assert.ok(told, 'status said what is left');
    },
  );
}

scenario('an answer of the API server that is lost: asked again, and done', async (h) => {
  h.controls.duties = CLEAN;
  let lost = 0;
  h.world.faults.kube = () => (lost++ < 2 ? 'answer-lost' : 'none');
  await start(h, HA);
  await h.run(15_000);
  const first = clusterOf(h, 1);
  await upgrade(h, reconfigured(HA, '64'));
  await h.until(() => status(h).highAvailability?.[0]?.cleaned === true, 120_000, 'done');
  assert.deepEqual(metadataOf(h, first), []);
  assert.doesNotMatch(status(h).leftovers?.join() ?? '', /ConfigMaps/);
});

scenario('a finished job with high availability: its metadata goes when its pods are gone', async (h) => {
  h.controls.duties = CLEAN;
  h.apply({ ...HA, jobArgs: ['--bounded-ms', '9000'] });
  await h.until(() => isReady(h, 'Finished') && podNames(h).length === 0, LIMIT_MS, 'finished');
  await h.until(() => haMetadata(h).length === 0, 120_000, 'cleaned');
  await reachSettled(h);
});

const ENDING = {
  ...SPEC,
  jobArgs: ['--bounded-ms', '4000'],
  policies: { ...(SPEC['policies'] as object), deletion: { trigger: 'Termination' }, ttlSecondsAfterFinished: 90 },
};

scenario('34 bounded job finishes, its TTL passes, and it is deleted by its trigger, once', async (h) => {
  h.controls.duties = ['delete-self', 'events'];
  h.apply(ENDING);
  await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'finished');
  const ended = h.clock.now();
  await h.until(() => h.job()?.metadata.deletionTimestamp !== undefined || h.job() === undefined, 200_000, 'leaves');
  assert.ok(h.clock.now() - ended >= 85_000, 'not before its time');
  await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted by itself');
  assert.equal(writesOfFlork(h, 'FlinkJob'), 1);
  h.apply({ ...ENDING, jobArgs: [] });
  await reachRunning(h, 'one of the same name runs');
  await h.run(200_000);
  assert.equal(stateOf(h), 'Running');
  assert.equal(writesOfFlork(h, 'FlinkJob'), 1, 'and is left alone');
});

scenario('34 a FlinkJob that was made again under the same name is not deleted in its place', async (h) => {
  h.controls.duties = ['delete-self'];
  h.apply({ ...ENDING, policies: { ...ENDING.policies, ttlSecondsAfterFinished: 20 } });
  await h.until(() => isReady(h, 'Finished') && podNames(h, 'taskmanager').length === 0, LIMIT_MS, 'finished');
  let swapped = false;
  const old = uid(h);
  // Between the view that shows the end and the call that follows from it, another one takes its place.
  h.world.faults.kube = () => {
    if (swapped) return 'none';
    swapped = true;
    h.remove();
    h.edit((live) => ({ ...live, metadata: { ...live.metadata, finalizers: [] } }));
    h.apply({ ...SPEC });
    return 'none';
  };
  await h.until(() => swapped, 100_000, 'replaced');
  await h.run(5_000);
  h.world.faults.kube = () => 'none';
  assert.notEqual(uid(h), old);
  await reachRunning(h, 'the new one runs');
  assert.equal(writesOfFlork(h, 'FlinkJob'), 0);
});

scenario('without the right to delete itself an ended FlinkJob stays, and says so', async (h) => {
  h.apply(ENDING);
  await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'finished');
  await h.run(200_000);
  assert.equal(stateOf(h), 'Finished');
  assert.match(JSON.stringify(status(h).plan), /duty delete-self/);
});

scenario('Events: one for each transition, whoever answers how often', async (h) => {
  h.controls.duties = ['events'];
  h.startMetacontroller();
  h.controls.staleness = (index) => ({ parent: index % 3, children: 0, related: 0 });
  await start(h);
  await upgrade(h, reconfigured(SPEC, '64'));
  await suspend(h, reconfigured(SPEC, '64'));
  await h.run(20_000);
  const events = h.world.api
    .list('Event')
    .map((event) => `${String(at(event, 'reason'))}: ${String(at(event, 'message'))}`);
  for (const { reason, from, to, generation } of status(h).history ?? []) {
    const line = `${reason}: ${from} → ${to} (generation ${generation})`;
    assert.ok(
      events.some((event) => event.startsWith(line)),
      `${line} of ${events.join(', ')}`,
    );
  }
  assert.equal(new Set(events).size, events.length, events.join(', '));
  assert.equal(writesOfFlork(h, 'Event'), events.length, 'nothing is written twice');
  h.controls.staleness = () => ({ parent: 0, children: 0, related: 0 });
  await remove(h);
});
