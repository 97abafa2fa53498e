import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, checkpoint, cluster, edit, jobManagerPod, podOf, SPEC, sync, type Shown } from '../drive.ts';

type More = NonNullable<Parameters<typeof answered>[2]>;
const NONE = { checkpoints: { completed: 0 } };
const STARTED = { running: { startedAt: '2026-01-01T00:00:10Z' } };

/** Epoch 1 with its JobManager up; `shown` says what Flink answers, by a clock that agrees. */
function begun(spec: Record<string, unknown> = SPEC) {
  const at = cluster(spec);
  sync(at);
  const pods = [jobManagerPod(1), podOf('taskmanager', 1, 0, STARTED)];
  sync(at, { pods: [jobManagerPod(1)] });
  const jobId = at.status!.epoch!.jobId;
  const flink = (more: More = NONE, state: Parameters<typeof answered>[1] = 'RUNNING') =>
    answered(jobId, state, { clock: { now: at.now, runningSince: 1 }, ...more });
  const shown = (more?: More): Shown => ({ pods, flink: flink(more) });
  const condition = (type: string): string | undefined =>
    at.status?.conditions.find((one) => one.type === type)?.status;
  return { at, jobId, pods, flink, shown, condition };
}

test('all tasks run: a checkpoint is intended, asked for once that is observed, and the epoch is stable with it', () => {
  const { at, shown, condition } = begun();
  const intended = sync(at, shown());
  assert.equal(intended.rule, 'stabilityIntended');
  assert.deepEqual(intended.commands, []);
  assert.equal(at.status?.state, 'Running');
  assert.equal(at.status.conditions[0]?.reason, 'Stabilizing');
  assert.equal(condition('Ready'), 'False');
  const asked = sync(at, shown());
  assert.deepEqual(
    asked.commands.map(({ kind }) => kind),
    ['checkpoint'],
  );
  assert.deepEqual(sync(at, shown({ ...NONE, trigger: { kind: 'in-progress' } })).commands, []);
  assert.equal(at.status.epoch?.stableAt, undefined);
  const taken = sync(at, shown({ ...NONE, trigger: { kind: 'checkpointed', checkpointId: 1 } }));
  assert.equal(taken.rule, 'checkpointTaken');
  assert.equal(condition('Ready'), 'True');
  assert.ok(at.status.epoch?.stableAt);
  assert.equal(at.status.epoch.clock, undefined);
  assert.equal(at.status.history?.[0]?.reason, 'Running');
  assert.equal(at.status.handled?.checkpointNonce, undefined, 'nobody asked for it');
  assert.equal(sync(at, shown()).rule, 'running');
  assert.equal(at.status.history?.filter(({ reason }) => reason === 'Running').length, 1);
});

test('a checkpoint that the spec asks for is another one, and waits for the first', () => {
  const { at, shown } = begun();
  edit(at, { checkpointNonce: 1 });
  sync(at, shown());
  assert.equal(at.status?.operation?.purpose, 'stable');
  sync(at, shown({ ...NONE, trigger: { kind: 'checkpointed', checkpointId: 1 } }));
  assert.equal(sync(at, shown()).rule, 'snapshotIntended');
  assert.equal(at.status.operation.purpose, 'request');
});

test('a job whose own checkpoints come within 3 s is not asked', () => {
  const { at, pods, flink } = begun();
  const view = flink();
  assert.ok(view.kind === 'answered' && view.checkpointConfig.kind === 'value');
  const config = { ...view.checkpointConfig.value, intervalMs: 1000 };
  const soon = { ...view, checkpointConfig: { kind: 'value' as const, value: config } };
  assert.equal(sync(at, { pods, flink: soon }).rule, 'stabilizing');
  assert.equal(at.status?.operation, undefined);
});

test('a restored checkpoint does not make an epoch stable, and one that an earlier process of it wrote does', () => {
  const { at, jobId, shown } = begun();
  const restored = (path: string) => ({ completed: 0, restored: 1, latestRestored: checkpoint(7, path, 1) });
  sync(at, shown({ checkpoints: restored(`file:///state/${'a'.repeat(32)}/chk-7`) }));
  assert.equal(at.status?.epoch?.stableAt, undefined);
  sync(at, shown({ checkpoints: restored(`file:///state/${jobId}/chk-7`) }));
  assert.ok(at.status?.epoch?.stableAt);
});

test('a job that writes no checkpoints is stable when all its tasks run; one of which that is not known is not', () => {
  const off = begun();
  assert.equal(sync(off.at, off.shown({ ...NONE, checkpointing: false })).rule, 'stable');
  assert.equal(off.condition('Ready'), 'True');
  const unknown = begun();
  assert.equal(sync(unknown.at, unknown.shown({ ...NONE, checkpointing: 'unknown' })).rule, 'stabilizing');
  assert.equal(unknown.at.status?.operation, undefined, 'nothing is asked of a job that may write none');
  assert.equal(unknown.condition('Ready'), 'False');
});

