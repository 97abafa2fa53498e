import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochNames, jobIdOf } from '../../../../src/core/build/names.ts';
import { readRecord, recordConfigMap } from '../../../../src/core/build/record.ts';
import type { Outcome } from '../../../../src/core/types.ts';
import {
  answered,
  checkpoint,
  cluster,
  edit,
  JOB,
  jobManagerPod,
  jobManagerReplicas,
  runningCluster,
  SPEC,
  sync,
  UID,
} from '../drive.ts';

/** What the next JobManager process would start with, as the answer has it. */
function next(outcome: Outcome): Record<string, string> {
  const found = outcome.children.find((child) => child.metadata.name.startsWith('wordcount-restore-'));
  return (found?.['data'] ?? {}) as Record<string, string>;
}

const T0 = Date.parse('2026-01-01T00:00:00Z');
const CRASHED = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } };
const ended = (exitCode: number, message = '') => ({
  terminated: {
    exitCode,
    reason: 'Error',
    message,
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:09Z',
  },
});

test('as soon as a process is seen, the next one gets a fresh job id', () => {
  const at = cluster();
  assert.equal(next(sync(at))['job-id'], jobIdOf(UID, 1, 1));
  assert.equal(next(sync(at, { pods: [] }))['job-id'], jobIdOf(UID, 1, 1), 'none was seen yet');
  const seen = sync(at, { pods: [jobManagerPod(1)] });
  assert.equal(seen.status.epoch?.incarnation, 1);
  assert.equal(next(seen)['job-id'], jobIdOf(UID, 1, 2));
  const killed = sync(at, { pods: [jobManagerPod(1, 1)] });
  assert.equal(killed.status.epoch?.incarnation, 2);
  assert.equal(killed.status.epoch?.jobId, jobIdOf(UID, 1, 2));
  assert.equal(next(killed)['job-id'], jobIdOf(UID, 1, 3));
  assert.equal(
    next(sync(at, { pods: [jobManagerPod(1, 1)] }))['job-id'],
    jobIdOf(UID, 1, 3),
    'the same process changes nothing',
  );
});

test('the first checkpoint is recorded at once, newer ones once a minute', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  const withCheckpoint = (number: number, seconds: number) =>
    next(
      sync(at, {
        pods,
        flink: answered(id, 'RUNNING', {
          checkpoints: {
            completed: number,
            latestCompleted: checkpoint(number, `file:///c/${id}/chk-${number}`, T0 + seconds * 1000),
          },
        }),
      }),
    )['path'];
  assert.equal(withCheckpoint(1, 10), `file:///c/${id}/chk-1`);
  assert.equal(withCheckpoint(2, 20), `file:///c/${id}/chk-1`);
  assert.equal(withCheckpoint(7, 69), `file:///c/${id}/chk-1`);
  assert.equal(withCheckpoint(8, 70), `file:///c/${id}/chk-8`);
});

test('a newer checkpoint alone does not move the status', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  const show = (number: number) =>
    answered(id, 'RUNNING', {
      checkpoints: {
        completed: number,
        latestCompleted: checkpoint(number, `file:///c/${id}/chk-${number}`, T0 + number * 10_000),
      },
    });
  sync(at, { pods, flink: show(1) });
  const before = sync(at, { pods, flink: show(2) }).status;
  assert.deepEqual(sync(at, { pods, flink: show(30) }).status, before);
});

test('a restarted process resumes from the recorded checkpoint, and a lagging status does not take its id away', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const pods = [jobManagerPod(1)];
  const old = structuredClone(at.status);
  sync(at, {
    pods,
    flink: answered(id, 'RUNNING', {
      checkpoints: { completed: 1, latestCompleted: checkpoint(1, 'file:///c/chk-1', T0) },
    }),
  });
  sync(at, { pods: [jobManagerPod(1, 1)] });
  const stale = sync(at, { pods: [jobManagerPod(1, 1)], status: old });
  assert.equal(next(stale)['job-id'], jobIdOf(UID, 1, 3));
  assert.equal(next(stale)['restore'], '--fromSavepoint=file:///c/chk-1');
  assert.equal(stale.status.epoch?.incarnation, 2);
});

