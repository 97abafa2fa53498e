import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TriggerView } from '../../../../src/core/flink-view.ts';
import { answered, edit, jobManagerPod, runningCluster, sync } from '../drive.ts';

/** Numbers of operations are used once, whatever becomes of status (S5). */

const pods = [jobManagerPod(1)];
const FAILED: TriggerView = { kind: 'failed', text: 'disk full', path: undefined };

function afterFailedStop() {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  edit(at, { flinkConf: {} });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  const { triggerId } = at.status!.operation!;
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING', { trigger: FAILED }) }).rule, 'stopFailed');
  return { at, triggerId, show: () => sync(at, { pods, flink: answered(id, 'RUNNING') }) };
}

const restoreData = (at: ReturnType<typeof runningCluster>): Record<string, string> => {
  const found = [...at.children].find(([key]) => key.startsWith('ConfigMap/wordcount-restore-'));
  return found![1]['data'] as Record<string, string>;
};

test('the number of a failed stop stays used up when status is wiped', () => {
  const { at, triggerId, show } = afterFailedStop();
  Object.assign(at, { status: undefined });
  at.now += 60_000;
  while (show().status.operation === undefined) assert.ok(at.now < Date.parse('2026-01-01T00:02:00Z'));
  assert.equal(at.status!.operation!.attempt, 2);
  assert.notEqual(at.status!.operation!.triggerId, triggerId);
});

test('the number of a failed stop stays used up when status is shown as it was before', () => {
  const { at, show } = afterFailedStop();
  at.status = { ...at.status!, epoch: { ...at.status!.epoch!, attempt: 0 }, retry: undefined as never };
  show();
  assert.equal(at.status.operation!.attempt, 2);
});

test('the number of a savepoint of a running job stays used up when status is wiped', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  edit(at, { savepointNonce: 1 });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  sync(at, { pods, flink: answered(id, 'RUNNING', { trigger: FAILED }) });
  assert.equal(at.status!.epoch!.asked, 1);
  Object.assign(at, { status: undefined });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  assert.equal(at.status!.epoch!.asked, 1);
});

test('numbers are told to the next process only where there are any', () => {
  const fresh = runningCluster();
  assert.deepEqual([restoreData(fresh)['attempt'], restoreData(fresh)['asked']], [undefined, undefined]);
  const { at } = afterFailedStop();
  assert.deepEqual([restoreData(at)['attempt'], restoreData(at)['asked']], ['1', undefined]);
});
