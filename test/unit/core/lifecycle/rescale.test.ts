import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledge } from '../../../../src/core/reconcile.ts';
import {
  answered,
  apply,
  cluster,
  edit,
  inputOf,
  jobManagerPod,
  jobManagerReplicas,
  runningCluster,
  SPEC,
  sync,
  UNREACHABLE,
  type Shown,
} from '../drive.ts';
import { questions } from '../../../../src/core/questions.ts';

type At = ReturnType<typeof runningCluster>;
const V = '0'.repeat(31);
const CONF = { ...SPEC.flinkConf, 'jobmanager.scheduler': 'adaptive' };
const ADAPTIVE = { ...SPEC, taskManagerReplicas: 2, flinkConf: CONF };

/** The job as Flink shows it: its vertices with bounds and parallelism. */
function shown(at: At, uppers: readonly number[], runs: readonly number[] = uppers, max = 128): Shown {
  return {
    pods: [jobManagerPod(1)],
    flink: answered(at.status!.epoch!.jobId, 'RUNNING', {
      bounds: uppers.map((upper, index) => ({ id: `${V}${index}`, lower: 1, upper })),
      vertices: runs.map((parallelism, index) => ({
        id: `${V}${index}`,
        name: `Map ${index}`,
        parallelism,
        maxParallelism: max,
      })),
    }),
  };
}

function taskManager(at: At): { replicas: number | undefined; by: string | undefined; ready: (count: number) => void } {
  const deployment = at.children.get('Deployment/wordcount-taskmanager') as {
    spec: { replicas: number };
    metadata: { annotations: Record<string, string> };
    status: Record<string, number>;
  };
  return {
    replicas: deployment.spec.replicas,
    by: deployment.metadata.annotations['flork.itom.com/scale-generation'],
    ready: (count) => {
      deployment.status['readyReplicas'] = count;
    },
  };
}

test('up: intent, TaskManagers, bounds, and only then it is done', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 4 });
  const intent = sync(at, shown(at, [2]));
  assert.equal(intent.rule, 'rescaleIntended');
  assert.deepEqual([intent.commands, taskManager(at).replicas], [[], 2], 'nothing is done yet');
  assert.equal(intent.status.plan?.[0]?.field, 'spec.taskManagerReplicas');
  assert.equal(intent.status.state, 'Rescaling');
  const raised = sync(at, shown(at, [2]));
  assert.equal(raised.rule, 'rescaleStartsTaskManagers');
  assert.deepEqual([raised.commands, taskManager(at).replicas, taskManager(at).by], [[], 4, '2']);
  taskManager(at).ready(4);
  const asked = sync(at, shown(at, [2]));
  assert.equal(asked.rule, 'rescaleAsked');
  assert.deepEqual(
    asked.commands.map((command) => command.kind === 'rescale' && command.bounds),
    [[{ id: `${V}0`, lower: 1, upper: 4 }]],
  );
  assert.equal(sync(at, shown(at, [4], [2])).rule, 'rescaleUnderWay');
  const done = sync(at, shown(at, [4]));
  assert.equal(done.rule, 'rescaled');
  assert.deepEqual([done.status.operation, done.status.epoch?.attempt, done.status.plan], [undefined, 1, undefined]);
  assert.equal(done.status.history?.[0]?.reason, 'Rescaled');
  assert.equal(sync(at, shown(at, [4])).rule, 'running');
  assert.deepEqual([at.status?.epoch?.number, jobManagerReplicas(at)], [1, 1]);
});

test('down: bounds first, TaskManagers only when Flink answers that the job runs so', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 1 });
  sync(at, shown(at, [2]));
  assert.equal(sync(at, shown(at, [2])).rule, 'rescaleAsked');
  assert.equal(sync(at, shown(at, [1], [2])).rule, 'rescaleUnderWay');
  assert.equal(taskManager(at).replicas, 2);
  sync(at, { pods: [jobManagerPod(1)], flink: UNREACHABLE });
  assert.equal(taskManager(at).replicas, 2, 'silence lowers nothing');
  assert.equal(at.status?.operation?.kind, 'rescale', 'and the intent stays');
  assert.equal(sync(at, shown(at, [1])).rule, 'rescaleStopsTaskManagers');
  assert.equal(taskManager(at).replicas, 1);
  assert.equal(sync(at, shown(at, [1])).rule, 'rescaled');
});

