import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochNames } from '../../../../src/core/build/names.ts';
import { answered, edit, JOB, jobManagerPod, podOf, runningCluster, SPEC, sync } from '../drive.ts';

const PATH = 'file:///state/savepoints/team-wordcount-b7e23ec2-9af1-4b0e-8f5e-000000000001/1/savepoint-abc';
const CRASHED = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } };
const LAST = { lastState: { terminated: { exitCode: 1, reason: 'Error' } } };
const STARTED = { running: { startedAt: '2026-01-01T00:00:10Z' } };

/** Epoch 1 was stable; epoch 2 is started from its savepoint. */
function upgraded(rollback: string | undefined) {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  const upgrade = { readiness: '1m', ...(rollback === undefined ? {} : { rollback }) };
  edit(at, { jobArgs: ['bad'], policies: { ...SPEC.policies, upgrade } });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  const flink = answered(id, 'FINISHED', { trigger: { kind: 'completed', path: PATH } });
  for (let step = 0; step < 3; step++) sync(at, { pods, flink });
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext');
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
  return at;
}

/** Its JobManager ends with code 1 again and again, until the time to become stable is over. */
function crashing(rollback: string | undefined) {
  const at = upgraded(rollback);
  const shown = { pods: [jobManagerPod(2, 0, CRASHED, LAST), podOf('taskmanager', 2, 0, STARTED)] };
  sync(at, shown);
  assert.ok(at.status?.epoch?.clock?.since, 'the clock runs');
  at.now += 70_000;
  return { at, answer: sync(at, shown), shown };
}

test('an epoch that never ran makes room for the last stable one, and hands on what it was given', () => {
  const { at, answer } = crashing('automatic');
  assert.equal(answer.rule, 'rollbackReplaces');
  assert.equal(answer.status.state, 'RollingBack');
  assert.equal(answer.status.epoch?.ended?.rollback, true);
  assert.equal(answer.status.epoch.ended.path, PATH);
  sync(at, { pods: [] });
  sync(at, { pods: [] });
  const declared = sync(at, { pods: [] });
  assert.equal(declared.rule, 'declareNext');
  assert.equal(declared.status.epoch?.number, 3);
  assert.equal(declared.status.epoch.restoredFrom, PATH);
  assert.equal(declared.status.failedEpoch?.number, 2);
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
  assert.doesNotMatch(JSON.stringify(at.children.get('Deployment/wordcount-jobmanager')), /"bad"/);
});

test('where the spec does not ask for it, or no epoch was stable, nothing is rolled back', () => {
  for (const rollback of [undefined, 'never']) {
    const { answer } = crashing(rollback);
    assert.doesNotMatch(answer.rule, /roll/i);
    assert.equal(answer.status.epoch?.ended, undefined);
  }
  const at = upgraded('automatic');
  const { stableEpoch: _, ...status } = at.status!;
  at.status = status;
  const shown = { pods: [jobManagerPod(2, 0, CRASHED, LAST), podOf('taskmanager', 2, 0, STARTED)] };
  sync(at, shown);
  at.now += 70_000;
  assert.doesNotMatch(sync(at, shown).rule, /roll/i);
});

test('the last stable epoch is known, and its record kept, though the next one is found by its children alone', () => {
  const at = upgraded('automatic');
  const { epoch, stableEpoch } = at.status!;
  const before = {
    ...at.status!,
    epoch: { ...epoch!, number: 1, recordHash: stableEpoch!.recordHash, stableAt: '2026-01-01T00:00:02Z' },
  };
  const { stableEpoch: _, ...status } = before;
  const found = sync(at, { status, pods: [jobManagerPod(2)] });
  assert.equal(found.status.epoch?.number, 2);
  assert.equal(found.status.stableEpoch?.number, 1);
  assert.ok(at.children.has(`ConfigMap/${epochNames(JOB, 1).record}`));
});

test('a rollback that is declared waits for its record, and what failed is not made again in its place', () => {
  const { at } = crashing('automatic');
  for (let step = 0; step < 3; step++) sync(at, { pods: [] });
  assert.equal(at.status?.epoch?.number, 3);
  const children = new Map(at.children);
  assert.ok(at.children.delete(`ConfigMap/${epochNames(JOB, 3).record}`));
  for (let step = 0; step < 2; step++) {
    const answer = sync(at, { pods: [] });
    assert.equal(answer.rule, 'recordMissing');
    assert.equal(answer.status.failedEpoch?.number, 2, 'it is not forgotten meanwhile');
  }
  at.children = children;
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
});

test('a restart asked for while a rollback is declared acts on what was started', () => {
  const { at } = crashing('automatic');
  for (let step = 0; step < 3; step++) sync(at, { pods: [] });
  edit(at, { restartNonce: 1 });
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
  assert.notEqual(at.status?.handled?.restartNonce, 1);
});

test('another spec takes the place of a rollback that is declared', () => {
  const { at } = crashing('automatic');
  for (let step = 0; step < 3; step++) sync(at, { pods: [] });
  edit(at, { jobArgs: ['right'] });
  const out = sync(at, { pods: [] });
  assert.equal(out.rule, 'rollbackBrokenOut');
  assert.equal(out.status.epoch?.ended?.path, PATH);
  sync(at, { pods: [] });
  const next = sync(at, { pods: [] });
  assert.equal(next.rule, 'declareNext');
  assert.equal(next.status.epoch?.number, 4);
  assert.equal(next.status.epoch.restoredFrom, PATH);
  assert.equal(next.status.failedEpoch, undefined);
});

test('an epoch that never ran makes room, and what it was given is not told as the snapshot that it ended with', () => {
  const at = upgraded('automatic');
  edit(at, { jobArgs: ['right'] });
  const out = sync(at, { pods: [jobManagerPod(1, 0, CRASHED, LAST)] });
  assert.equal(out.rule, 'replaceIntended');
  assert.equal(out.status.epoch?.ended?.path, undefined);
  assert.equal(out.status.epoch?.ended?.startsEmpty, undefined);
});
