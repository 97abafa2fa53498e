import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FlinkView } from '../../../../src/core/flink-view.ts';
import { missingPathIn } from '../../../../src/core/missing.ts';
import { isSamePath } from '../../../../src/core/snapshot-path.ts';
import type { Outcome } from '../../../../src/core/types.ts';
import { answered, checkpoint, edit, jobManagerPod, runningCluster, SPEC, sync } from '../drive.ts';

/** Stepping back, on evidence alone (docs/lifecycle.md): only Flink's sentence about this very path, from three processes. */

const T0 = Date.parse('2026-01-01T00:00:00Z');
const CHECKPOINT = 'file:///c/job/chk-3';
const SAVEPOINT = 'file:///state/savepoints/older';

const next = (outcome: Outcome): Record<string, string> =>
  (outcome.children.find((child) => child.metadata.name.startsWith('wordcount-restore-'))?.['data'] ?? {}) as never;

const sentence = (path: string) =>
  `Fatal error occurred in the cluster entrypoint.\njava.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory '${path}' on file system 'file'.\n`;

/** A process that ended, one of its kind by its second. */
const ended = (second: number, message: string) => ({
  terminated: {
    exitCode: 2,
    reason: 'Error',
    message,
    startedAt: '2026-01-01T00:01:00Z',
    finishedAt: `2026-01-01T00:01:${String(10 + second)}Z`,
  },
});
const crashed = (second: number, message: string) => jobManagerPod(1, second, ended(second, message));

/** A job with a recorded checkpoint that was started from a savepoint. */
function recorded(more: Record<string, unknown> = {}) {
  const at = runningCluster({ ...SPEC, restore: { from: SAVEPOINT }, ...more });
  const flink = answered(at.status!.epoch!.jobId, 'RUNNING', {
    checkpoints: { completed: 3, latestCompleted: checkpoint(3, CHECKPOINT, T0 + 5000) },
  });
  assert.equal(next(sync(at, { pods: [jobManagerPod(1)], flink }))['path'], CHECKPOINT);
  return at;
}

test('the path that Flink does not find is read from its own sentences, as captured', () => {
  const file = join(import.meta.dirname, '../../../fixtures/flink/2.3/restore-missing-exceptions.json');
  const { body } = JSON.parse(readFileSync(file, 'utf8')) as {
    body: { exceptionHistory: { entries: { stacktrace: string }[] } };
  };
  assert.equal(
    missingPathIn(body.exceptionHistory.entries[0]?.stacktrace ?? ''),
    'file:///var/tmp/flork-e2e/flink-capture-2-3/checkpoints/gone/chk-7',
  );
  assert.equal(
    missingPathIn("Cannot find meta data file '_metadata' in directory 's3://b/chk-1'. Please try"),
    's3://b/chk-1',
  );
  assert.equal(missingPathIn('java.net.ConnectException: s3://b/chk-1 refused'), undefined);
});

test('spellings of one path are one path', () => {
  assert.ok(isSamePath('file:///a/b/', 'file:/a/b'));
  assert.ok(isSamePath('/a/b', 'file:///a/b'));
  assert.ok(!isSamePath('s3://a/b', 's3://a/b1'));
  assert.ok(!isSamePath(undefined, undefined));
});

test('three processes say that the recorded checkpoint is gone: one step back, in status first', () => {
  const at = recorded();
  for (const second of [1, 2]) {
    const outcome = sync(at, { pods: [crashed(second, sentence(CHECKPOINT))] });
    assert.equal(outcome.status.missing?.processes.length, second);
    assert.equal(next(outcome)['path'], CHECKPOINT, 'one and two prove nothing');
  }
  const again = sync(at, { pods: [crashed(2, sentence(CHECKPOINT))] });
  assert.equal(again.status.missing?.processes.length, 2, 'the same process is one witness');
  const third = sync(at, { pods: [crashed(3, sentence(CHECKPOINT))] });
  assert.equal(third.rule, 'stepBackIntended');
  assert.equal(next(third)['path'], CHECKPOINT, 'intent before effect');
  assert.equal(third.status.missing?.steppedTo, SAVEPOINT);
  const step = sync(at, { pods: [crashed(3, sentence(CHECKPOINT))] });
  assert.equal(step.rule, 'stepBack');
  assert.equal(next(step)['path'], SAVEPOINT);
  assert.equal(next(step)['restore'], `--fromSavepoint=${SAVEPOINT}`);
  assert.equal(step.status.history?.[0]?.reason, 'Rewound');
  const up = jobManagerPod(1, 4);
  sync(at, { pods: [up] });
  const runs = sync(at, { pods: [up], flink: answered(at.status!.epoch!.jobId, 'RUNNING') });
  assert.equal(runs.status.missing, undefined);
  assert.doesNotMatch(JSON.stringify(runs.status.snapshots ?? {}), /chk-3/, 'nothing names what is gone');
  assert.equal(next(sync(at, { pods: [up] }))['path'], SAVEPOINT, 'nor is it gone back to');
});

