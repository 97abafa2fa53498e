import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FlinkView } from '../../../../src/core/flink-view.ts';
import { answered, checkpoint, edit, jobManagerPod, runningCluster, SPEC, sync } from '../drive.ts';

/** A JobManager that answers and lists no job: when something is concluded from that, and when it is not. */

const HA = {
  ...SPEC,
  flinkConf: {
    ...SPEC.flinkConf,
    'high-availability.type': 'kubernetes',
    'high-availability.storageDir': 'file:///state/ha',
  },
  jobManagerPodSpec: { serviceAccountName: 'flink' },
};
const PODS = [jobManagerPod(1)];
const CHK = { completed: 3, latestCompleted: checkpoint(3, 'file:///c/chk-3', 3_000) };

/** It answers, without a job. */
function empty(): FlinkView {
  const view = answered('0'.repeat(32), 'RUNNING');
  return view.kind === 'answered' ? { ...view, jobs: [] } : view;
}

function running(spec: Record<string, unknown>) {
  const at = runningCluster(spec);
  const id = at.status!.epoch!.jobId;
  const show = (flink: FlinkView) => sync(at, { pods: PODS, flink });
  show(answered(id, 'RUNNING', { checkpoints: CHK }));
  return { at, id, show };
}

describe('a stop whose job is listed no more', () => {
  test('is given up after a minute: its savepoint may be all that there is', () => {
    const { at, id, show } = running(HA);
    edit(at, { jobArgs: ['x'] });
    const idle = answered(id, 'RUNNING', { checkpoints: CHK, trigger: 'absent' });
    assert.equal(show(idle).rule, 'stopIntended');
    assert.equal(show(idle).rule, 'stopAsked');
    const { directory } = at.status!.operation!;
    assert.equal(show(empty()).rule, 'stopUnderWay');
    at.now += 50_000;
    assert.equal(show(empty()).rule, 'stopUnderWay', 'the next leader may still recover it');
    at.now += 10_000;
    assert.equal(show(empty()).rule, 'stopLostItsJob');
    assert.equal(at.status!.operation, undefined);
    assert.equal(at.status!.epoch!.unread, directory);
    show(empty());
    at.now += 61_000;
    const held = show(empty());
    assert.equal(held.rule, 'changeHolds');
    assert.ok(held.status.message.includes(`it lies below ${directory} if it was completed`));
  });

  test('goes on when the job is listed again in time', () => {
    const { at, id, show } = running(HA);
    edit(at, { jobArgs: ['x'] });
    const idle = answered(id, 'RUNNING', { checkpoints: CHK, trigger: 'absent' });
    show(idle);
    show(idle);
    const { attempt } = at.status!.operation!;
    show(empty());
    at.now += 50_000;
    show(answered(id, 'RUNNING', { checkpoints: CHK, trigger: { kind: 'in-progress' } }));
    at.now += 50_000;
    assert.equal(show(empty()).rule, 'stopUnderWay', 'the minute begins anew');
    assert.equal(at.status!.operation!.attempt, attempt);
    assert.equal(at.status!.epoch!.unread, undefined);
  });
});

describe('a job that ran and is listed no more, while nothing is asked for', () => {
  test('with high availability people are told after five minutes, and a change starts nothing in its place', () => {
    const { at, show } = running(HA);
    assert.equal(show(empty()).rule, 'jobStarting');
    at.now += 290_000;
    assert.equal(show(empty()).rule, 'jobStarting');
    at.now += 20_000;
    const told = show(empty());
    assert.equal(told.rule, 'jobForgotten');
    assert.match(told.status.message, /lists no job.*spec\.restore \{from: <path>, nonce: 1\}/);
    assert.equal(show(empty()).rule, 'jobForgotten', 'it stays so');
    edit(at, { jobArgs: ['x'] });
    assert.equal(show(empty()).rule, 'changeHolds');
    assert.equal(at.status!.epoch!.number, 1);
  });

  test('it runs again: nothing was at risk', () => {
    const { at, id, show } = running(HA);
    show(empty());
    at.now += 310_000;
    assert.equal(show(empty()).rule, 'jobForgotten');
    assert.equal(show(answered(id, 'RUNNING', { checkpoints: CHK })).rule, 'running');
  });

  test('without high availability the next process runs it: main() is waited for', () => {
    const { at, show } = running(SPEC);
    show(empty());
    at.now += 900_000;
    assert.equal(show(empty()).rule, 'jobStarting');
  });
});

describe('a restore that is asked for where no job is listed', () => {
  test('is carried out after a minute', () => {
    const { at, show } = running(HA);
    show(empty());
    edit(at, { restore: { from: 'file:///state/savepoints/mine', nonce: 1 } });
    assert.equal(show(empty()).rule, 'restoreIntended');
    at.now += 50_000;
    assert.equal(show(empty()).rule, 'cancelUnderWay', 'the job may yet be listed, and is canceled then');
    at.now += 10_000;
    assert.equal(show(empty()).rule, 'canceled');
    assert.deepEqual(
      [at.status!.epoch!.ended?.path, at.status!.epoch!.ended?.over],
      ['file:///state/savepoints/mine', true],
    );
    assert.equal(show(empty()).rule, 'stopPods');
  });

  test('an end that an older view told without its being over: its pods go after a minute', () => {
    const { at, show } = running(HA);
    show(empty());
    edit(at, { restore: { from: 'file:///state/savepoints/mine', nonce: 1 } });
    show(empty());
    at.now += 61_000;
    show(empty());
    const { over: _, ...ended } = at.status!.epoch!.ended!;
    at.status = { ...at.status!, epoch: { ...at.status!.epoch!, ended } };
    assert.equal(show(empty()).rule, 'waitForEnd');
    at.now += 60_000;
    assert.equal(show(empty()).rule, 'endSeen');
  });
});
