import assert from 'node:assert/strict';
import { epochNames } from '../../../src/core/build/names.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import {
  condition,
  epochOf,
  isReady,
  jobOf,
  leftovers,
  LIMIT_MS,
  pods,
  podNames,
  reachRunning,
  reachSettled,
  start,
  stateOf,
  upgrade,
} from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { NAME, reconfigured, SPEC, suspended, type Spec } from '../harness/sample.ts';
import { running, savepointsOf, scenario, status, uid } from '../harness/scenario.ts';

/** Corners that the table of docs/lifecycle.md does not number: each is where a rule answers that no other scenario needs. */

/** A spec that the CRD takes and the rules refuse. */
const wrong = (spec: Spec): Spec => ({ ...spec, parallelism: 7, taskManagerReplicas: 1 });

/** What happens while nobody answers. */
async function unattended(h: History, deeds: () => Promise<void> | void): Promise<void> {
  h.controls.hook = () => 'down';
  await h.run(50);
  await deeds();
  h.controls.hook = () => 'up';
}

scenario('a wrong spec from the start: nothing is created', async (h) => {
  h.apply(wrong(SPEC));
  await h.until(() => condition(h, 'Stalled') === 'True', 20_000, 'told');
  assert.equal(podNames(h).length, 0);
  h.apply(SPEC);
  await reachRunning(h);
});

scenario('a wrong spec while the job runs, and while it is stopped', async (h) => {
  await start(h);
  const process = jobOf(h);
  h.apply(wrong(SPEC));
  await h.until(() => condition(h, 'Stalled') === 'True', 60_000, 'told');
  assert.equal(jobOf(h), process, 'what runs is left as it is');
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'stopped');
  h.apply(wrong(SPEC));
  await h.until(
    () => condition(h, 'Stalled') === 'True' && podNames(h).length === 0,
    LIMIT_MS,
    'waits for a valid spec',
  );
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('suspended when the next epoch is declared and not yet started', async (h) => {
  await start(h);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => epochOf(h) === 2, LIMIT_MS, 'epoch 2 is declared');
  await unattended(h, () => h.apply(suspended(reconfigured(SPEC, '64'))));
  await h.until(() => isReady(h, 'Suspended') && podNames(h).length === 0, LIMIT_MS, 'suspended');
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => running(h), LIMIT_MS, 'resumed');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('a TaskManager dies: Flink restarts the job by itself', async (h) => {
  await start(h);
  await h.run(25_000);
  for (const pod of pods(h, 'taskmanager')) h.world.kubelet.kill(pod);
  await h.until(() => condition(h, 'Ready') === 'False', 60_000, 'told');
  await reachRunning(h);
  assert.equal(epochOf(h), 1);
  await reachSettled(h);
});

scenario('the job ended and Flink does not tell how', async (h) => {
  await start(h, { ...SPEC, jobArgs: ['--bounded-ms', '15000'] });
  h.world.faults.flink = ({ path }) =>
    path.includes('/checkpoints')
      ? { kind: 'reply', status: 500, text: '{"errors":["Internal server error."]}' }
      : { kind: 'none' };
  await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'finished');
  await h.run(40_000);
  assert.notEqual(stateOf(h), 'Finished', 'unknown is never no');
  h.world.faults.flink = () => ({ kind: 'none' });
  await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'Finished');
});

scenario('a job fails without a snapshot: held until the loss is approved', async (h) => {
  h.world.storage.forbid('file:///data/checkpoints');
  h.apply({ ...SPEC, jobArgs: ['--fail-after-ms', '6000'] });
  await h.until(() => stateOf(h) === 'Failed', LIMIT_MS, 'Failed');
  h.world.storage.forbid('');
  h.apply(SPEC);
  await h.until(() => /approveStateLoss/.test(status(h).message ?? ''), LIMIT_MS, 'held, with the ways out');
  await h.run(30_000);
  assert.equal(epochOf(h), 1);
  const token = /lose-[0-9a-f]{12}/.exec(status(h).message ?? '')?.[0] ?? assert.fail('no token');
  h.ledger.permit(uid(h));
  h.apply({ ...SPEC, approveStateLoss: token });
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'started empty, as approved');
});

