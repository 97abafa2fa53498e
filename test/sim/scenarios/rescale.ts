import assert from 'node:assert/strict';
import { at, numberAt } from '../../../src/sim/models/objects.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import {
  epochOf,
  jobOf,
  killJobManager,
  LIMIT_MS,
  podNames,
  pods,
  reachSettled,
  start,
  stateOf,
} from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { NAME, SPEC, type Spec } from '../harness/sample.ts';
import { confOf, running, savepointsOf, scenario, status } from '../harness/scenario.ts';

/** Rescaling: in place with the adaptive scheduler, by the TaskManagers in reactive mode, by an upgrade elsewhere. */

const { parallelism: _, ...UNSCALED } = SPEC;

/** A spec whose scale is its number of TaskManagers, as the scale subresource sets it. */
function scaled(
  taskManagerReplicas: number,
  conf: Spec = { 'jobmanager.scheduler': 'adaptive' },
  more: Spec = {},
): Spec {
  return { ...UNSCALED, ...more, taskManagerReplicas, flinkConf: { ...(SPEC['flinkConf'] as object), ...conf } };
}

/** What `kubectl scale` and an HPA write. */
function scale(h: History, replicas: number): void {
  h.tell(`user: scale to ${replicas}`);
  h.edit((live) => ({ ...live, spec: { ...(live['spec'] as object), taskManagerReplicas: replicas } }));
}

/** Parallelism of the vertices as they are executed; a fixed source first. */
const parallelisms = (h: History): readonly number[] => jobOf(h)?.vertices.current() ?? [];

function replicas(h: History): number | undefined {
  return numberAt(
    h.world.api.get({ kind: 'Deployment', namespace: NAMESPACE, name: `${NAME}-taskmanager` }),
    'spec',
    'replicas',
  );
}

async function reachScale(h: History, wanted: readonly number[], taskManagers: number): Promise<void> {
  await h.until(
    () =>
      running(h) &&
      String(parallelisms(h)) === String(wanted) &&
      replicas(h) === taskManagers &&
      podNames(h, 'taskmanager').length === taskManagers &&
      status(h).operation === undefined,
    LIMIT_MS,
    `parallelism ${wanted.join(', ')} on ${taskManagers} TaskManagers`,
  );
}

/** Rescaled in place: the same epoch, the same process, no savepoint, its configuration untouched. */
async function inPlace(h: History, change: () => void, wanted: readonly number[], taskManagers: number): Promise<void> {
  const before = { job: jobOf(h), epoch: epochOf(h), conf: confOf(h), taken: savepointsOf(h) };
  change();
  await reachScale(h, wanted, taskManagers);
  assert.deepEqual({ job: jobOf(h), epoch: epochOf(h), conf: confOf(h), taken: savepointsOf(h) }, before);
}

const uppers = (h: History): readonly number[] =>
  jobOf(h)
    ?.vertices.bounds()
    .map(({ upper }) => upper) ?? [];

scenario('35 rescaled in place, up and down, by the scale subresource', async (h) => {
  await start(h, scaled(2));
  await h.run(12_000);
  await inPlace(h, () => scale(h, 4), [4], 4);
  assert.equal(at(h.job(), 'status', 'taskManagerReplicas'), 4);
  await reachSettled(h);
  await inPlace(h, () => scale(h, 1), [1], 1);
  assert.equal(at(h.job(), 'status', 'taskManagerReplicas'), 1);
  assert.equal(status(h).history?.filter(({ reason }) => reason === 'Rescaled').length, 2);
  assert.equal(status(h).plan, undefined);
  assert.equal(h.ledger.rewinds.length, 0);
  await reachSettled(h);
});

