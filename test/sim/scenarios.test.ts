import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochNames } from '../../src/core/build/names.ts';
import type { CallFault } from '../../src/sim/models/flink/transport.ts';
import { at, refOf, texts } from '../../src/sim/models/objects.ts';
import { jobRef, NAMESPACE } from '../../src/sim/world.ts';
import { statusOf } from './harness/checker.ts';
import { conclude } from './harness/coverage.ts';
import {
  condition,
  counter,
  epochOf,
  isReady,
  isRecording,
  jobOf,
  killJobManager,
  leftovers,
  LIMIT_MS,
  pods,
  podNames,
  reachRunning,
  reachSettled,
  remove,
  start,
  stateOf,
  suspend,
  upgrade,
} from './harness/flows.ts';
import { createHistory, writesSince, type History } from './harness/history.ts';
import { NAME, reconfigured, SPEC, stateless, suspended, type Spec } from './harness/sample.ts';

/** The scenarios of design/lifecycle.md by number and name, as far as they have no crash in them; test/sim/crashes has those. */

type Story = (h: History) => Promise<void>;

/** Tells the scenario twice, once for each apply strategy, on different seeds. */
function scenario(name: string, story: Story): void {
  test(name, async () => {
    for (const strategy of ['dynamic-apply', 'server-side-apply'] as const) {
      const h = createHistory({ seed: strategy === 'dynamic-apply' ? 7 : 8, strategy });
      // oxlint-disable-next-line no-await-in-loop -- one story after the other
      await story(h);
      conclude(h);
    }
  });
}

const status = (h: History): ReturnType<typeof statusOf> => statusOf(h.job() ?? assert.fail('the FlinkJob is gone'));
const uid = (h: History): string => h.job()?.metadata.uid ?? assert.fail('the FlinkJob is gone');
const running = (h: History): boolean => isReady(h) && jobOf(h)?.state() === 'RUNNING';
const savepointsOf = (h: History): number => h.ledger.savepoints(uid(h));

scenario('1 first start', async (h) => {
  await start(h);
  await reachSettled(h);
  const since = h.clock.now();
  await h.run(120_000);
  const writes = writesSince(h, since).filter((write) => !isRecording(write));
  assert.deepEqual(writes, [], 'a settled job is not written');
  const recordings = writesSince(h, since).length;
  assert.ok(recordings <= 2, `the newest checkpoint is recorded at most once a minute, not ${recordings} times in two`);
});

scenario('1b a settled job without checkpoints: zero writes', async (h) => {
  await start(h, { ...SPEC, flinkConf: {} });
  await h.run(60_000);
  const since = h.clock.now();
  await h.run(120_000);
  assert.deepEqual(writesSince(h, since), []);
});

scenario('2 upgrade with a savepoint', async (h) => {
  await start(h);
  await h.run(30_000);
  await upgrade(h, reconfigured(SPEC, '64'));
  assert.equal(savepointsOf(h), 1, 'one savepoint');
  assert.equal(h.ledger.rewinds.length, 0, 'nothing is lost or repeated');
  assert.ok(counter(h) > 200);
  await reachSettled(h);
});

scenario('2 upgrade stateless', async (h) => {
  await start(h);
  await h.run(30_000);
  await upgrade(h, reconfigured(stateless(SPEC), '64'));
  assert.equal(savepointsOf(h), 0, 'no savepoint');
  await reachSettled(h);
});

scenario('3 spec changes again during an upgrade', async (h) => {
  await start(h);
  for (const [index, when] of ['operation', 'ended', 'stopped', 'declared', 'starting'].entries()) {
    h.apply(reconfigured(SPEC, String(64 + index)));
    const before = epochOf(h);
    const reached: Record<string, () => boolean> = {
      operation: () => status(h).operation !== undefined,
      ended: () => status(h).epoch?.ended !== undefined,
      stopped: () => podNames(h).length === 0,
      declared: () => epochOf(h) > before,
      starting: () => epochOf(h) > before && podNames(h, 'jobmanager').length > 0,
    };
    await h.until(reached[when] ?? assert.fail(), LIMIT_MS, `in mid-upgrade: ${when}`);
    h.apply(reconfigured(SPEC, String(640 + index)));
    await h.until(() => running(h) && confOf(h).includes(`${640 + index}`), LIMIT_MS, `the second change runs (${when})`);
  }
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('4 spec reverted before the stop: nothing happens', async (h) => {
  await start(h);
  h.controls.flink = (_index, method) => (method === 'POST' ? 'unreachable' : 'none');
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => status(h).operation !== undefined, LIMIT_MS, 'the stop is intended');
  h.apply(SPEC);
  await h.run(200);
  h.controls.flink = () => 'none';
  await h.until(() => running(h) && status(h).operation === undefined, LIMIT_MS, 'running as before');
  await reachSettled(h);
  assert.equal(epochOf(h), 1);
  assert.equal(savepointsOf(h), 0);
});

scenario('4 spec reverted after the stop: a full upgrade back', async (h) => {
  await start(h);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'the job is stopped');
  h.apply(SPEC);
  await h.until(() => running(h) && epochOf(h) >= 2, LIMIT_MS, 'the old spec runs again');
  assert.equal(h.ledger.rewinds.length, 0);
  await reachSettled(h);
});

