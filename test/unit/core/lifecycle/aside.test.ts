import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlinkView, TriggerView } from '../../../../src/core/flink-view.ts';
import { acknowledge, reconcile } from '../../../../src/core/reconcile.ts';
import { questions } from '../../../../src/core/questions.ts';
import { answered, checkpoint, cluster, edit, inputOf, jobManagerPod, runningCluster, SPEC, sync } from '../drive.ts';

const pods = [jobManagerPod(1)];
type At = ReturnType<typeof cluster>;

function runs(
  at: At,
  trigger: TriggerView | 'absent' = 'absent',
  more: Parameters<typeof answered>[2] = {},
): FlinkView {
  return answered(at.status!.epoch!.jobId, 'RUNNING', { trigger, ...more });
}

function asked(kind: 'savepoint' | 'checkpoint' = 'savepoint'): At {
  const at = runningCluster();
  edit(at, { [`${kind}Nonce`]: 1 });
  assert.equal(sync(at, { pods, flink: runs(at) }).rule, 'snapshotIntended');
  return at;
}

test('a nonce becomes an intent, the intent a call under its own id and directory, the result status and the next start', () => {
  const at = asked();
  const operation = at.status!.operation!;
  assert.deepEqual(
    [operation.kind, operation.purpose, operation.attempt, operation.nonce],
    ['savepoint', 'request', 1, 1],
  );
  assert.match(operation.directory!, /^file:\/\/\/state\/savepoints\/team-wordcount-[0-9a-f-]+\/savepoint-1$/);
  const ask = questions(inputOf(at, { pods }));
  assert.deepEqual(ask.kind === 'ask' && ask.trigger?.kind, 'savepoint');
  const { commands } = sync(at, { pods, flink: runs(at) });
  assert.deepEqual(
    commands.map((command) => command.kind),
    ['savepoint'],
  );
  assert.equal(sync(at, { pods, flink: runs(at, { kind: 'in-progress' }) }).rule, 'asideUnderWay');
  const path = `${operation.directory}/savepoint-x`;
  assert.equal(sync(at, { pods, flink: runs(at, { kind: 'completed', path }) }).rule, 'savepointTaken');
  assert.deepEqual(
    [at.status!.operation, at.status!.epoch!.asked, at.status!.handled],
    [undefined, 1, { savepointNonce: 1 }],
  );
  assert.equal(at.status!.snapshots!.lastSavepoint!.path, path);
  assert.match(
    JSON.stringify([...at.children.values()]),
    /--fromSavepoint=file:\/\/\/state\/savepoints[^"]*savepoint-x/,
  );
  assert.equal(sync(at, { pods, flink: runs(at) }).rule, 'running');
});

/** What Flink answers when its own clock says so. */
function runsAt(at: At, now: number, ...more: [(TriggerView | 'absent')?, Parameters<typeof answered>[2]?]): FlinkView {
  const view = runs(at, ...more);
  if (view.kind !== 'answered' || view.detail.kind !== 'value') throw new Error('no detail');
  return { ...view, detail: { kind: 'value', value: { ...view.detail.value, now } } };
}

test('a savepoint whose result Flink forgot is looked for in the listing before it is asked for again', () => {
  const at = asked();
  const { directory, triggerId } = at.status!.operation!;
  const step = (flink: FlinkView): readonly [string, number] => {
    const { rule, commands } = sync(at, { pods, flink });
    return [rule, commands.length];
  };
  assert.deepEqual(step(runsAt(at, 60_000)), ['asideAsked', 1]);
  assert.equal(at.status!.operation!.askedAt, '1970-01-01T00:01:00Z');
  assert.deepEqual(step(runsAt(at, 90_000)), ['asideUnderWay', 0], 'it may be done and forgotten');
  assert.equal(at.status!.operation!.unknownSince, '1970-01-01T00:01:30Z');
  assert.deepEqual(step(runsAt(at, 99_000)), ['asideUnderWay', 0], 'the listing may lag');
  const before = structuredClone({ status: at.status, children: at.children });
  const latestSavepoint = { id: 9, path: `${directory}/savepoint-x`, kind: 'savepoint' as const, at: 1, sizeBytes: 1 };
  assert.deepEqual(step(runsAt(at, 99_000, 'absent', { checkpoints: { latestSavepoint } })), ['savepointTaken', 0]);
  Object.assign(at, before);
  assert.deepEqual(step(runsAt(at, 101_000)), ['asideAsked', 1], 'it is not listed: it was not taken');
  assert.deepEqual(
    [at.status!.operation!.triggerId, at.status!.operation!.unknownSince, at.status!.operation!.askedAt],
    [triggerId, undefined, '1970-01-01T00:01:41Z'],
  );
});

test('a checkpoint whose result Flink forgot is any that was complete after it was asked for', () => {
  const at = asked('checkpoint');
  const listed = (ms: number) => ({ checkpoints: { latestCompleted: checkpoint(7, 'file:///state/x/chk-7', ms) } });
  assert.equal(sync(at, { pods, flink: runsAt(at, 60_000, 'absent', listed(61_000)) }).rule, 'asideAsked');
  assert.equal(sync(at, { pods, flink: runsAt(at, 62_000, 'absent', listed(60_900)) }).rule, 'asideUnderWay');
  const inProgress = runsAt(at, 62_000, { kind: 'in-progress' }, listed(61_000));
  assert.equal(sync(at, { pods, flink: inProgress }).rule, 'asideUnderWay');
  assert.equal(sync(at, { pods, flink: runsAt(at, 62_000, 'absent', listed(61_000)) }).rule, 'checkpointTaken');
  assert.deepEqual(at.status!.handled, { checkpointNonce: 1 });
});

test('nothing is asked while a task does not run, before the job is stable, or when the nonce is taken away', () => {
  const at = runningCluster();
  edit(at, { savepointNonce: 1 });
  assert.equal(sync(at, { pods, flink: runs(at, 'absent', { running: 1 }) }).rule, 'tasksStarting');
  edit(at, { savepointNonce: undefined });
  assert.equal(sync(at, { pods, flink: runs(at) }).rule, 'running');
  const young = cluster({ ...SPEC });
  sync(young);
  sync(young, { pods });
  edit(young, { savepointNonce: 1 });
  assert.equal(sync(young, { pods, flink: runs(young) }).rule, 'stable');
  assert.equal(sync(young, { pods, flink: runs(young) }).rule, 'snapshotIntended');
});

test('a spec change takes over from any step, under the number that it would have had without', () => {
  const at = asked();
  edit(at, { jobArgs: ['x'] });
  assert.equal(sync(at, { pods, flink: runs(at, { kind: 'in-progress' }) }).rule, 'stopIntended');
  assert.deepEqual([at.status!.operation!.kind, at.status!.operation!.attempt], ['stop', 1]);
  assert.match(at.status!.operation!.directory!, /\/1$/);
});

test('a savepoint beside it is never taken for that of a stop', () => {
  const at = asked();
  const path = `${at.status!.operation!.directory}/savepoint-x`;
  sync(at, { pods, flink: runs(at, { kind: 'completed', path }) });
  const latestSavepoint = { id: 9, path, kind: 'savepoint' as const, at: 1, sizeBytes: 1 };
  const finished = answered(at.status!.epoch!.jobId, 'FINISHED', { checkpoints: { latestSavepoint } });
  assert.equal(sync(at, { pods, flink: finished }).rule, 'jobFinished');
});

test('a failure pauses its own kind only, and a definite refusal is a failure', () => {
  const at = asked();
  const outcome = reconcile(inputOf(at, { pods, flink: runs(at) }));
  const [command] = outcome.commands;
  const refused = acknowledge(outcome, [{ command: command!, kind: 'refused', text: 'no' }]);
  assert.equal(refused.status.operation!.result!.failure, 'no');
  at.status = refused.status;
  assert.equal(sync(at, { pods, flink: runs(at) }).rule, 'snapshotFailed');
  assert.deepEqual([at.status!.retry!.kind, at.status!.retry!.failures, at.status!.epoch!.asked], ['savepoint', 1, 1]);
  assert.equal(sync(at, { pods, flink: runs(at) }).rule, 'snapshotRetryLater');
  edit(at, { checkpointNonce: 1 });
  sync(at, { pods, flink: runs(at) });
  assert.equal(at.status!.operation!.kind, 'checkpoint');
  edit(at, { jobArgs: ['x'] });
  assert.equal(sync(at, { pods, flink: runs(at) }).rule, 'stopIntended', 'a change does not pause for it');
});

test('another process, or another job, knows nothing of what was asked', () => {
  const at = asked('checkpoint');
  const other = [jobManagerPod(1, 1)];
  sync(at, { pods: other, flink: runs(at) });
  assert.equal(at.status!.operation, undefined);
  assert.equal(at.status!.epoch!.asked, 1);
});

test('a savepoint that the restore ConfigMap names is taken, whatever status and another process know of it', () => {
  const at = asked();
  const intended = structuredClone(at.status!);
  const path = `${intended.operation!.directory}/savepoint-x`;
  sync(at, { pods, flink: runsAt(at, 50_000) });
  assert.equal(sync(at, { pods, flink: runsAt(at, 60_000, { kind: 'completed', path }) }).rule, 'savepointTaken');
  const other = [jobManagerPod(1, 1)];
  const late = sync(at, { pods: other, flink: runsAt(at, 90_000), status: intended });
  assert.equal(late.rule, 'savepointTaken');
  assert.deepEqual([late.status.epoch!.asked, late.status.handled], [1, { savepointNonce: 1 }]);
  const [entry] = late.status.snapshots!.history!;
  assert.deepEqual([entry!.path, entry!.at], [path, '1970-01-01T00:01:00Z'], 'with the time that is recorded');
});

test('a checkpoint that Flink lists is recorded at once', () => {
  const at = asked('checkpoint');
  const latestCompleted = checkpoint(7, 'file:///state/checkpoints/x/chk-7', 5000);
  const flink = runs(at, { kind: 'checkpointed', checkpointId: 7 }, { checkpoints: { latestCompleted } });
  assert.equal(sync(at, { pods, flink }).rule, 'checkpointTaken');
  assert.deepEqual(at.status!.snapshots!.lastCheckpoint, {
    path: latestCompleted.path,
    kind: 'checkpoint',
    epoch: 1,
    trigger: 'request',
    at: '1970-01-01T00:00:05Z',
    sizeBytes: 1024,
  });
});

test('a nonce without a way to act is told in the plan', () => {
  const at = runningCluster({ ...SPEC, policies: {} });
  edit(at, { savepointNonce: 1, checkpointNonce: 1 });
  const off = { checkpointing: false };
  assert.equal(sync(at, { pods, flink: runs(at, 'absent', off) }).rule, 'running');
  assert.deepEqual(
    at.status!.plan!.map(({ field }) => field),
    ['spec.savepointNonce', 'spec.checkpointNonce'],
  );
});