scenario(
  '35 by parallelism: a vertex with a parallelism of its own keeps it, also when the job once had the same',
  async (h) => {
    const of = (parallelism: number): Spec => ({
      ...scaled(4, { 'jobmanager.scheduler': 'Adaptive' }, { jobArgs: ['--fixed', '1'] }),
      parallelism,
    });
    await start(h, of(2));
    assert.deepEqual(parallelisms(h), [1, 2]);
    await inPlace(h, () => h.apply(of(1)), [1, 1], 4);
    await h.run(60_000);
    await inPlace(h, () => h.apply(of(3)), [1, 3], 4);
    await inPlace(h, () => h.apply(of(2)), [1, 2], 4);
  },
);

scenario('rescaled in place, and then an upgrade: the next epoch is rendered with the new scale', async (h) => {
  await start(h, scaled(1));
  await inPlace(h, () => scale(h, 3), [3], 3);
  h.apply(scaled(3, { 'jobmanager.scheduler': 'adaptive', 'pipeline.max-parallelism': '64' }));
  await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'upgraded');
  await reachScale(h, [3], 3);
  assert.match(confOf(h), /parallelism.default: 3/);
  assert.equal(status(h).epoch?.scale, undefined);
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('an upgrade breaks out of a rescale', async (h) => {
  await start(h, scaled(2));
  h.world.faults.schedulable = (pod) => !pod.metadata.name.includes('-taskmanager');
  scale(h, 4);
  await h.until(() => status(h).operation?.kind === 'rescale', LIMIT_MS, 'it waits for TaskManagers');
  await h.run(5_000);
  h.world.faults.schedulable = () => true;
  h.apply(scaled(4, { 'jobmanager.scheduler': 'adaptive', 'pipeline.max-parallelism': '64' }));
  await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'upgraded');
  await reachScale(h, [4], 4);
  assert.equal(savepointsOf(h), 1);
});

scenario('TaskManagers that never come: the job goes on, told which pod, and the spec is taken back', async (h) => {
  await start(h, scaled(2));
  const job = jobOf(h);
  h.world.faults.schedulable = (pod) => !pod.metadata.name.includes('-taskmanager');
  scale(h, 4);
  await h.until(() => stateOf(h) === 'Rescaling' && /unschedulable/.test(status(h).message ?? ''), LIMIT_MS, 'told');
  assert.deepEqual(
    status(h).plan?.map(({ field }) => field),
    ['spec.taskManagerReplicas'],
  );
  await h.run(60_000);
  assert.equal(jobOf(h), job);
  assert.deepEqual(parallelisms(h), [2]);
  h.edit((live) => ({ ...live, spec: { ...(live['spec'] as object), savepointNonce: 1 } }));
  await h.until(() => savepointsOf(h) === 1 && stateOf(h) === 'Rescaling', LIMIT_MS, 'savepoints are taken meanwhile');
  scale(h, 2);
  await reachScale(h, [2], 2);
  assert.equal(epochOf(h), 1);
  assert.equal(h.ledger.counts['rescaled'] ?? 0, 0, 'the job was never restarted');
  await reachSettled(h);
});

scenario('the spec is reverted when Flink has its new bounds already', async (h) => {
  await start(h, scaled(2));
  scale(h, 4);
  await h.until(() => uppers(h)[0] === 4, LIMIT_MS, 'Flink knows');
  scale(h, 2);
  await reachScale(h, [2], 2);
  assert.equal(epochOf(h), 1);
  assert.deepEqual(uppers(h), [2]);
  await reachSettled(h);
});

scenario(
  'the JobManager is killed during a rescale, and after it: without high availability Flink forgot',
  async (h) => {
    await start(h, scaled(1));
    await h.run(15_000);
    scale(h, 3);
    await h.until(() => uppers(h)[0] === 3, LIMIT_MS, 'Flink knows');
    killJobManager(h);
    await h.until(() => jobOf(h) === undefined, 10_000, 'the JobManager is gone');
    await reachScale(h, [3], 3);
    await h.run(70_000);
    killJobManager(h);
    await h.until(() => jobOf(h) === undefined, 10_000, 'the JobManager is gone');
    await reachScale(h, [3], 3);
    assert.equal(epochOf(h), 1);
    assert.ok((status(h).epoch?.incarnation ?? 0) >= 3);
    await reachSettled(h);
  },
);

