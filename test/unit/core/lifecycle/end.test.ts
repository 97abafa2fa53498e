import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answered,
  checkpoint,
  edit,
  jobManagerPod,
  jobManagerReplicas,
  NOT_ASKED,
  runningCluster,
  sync,
  UNREACHABLE,
  SPEC,
} from '../drive.ts';

const pods = [jobManagerPod(1)];
const own = 'file:///state/savepoints/team-wordcount-b7e23ec2-9af1-4b0e-8f5e-000000000001/1/savepoint-x';
const savepoint = { id: 9, path: own, kind: 'savepoint' as const, at: 9, sizeBytes: undefined };

test('a finished job: its end is in status before its pods go; it never runs again', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  assert.equal(sync(at, { pods, flink: answered(id, 'FINISHED') }).rule, 'jobFinished');
  assert.equal(jobManagerReplicas(at), 1);
  assert.equal(sync(at, { pods, flink: answered(id, 'FINISHED') }).rule, 'finished');
  assert.equal(jobManagerReplicas(at), 0);
  edit(at, { jobArgs: ['more'] });
  const still = sync(at, { pods: [] });
  assert.equal(still.rule, 'finished');
  assert.equal(still.status.florkPhase, 'COMPLETED');
  assert.equal(still.status.plan?.length, 1);
  assert.equal(jobManagerReplicas(at), 0);
});

test('a finished job whose status is wiped stays finished', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  sync(at, { pods, flink: answered(id, 'FINISHED') });
  sync(at, { pods, flink: answered(id, 'FINISHED') });
  sync(at, { pods: [] });
  const adopted = sync(at, { pods: [], status: undefined });
  assert.equal(adopted.status.epoch?.ended?.how, 'finished');
  assert.equal(adopted.status.state, 'Finished', 'it never looks as if it were on its way to something else');
  assert.equal(sync(at, { pods: [] }).rule, 'finished');
  assert.equal(jobManagerReplicas(at), 0);
});

test('a job that ended with a savepoint of ours was stopped by us, though status forgot', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const found = sync(at, {
    pods,
    flink: answered(at.status!.epoch!.jobId, 'FINISHED', { checkpoints: { latestSavepoint: savepoint } }),
  });
  assert.equal(found.rule, 'stopFoundDone');
  assert.equal(found.status.epoch?.ended?.path, own);
});

test('while the trigger is not definite, an ended job is not taken for finished', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const id = at.status!.epoch!.jobId;
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  assert.equal(
    sync(at, { pods, flink: answered(id, 'FINISHED', { trigger: { kind: 'in-progress' } }) }).rule,
    'endUnclear',
  );
});

test('a job that finished by itself during a stop stays finished', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const id = at.status!.epoch!.jobId;
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  assert.equal(sync(at, { pods, flink: answered(id, 'FINISHED', { trigger: 'absent' }) }).rule, 'jobFinished');
});

test('a savepoint that is complete though the job failed while stopping is used', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const id = at.status!.epoch!.jobId;
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  const outcome = sync(at, {
    pods,
    flink: answered(id, 'FAILED', { trigger: { kind: 'failed', text: 'A savepoint has been created', path: own } }),
  });
  assert.equal(outcome.rule, 'stopCompletedWithFailure');
  assert.equal(outcome.status.epoch?.ended?.path, own);
});

test('somebody cancels the job in Flink: it stays so', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const canceled = sync(at, { pods, flink: answered(id, 'CANCELED') });
  assert.equal(canceled.rule, 'jobCanceled');
  assert.equal(canceled.status.conditions[0]?.reason, 'Canceled');
  assert.equal(sync(at, { pods, flink: answered(id, 'CANCELED') }).rule, 'canceledByOthers');
});

test('a failed job keeps its JobManager to show why, and a corrected spec goes on from its newest checkpoint', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const flink = answered(id, 'FAILED', {
    checkpoints: { completed: 3, latestCompleted: checkpoint(3, 'file:///c/chk-3', 3) },
  });
  const failed = sync(at, { pods, flink });
  assert.equal(failed.rule, 'jobFailed');
  assert.match(failed.status.message, /boom/);
  assert.equal(sync(at, { pods, flink }).rule, 'failed');
  assert.equal(jobManagerReplicas(at), 1);
  edit(at, { jobArgs: ['fixed'] });
  assert.equal(sync(at, { pods, flink }).rule, 'stopPods');
  assert.equal(sync(at, { pods: [] }).status.epoch?.restoredFrom, 'file:///c/chk-3');
});

