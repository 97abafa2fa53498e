import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, checkpoint, edit, jobManagerPod, runningCluster, SPEC, sync } from '../drive.ts';

/** A job that runs and is unwell: when it is told, when not, and what follows. */

const pods = [jobManagerPod(1)];
const T0 = Date.parse('2026-01-01T00:00:00Z');
type Cluster = ReturnType<typeof runningCluster>;

function unwellCluster(health: Record<string, unknown>, more: Record<string, unknown> = {}): Cluster {
  return runningCluster({ ...SPEC, policies: { ...SPEC.policies, ...more, health } });
}

/** A sync in which Flink tells so many restarts. */
function told(at: Cluster, restarts: number, state: 'RUNNING' | 'RESTARTING' = 'RUNNING') {
  return sync(at, { pods, flink: answered(at.status!.epoch!.jobId, state, { restarts }) });
}

/** A sync in which the newest checkpoint is of that age by Flink's clock. */
function stalled(at: Cluster, ageMs: number, more: Parameters<typeof answered>[2] = {}) {
  const clock = { now: T0 + 10_000_000, runningSince: T0 };
  const checkpoints = { completed: 1, latestCompleted: checkpoint(1, 'file:///c/chk-1', clock.now - ageMs) };
  return sync(at, { pods, flink: answered(at.status!.epoch!.jobId, 'RUNNING', { clock, checkpoints, ...more }) });
}

test('more restarts than allowed within the window: decided in status, then left as for a change', () => {
  const at = unwellCluster({ restarts: 2 });
  told(at, 0);
  assert.equal(told(at, 1).rule, 'running');
  assert.equal(told(at, 2, 'RESTARTING').rule, 'restarting');
  const decided = told(at, 3);
  assert.equal(decided.rule, 'unhealthy');
  assert.deepEqual(decided.commands, []);
  assert.equal(decided.status.redeploy?.attempts, 1);
  const intended = told(at, 3);
  assert.equal(intended.rule, 'stopIntended');
  assert.equal(intended.status.operation?.purpose, 'health');
  assert.equal(told(at, 3).rule, 'stopAsked', 'nobody takes it back');
});

test('restarts that are too far apart, or that nobody counted, say nothing', () => {
  const at = unwellCluster({ restarts: 2, window: '1m' });
  told(at, 0);
  const quiet = JSON.stringify(told(at, 0).status);
  assert.equal(JSON.stringify(told(at, 0).status), quiet, 'a quiet job writes nothing');
  assert.equal(told(at, 9).rule, 'running', 'after an outage of the hook nobody knows when they were');
  assert.equal(told(at, 10).rule, 'running');
  at.now += 61_000;
  assert.equal(told(at, 99).rule, 'running', 'the clock has jumped, or nobody looked');
  assert.equal(at.status?.health?.since, undefined);
  told(at, 100);
  at.now -= 3_600_000;
  assert.equal(told(at, 105).rule, 'running', 'the clock was put back');
  assert.equal(at.status?.health?.since, undefined);
  assert.equal(told(at, 0).rule, 'running', 'another process counts anew');
});

test('without the policy nothing is asked and nothing is kept', () => {
  const at = runningCluster();
  for (const restarts of [0, 5, 50]) assert.equal(told(at, restarts).rule, 'running');
  assert.equal(at.status?.health, undefined);
});

test('checkpoints that stall, by the clock of Flink and with all tasks running for as long', () => {
  const at = unwellCluster({ checkpointStall: '5m' });
  assert.equal(stalled(at, 400_000).rule, 'running', 'its tasks run for some seconds only');
  at.now += 400_000;
  assert.equal(stalled(at, 200_000).rule, 'running');
  assert.equal(stalled(at, 400_000, { checkpointing: false }).rule, 'running');
  assert.equal(stalled(at, 400_000, { checkpointing: 'unknown' }).rule, 'running');
  const young = { now: T0 + 10_000_000, runningSince: T0 + 9_900_000 };
  assert.equal(stalled(at, 400_000, { clock: young }).rule, 'running', 'it was restarted since');
  assert.equal(stalled(at, 400_000, { running: 1 }).rule, 'tasksStarting');
  assert.equal(stalled(at, 400_000).rule, 'unhealthy');
});

test('what is decided ends with the policy, and another spec goes first', () => {
  const at = unwellCluster({ checkpointStall: '5m' });
  at.now += 400_000;
  stalled(at, 400_000);
  assert.equal(stalled(at, 400_000).rule, 'stopIntended');
  edit(at, { policies: SPEC.policies });
  assert.equal(stalled(at, 400_000).rule, 'stopWithdrawn');
  assert.equal(stalled(at, 400_000).rule, 'running');
  const changed = unwellCluster({ checkpointStall: '5m' });
  changed.now += 400_000;
  edit(changed, { jobArgs: ['--other'] });
  assert.equal(stalled(changed, 400_000).rule, 'stopIntended');
  assert.equal(changed.status?.operation?.purpose, 'upgrade');
});

test('a decision that cannot be carried out is made anew, later', () => {
  const at = unwellCluster({ checkpointStall: '5m' });
  at.now += 400_000;
  stalled(at, 400_000);
  at.now += 16 * 60_000;
  assert.equal(stalled(at, 1000).rule, 'running', 'well again in the meantime');
});

test('mode stateless leaves no state behind unasked', () => {
  const at = unwellCluster({ checkpointStall: '5m' }, { upgrade: { mode: 'stateless' } });
  at.now += 400_000;
  stalled(at, 400_000);
  stalled(at, 400_000);
  assert.deepEqual([at.status?.operation?.kind, at.status?.operation?.startsEmpty], ['stop', undefined]);
});

test('the new epoch starts from what was left, says why, and is left alone for a while', () => {
  const at = unwellCluster({ checkpointStall: '5m' });
  at.now += 400_000;
  stalled(at, 400_000);
  stalled(at, 400_000);
  stalled(at, 400_000, { trigger: { kind: 'completed', path: 'file:///s/sp' } });
  sync(at, { pods: [] });
  sync(at, { pods: [] });
  const next = sync(at, { pods: [] });
  assert.equal(next.status.epoch?.number, 2);
  assert.equal(next.status.epoch.restoredFrom, 'file:///s/sp');
  assert.equal(next.status.history?.[0]?.reason, 'Unhealthy');
  assert.equal(next.status.redeploy?.attempts, 1);
});