test('an answer to an older view of the FlinkJob leaves the TaskManagers alone', () => {
  const at = runningCluster(ADAPTIVE);
  const old = { spec: at.spec, generation: at.generation, status: at.status };
  edit(at, { taskManagerReplicas: 4 });
  sync(at, shown(at, [2]));
  sync(at, shown(at, [2]));
  assert.equal(taskManager(at).replicas, 4);
  const stale = sync({ ...at, ...old }, shown(at, [2]));
  const deployment = stale.children.find((child) => child.metadata.name === 'wordcount-taskmanager')!;
  assert.equal((deployment['spec'] as { replicas: number }).replicas, 4);
  assert.equal(deployment.metadata.annotations?.['flork.itom.com/scale-generation'], '2');
});

test('an intent that is past, shown again, raises nothing that was lowered since', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 4 });
  sync(at, shown(at, [2]));
  const past = { spec: at.spec, generation: at.generation, status: at.status };
  sync(at, shown(at, [2]));
  edit(at, { taskManagerReplicas: 1 });
  for (const view of [[2], [2], [1]]) sync(at, shown(at, view));
  assert.equal(taskManager(at).replicas, 1);
  sync({ ...at, ...past }, shown(at, [1]));
  assert.equal(taskManager(at).replicas, 1);
});

test('a vertex with a parallelism of its own is remembered before anything is done', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 1 });
  sync(at, shown(at, [1, 2]));
  assert.deepEqual(at.status?.epoch?.scale, { parallelism: 1, taskManagers: 1, fixed: [`${V}0`] });
  sync(at, shown(at, [1, 2]));
  sync(at, shown(at, [1, 1]));
  sync(at, shown(at, [1, 1]));
  edit(at, { taskManagerReplicas: 3 });
  sync(at, shown(at, [1, 1]));
  sync(at, shown(at, [1, 1]));
  taskManager(at).ready(3);
  const asked = sync(at, shown(at, [1, 1]));
  assert.deepEqual(
    asked.commands.map((command) => command.kind === 'rescale' && command.bounds.map(({ upper }) => upper)),
    [[1, 3]],
  );
});

test('Flink does not say which bounds it has: nothing follows', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 4 });
  const unknown = { ...shown(at, [2]), flink: answered(at.status!.epoch!.jobId, 'RUNNING', { bounds: 'unknown' }) };
  assert.equal(sync(at, unknown).rule, 'rescaleUnheard');
  assert.equal(at.status?.operation, undefined);
});

test('a scheduler that cannot, and a refusal, make it an upgrade', () => {
  const cannot = runningCluster(ADAPTIVE);
  edit(cannot, { taskManagerReplicas: 4 });
  const flink = answered(cannot.status!.epoch!.jobId, 'RUNNING', { bounds: 'cannot' });
  assert.equal(sync(cannot, { pods: [jobManagerPod(1)], flink }).rule, 'stopIntended');
  assert.equal(cannot.status?.operation?.purpose, 'scale');
  assert.match(cannot.status?.plan?.[0]?.note ?? '', /^By an upgrade/);

  const refused = runningCluster(ADAPTIVE);
  edit(refused, { taskManagerReplicas: 1 });
  sync(refused, shown(refused, [2]));
  const asked = sync(refused, shown(refused, [2]));
  const command = asked.commands[0]!;
  refused.status = acknowledge(asked, [{ command, kind: 'refused', text: 'no' }]).status;
  assert.equal(refused.status.operation?.result?.failure, 'no');
  assert.equal(sync(refused, shown(refused, [2])).rule, 'stopIntended');

  const lost = runningCluster(ADAPTIVE);
  edit(lost, { taskManagerReplicas: 1 });
  sync(lost, shown(lost, [2]));
  const again = sync(lost, shown(lost, [2]));
  lost.status = acknowledge(again, [{ command: again.commands[0]!, kind: 'unknown', text: '' }]).status;
  assert.equal(sync(lost, shown(lost, [2])).rule, 'rescaleAsked', 'a lost answer is asked for again');
});

test('vertices whose parallelism the job sets itself are scaled by an upgrade', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 4 });
  assert.equal(sync(at, shown(at, [7])).rule, 'stopIntended');
});