test('a failed job whose correction is stateless starts empty; one that is only suspended keeps its checkpoint', () => {
  for (const state of ['running', 'suspended']) {
    const at = runningCluster();
    const id = at.status!.epoch!.jobId;
    const checkpoints = { completed: 3, latestCompleted: checkpoint(3, 'file:///c/chk-3', 3) };
    const flink = answered(id, 'FAILED', { checkpoints });
    assert.equal(sync(at, { pods, flink }).rule, 'jobFailed');
    edit(at, { state, jobArgs: ['x'], policies: { ...SPEC.policies, upgrade: { mode: 'stateless' } } });
    sync(at, { pods, flink });
    for (let times = 0; times < 3; times += 1) sync(at, { pods: [] });
    const empty = state === 'running';
    assert.equal(at.status!.state, empty ? 'Upgrading' : 'Suspended');
    assert.equal(at.status!.epoch!.number, empty ? 2 : 1);
    assert.deepEqual(
      [at.status!.epoch!.restoredFrom, at.status!.epoch!.ended?.path],
      [undefined, empty ? undefined : 'file:///c/chk-3'],
    );
  }
});

test('a failed job that ran and left no snapshot is held when its spec is corrected', () => {
  const at = runningCluster();
  const flink = answered(at.status!.epoch!.jobId, 'FAILED');
  sync(at, { pods, flink });
  edit(at, { jobArgs: ['fixed'] });
  const held = sync(at, { pods, flink });
  assert.equal(held.rule, 'failedHolds');
  assert.match(held.status.message, /approveStateLoss/);
});

test('a failed job without checkpointing starts empty with the corrected spec', () => {
  const at = runningCluster();
  const flink = answered(at.status!.epoch!.jobId, 'FAILED', { checkpointing: false });
  sync(at, { pods, flink });
  edit(at, { jobArgs: ['fixed'] });
  assert.equal(sync(at, { pods, flink }).rule, 'failedStartsEmpty');
  assert.equal(sync(at, { pods, flink }).rule, 'stopPods');
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext');
});

test('the process is gone before the end was read: pods go on the recorded path alone', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const id = at.status!.epoch!.jobId;
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  sync(at, { pods, flink: answered(id, 'RUNNING', { trigger: { kind: 'completed', path: own } }) });
  assert.equal(sync(at, { pods, flink: UNREACHABLE }).rule, 'waitForEnd');
  assert.equal(jobManagerReplicas(at), 1);
  const dead = jobManagerPod(1, 0, {
    terminated: { exitCode: 137, reason: 'Error', message: '', startedAt: '', finishedAt: '' },
  });
  assert.equal(sync(at, { pods: [dead], flink: NOT_ASKED }).rule, 'endSeen');
  assert.equal(jobManagerReplicas(at), 1);
  assert.equal(sync(at, { pods, flink: UNREACHABLE }).rule, 'stopPods', 'a later view of less changes nothing');
});

test('a pod that cannot end is named with the remedy, and nothing is started beside it', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  edit(at, { jobArgs: ['x'] });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  sync(at, { pods, flink: answered(id, 'FINISHED', { trigger: { kind: 'completed', path: own } }) });
  const stuck = jobManagerPod(
    1,
    0,
    { running: { startedAt: '' } },
    { metadata: { deletionTimestamp: '2025-12-31T00:00:00Z' } },
  );
  const outcome = sync(at, { pods: [stuck], flink: NOT_ASKED });
  assert.equal(outcome.status.conditions[0]?.reason, 'PodStuckTerminating');
  assert.match(outcome.status.message, /kubectl delete pod/);
  assert.equal(jobManagerReplicas(at), 0);
});

test('a job found canceled while another epoch is asked for goes on with it, from its newest checkpoint', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const flink = answered(at.status!.epoch!.jobId, 'CANCELED', {
    checkpoints: { completed: 4, latestCompleted: checkpoint(4, 'file:///c/chk-4', 4) },
  });
  assert.equal(sync(at, { pods, flink }).rule, 'canceledOnTheWay');
  assert.equal(sync(at, { pods, flink }).rule, 'stopPods');
  assert.equal(sync(at, { pods: [] }).status.epoch?.restoredFrom, 'file:///c/chk-4');
});

test('one that left no snapshot is not started empty unless something says that it may', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const flink = answered(at.status!.epoch!.jobId, 'CANCELED');
  sync(at, { pods, flink });
  sync(at, { pods, flink });
  const held = sync(at, { pods: [] });
  assert.equal(held.rule, 'nothingToGoOnFrom');
  assert.match(held.status.message, /approveStateLoss/);
  edit(at, { policies: { stateLoss: 'allow', savepoint: { directory: 'file:///state/savepoints' } } });
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext');
});

test('a stateless job whose cancel status forgot goes on empty', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'], policies: { upgrade: { mode: 'stateless' } } });
  const flink = answered(at.status!.epoch!.jobId, 'CANCELED');
  assert.equal(sync(at, { pods, flink, status: undefined }).rule, 'canceledOnTheWay');
  sync(at, { pods, flink });
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext');
});
