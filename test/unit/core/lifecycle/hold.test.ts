import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approvalToken } from '../../../../src/core/build/names.ts';
import {
  answered,
  checkpoint,
  edit,
  jobManagerPod,
  jobManagerReplicas,
  runningCluster,
  SPEC,
  sync,
  UID,
} from '../drive.ts';

const { policies: _, ...NO_DIRECTORY } = SPEC;
const pods = [jobManagerPod(1)];
const token = approvalToken(UID, 1);

/** A job without savepoint directory whose spec has changed. */
function changed(more: Record<string, unknown> = {}) {
  const at = runningCluster(NO_DIRECTORY);
  edit(at, { jobArgs: ['changed'], ...more });
  return { at, id: at.status!.epoch!.jobId };
}

test('nobody says whether the job writes checkpoints: held, with candidates by path, kind and time, and the ways out', () => {
  const { at, id } = changed();
  const held = sync(at, {
    pods,
    flink: answered(id, 'RUNNING', {
      checkpointing: 'unknown',
      checkpoints: { completed: 1, latestRestored: { ...checkpoint(1, 'file:///c/chk-1', 1), at: 1000 } },
    }),
  });
  assert.equal(held.rule, 'changeHolds');
  assert.match(held.status.message, /file:\/\/\/c\/chk-1 \(checkpoint, 1970-01-01T00:00:01Z/);
  assert.match(held.status.message, new RegExp(token));
  assert.equal(held.status.conditions.find((condition) => condition.type === 'StateSafe')?.status, 'False');
  assert.equal(held.status.florkPhase, 'DEPLOYED');
});

test('whether checkpointing is on is unknown: held', () => {
  const { at, id } = changed();
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING', { checkpointing: 'unknown' }) }).rule, 'changeHolds');
});

test('checkpointing is off, and Flink said so: the mode is stateless', () => {
  const { at, id } = changed();
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING', { checkpointing: false }) }).rule, 'cancelIntended');
  const cancel = sync(at, { pods, flink: answered(id, 'RUNNING') });
  assert.equal(cancel.commands[0]!.kind, 'cancel');
  const canceled = sync(at, { pods, flink: answered(id, 'CANCELED') });
  assert.equal(canceled.rule, 'canceled');
  assert.equal(canceled.status.epoch?.ended?.startsEmpty, true);
  sync(at, { pods, flink: answered(id, 'CANCELED') });
  assert.equal(jobManagerReplicas(at), 0);
  assert.equal(sync(at, { pods: [] }).status.epoch?.restoredFrom, undefined);
});

/** Its checkpoints are deleted when it is canceled. */
const deleted = (id: string) => {
  const view = answered(id, 'RUNNING');
  const config = { enabled: true, intervalMs: 10_000, externalized: true, deleteOnCancellation: true };
  return view.kind === 'answered' ? { ...view, checkpointConfig: { kind: 'value', value: config } as const } : view;
};

test('the token of exactly this epoch lets the state go, another does not', () => {
  const { at, id } = changed({ approveStateLoss: approvalToken(UID, 2) });
  const held = sync(at, { pods, flink: deleted(id) });
  assert.equal(held.rule, 'changeHolds');
  assert.match(held.status.message, /deleted when it is canceled/);
  edit(at, { approveStateLoss: token });
  assert.equal(sync(at, { pods, flink: deleted(id) }).rule, 'lossAllowed');
  assert.equal(sync(at, { pods, flink: deleted(id) }).rule, 'cancelAsked');
});

test('stateLoss: never offers no token and takes none', () => {
  const { at, id } = changed({ policies: { stateLoss: 'never' }, approveStateLoss: token });
  const held = sync(at, { pods, flink: deleted(id) });
  assert.equal(held.rule, 'changeHolds');
  assert.doesNotMatch(held.status.message, /approveStateLoss/);
});

test('stateLoss: allow needs no token', () => {
  const { at, id } = changed({ policies: { stateLoss: 'allow' } });
  assert.equal(sync(at, { pods, flink: deleted(id) }).rule, 'lossAllowed');
});

test('the same edit that removes the savepoint directory still takes a savepoint into the running one', () => {
  const at = runningCluster();
  edit(at, { policies: {}, jobArgs: ['x'] });
  const intent = sync(at, { pods, flink: answered(at.status!.epoch!.jobId, 'RUNNING') });
  assert.equal(intent.rule, 'stopIntended');
  assert.match(intent.status.operation!.directory!, /^file:\/\/\/state\/savepoints\//);
});

test('an edit that brings the first savepoint directory uses it', () => {
  const { at, id } = changed({ policies: { savepoint: { directory: 'file:///new' } } });
  const intent = sync(at, { pods, flink: answered(id, 'RUNNING') });
  assert.equal(intent.rule, 'stopIntended');
  assert.match(intent.status.operation!.directory!, /^file:\/\/\/new\//);
});

test('a job that only restarts cannot take a savepoint: the change waits, nothing is canceled', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['fixed'] });
  const held = sync(at, { pods, flink: answered(at.status!.epoch!.jobId, 'RESTARTING') });
  assert.equal(held.rule, 'changeWaits');
  assert.deepEqual(held.commands, []);
});

test('restore with a new nonce is a way out of every hold', () => {
  const { at, id } = changed({ restore: { from: 'file:///mine', nonce: 1 } });
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING') }).rule, 'restoreIntended');
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  sync(at, { pods, flink: answered(id, 'CANCELED') });
  sync(at, { pods, flink: answered(id, 'CANCELED') });
  const declared = sync(at, { pods: [] });
  assert.equal(declared.status.epoch?.restoredFrom, 'file:///mine');
  assert.equal(declared.status.handled?.restoreNonce, 1);
});

test('restore.from without a new nonce does nothing, and status.plan says so', () => {
  const at = runningCluster();
  edit(at, { restore: { from: 'file:///mine' } });
  const calm = sync(at, { pods, flink: answered(at.status!.epoch!.jobId, 'RUNNING') });
  assert.equal(calm.rule, 'running');
  assert.equal(calm.status.plan?.[0]?.field, 'spec.restore.from');
});