scenario('5 suspend, change, resume', async (h) => {
  await start(h);
  await h.run(15_000);
  await suspend(h, SPEC);
  await reachSettled(h);
  assert.ok(status(h).knownSavepointPath !== undefined, 'the savepoint is told');
  h.apply(suspended(reconfigured(SPEC, '64')));
  await h.run(10_000);
  assert.equal(stateOf(h), 'Suspended');
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => running(h), LIMIT_MS, 'resumed with the change');
  assert.equal(savepointsOf(h), 1);
  assert.equal(h.ledger.rewinds.length, 0);
  await reachSettled(h);
});

scenario('5b created suspended: a status at once', async (h) => {
  h.apply(suspended(SPEC));
  await h.until(() => isReady(h, 'Suspended'), 10_000, 'Suspended');
  assert.equal(podNames(h).length, 0);
  h.apply(SPEC);
  await reachRunning(h);
});

const DELETIONS: readonly (readonly [string, Story])[] = [
  ['a start', async (h) => {
    h.apply(SPEC);
    await h.run(700);
  }],
  ['an upgrade', async (h) => {
    await start(h);
    h.apply(reconfigured(SPEC, '64'));
    await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'the job is stopped');
  }],
  ['the start of the next epoch', async (h) => {
    await start(h);
    h.apply(reconfigured(SPEC, '64'));
    await h.until(() => epochOf(h) === 2, LIMIT_MS, 'epoch 2 is declared');
  }],
  ['a suspension', async (h) => {
    await start(h);
    h.apply(suspended(SPEC));
    await h.until(() => status(h).operation !== undefined, LIMIT_MS, 'the stop is intended');
  }],
  ['being suspended', async (h) => {
    await start(h);
    await suspend(h, SPEC);
  }],
  ['being finished', async (h) => {
    h.apply({ ...SPEC, jobArgs: ['--bounded-ms', '4000'] });
    await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'finished');
  }],
  ['an unreachable JobManager', async (h) => {
    await start(h);
    h.world.faults.flink = () => ({ kind: 'unreachable' });
    await h.run(20_000);
  }],
];

for (const [during, story] of DELETIONS) {
  scenario(`6 deletion during ${during}`, async (h) => {
    await story(h);
    await remove(h);
  });
}

scenario('6 deletion in the foreground, as Argo CD prunes', async (h) => {
  await start(h);
  h.remove('foreground');
  await h.until(() => h.job() === undefined && leftovers(h).length === 0, LIMIT_MS, 'deleted without a trace');
});

scenario('7 stop issued, answer lost', async (h) => {
  await start(h);
  let lost = 0;
  h.controls.flink = (_index, method) => (method === 'POST' && lost++ < 3 ? 'answer-lost' : 'none');
  await upgrade(h, reconfigured(SPEC, '64'));
  assert.ok(lost > 0);
  assert.equal(savepointsOf(h), 1, 'one savepoint for all that asking');
});

scenario('8 stop done, JobManager gone before the path was recorded', async (h) => {
  await start(h);
  await h.run(30_000);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'the savepoint is complete');
  killJobManager(h);
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded all the same');
  assertRewoundTold(h);
  await reachSettled(h);
});

