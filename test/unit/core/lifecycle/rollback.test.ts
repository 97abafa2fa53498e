import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObserved } from '../../../../src/api/observed.ts';
import type { Answer } from '../../../../src/core/answer.ts';
import { epochNames } from '../../../../src/core/build/names.ts';
import { encodeRecord, readRecord, recordConfigMap } from '../../../../src/core/build/record.ts';
import { replicasFor } from '../../../../src/core/children.ts';
import { factsOf } from '../../../../src/core/facts/facts.ts';
import { openRecord } from '../../../../src/core/record.ts';
import {
  answered,
  checkpoint,
  edit,
  inputOf,
  JOB,
  jobManagerPod,
  podOf,
  runningCluster,
  SPEC,
  sync,
} from '../drive.ts';

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
  assert.equal(answer.status.epoch.restoredFrom, PATH);
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

/** The pods of epoch 2 are gone, and its rollback is next. */
function due() {
  const { at } = crashing('automatic');
  for (let step = 0; step < 2; step++) sync(at, { pods: [] });
  assert.equal(at.status?.epoch?.ended?.over, true);
  return at;
}

test('where the record of the stable epoch is gone nothing is started, and that is told', () => {
  const at = due();
  const children = new Map(at.children);
  assert.ok(at.children.delete(`ConfigMap/${epochNames(JOB, 1).record}`));
  for (let step = 0; step < 3; step++) {
    const answer = sync(at, { pods: [] });
    assert.equal(answer.rule, 'rollbackUnknown');
    assert.equal(answer.status.state, 'Stalled');
    assert.match(answer.status.message ?? '', /record ConfigMap of epoch 1, .* spec\.restartNonce/);
    const { spec } = at.children.get('Deployment/wordcount-jobmanager') ?? {};
    assert.equal((spec as { replicas: number }).replicas, 0);
  }
  at.children = children;
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext', 'shown again, it goes on');
});

test('whatever a rule asks for, what was ended is not started again', () => {
  const at = due();
  const facts = factsOf(inputOf(at, { pods: [] }));
  const answer = { workloads: 'run' } as Answer;
  assert.equal(replicasFor(facts, answer, facts.record!).jobManager, 0);
  const { ended: _, ...epoch } = at.status!.epoch!;
  const open = factsOf(inputOf(at, { pods: [], status: { ...at.status!, epoch } }));
  assert.equal(replicasFor({ ...open, endedInStatus: undefined }, answer, facts.record!).jobManager, 1);
});

