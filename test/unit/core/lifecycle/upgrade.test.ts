import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochNames } from '../../../../src/core/build/names.ts';
import { readRecord } from '../../../../src/core/build/record.ts';
import {
  answered,
  cluster,
  edit,
  JOB,
  jobManagerPod,
  jobManagerReplicas,
  NOT_ASKED,
  runningCluster,
  sync,
  UNREACHABLE,
  SPEC,
} from '../drive.ts';

const PATH = 'file:///state/savepoints/team-wordcount-b7e23ec2-9af1-4b0e-8f5e-000000000001/1/savepoint-abc';

test('a job starts: epoch 1 and all children in one answer, then Running', () => {
  const at = cluster();
  const first = sync(at);
  assert.equal(first.rule, 'firstStart');
  assert.equal(first.children.length, 7);
  assert.equal(jobManagerReplicas(at), 1);
  assert.equal(sync(at, { pods: [jobManagerPod(1)] }).rule, 'jobManagerStarting');
  const id = at.status!.epoch!.jobId;
  assert.equal(sync(at, { pods: [jobManagerPod(1)], flink: answered(id, 'CREATED') }).rule, 'jobStarting');
  const running = sync(at, { pods: [jobManagerPod(1)], flink: answered(id, 'RUNNING') });
  assert.equal(running.rule, 'stable');
  assert.equal(running.status.conditions[0]!.status, 'True');
});

test('a settled job is answered with the same bytes again', () => {
  const at = runningCluster();
  const shown = { pods: [jobManagerPod(1)], flink: answered(at.status!.epoch!.jobId, 'RUNNING') };
  sync(at, shown);
  const again = sync(at, shown);
  const later = sync(at, shown);
  assert.equal(JSON.stringify(later), JSON.stringify({ ...again, at: later.at }));
});

test('a spec change goes through one savepoint, recorded and observed before the JobManager goes, into the next epoch', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  edit(at, { flinkConf: { 'execution.checkpointing.interval': '20s' } });
  const intent = sync(at, { pods, flink: answered(id, 'RUNNING') });
  assert.equal(intent.rule, 'stopIntended');
  assert.deepEqual(intent.commands, []);
  const asked = sync(at, { pods, flink: answered(id, 'RUNNING', { trigger: 'absent' }) });
  assert.equal(asked.rule, 'stopAsked');
  assert.equal(asked.commands[0]!.kind, 'stop');
  assert.equal(
    sync(at, { pods, flink: answered(id, 'RUNNING', { trigger: { kind: 'in-progress' } }) }).rule,
    'stopUnderWay',
  );
  const done = sync(at, { pods, flink: answered(id, 'FINISHED', { trigger: { kind: 'completed', path: PATH } }) });
  assert.equal(done.rule, 'stopCompleted');
  assert.equal(jobManagerReplicas(at), 1);
  assert.equal(done.status.epoch!.ended!.path, PATH);
  const restore = done.children.find((child) => child.metadata.name.startsWith('wordcount-restore-'))!;
  assert.equal((restore['data'] as Record<string, string>)['job-id'], undefined);
  const stop = sync(at, { pods, flink: answered(id, 'FINISHED', { trigger: { kind: 'completed', path: PATH } }) });
  assert.equal(stop.rule, 'stopPods');
  assert.equal(jobManagerReplicas(at), 0);
  assert.equal(sync(at, { pods }).rule, 'stopPods', 'a pod that is still there disproves absence');
  const declared = sync(at, { pods: [] });
  assert.equal(declared.rule, 'declareNext');
  assert.equal(declared.status.epoch!.number, 2);
  assert.equal(declared.status.epoch!.restoredFrom, PATH);
  assert.equal(jobManagerReplicas(at), 0);
  const started = sync(at, { pods: [] });
  assert.equal(started.rule, 'startDeclared');
  assert.equal(jobManagerReplicas(at), 1);
  assert.ok(
    started.children.some(
      (child) =>
        child.kind === 'ConfigMap' &&
        (child['data'] as Record<string, string> | undefined)?.['restore'] === `--fromSavepoint=${PATH}`,
    ),
  );
  const second = at.status!.epoch!.jobId;
  assert.notEqual(second, id);
  sync(at, { pods: [jobManagerPod(2)] });
  const running = sync(at, { pods: [jobManagerPod(2)], flink: answered(second, 'RUNNING') });
  assert.equal(running.rule, 'stable');
  assert.equal(running.status.stableEpoch, undefined);
  assert.equal(running.status.knownSavepointPath, PATH);
  sync(at, { pods: [jobManagerPod(2)], flink: answered(second, 'RUNNING') });
  assert.equal(
    [...at.children.keys()].filter((key) => key.includes('-epoch-')).length,
    1,
    'the old record is gone once the new epoch is stable',
  );
});