scenario('status is wiped after a rescale: nothing is rescaled again, and the next change is', async (h) => {
  await start(h, scaled(2));
  await inPlace(h, () => scale(h, 3), [3], 3);
  h.edit((live) => ({ ...live, status: {} }));
  await h.run(40_000);
  await reachScale(h, [3], 3);
  assert.equal(epochOf(h), 1);
  await inPlace(h, () => scale(h, 2), [2], 2);
});

scenario(
  'TaskManagers scaled by hand, or their Deployment deleted: back to what the epoch was rescaled to',
  async (h) => {
    await start(h, scaled(2));
    await inPlace(h, () => scale(h, 3), [3], 3);
    const name = { kind: 'Deployment', namespace: NAMESPACE, name: `${NAME}-taskmanager` };
    const live = h.world.api.get(name) ?? assert.fail('no Deployment');
    h.world.api.update('somebody', { ...live, spec: { ...(live['spec'] as object), replicas: 5 } });
    await h.run(5_000);
    await reachScale(h, [3], 3);
    h.world.api.remove('somebody', name);
    await h.run(5_000);
    await reachScale(h, [3], 3);
    assert.equal(epochOf(h), 1);
  },
);

scenario('a TaskManager that is lost after a rescale is Flink’s business, not another rescale', async (h) => {
  await start(h, scaled(2));
  await inPlace(h, () => scale(h, 3), [3], 3);
  const { attempt } = status(h).epoch ?? assert.fail('no epoch');
  const [lost] = pods(h, 'taskmanager');
  h.world.kubelet.kill(lost ?? assert.fail('no TaskManager'));
  await h.run(5_000);
  await reachScale(h, [3], 3);
  assert.equal(status(h).epoch?.attempt, attempt);
  assert.equal(status(h).history?.filter(({ reason }) => reason === 'Rescaled').length, 1);
});