test('more than the maximum, or no TaskManager: the job goes on, Stalled, and the plan says why', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 4 });
  const held = sync(at, shown(at, [2], [2], 3));
  assert.equal(held.rule, 'scaleImpossible');
  assert.match(held.status.message, /maximum parallelism of 3/);
  assert.match(held.status.plan?.[0]?.note ?? '', /^Not made/);
  edit(at, { taskManagerReplicas: 0 });
  assert.match(sync(at, shown(at, [2])).status.message, /spec.state: suspended/);
  assert.equal(taskManager(at).replicas, 2);
  edit(at, { taskManagerReplicas: 2 });
  assert.equal(sync(at, shown(at, [2])).rule, 'running');
});

test('another JobManager process that began with the old parallelism is told again', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 1 });
  for (const view of [[2], [2], [1], [1], [1]]) sync(at, shown(at, view));
  assert.equal(at.status?.operation, undefined);
  const intent = sync(at, shown(at, [2]));
  assert.equal(intent.rule, 'rescaleIntended');
  assert.equal(intent.status.operation?.attempt, 2);
  assert.equal(sync(at, shown(at, [2])).rule, 'rescaleAsked');
});

test('a TaskManager that is lost afterwards, or bounds that are not told for once, are no new rescale', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 1 });
  taskManager(at).ready(1);
  for (const view of [[2], [2], [1], [1], [1]]) {
    sync(at, shown(at, view));
    taskManager(at).ready(1);
  }
  assert.equal(at.status?.operation, undefined);
  const fewer = shown(at, [1], [0]);
  assert.equal(sync(at, fewer).rule, 'running');
  const unknown = { ...fewer, flink: answered(at.status!.epoch!.jobId, 'RUNNING', { bounds: 'unknown' }) };
  assert.equal(sync(at, unknown).rule, 'running');
  assert.equal(at.status?.epoch?.attempt, 1);
});

test('a change of another kind makes it an upgrade, and breaks out of a rescale', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 4 });
  sync(at, shown(at, [2]));
  assert.equal(at.status?.operation?.kind, 'rescale');
  edit(at, { jobArgs: ['x'] });
  assert.equal(sync(at, shown(at, [2])).rule, 'stopIntended');
  assert.equal(at.status?.operation?.purpose, 'upgrade');
});

test('a change that is taken back before the stop, beside another scale: nothing is stopped, and the job is rescaled in place', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 4, jobArgs: ['x'] });
  assert.equal(sync(at, shown(at, [2])).rule, 'stopIntended');
  edit(at, { jobArgs: undefined });
  const withdrawn = sync(at, shown(at, [2]));
  assert.equal(withdrawn.rule, 'stopWithdrawn');
  assert.deepEqual(withdrawn.commands, []);
  assert.equal(sync(at, shown(at, [2])).rule, 'rescaleIntended');
});

test('the default scheduler: an upgrade, and within the cooldown a wait that says until when', () => {
  const at = runningCluster({ ...SPEC, taskManagerReplicas: 2 });
  at.status = { ...at.status!, scaledAt: '2026-01-01T00:00:00Z' };
  edit(at, { taskManagerReplicas: 3 });
  const waits = sync(at, shown(at, [2]));
  assert.equal(waits.rule, 'scaleCooldown');
  assert.match(waits.status.message, /2026-01-01T00:05:00Z/);
  assert.match(waits.status.plan?.[0]?.note ?? '', /not before 2026-01-01T00:05:00Z/);
  at.now = Date.parse('2026-01-01T00:05:01Z');
  assert.equal(sync(at, shown(at, [2])).rule, 'stopIntended');
  assert.equal(at.status?.operation?.purpose, 'scale');
});

test('within the cooldown another change does not wait', () => {
  const at = runningCluster({ ...SPEC, taskManagerReplicas: 2 });
  at.status = { ...at.status!, scaledAt: '2026-01-01T00:00:00Z' };
  edit(at, { taskManagerReplicas: 3, jobArgs: ['x'] });
  assert.equal(sync(at, shown(at, [2])).rule, 'stopIntended');
});