test('nothing is stopped on silence', () => {
  const at = runningCluster();
  edit(at, { flinkConf: {} });
  for (let count = 0; count < 20; count += 1) {
    const outcome = sync(at, { pods: [jobManagerPod(1)], flink: UNREACHABLE });
    assert.deepEqual(outcome.commands, []);
    assert.equal(jobManagerReplicas(at), 1);
  }
  assert.equal(at.status!.state, 'Stalled');
});

test('a spec reverted before the stop was sent: nothing happens', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  edit(at, { flinkConf: {} });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  edit(at, { flinkConf: SPEC.flinkConf });
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING', { trigger: 'absent' }) }).rule, 'stopWithdrawn');
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING') }).rule, 'running');
  assert.equal(at.status!.operation, undefined);
});

test('a wiped status beside a living job is adopted, not started anew', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const adopted = sync(at, { pods: [jobManagerPod(1)], flink: answered(id, 'RUNNING'), status: undefined });
  assert.equal(adopted.status.epoch!.number, 1);
  assert.equal(adopted.status.epoch!.jobId, id);
  assert.equal(jobManagerReplicas(at), 1);
});

test('a failed savepoint lets the job go on and is tried again later with a new id', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  edit(at, { flinkConf: {} });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  const first = at.status!.operation!.triggerId;
  const failed = sync(at, {
    pods,
    flink: answered(id, 'RUNNING', { trigger: { kind: 'failed', text: 'disk full', path: undefined } }),
  });
  assert.equal(failed.rule, 'stopFailed');
  assert.match(failed.status.message, /disk full/);
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING') }).rule, 'retryLater');
  at.now += 60_000;
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING') }).rule, 'stopIntended');
  assert.notEqual(at.status!.operation!.triggerId, first);
});

test('TaskManagers deleted by hand between two epochs come back at 0, and then the next one starts', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  edit(at, { jobArgs: ['x'] });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  const done = answered(id, 'FINISHED', { trigger: { kind: 'completed', path: PATH } });
  sync(at, { pods, flink: done });
  sync(at, { pods, flink: done });
  while (sync(at, { pods: [] }).rule !== 'declareNext') assert.ok(at.now < Date.parse('2026-01-01T00:01:00Z'));
  at.children.delete('Deployment/wordcount-taskmanager');
  assert.equal(sync(at, { pods: [] }).rule, 'startWaitsForPods');
  const back = at.children.get('Deployment/wordcount-taskmanager')!;
  assert.equal((back['spec'] as { replicas: number }).replicas, 0);
  assert.match(JSON.stringify(back['metadata']), /"flork.itom.com\/epoch":"1"/);
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
});

test('suspend, then resume from the savepoint', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  edit(at, { state: 'suspended' });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  sync(at, { pods, flink: answered(id, 'FINISHED', { trigger: { kind: 'completed', path: PATH } }) });
  sync(at, { pods, flink: answered(id, 'FINISHED', { trigger: { kind: 'completed', path: PATH } }) });
  const suspended = sync(at, { pods: [] });
  assert.equal(suspended.rule, 'suspended');
  sync(at, { pods: [] });
  const settled = sync(at, { pods: [] });
  const again = sync(at, { pods: [] });
  assert.equal(JSON.stringify(again), JSON.stringify({ ...settled, at: again.at }));
  edit(at, { state: 'running' });
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext');
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
  assert.equal(at.status!.epoch!.restoredFrom, PATH);
});

