import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, jobManagerPod, jobManagerReplicas, runningCluster, sync, UNREACHABLE } from '../drive.ts';

const pods = [jobManagerPod(1)];
const gone = { finalizing: true, deleted: true };

test('hand-over to another controller leaves every child', () => {
  const at = runningCluster();
  const names = [...at.children.keys()].toSorted();
  const outcome = sync(at, { finalizing: true, pods, flink: answered(at.status!.epoch!.jobId, 'RUNNING') });
  assert.equal(outcome.rule, 'handedOver');
  assert.equal(outcome.finalized, true);
  assert.deepEqual([...at.children.keys()].toSorted(), names);
  assert.equal(jobManagerReplicas(at), 1);
});

test('a JobManager that does not answer is given the time-out, then the pods go: a deletion always completes', () => {
  const at = runningCluster();
  sync(at, { ...gone, pods, flink: UNREACHABLE });
  assert.equal(sync(at, { ...gone, pods, flink: UNREACHABLE }).rule, 'deleteWaitsForCancel');
  assert.equal(jobManagerReplicas(at), 1);
  at.now += 6 * 60_000;
  assert.equal(sync(at, { ...gone, pods, flink: UNREACHABLE }).rule, 'deletionEndSeen');
  assert.equal(sync(at, { ...gone, pods, flink: UNREACHABLE }).rule, 'deleteStopsPods');
  assert.equal(jobManagerReplicas(at), 0);
});

test('children stay until the pods are proven gone, and finalized waits until no child is seen', () => {
  const at = runningCluster();
  sync(at, { ...gone, pods });
  sync(at, { ...gone, pods: [] });
  sync(at, { ...gone, pods: [] });
  assert.equal(sync(at, { ...gone, pods: [jobManagerPod(1)] }).rule, 'deleteStopsPods');
  const last = sync(at, { ...gone, pods: [] });
  assert.equal(last.rule, 'deleteChildren');
  assert.equal(last.finalized, false);
  assert.equal(sync(at, { ...gone, pods: [] }).finalized, true);
});

test('foreground deletion is not waited for', () => {
  const at = runningCluster();
  assert.equal(sync(at, { ...gone, pods, finalizers: ['foregroundDeletion'] }).rule, 'deletedByOthers');
});

test('a deleted FlinkJob without finalize call is left alone', () => {
  const at = runningCluster();
  assert.equal(sync(at, { deleted: true, pods }).rule, 'leaving');
  assert.equal(jobManagerReplicas(at), 1);
});

test('a FlinkJob that never had children is finalized at once', () => {
  const at = runningCluster();
  at.children.clear();
  assert.equal(sync(at, { ...gone, pods: [] }).finalized, true);
});