test('tasks that have not all run make nothing stable', () => {
  const { at, shown } = begun();
  sync(at, shown({ running: 1, checkpoints: { completed: 1 } }));
  assert.equal(at.status?.epoch?.runningAt, undefined);
  assert.equal(at.status?.epoch?.stableAt, undefined);
});

test('a failed checkpoint is told, and asked for again after a pause under a new number', () => {
  const { at, shown } = begun();
  sync(at, shown());
  const first = at.status!.operation!;
  const failed = shown({ ...NONE, trigger: { kind: 'failed', text: 'disk full', path: undefined } });
  assert.equal(sync(at, failed).rule, 'snapshotFailed');
  assert.equal(at.status!.history?.[0]?.reason, 'CheckpointFailed');
  assert.equal(sync(at, failed).rule, 'stabilizing');
  assert.match(at.status!.message, /disk full/);
  at.now += 40_000;
  assert.equal(sync(at, failed).rule, 'stabilityIntended');
  assert.equal(at.status?.operation?.attempt, first.attempt + 1);
  assert.notEqual(at.status?.operation?.triggerId, first.triggerId);
});

test('an epoch that was stable stays so', () => {
  const { at, shown, condition } = begun();
  sync(at, shown({ checkpoints: { completed: 1 } }));
  const since = at.status?.epoch?.stableAt;
  sync(at, shown(NONE));
  assert.equal(at.status?.epoch?.stableAt, since);
  assert.equal(condition('Ready'), 'True');
});

test('readiness: when the time is over a person is told, and the job is asked on', () => {
  const { at, shown, condition } = begun({ ...SPEC, policies: { ...SPEC.policies, upgrade: { readiness: '2m' } } });
  const failing = () => shown({ ...NONE, trigger: { kind: 'failed', text: 'disk full', path: undefined } });
  sync(at, failing());
  sync(at, failing());
  at.now += 116_000;
  assert.equal(sync(at, failing()).rule, 'stabilityIntended');
  assert.equal(condition('Stalled'), undefined);
  at.now += 10_000;
  assert.equal(sync(at, failing()).rule, 'snapshotFailed');
  assert.equal(condition('Stalled'), 'True');
  assert.equal(at.status?.conditions[0]?.reason, 'NotStable');
  assert.match(at.status?.message ?? '', /completed no checkpoint within 120 s/);
  sync(at, shown({ checkpoints: { completed: 1 } }));
  assert.equal(condition('Ready'), 'True');
});

test('readiness: the clock begins when the restore is done, and is written when it starts and stops alone', () => {
  const { at, pods, shown } = begun();
  const clock = () => at.status?.epoch?.clock;
  sync(at, shown({ running: 1, ...NONE }));
  assert.equal(clock(), undefined, 'a restore may take long');
  sync(at, shown());
  const started = clock();
  assert.ok(started?.seconds === 0 && started.since !== undefined);
  at.now += 30_000;
  sync(at, shown());
  assert.deepEqual(clock(), started);
  const pending = podOf('taskmanager', 1, 0, { waiting: { reason: 'ContainerCreating' } });
  sync(at, { ...shown({ ...NONE, running: 0 }), pods: [pods[0]!, pending] });
  assert.equal(clock()?.since, undefined);
  const seconds = clock()?.seconds ?? 0;
  assert.ok(seconds >= 30 && seconds <= 33);
  at.now += 600_000;
  const waits = sync(at, { ...shown({ ...NONE, running: 0 }), pods: [pods[0]!, pending] });
  assert.notEqual(waits.rule, 'notStable');
  assert.equal(clock()?.seconds, seconds);
});

test('readiness: pods that end again and again run, one without its image does not', () => {
  const looping = { waiting: { reason: 'CrashLoopBackOff' } };
  const ended = { lastState: { terminated: { exitCode: 1, reason: 'Error', finishedAt: '2026-01-01T00:00:20Z' } } };
  const { at, pods } = begun();
  sync(at, { pods: [jobManagerPod(1, 1, looping, ended), pods[1]!] });
  assert.ok(at.status?.epoch?.clock?.since);
  at.now += 310_000;
  assert.equal(sync(at, { pods: [jobManagerPod(1, 1, { terminated: { exitCode: 1 } }), pods[1]!] }).rule, 'notStable');
  const image = begun();
  const refused = podOf('taskmanager', 1, 0, { waiting: { reason: 'ImagePullBackOff' } });
  sync(image.at, { pods: [jobManagerPod(1, 1, looping, ended), refused] });
  assert.equal(image.at.status?.epoch?.clock, undefined);
});

test('readiness: nothing is judged by a clock that differs from that of Flink, or while Flink is silent', () => {
  const { at, pods, flink, shown, condition } = begun();
  sync(at, shown());
  at.now += 400_000;
  sync(at, { pods, flink: flink({ ...NONE, clock: { now: at.now - 100_000, runningSince: 1 } }) });
  assert.equal(condition('Stalled'), undefined);
  const silent = sync(at, { pods, flink: { kind: 'unreachable', error: 'timeout', text: 'timed out' } });
  assert.equal(silent.rule, 'unreachable');
});