scenario('reactive mode down to no TaskManager, and up again: the job waits and goes on', async (h) => {
  await start(h, scaled(2, { 'scheduler-mode': 'reactive' }));
  await h.run(20_000);
  scale(h, 0);
  await h.until(
    () => podNames(h, 'taskmanager').length === 0 && /taskManagerReplicas is 0/.test(status(h).message ?? ''),
    LIMIT_MS,
    'told that it waits',
  );
  await h.run(600_000);
  assert.equal(jobOf(h)?.state(), 'CREATED');
  scale(h, 2);
  await reachScale(h, [2], 2);
  assert.equal(epochOf(h), 1);
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('created without TaskManagers: told, and started when there are some', async (h) => {
  h.apply(scaled(0));
  await h.until(() => /taskManagerReplicas is 0/.test(status(h).message ?? ''), LIMIT_MS, 'told');
  assert.equal(podNames(h, 'taskmanager').length, 0);
  scale(h, 1);
  await h.until(() => running(h), LIMIT_MS, 'it runs');
  assert.deepEqual(parallelisms(h), [1]);
});

scenario('reactive mode: the TaskManagers are all there is to change', async (h) => {
  const reactive = { 'scheduler-mode': 'reactive' };
  await start(h, scaled(2, reactive));
  await reachScale(h, [2], 2);
  await h.run(35_000);
  await inPlace(h, () => scale(h, 4), [4], 4);
  await h.run(35_000);
  await inPlace(h, () => scale(h, 1), [1], 1);
  await reachSettled(h);
  h.apply({ ...scaled(1, reactive), parallelism: 1 });
  await h.until(() => status(h).plan?.[0]?.field === 'spec.parallelism', LIMIT_MS, 'told that it has no effect');
  assert.equal(epochOf(h), 1);
});

scenario('the default scheduler: scaled by an upgrade, and again only after the cooldown', async (h) => {
  const of = (replicas: number, more: Spec = {}): Spec =>
    scaled(replicas, more, { policies: { ...(SPEC['policies'] as object), scaleCooldown: '2m' } });
  await start(h, of(1));
  scale(h, 2);
  await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'scaled by an upgrade');
  assert.deepEqual(parallelisms(h), [2]);
  scale(h, 3);
  await h.until(() => /waits until/.test(status(h).message ?? ''), LIMIT_MS, 'told until when');
  assert.match(status(h).plan?.[0]?.note ?? '', /not before/);
  await h.run(30_000);
  assert.equal(epochOf(h), 2, 'it waits');
  await h.until(() => epochOf(h) === 3 && running(h), LIMIT_MS, 'the cooldown is over');
  assert.deepEqual(parallelisms(h), [3]);
  h.apply(of(2, { 'pipeline.max-parallelism': '64' }));
  await h.until(() => epochOf(h) === 4 && running(h), 100_000, 'together with another change it does not wait');
  assert.deepEqual(parallelisms(h), [2]);
  assert.equal(savepointsOf(h), 3);
});

scenario('a job that its scheduler cannot rescale is scaled by an upgrade', async (h) => {
  await start(h, scaled(1, undefined, { jobArgs: ['--batch'] }));
  scale(h, 2);
  await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'scaled by an upgrade');
  assert.deepEqual(parallelisms(h), [2]);
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('Flink refuses the bounds: scaled by an upgrade', async (h) => {
  await start(h, scaled(1));
  h.world.faults.flink = ({ method }) =>
    method === 'PUT' ? { kind: 'reply', status: 400, text: '{"errors":["no"]}' } : { kind: 'none' };
  scale(h, 2);
  await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'scaled by an upgrade');
  assert.deepEqual(parallelisms(h), [2]);
  assert.equal(savepointsOf(h), 1);
});

scenario('more than the maximum parallelism, or no TaskManager at all: held, and the job goes on', async (h) => {
  await start(h, scaled(1, { 'jobmanager.scheduler': 'adaptive', 'pipeline.max-parallelism': '2' }));
  const job = jobOf(h);
  for (const [wanted, why] of [
    [3, /maximum parallelism of 2/],
    [0, /suspended/],
  ] as const) {
    scale(h, wanted);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await h.until(() => stateOf(h) === 'Stalled' && why.test(status(h).message ?? ''), LIMIT_MS, 'told');
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await h.run(30_000);
    assert.equal(jobOf(h), job);
    assert.equal(replicas(h), 1);
  }
  h.edit((live) => ({ ...live, spec: { ...(live['spec'] as object), savepointNonce: 1 } }));
  await h.until(() => savepointsOf(h) === 1 && stateOf(h) === 'Stalled', LIMIT_MS, 'savepoints are taken all the same');
  scale(h, 2);
  await reachScale(h, [2], 2);
  assert.equal(epochOf(h), 1);
});

scenario('Flink does not answer about its bounds: nothing follows, and the job is not said to be ready', async (h) => {
  await start(h, scaled(1));
  h.world.faults.flink = ({ path }) =>
    path.endsWith('/resource-requirements')
      ? { kind: 'reply', status: 503, text: '{"errors":["Service temporarily unavailable"]}' }
      : { kind: 'none' };
  scale(h, 2);
  await h.until(() => stateOf(h) === 'Rescaling', LIMIT_MS, 'told');
  await h.run(30_000);
  assert.equal(replicas(h), 1);
  h.world.faults.flink = () => ({ kind: 'none' });
  await reachScale(h, [2], 2);
});

scenario('views that are old during a rescale, up and down', async (h) => {
  await start(h, scaled(1));
  let sync = 0;
  h.controls.staleness = () => {
    sync += 1;
    return { parent: sync % 3, children: 0, related: sync % 2 };
  };
  scale(h, 3);
  await reachScale(h, [3], 3);
  const down = h.world.api.writes.length;
  scale(h, 1);
  await reachScale(h, [1], 1);
  h.controls.staleness = () => ({ parent: 0, children: 0, related: 0 });
  const lowered = h.world.api.writes
    .slice(down)
    .filter(({ object }) => object.kind === 'Deployment' && object.metadata.name.endsWith('-taskmanager'))
    .map(({ object }) => numberAt(object, 'spec', 'replicas'));
  assert.ok(!lowered.slice(lowered.indexOf(1)).includes(3), `not up again: ${lowered.join(' ')}`);
  assert.equal(epochOf(h), 1);
  await reachSettled(h);
});

scenario(
  'a job that ran unseen and waits for slots is CREATED again: that is no proof that it never ran',
  async (h) => {
    h.apply(scaled(1));
    await h.until(() => status(h).epoch !== undefined, LIMIT_MS, 'declared');
    h.controls.hook = () => 'down';
    await h.until(() => (h.ledger.counts['checkpoint'] ?? 0) > 1, LIMIT_MS, 'it runs, and nobody looks');
    h.world.faults.schedulable = (pod) => !pod.metadata.name.includes('-taskmanager');
    for (const { metadata } of pods(h, 'taskmanager'))
      h.world.api.remove('somebody', { kind: 'Pod', namespace: NAMESPACE, name: metadata.name });
    await h.until(() => jobOf(h)?.state() === 'CREATED', LIMIT_MS, 'it waits for slots');
    h.apply(scaled(1, { 'jobmanager.scheduler': 'adaptive', 'pipeline.max-parallelism': '64' }));
    h.controls.hook = () => 'up';
    await h.run(30_000);
    assert.equal(status(h).epoch?.ended, undefined);
    h.world.faults.schedulable = () => true;
    await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'upgraded with its state');
    assert.equal(h.ledger.rewinds.length, 0);
  },
);