test('a deleted restore ConfigMap comes back for the process after the one that runs', () => {
  const at = runningCluster();
  for (const key of at.children.keys()) if (key.includes('-restore-')) at.children.delete(key);
  const back = next(sync(at, { pods: [jobManagerPod(1)], flink: answered(at.status!.epoch!.jobId, 'RUNNING') }));
  assert.equal(back['job-id'], jobIdOf(UID, 1, 2));
});

test('a deleted JobManager Deployment comes back at 0 and is started when its pods are proven gone', () => {
  const at = runningCluster();
  at.children.delete('Deployment/wordcount-jobmanager');
  at.now += 60_000;
  sync(at, { pods: [jobManagerPod(1)] });
  assert.equal(jobManagerReplicas(at), 0);
  sync(at, { pods: [jobManagerPod(1)] });
  assert.equal(jobManagerReplicas(at), 0);
  sync(at, { pods: [] });
  assert.equal(jobManagerReplicas(at), 1);
});

test('a scale-up by hand does not add a JobManager', () => {
  const at = runningCluster();
  (at.children.get('Deployment/wordcount-jobmanager')!['spec'] as { replicas: number }).replicas = 3;
  sync(at, { pods: [jobManagerPod(1)], flink: answered(at.status!.epoch!.jobId, 'RUNNING') });
  assert.equal(jobManagerReplicas(at), 1);
});

test('with high availability one job id serves the whole epoch', () => {
  const at = cluster({
    ...SPEC,
    flinkConf: { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 'file:///ha' },
  });
  assert.equal(next(sync(at))['job-id'], jobIdOf(UID, 1, 'ha'));
  assert.equal(next(sync(at, { pods: [jobManagerPod(1)] }))['job-id'], jobIdOf(UID, 1, 'ha'));
  assert.equal(next(sync(at, { pods: [jobManagerPod(1, 1)] }))['job-id'], jobIdOf(UID, 1, 'ha'));
  assert.equal(at.status!.epoch!.jobId, jobIdOf(UID, 1, 'ha'));
});

test('a deleted or edited record is made again from the spec that it came from', () => {
  const at = runningCluster();
  const key = [...at.children.keys()].find((name) => name.includes('-epoch-'))!;
  const before = JSON.stringify((at.children.get(key) as { binaryData: unknown }).binaryData);
  at.children.delete(key);
  const shown = { pods: [jobManagerPod(1)], flink: answered(at.status!.epoch!.jobId, 'RUNNING') };
  assert.equal(sync(at, shown).rule, 'running');
  assert.equal(JSON.stringify((at.children.get(key) as { binaryData: unknown }).binaryData), before);
});

test('a record that is gone together with its spec leaves what runs as it is', () => {
  const at = runningCluster();
  const key = [...at.children.keys()].find((name) => name.includes('-epoch-'))!;
  at.children.delete(key);
  at.spec = { ...at.spec, parallelism: 2 };
  at.generation += 1;
  const names = [...at.children.keys()].toSorted();
  assert.equal(sync(at, { pods: [jobManagerPod(1)] }).rule, 'recordMissing');
  assert.deepEqual([...at.children.keys()].toSorted(), names);
  assert.equal(jobManagerReplicas(at), 1);
});

test('a record that was edited is believed as little as one that is gone', () => {
  const at = runningCluster();
  const name = epochNames(JOB, 1).record;
  const shown = { pods: [jobManagerPod(1)], flink: answered(at.status!.epoch!.jobId, 'RUNNING') };
  sync(at, shown);
  const stored = at.children.get(`ConfigMap/${name}`);
  const { record } = readRecord(stored as never)!;
  const edited = { ...record, spec: { ...record.spec, jobArgs: ['edited'] } };
  const forged = (): void => {
    at.children.set(`ConfigMap/${name}`, { ...stored, ...recordConfigMap(JOB, edited) });
  };
  forged();
  assert.equal(sync(at, shown).rule, 'running');
  assert.deepEqual(
    readRecord(at.children.get(`ConfigMap/${name}`) as never)?.record,
    record,
    'made again from the spec',
  );
  forged();
  edit(at, { jobArgs: ['edited'] });
  assert.equal(sync(at, shown).rule, 'recordMissing');
});