scenario('9 savepoint fails and the job goes on', async (h) => {
  await start(h);
  h.world.storage.forbid('file:///data/savepoints');
  const process = jobOf(h);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
  assert.match(status(h).message ?? '', /Permission denied/);
  assert.equal(jobOf(h), process, 'the same process');
  assert.equal(jobOf(h)?.state(), 'RUNNING');
  h.world.storage.forbid('');
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded by a later attempt');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('10 savepoint done but job failed while stopping', async (h) => {
  await start(h);
  await h.run(15_000);
  h.world.faults.job.stopFailsAfterSavepoint = true;
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => savepointsOf(h) === 1, LIMIT_MS, 'the savepoint is complete, the job failed');
  h.world.faults.job.stopFailsAfterSavepoint = false;
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded from the path in the error');
  assert.equal(h.ledger.rewinds.length, 0, 'from that very savepoint');
});

const STOP_STEPS: readonly (readonly [string, (h: History) => boolean])[] = [
  ['the stop is intended', (h) => status(h).operation !== undefined],
  ['the stop is asked for', (h) => (h.ledger.counts['stop-asked'] ?? 0) > 0],
  ['the savepoint is complete', (h) => savepointsOf(h) === 1],
  ['the job is FINISHED', (h) => jobOf(h)?.state() === 'FINISHED'],
  ['the path is recorded', (h) => status(h).epoch?.ended !== undefined],
];
for (const [what, reached] of STOP_STEPS) {
  scenario(`11 JobManager killed when ${what}`, async (h) => {
    await start(h);
    await h.run(26_000);
    h.apply(reconfigured(SPEC, '64'));
    await h.until(() => reached(h), LIMIT_MS, what);
    killJobManager(h);
    // A job that FINISHED has deleted its checkpoints: then only the savepoint is left, and nobody but a person can find it.
    const done = (): boolean => running(h) && epochOf(h) === 2;
    await h.until(() => done() || (what === 'the job is FINISHED' && condition(h, 'Stalled') === 'True'), LIMIT_MS, 'upgraded');
    assertRewoundTold(h);
    if (done()) await reachSettled(h);
  });
}

scenario('12 JobManager killed without HA, twice, with unrecorded checkpoints', async (h) => {
  await start(h);
  await h.run(95_000);
  for (const time of [1, 2]) {
    const reached = newestSnapshot(h);
    killJobManager(h);
    await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
    await reachRunning(h, `recovered (${time})`);
    assert.ok(counter(h) >= reached - 10 * 110, `went back from ${reached} to ${counter(h)}: more than the recording interval and Flork's polling`);
    const completed = h.ledger.counts['checkpoint'] ?? 0;
    await h.run(45_000);
    assert.ok((h.ledger.counts['checkpoint'] ?? 0) >= completed + 3, 'checkpoints complete again');
  }
  assert.equal(h.ledger.counts['checkpoint-failed'] ?? 0, 0, 'no checkpoint runs into the files of another process');
  assertRewoundTold(h);
});

scenario('12 JobManager killed and its recorded checkpoint is gone: steps back, or says so', async (h) => {
  await start(h);
  await h.run(40_000);
  const content = texts(restoreConfigMap(h)?.['data']);
  const path = Object.values(content).join(' ').match(/file:[^\s"]+/)?.[0] ?? assert.fail('nothing recorded');
  h.world.storage.remove(path);
  killJobManager(h);
  await h.until(() => running(h) || condition(h, 'Stalled') === 'True', LIMIT_MS, 'recovered or told');
});

scenario('13 bad image: never starts, then repaired', async (h) => {
  h.world.faults.pulls = (image) => !image.includes('9.9');
  h.apply({ ...SPEC, image: 'flink:9.9' });
  await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'Stalled');
  assert.match(status(h).message ?? '', /9\.9/);
  h.apply(SPEC);
  await reachRunning(h, 'repaired without a manual step');
  await reachSettled(h);
});

scenario('13 bad image in an upgrade: the snapshot is handed on', async (h) => {
  h.world.faults.pulls = (image) => !image.includes('9.9');
  await start(h);
  await h.run(15_000);
  h.apply({ ...SPEC, image: 'flink:9.9' });
  await h.until(() => condition(h, 'Stalled') === 'True' && epochOf(h) === 2, LIMIT_MS, 'Stalled');
  h.apply(SPEC);
  await reachRunning(h, 'repaired');
  assert.equal(h.ledger.rewinds.length, 0);
  assert.ok(counter(h) > 100);
});

scenario('14 main() throws', async (h) => {
  h.apply({ ...SPEC, jobArgs: ['--throw'] });
  await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
  await reachSettled(h);
  h.apply(SPEC);
  await reachRunning(h, 'repaired');
});

scenario('16 job finishes during an upgrade', async (h) => {
  await start(h, { ...SPEC, jobArgs: ['--bounded-ms', '20000'] });
  h.controls.flink = (_index, method) => (method === 'POST' ? 'timeout' : 'none');
  h.apply(reconfigured({ ...SPEC, jobArgs: ['--bounded-ms', '20000'] }, '64'));
  await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'finished by itself');
  h.controls.flink = () => 'none';
  await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'Finished');
  await reachSettled(h);
  assert.equal(epochOf(h), 1, 'a finished job is not run again');
});