test('no evidence: another path, another failure, an unreachable file system', () => {
  const at = recorded();
  for (const [second, message] of [
    sentence('file:///c/other/chk-3'),
    'java.net.UnknownHostException: minio',
    `java.io.IOException: ${CHECKPOINT}: Permission denied`,
    sentence(CHECKPOINT).replace('Cannot find', 'Could not read'),
  ].entries()) {
    const outcome = sync(at, { pods: [crashed(second + 1, message)] });
    assert.equal(outcome.status.missing, undefined, message);
    assert.equal(next(outcome)['path'], CHECKPOINT);
  }
});

/** A job that failed before it had a graph; with a path it says which snapshot is not there. */
function failed(jobId: string, missing: string | undefined): FlinkView {
  const view = answered(jobId, 'FAILED', { tasks: 0 }) as Extract<FlinkView, { kind: 'answered' }>;
  if (missing === undefined) return { ...view, exceptions: { kind: 'failed', error: 'timeout', text: '' } };
  const newest = { at: 1, text: 'Could not start the JobMaster.' };
  return { ...view, exceptions: { kind: 'value', value: { newest, missing } } };
}

test('from Flink 2.0 the job fails and its JobManager lives: another epoch tries the same snapshot', () => {
  const at = recorded({ flinkVersion: '2.3', image: 'flink:2.3.0' });
  const up = jobManagerPod(1, 1);
  sync(at, { pods: [up] });
  const id = at.status!.epoch!.jobId;
  const other = structuredClone(at);
  assert.notEqual(sync(other, { pods: [up], flink: failed(id, 'file:///c/other/chk-1') }).rule, 'missingTriedAgain');
  const outcome = sync(at, { pods: [up], flink: failed(id, CHECKPOINT) });
  assert.equal(outcome.rule, 'missingTriedAgain');
  assert.deepEqual(
    [outcome.status.epoch?.ended?.how, outcome.status.epoch?.ended?.byFlork, outcome.status.epoch?.ended?.path],
    ['failed', true, CHECKPOINT],
  );
});

test('before Flink 2.0 the next process tries again, and no other epoch, though the failed job has not told why yet', () => {
  const at = recorded();
  sync(at, { pods: [crashed(1, sentence(CHECKPOINT))] });
  const up = jobManagerPod(1, 2);
  sync(at, { pods: [up] });
  const tells = sync(at, { pods: [up], flink: failed(at.status!.epoch!.jobId, undefined) });
  assert.notEqual(tells.rule, 'missingTriedAgain');
  assert.equal(tells.status.epoch?.ended, undefined);
});

test('before Flink 2.0 a failed job without a graph is told by a process that dies: no end, and no second witness', () => {
  const at = recorded();
  const up = jobManagerPod(1, 1);
  sync(at, { pods: [up] });
  const tells = sync(at, { pods: [up], flink: failed(at.status!.epoch!.jobId, CHECKPOINT) });
  assert.equal(tells.rule, 'missingEndsProcess');
  assert.equal(tells.status.epoch?.ended, undefined);
  assert.equal(tells.status.missing, undefined);
  const dead = sync(at, { pods: [crashed(1, sentence(CHECKPOINT))] });
  assert.equal(dead.status.missing?.processes.length, 1);
});

test('a failed job without a graph whose failure cannot be read has not failed for good', () => {
  const at = recorded();
  const up = jobManagerPod(1, 1);
  sync(at, { pods: [up] });
  const outcome = sync(at, { pods: [up], flink: failed(at.status!.epoch!.jobId, undefined) });
  assert.equal(outcome.rule, 'endUnclear');
  assert.equal(outcome.status.epoch?.ended, undefined);
});

test('a stop was under way when its process ended: its savepoint may be newer than any other, so nothing is stepped back to', () => {
  const at = recorded();
  const id = at.status!.epoch!.jobId;
  edit(at, { jobArgs: ['--new'] });
  const pods = [jobManagerPod(1)];
  sync(at, { pods, flink: answered(id, 'RUNNING') });
  const directory = at.status!.operation?.directory ?? assert.fail('no stop');
  sync(at, { pods: [jobManagerPod(1, 1)] });
  for (const second of [2, 3, 4]) sync(at, { pods: [crashed(second, sentence(CHECKPOINT))] });
  const held = sync(at, { pods: [crashed(4, sentence(CHECKPOINT))] });
  assert.equal(held.rule, 'missingHolds');
  assert.equal(held.status.conditions[0]?.reason, 'SnapshotMissing');
  assert.ok(held.status.message.includes(directory), held.status.message);
  assert.equal(next(held)['path'], CHECKPOINT);
});
