import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answered,
  cluster,
  edit,
  jobManagerPod,
  jobManagerReplicas,
  podOf,
  runningCluster,
  SPEC,
  sync,
  UNREACHABLE,
} from '../drive.ts';

const pods = [jobManagerPod(1)];

test('pods say what is wrong before Flink could', () => {
  const waiting = (reason: string) => jobManagerPod(1, 0, { waiting: { reason, message: 'because' } });
  const unscheduled = jobManagerPod(
    1,
    0,
    { waiting: { reason: 'ContainerCreating' } },
    {
      status: {
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available' },
        ],
      },
    },
  );
  const cases = [
    [waiting('ImagePullBackOff'), 'ImagePullFailed', 'Stalled'],
    [waiting('CreateContainerConfigError'), 'ContainerConfigInvalid', 'Stalled'],
    [unscheduled, 'Unschedulable', 'Reconciling'],
  ] as const;
  for (const [pod, reason, type] of cases) {
    const at = cluster();
    sync(at);
    const outcome = sync(at, { pods: [pod] });
    assert.equal(outcome.status.conditions[1]?.reason, reason);
    assert.equal(outcome.status.conditions[1]?.type, type);
  }
});

test('a container that waits to be created is no trouble', () => {
  const at = cluster();
  sync(at);
  assert.equal(
    sync(at, { pods: [jobManagerPod(1, 0, { waiting: { reason: 'ContainerCreating', message: '' } })] }).rule,
    'jobManagerStarting',
  );
});

test('a TaskManager that crashes is named while the job waits for slots, not while all tasks run', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const broken = podOf(
    'taskmanager',
    1,
    4,
    { waiting: { reason: 'CrashLoopBackOff', message: '' } },
    {
      lastState: {
        terminated: {
          exitCode: 1,
          reason: 'Error',
          message: 'x\nCaused by: java.io.IOException: no space\n at a.b',
          startedAt: '',
          finishedAt: '',
        },
      },
    },
  );
  assert.equal(sync(at, { pods: [...pods, broken], flink: answered(id, 'RUNNING') }).rule, 'running');
  const crashing = sync(at, { pods: [...pods, broken], flink: answered(id, 'RESTARTING') });
  assert.equal(crashing.status.conditions[0]?.reason, 'CrashLooping');
  assert.match(crashing.status.message, /no space/);
});

test('a refusal by quota or Pod Security shows on the Deployment and in the message', () => {
  const at = cluster();
  sync(at);
  const deployment = at.children.get('Deployment/wordcount-jobmanager')!;
  deployment['status'] = {
    conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }],
  };
  const refused = sync(at);
  assert.equal(refused.status.conditions[0]?.reason, 'PodsRefused');
  assert.equal(refused.status.conditions.find((condition) => condition.type === 'ChildrenApplied')?.status, 'False');
});

test('a JobManager that stops answering is not taken for gone, and is asked less and less often', () => {
  const at = runningCluster();
  const first = sync(at, { pods, flink: UNREACHABLE });
  assert.equal(first.status.conditions[0]?.reason, 'JobManagerUnreachable');
  assert.equal(first.resyncAfterSeconds, 5);
  at.now += 60_000;
  assert.ok(sync(at, { pods, flink: UNREACHABLE }).resyncAfterSeconds > 20);
  at.now += 600_000;
  assert.equal(sync(at, { pods, flink: UNREACHABLE }).resyncAfterSeconds, 60);
  assert.equal(jobManagerReplicas(at), 1);
});

test('a job of somebody else on this address is asked nothing', () => {
  const at = runningCluster();
  const outcome = sync(at, { pods, flink: answered('f'.repeat(32), 'RUNNING') });
  assert.equal(outcome.rule, 'foreignJob');
  assert.deepEqual(outcome.commands, []);
});

test('Restarting and tasks that do not all run are not Ready', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  assert.equal(sync(at, { pods, flink: answered(id, 'RESTARTING') }).status.conditions[0]?.status, 'False');
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING', { running: 1 }) }).rule, 'tasksStarting');
});