test('where status forgot the stable epoch a new spec or restartNonce goes on from what there is', () => {
  for (const change of [{ jobArgs: ['right'] }, { restartNonce: 1 }]) {
    const at = due();
    const { stableEpoch: _, ...status } = at.status!;
    at.status = status;
    assert.equal(sync(at, { pods: [] }).rule, 'rollbackUnknown');
    edit(at, change);
    const next = sync(at, { pods: [] });
    assert.equal(next.rule, 'declareNext');
    assert.equal(next.status.epoch?.restoredFrom, PATH);
    assert.equal(next.status.failedEpoch, undefined);
  }
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
  assert.equal(out.rule, 'declaredMakesRoom');
  assert.equal(out.status.epoch?.ended?.how, 'replaced');
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

const NEWEST = 'file:///state/checkpoints/of-the-failed-one/chk-7';

/** Epoch 2 ran and wrote a checkpoint of its own, and restarts without end: the intent to cancel it is in status. */
function restarting() {
  const at = upgraded('automatic');
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(2), podOf('taskmanager', 2, 0, STARTED)];
  const flink = (state: 'RUNNING' | 'RESTARTING') =>
    answered(id, state, {
      clock: { now: at.now, runningSince: 0 },
      running: state === 'RUNNING' ? 1 : 0,
      checkpoints: { completed: 0, ...(state === 'RUNNING' ? {} : { latestCompleted: checkpoint(7, NEWEST, at.now) }) },
    });
  sync(at, { pods, flink: flink('RUNNING') });
  sync(at, { pods, flink: flink('RESTARTING') });
  at.now += 70_000;
  const shown = { pods, flink: flink('RESTARTING') };
  assert.equal(sync(at, shown).rule, 'rollbackIntended');
  return { at, id, ...shown };
}

/** The same, and its rollback, epoch 3, is declared. */
function rollbackDeclared() {
  const { at, id, pods } = restarting();
  const { operation } = at.status!;
  const canceled = {
    pods,
    flink: answered(id, 'CANCELED', { checkpoints: { latestCompleted: checkpoint(7, NEWEST, at.now) } }),
  };
  for (let step = 0; step < 3; step++) sync(at, canceled);
  for (let step = 0; step < 3 && at.status?.epoch?.number !== 3; step++) sync(at, { pods: [] });
  assert.equal(at.status?.failedEpoch?.newest, NEWEST);
  return { at, operation };
}

/** The same, started: epoch 3 runs the stable record, and its pods are there. */
function rolledBack() {
  const declared = rollbackDeclared();
  assert.equal(sync(declared.at, { pods: [] }).rule, 'startDeclared');
  return declared;
}

test('a declared rollback whose record is not shown yet makes room only for a spec that is another', () => {
  const hidden = () => {
    const { at } = rollbackDeclared();
    assert.ok(at.children.delete(`ConfigMap/${epochNames(JOB, 3).record}`));
    return at;
  };
  const asItFailed = hidden();
  assert.equal(sync(asItFailed, { pods: [] }).rule, 'recordMissing');
  const edited = hidden();
  edit(edited, { policies: { ...(edited.spec['policies'] as object), deletion: { timeout: '1h' } } });
  assert.equal(sync(edited, { pods: [] }).rule, 'recordMissing', 'what means nothing was edited');
  const corrected = hidden();
  edit(corrected, { jobArgs: ['right'] });
  assert.equal(sync(corrected, { pods: [] }).rule, 'declaredMakesRoom');
  const unknown = hidden();
  assert.ok(unknown.children.delete(`ConfigMap/${epochNames(JOB, 2).record}`));
  assert.equal(sync(unknown, { pods: [] }).rule, 'recordMissing', 'no record tells what failed: its generation does');
  edit(unknown, { jobArgs: ['right'] });
  assert.equal(sync(unknown, { pods: [] }).rule, 'declaredMakesRoom');
});

test('a rollback told beside the epoch that it led to, by a late view, cancels nothing', () => {
  const { at, operation } = rolledBack();
  assert.equal(operation?.purpose, 'rollback');
  const pods = [jobManagerPod(3), podOf('taskmanager', 3, 0, STARTED)];
  const flink = answered(at.status!.epoch!.jobId, 'RUNNING');
  const answer = sync(at, { pods, flink, status: { ...at.status!, operation } });
  assert.equal(answer.rule, 'operationOrphaned');
  assert.deepEqual(answer.commands, []);
  assert.equal(answer.status.operation, undefined);
  assert.equal(answer.status.epoch?.number, 3);
});

test('the process of an epoch that is being rolled back may be another one: it is canceled all the same', () => {
  const { at, flink } = restarting();
  const pods = [jobManagerPod(2, 1, undefined, LAST), podOf('taskmanager', 2, 0, STARTED)];
  assert.equal(sync(at, { pods, flink }).rule, 'cancelAsked');
});

/** The record of the first epoch, as it is stored. */
function storedRecord(at: ReturnType<typeof upgraded>) {
  const key = `ConfigMap/${epochNames(JOB, 1).record}`;
  const observed = readObserved({ 'ConfigMap.v1': { [key]: at.children.get(key)! } } as never, {}, JOB as never);
  const [configMap] = [...observed.configMaps.values()];
  return { key, record: readRecord(configMap!)!.record };
}

test('the last stable epoch is known by its record without its end, which a late view may write again', () => {
  const at = upgraded('automatic');
  const { key, record } = storedRecord(at);
  assert.notEqual(record.ended, undefined);
  const open = openRecord(record);
  assert.equal(at.status?.stableEpoch?.recordHash, encodeRecord(open).hash);
  assert.notEqual(at.status?.stableEpoch?.recordHash, encodeRecord(record).hash);
  at.children.set(key, recordConfigMap(JOB as never, open) as never);
  const shown = { pods: [jobManagerPod(2, 0, CRASHED, LAST), podOf('taskmanager', 2, 0, STARTED)] };
  sync(at, shown);
  at.now += 70_000;
  assert.equal(sync(at, shown).rule, 'rollbackReplaces', 'the record is believed');
});

const RESTORE = (at: ReturnType<typeof upgraded>, epoch: number) =>
  JSON.stringify(at.children.get(`ConfigMap/${epochNames(JOB, epoch).restore}`));

test('an epoch that was to be rolled back unstarted and runs after all forgets no path', () => {
  const { at, answer } = crashing('automatic');
  const told = answer.status.epoch?.ended?.path;
  const flink = answered(at.status!.epoch!.jobId, 'RUNNING', { running: 1, checkpoints: { completed: 0 } });
  const stays = sync(at, { pods: [jobManagerPod(2)], flink });
  assert.equal(stays.rule, 'replacementWithdrawn');
  assert.equal(stays.status.epoch?.ended?.path, told);
  assert.equal(stays.status.epoch?.restoredFrom, PATH);
});

test('a rollback that was to be replaced and runs after all forgets no path, and starts from what it was given', () => {
  const { at } = rolledBack();
  edit(at, { jobArgs: ['right'] });
  const shown = { pods: [jobManagerPod(3, 0, CRASHED, LAST)] };
  const out = sync(at, shown);
  assert.equal(out.rule, 'replaceIntended');
  const told = out.status.epoch?.ended?.path;
  assert.doesNotMatch(RESTORE(at, 3), new RegExp(NEWEST));
  const flink = answered(at.status!.epoch!.jobId, 'RUNNING', { running: 1 });
  const stays = sync(at, { pods: [jobManagerPod(3)], flink });
  assert.equal(stays.rule, 'replacementWithdrawn');
  assert.equal(stays.status.epoch?.ended?.path, told);
  assert.match(RESTORE(at, 3), new RegExp(PATH));
});

test('what replaces a rollback that never ran goes on from the newest snapshot of the epoch that failed', () => {
  const { at } = rolledBack();
  edit(at, { jobArgs: ['right'] });
  assert.equal(sync(at, { pods: [jobManagerPod(3, 0, CRASHED, LAST)] }).rule, 'replaceIntended');
  for (let step = 0; step < 4 && at.status?.epoch?.number === 3; step++) sync(at, { pods: [] });
  assert.equal(at.status?.epoch?.number, 4);
  assert.equal(at.status.epoch.restoredFrom, NEWEST);
});

test('put back to the spec that failed, what replaces a rollback is that rollback again, from what it was given', () => {
  const { at } = rolledBack();
  const failed = at.spec;
  edit(at, { jobArgs: ['right'] });
  assert.equal(sync(at, { pods: [jobManagerPod(3, 0, CRASHED, LAST)] }).rule, 'replaceIntended');
  edit(at, failed);
  for (let step = 0; step < 4 && at.status?.epoch?.number === 3; step++) sync(at, { pods: [] });
  assert.equal(at.status?.epoch?.number, 4);
  assert.equal(at.status.failedEpoch?.number, 2);
  assert.equal(at.status.epoch.restoredFrom, PATH);
});

test('what led to an epoch that a late view of status does not know is over: the epoch may be rolled back', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  edit(at, { jobArgs: ['bad'], policies: { ...SPEC.policies, upgrade: { readiness: '1m', rollback: 'automatic' } } });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  const flink = answered(id, 'FINISHED', { trigger: { kind: 'completed', path: PATH } });
  for (let step = 0; step < 3; step++) sync(at, { pods, flink });
  const late = at.status!;
  assert.equal(late.operation?.kind, 'stop');
  for (let step = 0; step < 2; step++) sync(at, { pods: [] });
  const shown = { pods: [jobManagerPod(2, 0, CRASHED, LAST), podOf('taskmanager', 2, 0, STARTED)] };
  const { epoch, operation } = sync(at, { ...shown, status: late }).status;
  assert.equal(epoch?.number, 2);
  assert.equal(operation, undefined);
  assert.equal(epoch.attempt, late.operation.attempt, 'its number is used up');
  for (let step = 0; step < 2; step++) sync(at, shown);
  assert.equal(at.status?.epoch?.unread, undefined);
  at.now += 70_000;
  assert.equal(sync(at, shown).rule, 'rollbackReplaces');
});
