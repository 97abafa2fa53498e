import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlinkView, TriggerView } from '../../../../src/core/flink-view.ts';
import {
  answered,
  edit,
  jobManagerPod,
  jobManagerReplicas,
  runningCluster,
  SPEC,
  sync,
  UNREACHABLE,
} from '../drive.ts';

const pods = [jobManagerPod(1)];
const gone = { finalizing: true, deleted: true, pods };
type At = ReturnType<typeof runningCluster>;

function asking(more: Record<string, unknown> = {}): At {
  return runningCluster({ ...SPEC, policies: { ...SPEC.policies, deletion: { savepoint: true }, ...more } });
}
function runs(
  at: At,
  trigger: TriggerView | 'absent' = 'absent',
  state: 'RUNNING' | 'FINISHED' = 'RUNNING',
): FlinkView {
  return answered(at.status!.epoch!.jobId, state, { trigger });
}

test('intent, call, path in status, the end of the job, pods: each waits for the one before it', () => {
  const at = asking({
    savepoint: { directory: 'file:///state/savepoints', advanceToEndOfEventTime: true, format: 'NATIVE' },
  });
  assert.equal(sync(at, { ...gone, flink: runs(at) }).rule, 'deletionSavepointIntended');
  assert.deepEqual([at.status!.operation!.kind, at.status!.operation!.purpose], ['stop', 'delete']);
  const [command] = sync(at, { ...gone, flink: runs(at) }).commands;
  assert.ok(command?.kind === 'stop' && command.drain && command.formatType === 'NATIVE');
  const path = `${at.status!.operation!.directory}/savepoint-x`;
  assert.equal(sync(at, { ...gone, flink: runs(at, { kind: 'completed', path }) }).rule, 'stopCompleted');
  assert.equal(at.status!.state, 'Deleting');
  assert.equal(jobManagerReplicas(at), 1);
  assert.equal(sync(at, { ...gone, flink: runs(at, { kind: 'completed', path }) }).rule, 'deletionIntended');
  const waiting = sync(at, { ...gone, flink: runs(at, { kind: 'completed', path }) });
  assert.equal(waiting.rule, 'deleteWaitsForCancel');
  assert.deepEqual(waiting.commands, [], 'what commits is not canceled');
  assert.equal(sync(at, { ...gone, flink: runs(at, 'absent', 'FINISHED') }).rule, 'deletionEndSeen');
  assert.equal(sync(at, { ...gone, flink: runs(at, 'absent', 'FINISHED') }).rule, 'deleteStopsPods');
  assert.equal(at.status!.epoch!.ended!.path, path);
});

test('a failure holds with the ways out; each of them lets go, and a token of another epoch does not', () => {
  const failing = (): At => {
    const at = asking();
    sync(at, { ...gone, flink: runs(at) });
    const failed = sync(at, { ...gone, flink: runs(at, { kind: 'failed', text: 'disk full', path: undefined }) });
    assert.equal(failed.rule, 'deletionSavepointFailed');
    assert.match(failed.status.message, /disk full.*deletion\.savepoint: false, spec\.approveStateLoss: "lose-/);
    assert.equal(sync(at, { ...gone, flink: runs(at) }).rule, 'deletionSavepointLater');
    return at;
  };
  const token = /lose-[0-9a-f]{12}/.exec(failing().status!.message)![0];
  for (const change of [
    { policies: { ...SPEC.policies, deletion: { savepoint: false } } },
    { policies: { ...SPEC.policies, deletion: { savepoint: true }, stateLoss: 'allow' } },
    { approveStateLoss: token },
  ]) {
    const at = failing();
    edit(at, change);
    assert.equal(sync(at, { ...gone, flink: runs(at) }).rule, 'deletionIntended');
  }
  const at = failing();
  edit(at, { approveStateLoss: 'lose-000000000000' });
  assert.equal(sync(at, { ...gone, flink: runs(at) }).rule, 'deletionSavepointLater');
  at.now += 60_000;
  assert.equal(sync(at, { ...gone, flink: runs(at) }).rule, 'deletionSavepointIntended');
  assert.equal(at.status!.operation!.attempt, 2);
});

test('what cannot be asked now holds; with stateLoss: allow it is gone without', () => {
  const at = asking();
  const held = sync(at, { ...gone, flink: UNREACHABLE });
  assert.equal(held.rule, 'deletionHolds');
  assert.match(held.status.message, /does not answer/);
  const allowed = asking({ stateLoss: 'allow' });
  assert.equal(sync(allowed, { ...gone, flink: runs(allowed) }).rule, 'deletionSavepointIntended', 'it is tried');
  const unable = asking({ stateLoss: 'allow' });
  assert.equal(sync(unable, { ...gone, flink: UNREACHABLE }).rule, 'deletionIntended');
});

test('no savepoint is asked for where none is wanted, nor of a job that has ended', () => {
  const plain = runningCluster();
  assert.equal(sync(plain, { ...gone, flink: runs(plain) }).rule, 'deletionIntended');
  const at = asking();
  assert.equal(sync(at, { ...gone, flink: runs(at, 'absent', 'FINISHED') }).rule, 'jobFinished');
  assert.equal(at.status!.state, 'Deleting');
  assert.equal(sync(at, { ...gone, flink: runs(at, 'absent', 'FINISHED') }).rule, 'deletionIntended');
});

test('policies.deletion.timeout is what the cancel is given', () => {
  const at = runningCluster({ ...SPEC, policies: { ...SPEC.policies, deletion: { timeout: '20s' } } });
  sync(at, { ...gone, flink: UNREACHABLE });
  at.now += 15_000;
  assert.equal(sync(at, { ...gone, flink: UNREACHABLE }).rule, 'deleteWaitsForCancel');
  at.now += 10_000;
  const over = sync(at, { ...gone, flink: UNREACHABLE });
  assert.equal(over.rule, 'deletionEndSeen');
  assert.match(over.status.message, /within 20s/);
});