test('a job whose JobManager cannot even start is replaced by a corrected spec', () => {
  const at = cluster();
  sync(at);
  sync(at, { pods: [jobManagerPod(1, 0, ended(1, 'Caused by: java.lang.ClassNotFoundException: Job'))] });
  sync(at, { pods: [jobManagerPod(1, 1, CRASHED, { lastState: ended(1) })] });
  at.spec = { ...at.spec, jobClassName: 'Right' };
  at.generation += 1;
  assert.equal(sync(at, { pods: [jobManagerPod(1, 1, CRASHED, { lastState: ended(1) })] }).rule, 'replaceIntended');
});

test('a job that may have run unseen is not replaced on the belief that it never did', () => {
  const at = cluster();
  sync(at);
  sync(at, { pods: [jobManagerPod(1)] });
  sync(at, { pods: [jobManagerPod(1, 1, CRASHED, { lastState: ended(137) })] });
  at.spec = { ...at.spec, jobClassName: 'Right' };
  at.generation += 1;
  const held = sync(at, { pods: [jobManagerPod(1, 1, CRASHED, { lastState: ended(137) })] });
  assert.equal(held.rule, 'changeWaits');
  assert.equal(jobManagerReplicas(at), 1);
});

test('a process that ended before Flork saw one may have run a job, unless it could not start', () => {
  const first = (end: Record<string, unknown>, restarts = 1): readonly [string, readonly string[]] => {
    const at = cluster();
    sync(at);
    const pods = [jobManagerPod(1, restarts, undefined, { lastState: end })];
    const flink = answered(jobIdOf(UID, 1, 1), 'INITIALIZING');
    const history = sync(at, { pods, flink }).status.history ?? [];
    edit(at, { jobArgs: ['x'] });
    return [sync(at, { pods, flink }).rule, history.map(({ reason }) => reason)];
  };
  const [rule, history] = first(ended(137));
  assert.notEqual(rule, 'replaceIntended');
  assert.equal(history[0], 'Rewound', 'what it had committed is committed again');
  assert.notEqual(first(ended(1), 2)[0], 'replaceIntended', 'the kubelet tells the end of the last process only');
  const [idle, nothing] = first(ended(1));
  assert.equal(idle, 'replaceIntended');
  assert.ok(!nothing.includes('Rewound'));
});

test('Rewound is told of a process that was seen and may have run, not of one that could not start', () => {
  const second = (end: Record<string, unknown>): readonly string[] => {
    const at = cluster();
    sync(at);
    sync(at, { pods: [jobManagerPod(1)] });
    const { history } = sync(at, { pods: [jobManagerPod(1, 1, undefined, { lastState: end })] }).status;
    return (history ?? []).map(({ reason }) => reason);
  };
  assert.ok(second(ended(137)).includes('Rewound'));
  assert.ok(!second(ended(1)).includes('Rewound'));
  const at = cluster();
  sync(at);
  sync(at, { pods: [jobManagerPod(1)] });
  sync(at, { pods: [jobManagerPod(1, 0, CRASHED, { lastState: ended(1) })] });
  const { history = [] } = sync(at, { pods: [jobManagerPod(1, 2, undefined, { lastState: ended(137) })] }).status;
  assert.equal(history[0]?.reason, 'Rewound', 'one between them was not seen');
});

test('an epoch that is first seen at the end of its second process is replaced in the same sync only if neither ran', () => {
  const first = (before: number): string => {
    const at = cluster();
    sync(at);
    edit(at, { jobArgs: ['x'] });
    return sync(at, { pods: [jobManagerPod(1, 1, ended(1), { lastState: ended(before) })] }).rule;
  };
  assert.notEqual(first(137), 'replaceIntended');
  assert.equal(first(1), 'replaceIntended');
});

test('an epoch that was to make room and stays starts from what it was given, not from nothing', () => {
  const at = cluster({ ...SPEC, restore: { from: 'file:///given' } });
  sync(at);
  edit(at, { jobArgs: ['x'] });
  assert.equal(sync(at, { pods: [] }).rule, 'replaceIntended');
  const told = (): string => JSON.stringify([...at.children.values()].filter(({ kind }) => kind === 'ConfigMap'));
  assert.match(told(), /"ended":"replaced"/);
  const flink = answered(at.status!.epoch!.jobId, 'RUNNING', { running: 1 });
  assert.equal(sync(at, { pods: [jobManagerPod(1)], flink }).rule, 'replacementWithdrawn');
  assert.match(told(), /--fromSavepoint=file:\/\/\/given/);
});