test('reactive mode: TaskManagers only, and the parallelism has no effect', () => {
  const reactive = { ...ADAPTIVE, flinkConf: { ...SPEC.flinkConf, 'scheduler-mode': 'reactive' } };
  const at = runningCluster(reactive);
  edit(at, { taskManagerReplicas: 3 });
  const flink = answered(at.status!.epoch!.jobId, 'RUNNING');
  assert.equal(sync(at, { pods: [jobManagerPod(1)], flink }).rule, 'rescaleIntended');
  assert.equal(sync(at, { pods: [jobManagerPod(1)], flink }).rule, 'rescaleStartsTaskManagers');
  assert.equal(taskManager(at).replicas, 3);
  assert.equal(sync(at, { pods: [jobManagerPod(1)], flink }).rule, 'rescaleStartsTaskManagers');
  taskManager(at).ready(3);
  const done = sync(at, { pods: [jobManagerPod(1)], flink });
  assert.deepEqual([done.rule, done.commands], ['rescaled', []]);
  edit(at, { parallelism: 3 });
  const plan = sync(at, { pods: [jobManagerPod(1)], flink }).status.plan;
  assert.deepEqual(
    plan?.map(({ field }) => field),
    ['spec.parallelism'],
  );
  assert.match(plan?.[0]?.note ?? '', /Without effect/);
});

test('Flink is asked for its bounds only where a rescale is wanted, or was made', () => {
  const wants = (at: At) => {
    const { flink: _, ...known } = inputOf(at, { pods: [jobManagerPod(1)] });
    const asked = questions(known);
    return asked.kind === 'ask' && asked.wants.bounds;
  };
  const at = runningCluster(ADAPTIVE);
  assert.equal(wants(at), false);
  edit(at, { taskManagerReplicas: 1 });
  assert.equal(wants(at), true);
  for (const view of [[2], [2], [1], [1], [1]]) sync(at, shown(at, view));
  edit(at, { taskManagerReplicas: 2 });
  assert.equal(wants(at), true, 'the spec is what the epoch began with, and Flink has other bounds');
  const plain = runningCluster({ ...SPEC, taskManagerReplicas: 2 });
  edit(plain, { taskManagerReplicas: 3 });
  assert.equal(wants(plain), false);
});

test('the configuration of the running epoch stays byte for byte', () => {
  const at = runningCluster(ADAPTIVE);
  const text = () => [...at.children].filter(([key]) => key.includes('-conf-')).map(([, child]) => child['data']);
  const before = text();
  edit(at, { taskManagerReplicas: 1 });
  for (const view of [[2], [2], [1], [1], [1]]) apply(at, sync(at, shown(at, view)));
  assert.deepEqual(text(), before);
});

test('with the adaptive scheduler a job that waits for slots is not taken for one that never ran, one without a graph is', () => {
  const replaced = (conf: Record<string, string>, state: 'CREATED' | 'FAILED', vertices: boolean) => {
    const at = cluster({ ...SPEC, flinkConf: { ...SPEC.flinkConf, ...conf } });
    sync(at);
    sync(at, { pods: [jobManagerPod(1)] });
    edit(at, { jobArgs: ['x'] });
    const graph = [{ id: `${V}0`, name: 'Map', parallelism: 1, maxParallelism: 128 }];
    const flink = answered(at.status!.epoch!.jobId, state, { tasks: 0, vertices: vertices ? graph : [] });
    sync(at, { pods: [jobManagerPod(1)], flink });
    return at.status?.epoch?.ended?.how === 'replaced';
  };
  const adaptive = { 'jobmanager.scheduler': 'adaptive' };
  assert.equal(replaced({}, 'CREATED', true), true);
  assert.equal(replaced(adaptive, 'CREATED', true), false);
  assert.equal(replaced({ 'scheduler-mode': 'reactive' }, 'CREATED', true), false);
  assert.equal(replaced(adaptive, 'FAILED', true), false);
});

test('a spec that became invalid leaves a rescaled job at the scale it has', () => {
  const at = runningCluster(ADAPTIVE);
  edit(at, { taskManagerReplicas: 4 });
  sync(at, shown(at, [2]));
  sync(at, shown(at, [2]));
  taskManager(at).ready(4);
  sync(at, shown(at, [2]));
  assert.equal(sync(at, shown(at, [4])).rule, 'rescaled');
  edit(at, { jarURI: 'nothing to fetch' });
  for (let step = 0; step < 3; step++) {
    const outcome = sync(at, shown(at, [4]));
    assert.equal(outcome.status.state, 'Stalled');
    assert.deepEqual([outcome.commands, outcome.status.operation, taskManager(at).replicas], [[], undefined, 4]);
  }
});
