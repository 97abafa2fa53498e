import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlinkView } from '../../../../src/core/flink-view.ts';
import { acknowledge, reconcile } from '../../../../src/core/reconcile.ts';
import { answered, apply, edit, inputOf, jobManagerPod, runningCluster, sync } from '../drive.ts';

/** What Flink was asked for and no longer knows: under one trigger id it is never asked for a second time (S1). */

const pods = [jobManagerPod(1)];
type At = ReturnType<typeof runningCluster>;

/** The job runs, Flink's own clock says so many seconds, and knows of the trigger or does not. */
function runs(at: At, seconds: number, inProgress = false, running = 2): FlinkView {
  return answered(at.status!.epoch!.jobId, 'RUNNING', {
    trigger: inProgress ? { kind: 'in-progress' } : 'absent',
    clock: { now: seconds * 1000, runningSince: 1 },
    running,
  });
}

function step(at: At, flink: FlinkView): readonly [string, number] {
  const { rule, commands } = sync(at, { pods, flink });
  return [rule, commands.length];
}

function intended(): At {
  const at = runningCluster();
  edit(at, { flinkConf: {} });
  assert.deepEqual(step(at, runs(at, 60)), ['stopIntended', 0]);
  return at;
}

test('a stop that Flink accepted and has forgotten has failed, once the listing had its time', () => {
  const at = intended();
  const { triggerId } = at.status!.operation!;
  const outcome = reconcile(inputOf(at, { pods, flink: runs(at, 61) }));
  assert.equal(outcome.rule, 'stopAsked');
  apply(at, acknowledge(outcome, [{ command: outcome.commands[0]!, kind: 'done', text: '' }]));
  assert.equal(at.status!.operation!.known, true);
  assert.deepEqual(step(at, runs(at, 70)), ['stopUnderWay', 0]);
  assert.deepEqual(step(at, runs(at, 79)), ['stopUnderWay', 0], 'the listing may lag');
  assert.deepEqual(step(at, runs(at, 81)), ['stopFailed', 0]);
  assert.deepEqual([at.status!.operation, at.status!.epoch!.attempt], [undefined, 1]);
  at.now += 60_000;
  assert.deepEqual(step(at, runs(at, 141)), ['stopIntended', 0]);
  assert.notEqual(at.status!.operation!.triggerId, triggerId);
});

test('a stop that was seen in progress is known, and is not asked for again', () => {
  const at = intended();
  assert.deepEqual(step(at, runs(at, 61)), ['stopAsked', 1]);
  assert.equal(at.status!.operation!.known, undefined, 'nobody has said so');
  assert.deepEqual(step(at, runs(at, 62)), ['stopAsked', 1], 'the call was lost');
  assert.deepEqual(step(at, runs(at, 63, true)), ['stopUnderWay', 0]);
  assert.deepEqual(step(at, runs(at, 65)), ['stopUnderWay', 0]);
  assert.equal(at.status!.operation!.unknownSince, '1970-01-01T00:01:05Z');
  assert.deepEqual(step(at, runs(at, 66, true)), ['stopUnderWay', 0]);
  assert.equal(at.status!.operation!.unknownSince, undefined, 'it is there');
});

test('what was asked for long ago may have been heard and forgotten: the next attempt has another number', () => {
  const at = intended();
  assert.deepEqual(step(at, runs(at, 61)), ['stopAsked', 1]);
  assert.deepEqual(step(at, runs(at, 300)), ['stopAsked', 1]);
  assert.deepEqual(step(at, runs(at, 302)), ['stopForgotten', 0]);
  assert.deepEqual([at.status!.operation, at.status!.epoch!.attempt, at.status!.retry], [undefined, 1, undefined]);
  assert.deepEqual(step(at, runs(at, 303)), ['stopIntended', 0]);
  assert.equal(at.status!.operation!.attempt, 2);
});

test('a stop that Flink knew and that is given up has used up its number; one that it never knew has not', () => {
  for (const known of [true, false]) {
    const at = intended();
    step(at, runs(at, 61));
    if (known) step(at, runs(at, 62, true));
    assert.deepEqual(step(at, runs(at, 63, false, 1)), ['stopUnsent', 0]);
    assert.equal(at.status!.epoch!.attempt, known ? 1 : 0);
  }
});

test('a savepoint that Flink knew and forgot is tried again under the next number', () => {
  const at = runningCluster();
  edit(at, { savepointNonce: 1 });
  assert.deepEqual(step(at, runs(at, 60)), ['snapshotIntended', 0]);
  assert.deepEqual(step(at, runs(at, 61)), ['asideAsked', 1]);
  assert.deepEqual(step(at, runs(at, 62, true)), ['asideUnderWay', 0]);
  assert.deepEqual(step(at, runs(at, 63)), ['asideUnderWay', 0]);
  assert.deepEqual(step(at, runs(at, 74)), ['snapshotFailed', 0]);
  assert.equal(at.status!.epoch!.asked, 1);
});

test('a savepoint that Flink knew is not asked for again, though a status shown late does not say when it was', () => {
  const at = runningCluster();
  edit(at, { savepointNonce: 1 });
  step(at, runs(at, 60));
  assert.deepEqual(step(at, runs(at, 62, true)), ['asideUnderWay', 0]);
  assert.deepEqual([at.status!.operation!.known, at.status!.operation!.askedAt], [true, undefined]);
  assert.deepEqual(step(at, runs(at, 63)), ['asideUnderWay', 0]);
  assert.deepEqual(step(at, runs(at, 74)), ['snapshotFailed', 0]);
});

test('a savepoint that was asked for long ago is asked for under the next number', () => {
  const at = runningCluster();
  edit(at, { savepointNonce: 1 });
  step(at, runs(at, 60));
  assert.deepEqual(step(at, runs(at, 61)), ['asideAsked', 1]);
  assert.deepEqual(step(at, runs(at, 302)), ['asideForgotten', 0]);
  assert.deepEqual(step(at, runs(at, 303)), ['snapshotIntended', 0]);
  assert.equal(at.status!.operation!.attempt, 2);
});