test('delete: cancel, pods to 0, then no children, then finalized', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const gone = { finalizing: true, deleted: true };
  const pods = [jobManagerPod(1)];
  assert.equal(sync(at, { ...gone, pods, flink: answered(id, 'RUNNING') }).rule, 'deletionIntended');
  const cancel = sync(at, { ...gone, pods, flink: answered(id, 'RUNNING') });
  assert.equal(cancel.commands[0]!.kind, 'cancel');
  assert.equal(sync(at, { ...gone, pods, flink: answered(id, 'CANCELED') }).rule, 'deletionEndSeen');
  sync(at, { ...gone, pods, flink: NOT_ASKED });
  assert.equal(jobManagerReplicas(at), 0);
  const children = sync(at, { ...gone, pods: [], flink: NOT_ASKED });
  assert.equal(children.children.length, 0);
  const last = sync(at, { ...gone, pods: [] });
  assert.equal(last.finalized, true);
});

/** A job stopped with its savepoint, its pods gone. */
function stoppedCluster() {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  const trigger = { kind: 'completed', path: PATH } as const;
  edit(at, { jobArgs: ['a'] });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  sync(at, { pods, flink: answered(id, 'FINISHED', { trigger }) });
  sync(at, { pods, flink: answered(id, 'FINISHED', { trigger }) });
  return at;
}

test('a spec that changes between declaration and start is the one that starts, from the same savepoint', () => {
  const at = stoppedCluster();
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext');
  const declared = at.status!.epoch!;
  edit(at, { jobArgs: ['b'] });
  const room = sync(at, { pods: [] });
  assert.equal(room.rule, 'declaredMakesRoom');
  const record = room.children.find(({ metadata }) => metadata.name === epochNames(JOB, 2).record);
  assert.equal(
    readRecord(record as never)?.hash,
    declared.recordHash,
    'a start of it that is not shown yet keeps its record',
  );
  assert.equal(jobManagerReplicas(at), 0);
  for (let step = 0; step < 3 && at.status?.epoch?.number === 2; step++) sync(at, { pods: [] });
  assert.deepEqual([at.status?.epoch?.number, at.status?.epoch?.restoredFrom], [3, PATH]);
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
  assert.match(JSON.stringify(at.children.get('Deployment/wordcount-jobmanager')), /"--","b"/);
});

test('a declared epoch whose record is not there is declared again, with the spec as it is by now', () => {
  const at = stoppedCluster();
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext');
  assert.ok(at.children.delete(`ConfigMap/${epochNames(JOB, 2).record}`));
  edit(at, { jobArgs: ['b'] });
  const again = sync(at, { pods: [] });
  assert.equal(again.rule, 'declareAgain');
  assert.equal(again.status.epoch?.restoredFrom, PATH);
  assert.equal(jobManagerReplicas(at), 0);
  const record = again.children.find(({ metadata }) => metadata.name === epochNames(JOB, 2).record);
  assert.equal(readRecord(record as never)?.hash, again.status.epoch?.recordHash, 'status vouches for what is written');
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
  assert.match(JSON.stringify(at.children.get('Deployment/wordcount-jobmanager')), /"--","b"/);
  assert.equal(at.status!.epoch!.number, 2);
});

test('an epoch that is declared and whose spec stays is not declared again', () => {
  const at = stoppedCluster();
  assert.equal(sync(at, { pods: [] }).rule, 'declareNext');
  assert.equal(sync(at, { pods: [] }).rule, 'startDeclared');
});

test('a stopped job waits for a valid spec and keeps its savepoint', () => {
  const at = stoppedCluster();
  edit(at, { parallelism: 0 });
  const waits = sync(at, { pods: [] });
  assert.equal(waits.rule, 'nextWaitsForValidSpec');
  assert.equal(waits.status.state, 'Stalled');
  edit(at, { parallelism: 1 });
  assert.equal(sync(at, { pods: [] }).status.epoch?.restoredFrom, PATH);
});

test('a number that an operation has used up is not used again, though a late view was written over it', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  edit(at, { flinkConf: { 'execution.checkpointing.interval': '20s' } });
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  const done = answered(id, 'FINISHED', { trigger: { kind: 'completed', path: PATH } });
  for (let step = 0; step < 3; step++) sync(at, { pods, flink: done });
  // What endUnrecorded answers to a status from before the result was read.
  const late = { ...at.status!, epoch: { ...at.status!.epoch!, attempt: 0 } };
  assert.equal(late.operation?.attempt, 1);
  const declared = sync(at, { pods: [], status: late });
  assert.equal(declared.rule, 'declareNext');
  assert.equal(declared.status.epoch!.attempt, 1);
});