test('an invalid spec changes nothing that runs and says every finding', () => {
  const at = runningCluster();
  const children = JSON.stringify([...at.children.entries()].toSorted());
  edit(at, { parallelism: 0, jarURI: 7 });
  const outcome = sync(at, { pods, flink: answered(at.status!.epoch!.jobId, 'RUNNING') });
  assert.equal(outcome.status.state, 'Stalled');
  assert.equal(outcome.status.florkPhase, 'DEPLOYED');
  assert.match(outcome.status.message, /parallelism.*|jarURI/);
  const names = (text: string) => JSON.parse(text).map(([key]: [string]) => key);
  assert.deepEqual([...at.children.keys()].toSorted(), names(children));
});

test('an invalid spec from the start creates nothing', () => {
  const at = cluster({ ...SPEC, parallelism: 0 });
  const outcome = sync(at);
  assert.equal(outcome.rule, 'invalidFromTheStart');
  assert.equal(outcome.children.length, 0);
});

test('created suspended: a status at once and no children', () => {
  const at = cluster({ ...SPEC, state: 'suspended' });
  const outcome = sync(at);
  assert.equal(outcome.rule, 'suspendedFromTheStart');
  assert.equal(outcome.children.length, 0);
  edit(at, { state: 'running' });
  assert.equal(sync(at).rule, 'firstStart');
});

test('the paused annotation freezes every decision, and its removal lets things go on', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const id = at.status!.epoch!.jobId;
  const paused = sync(at, { pods, flink: answered(id, 'RUNNING'), annotations: { 'flork.itom.com/paused': 'true' } });
  assert.equal(paused.rule, 'paused');
  assert.equal(paused.children.length, 7);
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING') }).rule, 'stopIntended');
});

test('a former FlinkJob of the same name whose pods still live delays the first start', () => {
  const at = cluster();
  const former = podOf(
    'jobmanager',
    1,
    0,
    { running: { startedAt: '' } },
    { metadata: { annotations: { 'flork.itom.com/job-uid': 'another' } } },
  );
  assert.equal(sync(at, { pods: [former] }).rule, 'formerPods');
  assert.equal(sync(at).rule, 'firstStart');
});

test('missing trust is told from the first call on, silence of a start is not', () => {
  const text = 'the certificate of the JobManager is not trusted (SELF_SIGNED_CERT_IN_CHAIN): FLINK_CA_FILE';
  for (const [error, says] of [
    ['tls', `The JobManager does not answer yet (${text}).`],
    ['unreachable', 'The JobManager does not answer yet.'],
  ] as const) {
    const at = cluster();
    sync(at);
    const outcome = sync(at, { pods, flink: { kind: 'unreachable', error, text } });
    assert.equal(outcome.rule, 'notYetReachable');
    assert.equal(outcome.status.message, says);
  }
});

test('StateSafe tells when the checkpoint on record may be gone before a newer one is: recorded once a minute, with the next poll', () => {
  const told = (intervalMs: number): string | undefined => {
    const at = runningCluster({ ...SPEC, flinkConf: { 'state.checkpoints.num-retained': '20' } });
    const view = answered(at.status!.epoch!.jobId, 'RUNNING');
    assert.ok(view.kind === 'answered' && view.checkpointConfig.kind === 'value');
    const checkpointConfig = { ...view.checkpointConfig, value: { ...view.checkpointConfig.value, intervalMs } };
    const { status } = sync(at, { pods, flink: { ...view, checkpointConfig } });
    return status.conditions.find(({ type }) => type === 'StateSafe')?.reason;
  };
  assert.equal(told(1_000), 'RetentionTooShort');
  assert.equal(told(4_000), 'RetentionTooShort', '20 checkpoints reach back 76 s');
  assert.equal(told(5_000), 'CheckpointsRecorded');
});
