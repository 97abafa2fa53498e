import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, cluster, edit, jobManagerPod, jobManagerReplicas, runningCluster, sync } from '../drive.ts';

const SOON = { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' } };

test('a pod that is shown before its Deployment is no reason to answer 0: the view is to be shown again', () => {
  const at = cluster();
  sync(at);
  const deployment = at.children.get('Deployment/wordcount-jobmanager')!;
  at.children.delete('Deployment/wordcount-jobmanager');
  const lagging = sync(at, { pods: [jobManagerPod(1, 0, { running: { startedAt: '' } }, SOON)] });
  assert.equal(lagging.rule, 'deploymentLagsPod');
  assert.equal(lagging.retryAfterSeconds, 1);
  at.children.set('Deployment/wordcount-jobmanager', deployment);
  assert.equal(
    sync(at, { pods: [jobManagerPod(1, 0, { running: { startedAt: '' } }, SOON)] }).rule,
    'jobManagerStarting',
  );
});

test('an old pod without its Deployment is real: the Deployment was deleted', () => {
  const at = runningCluster();
  at.children.delete('Deployment/wordcount-jobmanager');
  at.now += 60_000;
  sync(at, { pods: [jobManagerPod(1)] });
  assert.equal(jobManagerReplicas(at), 0);
});

test('a Deployment that is shown before its record and before status: shown again while young, left alone when it stays so', () => {
  const at = cluster();
  sync(at);
  for (const key of at.children.keys()) if (key.includes('-epoch-')) at.children.delete(key);
  const lagging = sync(at, { status: undefined });
  assert.equal(lagging.rule, 'recordLagsDeployment');
  at.now += 60_000;
  assert.equal(sync(at, { status: undefined }).rule, 'recordMissing');
});

test('a first epoch whose Deployment is not shown yet is not started again', () => {
  const at = cluster();
  sync(at);
  at.children.delete('Deployment/wordcount-jobmanager');
  assert.equal(sync(at).rule, 'deploymentLagsStatus');
  at.now += 60_000;
  assert.notEqual(sync(at).rule, 'deploymentLagsStatus');
  assert.equal(jobManagerReplicas(at), 1);
});

test('a status from before a savepoint that the restore ConfigMap names is shown again while that is young', () => {
  const at = runningCluster();
  const pods = [jobManagerPod(1)];
  const { jobId } = at.status!.epoch!;
  const view = (now: number, more: Parameters<typeof answered>[2] = {}) =>
    answered(jobId, 'RUNNING', { clock: { now, runningSince: 1 }, ...more });
  edit(at, { savepointNonce: 1 });
  const before = structuredClone(at.status!);
  assert.equal(sync(at, { pods, flink: view(60_000) }).rule, 'snapshotIntended');
  const intended = structuredClone(at.status!);
  assert.equal(sync(at, { pods, flink: view(60_000) }).rule, 'asideAsked');
  const trigger = { kind: 'completed', path: `${intended.operation!.directory}/savepoint-x` } as const;
  assert.equal(sync(at, { pods, flink: view(60_000, { trigger }) }).rule, 'savepointTaken');
  const children = structuredClone(at.children);
  const shown = (now: number, status = at.status, more: Parameters<typeof answered>[2] = {}): string => {
    at.children = structuredClone(children);
    return sync({ ...at, children: at.children }, { pods, flink: view(now, more), status }).rule;
  };
  assert.equal(shown(61_000), 'running', 'status knows of it');
  assert.equal(shown(61_000, intended, { trigger }), 'savepointTaken', 'status knows that it was asked for');
  assert.equal(shown(61_000, before), 'statusLagsSnapshot');
  const lagging = sync({ ...at }, { pods, flink: view(69_000), status: before });
  assert.deepEqual([lagging.rule, lagging.retryAfterSeconds, lagging.commands], ['statusLagsSnapshot', 1, []]);
  assert.equal(shown(70_000, before), 'snapshotIntended', 'not for ever');
  assert.equal(shown(40_000, before), 'snapshotIntended', 'nor by a clock that was put back');
});

test('a view that fits together is answered', () => {
  const at = runningCluster();
  assert.equal(
    sync(at, {
      pods: [jobManagerPod(1, 0, { running: { startedAt: '' } }, SOON)],
      flink: answered(at.status!.epoch!.jobId, 'RUNNING'),
    }).rule,
    'running',
  );
});
