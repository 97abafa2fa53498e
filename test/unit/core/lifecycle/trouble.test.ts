import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObserved } from '../../../../src/api/observed.ts';
import { absenceOf } from '../../../../src/core/facts/absence.ts';
import { answered, cluster, jobManagerPod, podOf, runningCluster, sync } from '../drive.ts';

/** What pods and Deployments tell of a job that does not run, named in `message` by the very next sync. */

const NOW = '2026-01-01T00:00:02Z';
const killed = (reason: string, finishedAt = NOW) => ({
  terminated: { exitCode: 137, reason, message: '', startedAt: '2026-01-01T00:00:00Z', finishedAt },
});
const pods = [jobManagerPod(1)];

test('a TaskManager killed for its memory is named while the job restarts, also when it runs again', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const again = podOf('taskmanager', 1, 1, { running: { startedAt: NOW } }, { lastState: killed('OOMKilled') });
  assert.equal(sync(at, { pods: [...pods, again], flink: answered(id, 'RUNNING') }).rule, 'running');
  for (const state of ['RESTARTING', 'RUNNING'] as const) {
    const told = sync(at, { pods: [...pods, again], flink: answered(id, state, { running: 0 }) });
    assert.equal(told.status.conditions[0]?.reason, 'OutOfMemory', state);
    assert.match(told.status.message, /wordcount-taskmanager-1 was killed.*memory/);
    assert.equal(told.status.state, 'Running', 'Flink goes on by itself');
  }
  at.now += 11 * 60_000;
  const later = sync(at, { pods: [...pods, again], flink: answered(id, 'RESTARTING') });
  assert.equal(later.rule, 'restarting', 'a kill of long ago explains nothing');
});

test('a JobManager killed for its memory is named at once, and stalls when it is killed again and again', () => {
  const at = cluster();
  sync(at);
  const first = sync(at, { pods: [jobManagerPod(1, 0, killed('OOMKilled'))] });
  assert.equal(first.status.conditions[0]?.reason, 'OutOfMemory');
  assert.equal(first.status.conditions[1]?.type, 'Reconciling');
  const crashing = { waiting: { reason: 'CrashLoopBackOff', message: '' } };
  const third = sync(at, { pods: [jobManagerPod(1, 3, crashing, { lastState: killed('OOMKilled') })] });
  assert.equal(third.status.conditions[1]?.type, 'Stalled');
  assert.equal(
    sync(at, { pods: [jobManagerPod(1, 0, killed('Error'))] }).status.conditions[0]?.reason !== 'OutOfMemory',
    true,
  );
});

test('an evicted pod is named when nothing else explains, and counts as gone', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const evicted = podOf('taskmanager', 1, 0, killed('Error'), {
    status: {
      phase: 'Failed',
      reason: 'Evicted',
      message: 'The node was low on resource: memory.',
      containerStatuses: [],
    },
  });
  const told = sync(at, { pods: [...pods, evicted], flink: answered(id, 'RESTARTING') });
  assert.equal(told.status.conditions[0]?.reason, 'PodFailed');
  assert.match(told.status.message, /Evicted.*low on resource/);
  assert.equal(sync(at, { pods: [...pods, evicted], flink: answered(id, 'RUNNING') }).rule, 'running');
});

test('proof of absence: a pod that has failed for good is no pod, one whose container runs is', () => {
  const at = runningCluster();
  const shown = (pod: Record<string, unknown>) =>
    readObserved({}, { 'Pod.v1': { p: pod } } as never, { namespace: 'team' }).pods;
  const deployment = {
    metadata: { name: 'wordcount-taskmanager', generation: 2 },
    replicas: 0,
    templateAnnotations: {},
    status: { observedGeneration: 2, replicas: 0, readyReplicas: 0, terminatingReplicas: 0, conditions: [] },
  };
  const over = podOf('taskmanager', 1, 0, killed('Error'), {
    status: { phase: 'Failed', reason: 'Evicted', containerStatuses: [] },
  });
  const alive = podOf('taskmanager', 1, 0, { running: {} });
  assert.equal(absenceOf(deployment, shown(over), 'taskmanager'), 'proven');
  assert.equal(absenceOf(deployment, shown(alive), 'taskmanager'), 'disproven');
  assert.equal(at.status?.state, 'Running');
});
