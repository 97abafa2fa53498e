import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '../../../../src/api/status.ts';
import { jobIdOf } from '../../../../src/core/build/names.ts';
import { acknowledge, reconcile } from '../../../../src/core/reconcile.ts';
import { answered, checkpoint, inputOf, jobManagerPod, runningCluster, SPEC, sync, UID } from '../drive.ts';

const pods = [jobManagerPod(1)];
const OWN = `file:///state/savepoints/team-wordcount-${UID}`;
const latestCompleted = checkpoint(9, 'file:///state/checkpoints/own/chk-9', 5000);

function savepoint(number: number, path = `${OWN}/${number}/savepoint-${number}`): Snapshot {
  return { path, kind: 'savepoint', epoch: 1, trigger: 'request', at: `2026-01-01T00:00:${10 + number}Z` };
}

/** A stable job whose status tells of these snapshots, newest first. */
function withHistory(history: readonly Snapshot[], policies: Record<string, unknown> = {}) {
  const at = runningCluster({
    ...SPEC,
    policies: { savepoint: { directory: 'file:///state/savepoints', ...policies } },
  });
  at.status = { ...at.status!, snapshots: { history: [...history] } };
  const flink = answered(at.status.epoch!.jobId, 'RUNNING', { checkpoints: { latestCompleted } });
  return { at, flink };
}

test('the oldest savepoint beyond the count goes, and only from its own directory', () => {
  const foreign = savepoint(1, 'file:///state/savepoints/by-hand/savepoint-1');
  const { at, flink } = withHistory([savepoint(4), savepoint(3), savepoint(2), foreign], { history: { count: 1 } });
  assert.equal(sync(at, { pods, flink }).rule, 'disposalIntended');
  assert.equal(at.status!.operation!.path, savepoint(2).path);
  assert.equal(at.status!.operation!.triggerId, undefined);
  const outcome = reconcile(inputOf(at, { pods, flink }));
  assert.deepEqual(
    outcome.commands.map(({ kind }) => kind),
    ['dispose'],
  );
  const known = acknowledge(outcome, [
    { command: outcome.commands[0]!, kind: 'done', text: '', triggerId: 'a'.repeat(32) },
  ]);
  assert.equal(known.status.operation!.triggerId, 'a'.repeat(32));
});

test('ten are kept where nothing is said, and the newest whatever its age', () => {
  const ten = Array.from({ length: 10 }, (_, index) => savepoint(20 - index));
  const kept = withHistory(ten);
  assert.equal(sync(kept.at, { pods, flink: kept.flink }).rule, 'running');
  const more = withHistory([...ten, savepoint(1)]);
  assert.equal(sync(more.at, { pods, flink: more.flink }).rule, 'disposalIntended');
  const old = withHistory([savepoint(4)], { history: { count: 1, age: '1s' } });
  old.at.now += 3_600_000;
  assert.equal(sync(old.at, { pods, flink: old.flink }).rule, 'running');
});

test('what a start may need stays, however its path is spelled', () => {
  const history = [savepoint(4), savepoint(3)];
  const named = savepoint(3).path.replace('file:///', 'file:/');
  const needs: readonly ((at: ReturnType<typeof withHistory>['at']) => void)[] = [
    (at) => (at.status = { ...at.status!, epoch: { ...at.status!.epoch!, restoredFrom: named } }),
    (at) => (at.status = { ...at.status!, stableEpoch: { number: 1, recordHash: 'x', path: named } }),
    (at) => (at.status = { ...at.status!, failedEpoch: { number: 1, recordHash: 'x', path: named } }),
    (at) => (at.status = { ...at.status!, failedEpoch: { number: 1, recordHash: 'x', newest: named } }),
    (at) => (at.spec = { ...at.spec, restore: { from: named } }),
    (at) => (at.status = { ...at.status!, snapshots: { history, lastSavepoint: { ...savepoint(3), path: named } } }),
  ];
  for (const need of needs) {
    const { at, flink } = withHistory(history, { history: { count: 1 } });
    need(at);
    assert.equal(sync(at, { pods, flink }).rule, 'running');
  }
});

/** The last checkpoint of an ended epoch. The running epoch is the first: those that ended are told as numbers below it. */
const of = (epoch: number, jobId = jobIdOf(UID, epoch, 2)): Snapshot => ({
  path: `s3://b/checkpoints/${jobId}/chk-3`,
  kind: 'checkpoint',
  epoch,
  trigger: 'periodic',
  at: '2026-01-01T00:00:00Z',
});

test('what a corrected spec goes on from, the newest checkpoint of the epoch that failed, stays however many others go', () => {
  const { at, flink } = withHistory([of(0), of(-1), of(-2)]);
  at.spec = { ...at.spec, policies: { ...(at.spec['policies'] as object), checkpoint: { keepEpochs: 0 } } };
  at.status = { ...at.status!, failedEpoch: { number: -1, recordHash: 'x', newest: of(-1).path } };
  const { failedEpoch } = at.status;
  for (const gone of [of(-2), of(0)]) {
    assert.equal(sync(at, { pods, flink }).rule, 'disposalIntended');
    assert.equal(at.status.operation?.path, gone.path);
    const { operation: _, ...status } = at.status;
    const history = status.snapshots!.history!.filter(({ path }) => path !== gone.path);
    at.status = { ...status, failedEpoch, snapshots: { ...status.snapshots, history } };
  }
  assert.equal(sync(at, { pods, flink }).rule, 'running');
  assert.deepEqual(
    at.status.snapshots?.history?.map(({ path }) => path),
    [of(-1).path],
  );
});

test('the last checkpoints of ended epochs go beyond keepEpochs, once the running epoch has its own', () => {
  const { at, flink } = withHistory([of(0), of(-1)]);
  assert.equal(sync(at, { pods, flink: answered(at.status!.epoch!.jobId, 'RUNNING') }).rule, 'running');
  sync(at, { pods, flink });
  assert.equal(at.status!.operation?.path, of(-1).path, 'one ended epoch keeps its own');
  const none = withHistory([of(0)]).at;
  none.spec = { ...none.spec, policies: { ...(none.spec['policies'] as object), checkpoint: { keepEpochs: 0 } } };
  sync(none, { pods, flink });
  assert.equal(none.status!.operation?.path, of(0).path);
  const stranger = withHistory([of(-1, 'f'.repeat(32))]).at;
  assert.equal(sync(stranger, { pods, flink }).rule, 'running', 'another job wrote it');
});
