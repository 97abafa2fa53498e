import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, checkpoint, edit, jobManagerPod, runningCluster, SPEC, sync } from '../drive.ts';

/** Ends that are followed by another epoch, or by the end of the JobManager's pod. */

const T0 = Date.parse('2026-01-01T00:00:00Z');
const pods = [jobManagerPod(1)];

/** A job that came to `state`, and what the hook made of it. */
function endedAs(state: 'FAILED' | 'FINISHED', policies: Record<string, unknown>, path?: string) {
  const at = runningCluster({ ...SPEC, policies: { ...SPEC.policies, ...policies } });
  const id = at.status!.epoch!.jobId;
  const checkpoints = path === undefined ? {} : { completed: 1, latestCompleted: checkpoint(1, path, T0 + 5000) };
  const outcome = sync(at, { pods, flink: answered(id, state, { checkpoints }) });
  assert.equal(outcome.rule, state === 'FAILED' ? 'jobFailed' : 'jobFinished');
  return at;
}

test('by default a failed job stays, and says so', () => {
  const at = endedAs('FAILED', {}, 'file:///c/chk-1');
  const stays = sync(at, { pods });
  assert.equal(stays.rule, 'failed');
  assert.match(stays.status.message, /not restarted/);
});

test('restart.failed: the pause is in status before it counts, and doubles', () => {
  const at = endedAs('FAILED', { restart: { failed: 'fromLastSnapshot' } }, 'file:///c/chk-1');
  const intended = sync(at, { pods });
  assert.equal(intended.rule, 'restartIntended');
  assert.equal(intended.status.redeploy?.attempts, 1);
  const since = at.now - 1000;
  assert.equal(Date.parse(intended.status.redeploy.notBefore), since + 10_000);
  const waits = sync(at, { pods });
  assert.equal(waits.rule, 'restartWaits');
  assert.deepEqual(sync(at, { pods }).status, waits.status, 'waiting writes nothing');
  at.now = since + 10_000;
  assert.equal(sync(at, { pods }).rule, 'stopPods');
  const next = sync(at, { pods: [] });
  assert.equal(next.rule, 'declareNext');
  assert.equal(next.status.epoch?.restoredFrom, 'file:///c/chk-1');
  assert.equal(next.status.history?.[0]?.reason, 'Redeployed');
  assert.equal(next.status.redeploy?.attempts, 1, 'remembered over epochs');
});

test('restart.failed without a snapshot holds, and a changed spec does not wait', () => {
  const held = endedAs('FAILED', { restart: { failed: 'fromLastSnapshot' } });
  sync(held, { pods });
  held.now += 60_000;
  assert.equal(sync(held, { pods }).rule, 'failedHolds');
  const at = endedAs('FAILED', { restart: { failed: 'fromLastSnapshot' } }, 'file:///c/chk-1');
  sync(at, { pods });
  edit(at, { jobArgs: ['--corrected'] });
  assert.equal(sync(at, { pods }).rule, 'stopPods');
});

test('a finished job keeps its JobManager for the TTL', () => {
  const at = endedAs('FINISHED', { ttlSecondsAfterFinished: 30 });
  const stays = sync(at, { pods });
  assert.equal(stays.rule, 'finishedStays');
  assert.ok(stays.resyncAfterSeconds > 0 && stays.resyncAfterSeconds <= 30);
  const replicas = (name: string) =>
    (at.children.get(`Deployment/wordcount-${name}`)?.['spec'] as { replicas: number } | undefined)?.replicas;
  assert.deepEqual([replicas('jobmanager'), replicas('taskmanager')], [1, 0]);
  const settled = sync(at, { pods });
  assert.deepEqual(sync(at, { pods }).status, settled.status);
  at.now += 30_000;
  assert.equal(sync(at, { pods }).rule, 'finished');
  assert.equal(replicas('jobmanager'), 0);
  edit(at, { policies: { ttlSecondsAfterFinished: 9000 } });
  sync(at, { pods: [] });
  assert.equal(replicas('jobmanager'), 0, 'a longer TTL brings nothing back');
});

test('a finished job runs again for another spec only where the policy says so', () => {
  for (const [finished, rule] of [
    ['never', 'finished'],
    ['onSpecChange', 'endedMakesRoom'],
  ] as const) {
    const at = endedAs('FINISHED', { restart: { finished } });
    sync(at, { pods });
    edit(at, { jobArgs: ['--more'] });
    assert.equal(sync(at, { pods }).rule, rule);
    const after = sync(at, { pods: [] });
    assert.equal(after.status.epoch?.number, finished === 'never' ? 1 : 2);
    assert.equal(
      (after.status.plan ?? []).some(({ field }) => field === 'spec'),
      finished === 'never',
    );
  }
});