scenario('17 job FAILED, then spec repaired', async (h) => {
  await start(h, { ...SPEC, jobArgs: ['--fail-after-ms', '40000'] });
  await h.until(() => stateOf(h) === 'Failed', LIMIT_MS, 'Failed');
  await reachSettled(h);
  h.apply(SPEC);
  await h.until(() => running(h) || condition(h, 'Stalled') === 'True', LIMIT_MS, 'repaired, or held with the ways out');
});

scenario('19 status wiped while the job runs', async (h) => {
  await start(h);
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(30_000);
  const process = jobOf(h);
  h.tell('user: the status is wiped');
  h.edit((live) => ({ ...live, status: {} }));
  await reachRunning(h, 'adopted');
  assert.equal(jobOf(h), process, 'the same process runs on');
  assert.equal(epochOf(h), 2);
  await reachSettled(h);
  await upgrade(h, reconfigured(SPEC, '65'));
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('19 status wiped while suspended', async (h) => {
  await start(h);
  await h.run(15_000);
  await suspend(h, SPEC);
  h.edit((live) => ({ ...live, status: {} }));
  await h.run(20_000);
  assert.equal(podNames(h).length, 0, 'it stays suspended');
  h.apply(SPEC);
  await reachRunning(h, 'resumed');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('20 children deleted and edited by hand', async (h) => {
  await start(h);
  await h.run(12_000);
  const process = jobOf(h);
  const own = epochNames({ name: NAME, uid: uid(h) }, 1);
  for (const name of [own.configuration, own.restore, own.record]) {
    h.world.api.remove('somebody', { kind: 'ConfigMap', namespace: NAMESPACE, name });
    await h.run(3_000);
    assert.ok(h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name }), `${name} is back`);
  }
  h.world.api.remove('somebody', { kind: 'Service', namespace: NAMESPACE, name: `${NAME}-rest` });
  await reachRunning(h, 'children are back');
  const live = h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: own.record }) ?? assert.fail();
  h.world.api.update('somebody', { ...live, binaryData: { 'record.json.gz': 'H4sIAAAA' } });
  await h.run(30_000);
  assert.equal(jobOf(h), process, 'the job runs on');
  await upgrade(h, reconfigured(SPEC, '64'));
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('20 JobManager Deployment deleted by hand', async (h) => {
  await start(h);
  await h.run(25_000);
  h.world.api.remove('somebody', { kind: 'Deployment', namespace: NAMESPACE, name: `${NAME}-jobmanager` });
  await h.until(() => jobOf(h) === undefined, LIMIT_MS, 'the JobManager is gone');
  await reachRunning(h, 'started again after proof of absence');
  assertRewoundTold(h);
});

scenario('20 JobManager scaled by hand', async (h) => {
  await start(h);
  const ref = { kind: 'Deployment', namespace: NAMESPACE, name: `${NAME}-jobmanager` };
  const live = h.world.api.get(ref) ?? assert.fail();
  h.world.api.update('somebody', { ...live, spec: { ...(live['spec'] as object), replicas: 0 } });
  await h.until(() => jobOf(h) === undefined, LIMIT_MS, 'the JobManager is gone');
  await reachRunning(h, 'started again');
});

scenario('21 old JobManager still answers on the Service', async (h) => {
  await start(h);
  await h.run(15_000);
  const [old] = h.world.runtime.jobManagers();
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => epochOf(h) === 2 && podNames(h, 'jobmanager').length === 1, LIMIT_MS, 'epoch 2 starts');
  // As an endpoint that was not yet removed would: its last state is what it answers for ever.
  const answers: CallFault = old === undefined ? { kind: 'none' } : { kind: 'other', jobManager: { ...old, phase: () => 'up' } };
  h.world.faults.flink = () => answers;
  await h.run(20_000);
  assert.equal(epochOf(h), 2);
  h.world.faults.flink = () => ({ kind: 'none' });
  await reachRunning(h, 'the new one answers');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('22 foreign job id answers', async (h) => {
  await start(h);
  const overview = { jobs: [{ jid: 'f'.repeat(32), name: 'x', state: 'RUNNING', 'start-time': 1, 'end-time': -1, tasks: { total: 1, running: 1, finished: 0 } }] };
  h.world.faults.flink = ({ path }) =>
    path === '/jobs/overview' ? { kind: 'reply', status: 200, text: JSON.stringify(overview) } : { kind: 'none' };
  await h.until(() => condition(h, 'Ready') === 'False', LIMIT_MS, 'told');
  h.apply(reconfigured(SPEC, '64'));
  await h.run(30_000);
  assert.equal(h.ledger.counts['stop-asked'] ?? 0, 0, 'nothing is asked of a foreign job');
  h.world.faults.flink = () => ({ kind: 'none' });
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded');
});

const REPLIES: readonly (readonly [string, CallFault])[] = [
  ['HTML', { kind: 'reply', status: 200, text: '<html>login</html>' }],
  ['half a JSON', { kind: 'reply', status: 200, text: '{"jobs":[{"jid":"00' }],
  ['50 MB', { kind: 'error', error: 'unexpected-reply' }],
  ['nothing', { kind: 'timeout' }],
  ['503', { kind: 'reply', status: 503, text: '{"errors":["Service temporarily unavailable"]}' }],
  ['500 with a stack trace', { kind: 'reply', status: 500, text: '{"errors":["Internal server error.","<Exception on server side:\\njava.lang.NullPointerException\\n\\tat X"]}' }],
  ['a 404', { kind: 'reply', status: 404, text: '{"errors":["Not found"]}' }],
  ['an empty list', { kind: 'reply', status: 200, text: '{"jobs":[]}' }],
];
for (const [what, fault] of REPLIES) {
  scenario(`23 REST answers ${what}`, async (h) => {
    await start(h);
    const process = jobOf(h);
    h.world.faults.flink = () => fault;
    await h.run(40_000);
    h.apply(reconfigured(SPEC, '64'));
    await h.run(60_000);
    assert.equal(jobOf(h), process, 'nothing is stopped on it');
    h.world.faults.flink = () => ({ kind: 'none' });
    await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded when Flink answers again');
    assert.equal(h.ledger.rewinds.length, 0);
  });
}

scenario('25 two Metacontrollers at once, stale by up to three versions', async (h) => {
  h.startMetacontroller();
  h.controls.staleness = (index) => ({ parent: index % 4, children: index % 3, related: index % 2 });
  await start(h);
  await upgrade(h, reconfigured(SPEC, '64'));
  await suspend(h, reconfigured(SPEC, '64'));
  h.apply(SPEC);
  await reachRunning(h, 'resumed');
  assert.equal(savepointsOf(h), 2);
  await remove(h);
});

scenario('26 ConfigMap create refused by quota', async (h) => {
  h.world.faults.refuse = (verb, object) =>
    object.kind === 'ConfigMap' && (verb === 'create' || verb === 'apply') ? 'exceeded quota' : undefined;
  h.apply(SPEC);
  await h.run(90_000);
  assert.equal(condition(h, 'Ready'), 'False');
  assert.equal(condition(h, 'ChildrenApplied'), 'False', 'told');
  h.world.faults.refuse = () => undefined;
  await reachRunning(h, 'started when there is room');
});

scenario('27 pods refused by Pod Security', async (h) => {
  h.world.faults.refuse = (verb, object) =>
    object.kind === 'Pod' && verb === 'create' ? 'violates PodSecurity "restricted:latest"' : undefined;
  h.apply(SPEC);
  await h.until(() => /PodSecurity/.test(status(h).message ?? ''), LIMIT_MS, 'told');
  h.world.faults.refuse = () => undefined;
  await reachRunning(h, 'started');
});

scenario('30 nonce bumped twice within one sync', async (h) => {
  await start(h);
  await h.run(25_000);
  const [first] = h.world.storage.all();
  const from = first?.path ?? assert.fail('no snapshot');
  h.apply({ ...SPEC, restore: { from, nonce: 1 } });
  h.apply({ ...SPEC, restore: { from, nonce: 2 } });
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'restored once');
  await reachSettled(h);
  assert.equal(epochOf(h), 2);
  assert.equal(status(h).handled?.restoreNonce, 2);
});

scenario('31 clock jumps', async (h) => {
  await start(h);
  for (const skew of [600_000, -600_000, 3_600_000, 0]) {
    h.controls.skewMs = skew;
    await h.run(20_000);
    assert.equal(jobOf(h)?.state(), 'RUNNING');
  }
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => status(h).operation !== undefined, LIMIT_MS, 'the stop is intended');
  h.controls.skewMs = -600_000;
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('32 hook outage of ten minutes', async (h) => {
  await start(h);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => status(h).operation !== undefined, LIMIT_MS, 'the stop is intended');
  h.controls.hook = () => 'down';
  await h.run(600_000);
  assert.equal(jobOf(h)?.state() === 'RUNNING' || jobOf(h)?.state() === 'FINISHED', true);
  h.controls.hook = () => 'up';
  await h.until(() => running(h) && epochOf(h) === 2, 120_000, 'upgraded within two resync periods');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('37 deleted and created again with the same name while leftovers live', async (h) => {
  await start(h);
  await h.run(15_000);
  const old = uid(h);
  const [pod] = pods(h, 'jobmanager');
  h.remove('background');
  h.edit((live) => ({ ...live, metadata: { ...live.metadata, finalizers: [] } }));
  await h.until(() => h.job() === undefined, 10_000, 'removed by force');
  assert.ok(pod !== undefined && h.world.api.get(refOf(pod)) !== undefined, 'its pod still lives');
  h.apply(SPEC);
  await reachRunning(h, 'the new one runs');
  assert.notEqual(uid(h), old);
  assert.equal(epochOf(h), 1);
  assert.equal(leftovers(h).length, 5 + 4, `${leftovers(h).join(', ')}`);
});

scenario('38 paused and resumed', async (h) => {
  await start(h);
  const pause = (value: string): void =>
    h.edit((live) => ({ ...live, metadata: { ...live.metadata, annotations: { 'flork.itom.com/paused': value } } }));
  pause('true');
  h.apply(reconfigured(SPEC, '64'));
  await h.run(40_000);
  assert.equal(epochOf(h), 1);
  assert.equal(jobOf(h)?.state(), 'RUNNING');
  assert.equal(h.ledger.counts['stop-asked'] ?? 0, 0);
  pause('false');
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded');
});

scenario('39 checkpointing switched on only in main(), savepoint directory removed by the same edit: nothing lost', async (h) => {
  const inMain: Spec = { ...SPEC, jobArgs: ['--checkpoint-ms', '10000'], flinkConf: { 'state.checkpoints.dir': 'file:///data/checkpoints' } };
  await start(h, inMain);
  await h.run(15_000);
  const { policies: _, ...bare } = inMain;
  h.apply(reconfigured(bare, '64'));
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded by a savepoint into the old directory');
  assert.equal(h.ledger.rewinds.length, 0);
  assert.ok(counter(h) > 100);
});

/** The configuration that the running epoch was rendered with. */
function confOf(h: History): string {
  const { configuration } = epochNames({ name: NAME, uid: uid(h) }, epochOf(h));
  return JSON.stringify(h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: configuration })?.['data'] ?? '');
}

function restoreConfigMap(h: History): ReturnType<History['world']['api']['get']> {
  const { restore } = epochNames({ name: NAME, uid: uid(h) }, epochOf(h));
  return h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: restore });
}

function newestSnapshot(h: History): number {
  return Math.max(0, ...h.world.storage.all().map((snapshot) => snapshot.counter));
}

/** Whenever the job went back behind what it had reached, its history says so. */
function assertRewoundTold(h: History): void {
  const told = h.world.api.writes.some(
    ({ object }) => object.kind === 'FlinkJob' && JSON.stringify(at(object, 'status', 'history') ?? []).includes('Rewound'),
  );
  assert.ok(told || h.ledger.rewinds.length === 0, `it went back silently: ${JSON.stringify(h.ledger.rewinds)}`);
}

test('every FlinkJob of this file has the name that the checks expect', () => {
  assert.equal(jobRef(NAME).name, NAME);
});