scenario('with high availability Flink keeps what it was rescaled to, through a lost JobManager', async (h) => {
  const conf = {
    'jobmanager.scheduler': 'adaptive',
    'high-availability.type': 'kubernetes',
    'high-availability.storageDir': 'file:///data/ha',
  };
  await start(h, scaled(1, conf));
  await h.run(12_000);
  await inPlace(h, () => scale(h, 3), [3], 3);
  const told = h.ledger.counts['bounds-told'];
  killJobManager(h);
  await h.until(() => jobOf(h) === undefined, 10_000, 'the JobManager is gone');
  await reachScale(h, [3], 3);
  assert.equal(h.ledger.counts['bounds-told'], told, 'it was not told again');
  await inPlace(h, () => scale(h, 2), [2], 2);
});

scenario('several slots each: TaskManagers follow the parallelism', async (h) => {
  const of = (parallelism: number): Spec => ({
    ...SPEC,
    parallelism,
    flinkConf: {
      ...(SPEC['flinkConf'] as object),
      'jobmanager.scheduler': 'adaptive',
      'taskmanager.numberOfTaskSlots': 2,
    },
  });
  await start(h, of(2));
  assert.equal(replicas(h), 1);
  await inPlace(h, () => h.apply(of(5)), [5], 3);
  await inPlace(h, () => h.apply(of(3)), [3], 2);
  await reachSettled(h);
});

scenario('main() throws with the adaptive scheduler: no graph, nothing ran, and a corrected spec starts', async (h) => {
  const of = (jobArgs: readonly string[]): Spec =>
    scaled(1, undefined, { flinkVersion: '2.3', image: 'flink:2.3.0', jobArgs });
  h.apply(of(['--throw']));
  await h.until(() => stateOf(h) === 'Failed', LIMIT_MS, 'Failed');
  h.apply(of([]));
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'started');
});