scenario('status wiped and the stop done meanwhile: its savepoint is found', async (h) => {
  await start(h);
  await h.run(15_000);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => (h.ledger.counts['stop-asked'] ?? 0) > 0, LIMIT_MS, 'the stop is asked for');
  await unattended(h, async () => {
    h.edit((live) => ({ ...live, status: {} }));
    await h.run(8_000);
  });
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded');
  assert.equal(h.ledger.rewinds.length, 0);
  assert.equal(savepointsOf(h), 1);
});

scenario('status wiped and the Deployments deleted: nothing is started over what was', async (h) => {
  await start(h);
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(20_000);
  await unattended(h, async () => {
    h.edit((live) => ({ ...live, status: {} }));
    for (const role of ['jobmanager', 'taskmanager']) {
      h.world.api.remove('somebody', { kind: 'Deployment', namespace: NAMESPACE, name: `${NAME}-${role}` });
    }
    await h.run(10_000);
  });
  await h.until(() => condition(h, 'Stalled') === 'True' || running(h), LIMIT_MS, 'held, or gone on with its state');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('the record is deleted and the spec changed before anybody looks', async (h) => {
  await start(h);
  await h.run(15_000);
  const process = jobOf(h);
  await unattended(h, async () => {
    const { record } = epochNames({ name: NAME, uid: uid(h) }, 1);
    h.world.api.remove('somebody', { kind: 'ConfigMap', namespace: NAMESPACE, name: record });
    h.apply(reconfigured(SPEC, '64'));
    await h.run(3_000);
  });
  await h.until(() => condition(h, 'Stalled') === 'True', 120_000, 'told');
  assert.equal(jobOf(h), process, 'what runs is left as it is');
  h.apply(SPEC);
  await reachRunning(h, 'the spec is put back: the record is made again');
  assert.equal(jobOf(h), process);
});

scenario('an epoch that was to be replaced begins to run after all', async (h) => {
  h.world.faults.schedulable = (pod) => !pod.metadata.name.includes('-taskmanager');
  h.apply(SPEC);
  await h.until(() => jobOf(h)?.state() === 'CREATED', LIMIT_MS, 'the job waits for slots');
  await h.run(10_000);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => status(h).epoch?.ended?.how === 'replaced', LIMIT_MS, 'it makes room');
  await unattended(h, async () => {
    h.world.faults.schedulable = () => true;
    await h.run(15_000);
  });
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'the new spec runs');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('handed over to another controller: everything stays', async (h) => {
  await start(h);
  const before = leftovers(h).length;
  h.world.faults.selects = () => false;
  h.edit((live) => ({ ...live, metadata: { ...live.metadata, labels: { 'flork.itom.com/tenant': 'other' } } }));
  await h.until(() => (h.job()?.metadata.finalizers ?? []).length === 0, LIMIT_MS, 'let go');
  await h.run(30_000);
  assert.equal(leftovers(h).length, before);
  assert.equal(jobOf(h)?.state(), 'RUNNING');
});

scenario("deletion held by somebody else's finalizer", async (h) => {
  await start(h);
  h.edit((live) => ({
    ...live,
    metadata: { ...live.metadata, finalizers: [...(live.metadata.finalizers ?? []), 'somebody/else'] },
  }));
  h.remove();
  await h.until(
    () => (h.job()?.metadata.finalizers ?? []).length === 1 && podNames(h).length === 0,
    LIMIT_MS,
    'Flork is done',
  );
  await h.run(70_000);
  h.edit((live) => ({ ...live, metadata: { ...live.metadata, finalizers: [] } }));
  await h.until(() => h.job() === undefined && leftovers(h).length === 0, LIMIT_MS, 'deleted without a trace');
});
