import assert from 'node:assert/strict';
import type { CallFault } from '../../../src/sim/models/flink/transport.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import { refOf } from '../../../src/sim/models/objects.ts';
import {
  condition,
  counter,
  epochOf,
  isReady,
  jobOf,
  leftovers,
  LIMIT_MS,
  pods,
  podNames,
  reachRunning,
  reachSettled,
  remove,
  start,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { reconfigured, SPEC, type Spec } from '../harness/sample.ts';
import { scenario, status, uid, running, savepointsOf } from '../harness/scenario.ts';

/** Scenarios 21 to 39: what Flink, the cluster and the clock may do. */

scenario('21 old JobManager still answers on the Service', async (h) => {
  await start(h);
  await h.run(15_000);
  const [old] = h.world.runtime.jobManagers();
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => epochOf(h) === 2 && podNames(h, 'jobmanager').length === 1, LIMIT_MS, 'epoch 2 starts');
  // As an endpoint that was not yet removed would: its last state is what it answers for ever.
  const answers: CallFault =
    old === undefined ? { kind: 'none' } : { kind: 'other', jobManager: { ...old, phase: () => 'up' } };
  h.world.faults.flink = () => answers;
  await h.run(20_000);
  assert.equal(epochOf(h), 2);
  h.world.faults.flink = () => ({ kind: 'none' });
  await reachRunning(h, 'the new one answers');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('22 foreign job id answers', async (h) => {
  await start(h);
  const overview = {
    jobs: [
      {
        jid: 'f'.repeat(32),
        name: 'x',
        state: 'RUNNING',
        'start-time': 1,
        'end-time': -1,
        tasks: { total: 1, running: 1, finished: 0 },
      },
    ],
  };
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
  [
    '500 with a stack trace',
    {
      kind: 'reply',
      status: 500,
      text: '{"errors":["Internal server error.","<Exception on server side:\\njava.lang.NullPointerException\\n\\tat X"]}',
    },
  ],
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

/** A whole life with one savepoint for each stop. */
async function lifeUnderTwo(h: History): Promise<void> {
  h.startMetacontroller();
  h.controls.staleness = (index) => ({ parent: index % 4, children: index % 3, related: index % 2 });
  await start(h);
  await upgrade(h, reconfigured(SPEC, '64'));
  await suspend(h, reconfigured(SPEC, '64'));
  h.apply(SPEC);
  await reachRunning(h, 'resumed');
  assert.equal(savepointsOf(h), 2);
  await remove(h);
}

scenario('25 two Metacontrollers at once, stale by up to three versions', lifeUnderTwo);

scenario('25 two Metacontrollers at once, and a hook that refuses what is older than before', async (h) => {
  h.controls.guarded = true;
  await lifeUnderTwo(h);
  assert.ok((h.counts.rules.get('olderView') ?? 0) > 0, 'it refused some');
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

scenario('28 namespace terminating', async (h) => {
  await start(h);
  await h.run(15_000);
  h.tell('the namespace is deleted');
  h.world.api.remove('user', { kind: 'Namespace', namespace: '', name: NAMESPACE });
  await h.until(
    () => h.job() === undefined && leftovers(h).length === 0 && h.world.api.list('Namespace').length === 0,
    LIMIT_MS,
    'nothing holds the namespace',
  );
});

scenario('28 namespace terminating in the middle of an upgrade', async (h) => {
  await start(h);
  h.apply(reconfigured(SPEC, '64'));
  await h.until(() => status(h).epoch?.ended !== undefined, LIMIT_MS, 'stopped');
  h.world.api.remove('user', { kind: 'Namespace', namespace: '', name: NAMESPACE });
  await h.until(
    () => h.job() === undefined && h.world.api.list('Namespace').length === 0,
    LIMIT_MS,
    'nothing holds the namespace',
  );
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

scenario('33 one in ten of many FlinkJobs hangs: the others do not wait', async (h) => {
  const named = Array.from({ length: 10 }, (_, index) => `job-${index}`);
  const hangs = (name: string): boolean => name.endsWith('7');
  h.world.faults.flink = ({ service }) =>
    hangs(service.name.replace(/-rest$/, '')) ? { kind: 'timeout' } : { kind: 'none' };
  for (const name of named) h.apply(SPEC, name);
  await h.until(() => named.every((name) => hangs(name) || isReady(h, 'Running', name)), 15_000, 'the others run');
  assert.ok(
    named.filter(hangs).every((name) => !isReady(h, 'Running', name)),
    'and of those that hang nothing is claimed',
  );
});

scenario('36 a batch job as the original ran it: Flink 1.20, a delivered jar, no checkpoints', async (h) => {
  h.apply({
    flinkVersion: '1.20',
    image: 'flink:1.20.4',
    jarURI: 'local:///opt/flink/usrlib/batch.jar',
    jobClassName: 'demo.Batch',
    jobArgs: ['--bounded-ms', '9000'],
    parallelism: 1,
    flinkConf: { 'execution.runtime-mode': 'BATCH' },
  });
  await h.until(() => isReady(h, 'Finished') && podNames(h).length === 0, LIMIT_MS, 'finished, and no pod is left');
  await h.run(120_000);
  assert.equal(h.ledger.counts.restored, 1, 'it ran once');
  await remove(h);
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

scenario(
  '39 checkpointing switched on only in main(), savepoint directory removed by the same edit: nothing lost',
  async (h) => {
    const inMain: Spec = {
      ...SPEC,
      jobArgs: ['--checkpoint-ms', '10000'],
      flinkConf: { 'state.checkpoints.dir': 'file:///data/checkpoints' },
    };
    await start(h, inMain);
    await h.run(15_000);
    const { policies: _, ...bare } = inMain;
    h.apply(reconfigured(bare, '64'));
    await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded by a savepoint into the old directory');
    assert.equal(h.ledger.rewinds.length, 0);
    assert.ok(counter(h) > 100);
  },
);
