import assert from 'node:assert/strict';
import {
  counter,
  epochOf,
  isReady,
  jobOf,
  killJobManager,
  LIMIT_MS,
  reachRunning,
  reachSettled,
  start,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import { texts } from '../../../src/sim/models/objects.ts';
import type { History } from '../harness/history.ts';
import { READS_PODS } from '../harness/pods.ts';
import { reconfigured, SPEC, type Spec } from '../harness/sample.ts';
import { restoreConfigMap, running, savepointsOf, scenario, status, uid } from '../harness/scenario.ts';

/** Savepoints and checkpoints while the job goes on: on request and by schedule, what is kept of them, and what comes in between. */

type Policies = Readonly<Record<string, unknown>>;

function withPolicies(policies: Policies, spec: Spec = SPEC): Spec {
  return { ...spec, policies: { ...(spec['policies'] as Policies), ...policies } };
}

function savepoints(more: Policies): Policies {
  return { savepoint: { directory: 'file:///data/savepoints', ...more } };
}

const count = (h: History, kind: keyof History['ledger']['counts']): number => h.ledger.counts[kind] ?? 0;
const handled = (h: History) => status(h).handled ?? {};
const historyOf = (h: History) => status(h).snapshots?.history ?? [];
const quiet = (h: History): boolean => status(h).operation === undefined;

/** Asks for one and waits until it is there. */
async function request(h: History, spec: Spec, nonce: number): Promise<void> {
  h.apply({ ...spec, savepointNonce: nonce });
  await h.until(() => handled(h).savepointNonce === nonce && quiet(h), LIMIT_MS, `savepoint ${nonce} is taken`);
}

scenario('S a savepoint on request: once, and the job goes on', async (h) => {
  await start(h);
  await h.run(25_000);
  const process = jobOf(h);
  await request(h, SPEC, 1);
  assert.equal(savepointsOf(h), 1);
  assert.equal(jobOf(h), process);
  assert.ok(isReady(h));
  assert.equal(epochOf(h), 1);
  await h.until(() => historyOf(h)[0]?.sizeBytes !== undefined, 60_000, 'with its size, which Flink lists later');
  const [entry] = historyOf(h);
  assert.deepEqual([entry?.kind, entry?.epoch, entry?.trigger, entry?.sizeBytes], ['savepoint', 1, 'request', 4096]);
  assert.ok(h.ledger.snapshot(entry?.path ?? '') !== undefined, 'history names where it lies');
  assert.equal(status(h).knownSavepointPath, entry?.path);
  await reachSettled(h);
  h.apply(SPEC);
  await h.run(30_000);
  h.apply({ ...SPEC, savepointNonce: 1 });
  await h.run(30_000);
  assert.equal(count(h, 'savepoint-asked'), 1, 'a nonce that is taken away, or was acted on, acts no more');
});

// What an event of a pod brings about at that very moment: where Flork reads pods itself, Metacontroller hears of none.
for (const behind of READS_PODS ? [] : [2, 3]) {
  scenario(
    `S a savepoint on request is taken, and status is shown ${behind} behind: it is not taken again`,
    async (h) => {
      await start(h);
      await h.run(15_000);
      let shown = false;
      h.controls.staleness = () => {
        const late = !shown && handled(h).savepointNonce === 1;
        shown ||= late;
        return { parent: late ? behind : 0, children: 0, related: 0 };
      };
      await request(h, SPEC, 1);
      await h.run(20_000);
      assert.equal(savepointsOf(h), 1);
      assert.equal(historyOf(h).filter(({ kind }) => kind === 'savepoint').length, 1);
      assert.ok(shown && (h.counts.rules.get('statusLagsSnapshot') ?? 0) > 0, 'it was shown, and refused');
      await reachSettled(h);
    },
  );
}

if (!READS_PODS)
  scenario(
    '11 JobManager killed at the very end of a savepoint, and status is set back: it is not taken again',
    async (h) => {
      await start(h);
      await h.run(15_000);
      await request(h, SPEC, 1);
      // The watch of Metacontroller still shows the intent, and what is answered to that is written over the end of it.
      killJobManager(h);
      await h.until(() => status(h).operation?.kind === 'savepoint', 5_000, 'status is set back');
      await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
      await reachRunning(h, 'recovered');
      await h.run(20_000);
      assert.equal(handled(h).savepointNonce, 1);
      assert.equal(savepointsOf(h), 1);
      assert.equal(historyOf(h).length, 1);
      await reachSettled(h);
    },
  );

scenario('S a JobManager that dies right after a savepoint goes on from it', async (h) => {
  await start(h);
  await h.run(15_000);
  await request(h, SPEC, 1);
  const path = status(h).snapshots?.lastSavepoint?.path;
  assert.equal(texts(restoreConfigMap(h)?.['data'])['path'], path);
  const taken = h.ledger.snapshot(path ?? '')?.counter ?? assert.fail();
  await h.run(6_000);
  killJobManager(h);
  await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
  await reachRunning(h, 'recovered');
  assert.ok(counter(h) >= taken);
});

scenario('S a checkpoint on request', async (h) => {
  await start(h);
  await h.run(12_000);
  const before = count(h, 'checkpoint-asked');
  h.apply({ ...SPEC, checkpointNonce: 3 });
  await h.until(() => handled(h).checkpointNonce === 3 && quiet(h), LIMIT_MS, 'the checkpoint is taken');
  assert.equal(count(h, 'checkpoint-asked'), before + 1);
  assert.equal(savepointsOf(h), 0);
  assert.ok(isReady(h));
  assert.equal(status(h).snapshots?.lastCheckpoint?.epoch, 1);
  await reachSettled(h);
});

scenario('S nonces of a new FlinkJob, and of one whose status was wiped, are noted and do not act', async (h) => {
  const spec = { ...SPEC, savepointNonce: 7, checkpointNonce: 8 };
  await start(h, spec);
  const before = count(h, 'checkpoint-asked');
  await h.run(30_000);
  h.edit((live) => ({ ...live, status: {} }));
  await reachRunning(h, 'adopted');
  await h.run(30_000);
  assert.equal(savepointsOf(h) + count(h, 'checkpoint-asked'), before);
  assert.deepEqual([handled(h).savepointNonce, handled(h).checkpointNonce], [7, 8]);
  await request(h, spec, 9);
  assert.equal(savepointsOf(h), 1);
});

scenario('30 savepointNonce bumped twice within one sync, and again while one is taken', async (h) => {
  await start(h);
  h.apply({ ...SPEC, savepointNonce: 1 });
  h.apply({ ...SPEC, savepointNonce: 2 });
  await h.until(() => handled(h).savepointNonce === 2, LIMIT_MS, 'taken');
  assert.equal(savepointsOf(h), 1, 'one for the newest');
  h.world.faults.job.savepointMs = 5_000;
  h.apply({ ...SPEC, savepointNonce: 3 });
  await h.until(() => count(h, 'savepoint-asked') > 1, LIMIT_MS, 'asked for');
  h.apply({ ...SPEC, savepointNonce: 4 });
  await h.until(() => handled(h).savepointNonce === 4 && quiet(h), LIMIT_MS, 'taken');
  assert.equal(savepointsOf(h), 3, 'one that began before it was asked for does not count');
});

scenario('S answers of Flink are lost: one savepoint all the same', async (h) => {
  await start(h);
  let lost = 0;
  h.controls.flink = (_index, method) => {
    if (method !== 'POST') return 'none';
    lost++;
    return lost < 3 ? 'unreachable' : 'answer-lost';
  };
  await request(h, SPEC, 1);
  assert.equal(lost, 3);
  assert.equal(savepointsOf(h), 1);
});

scenario('9 a savepoint on request fails: told once, tried again with growing pauses, the job goes on', async (h) => {
  await start(h);
  const process = jobOf(h);
  h.world.storage.forbid('file:///data/savepoints');
  h.apply({ ...SPEC, savepointNonce: 1 });
  await h.until(() => (status(h).retry?.failures ?? 0) >= 3, LIMIT_MS, 'three failures');
  assert.equal(count(h, 'savepoint-failed'), 3);
  assert.ok(isReady(h), 'the job is as ready as before');
  assert.match(status(h).message ?? '', /savepoint asked for failed, 3 times in a row: .*Permission denied/);
  assert.equal(status(h).history?.filter(({ reason }) => reason === 'SavepointFailed').length, 1);
  h.world.storage.forbid('');
  await h.until(() => handled(h).savepointNonce === 1 && quiet(h), LIMIT_MS, 'taken by a later attempt');
  assert.equal(status(h).retry, undefined);
  assert.equal(jobOf(h), process);
  await reachSettled(h);
});

scenario('S a spec change does not wait for the pause after a failed savepoint', async (h) => {
  await start(h);
  h.world.storage.forbid('file:///data/savepoints');
  h.apply({ ...SPEC, savepointNonce: 1 });
  await h.until(() => (status(h).retry?.failures ?? 0) >= 4, LIMIT_MS, 'four failures');
  h.world.storage.forbid('');
  h.apply({ ...reconfigured(SPEC, '64'), savepointNonce: 1 });
  await h.until(() => epochOf(h) === 2 && running(h), 30_000, 'upgraded at once');
  assert.equal(handled(h).savepointNonce, 1, 'the savepoint of the stop is the one that was asked for');
  assert.equal(savepointsOf(h), 1);
});

const BETWEEN: readonly (readonly [string, (h: History) => boolean])[] = [
  ['intended', (h) => status(h).operation?.kind === 'savepoint'],
  ['asked for', (h) => count(h, 'savepoint-asked') > 0],
];
for (const [when, reached] of BETWEEN) {
  scenario(`3 spec changes when a savepoint is ${when}: the change takes over`, async (h) => {
    await start(h);
    h.world.faults.job.savepointMs = 3_000;
    h.apply({ ...SPEC, savepointNonce: 1 });
    await h.until(() => reached(h), LIMIT_MS, when);
    h.apply({ ...reconfigured(SPEC, '64'), savepointNonce: 1 });
    await h.until(() => status(h).operation?.kind === 'stop', 6_000, 'the stop is intended');
    await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'upgraded');
    assert.equal(handled(h).savepointNonce, 1);
    assert.equal(count(h, 'stop-asked'), 1);
    assert.equal(h.ledger.rewinds.length, 0);
    await reachSettled(h);
  });

  scenario(`5 suspended when a savepoint is ${when}`, async (h) => {
    await start(h);
    h.world.faults.job.savepointMs = 3_000;
    const spec = { ...SPEC, savepointNonce: 1 };
    h.apply(spec);
    await h.until(() => reached(h), LIMIT_MS, when);
    await suspend(h, spec);
    assert.equal(handled(h).savepointNonce, 1);
    h.apply(spec);
    await reachRunning(h, 'resumed');
    await h.run(20_000);
    assert.equal(h.ledger.rewinds.length, 0);
    await reachSettled(h);
  });

  scenario(`6 deletion when a savepoint is ${when}`, async (h) => {
    await start(h);
    h.world.faults.job.savepointMs = 3_000;
    h.apply({ ...SPEC, savepointNonce: 1 });
    await h.until(() => reached(h), LIMIT_MS, when);
    h.remove();
    await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
  });

  scenario(`11 JobManager killed when a savepoint is ${when}: asked anew`, async (h) => {
    await start(h);
    await h.run(15_000);
    h.world.faults.job.savepointMs = 3_000;
    h.apply({ ...SPEC, savepointNonce: 1 });
    await h.until(() => reached(h), LIMIT_MS, when);
    killJobManager(h);
    await h.until(() => handled(h).savepointNonce === 1 && quiet(h), LIMIT_MS, 'taken after all');
    assert.equal(savepointsOf(h), 1);
    await reachSettled(h);
  });
}

scenario('S a nonce set while the job is suspended acts when it runs again', async (h) => {
  await start(h);
  await suspend(h, SPEC);
  h.apply({ ...SPEC, state: 'suspended', savepointNonce: 1 });
  await h.until(() => (status(h).plan ?? []).some(({ field }) => field === 'spec.savepointNonce'), 60_000, 'told');
  const before = savepointsOf(h);
  h.apply({ ...SPEC, savepointNonce: 1 });
  await h.until(() => handled(h).savepointNonce === 1 && quiet(h), LIMIT_MS, 'taken');
  assert.equal(savepointsOf(h), before + 1);
  await h.until(() => status(h).plan === undefined, 60_000, 'no longer told');
});

scenario('S without a savepoint directory a request is told, not tried', async (h) => {
  const spec = { ...SPEC, policies: {} };
  await start(h, spec);
  h.apply({ ...spec, savepointNonce: 1 });
  await h.until(
    () => (status(h).plan ?? []).some(({ note }) => note.includes('no savepoint directory')),
    60_000,
    'told',
  );
  assert.ok(isReady(h));
  assert.equal(count(h, 'savepoint-asked'), 0);
});

scenario('S savepoints by schedule: every few minutes, a missed slot once', async (h) => {
  await start(h, withPolicies(savepoints({ schedule: '5m' })));
  await h.run(4 * 60_000);
  assert.equal(savepointsOf(h), 0, 'the first after five minutes');
  await h.run(90_000);
  assert.equal(savepointsOf(h), 1);
  await h.run(10 * 60_000 + 60_000);
  assert.equal(savepointsOf(h), 3);
  assert.equal(historyOf(h)[0]?.trigger, 'schedule');
  // Ten minutes without a hook: one slot, not two.
  h.controls.hook = () => 'down';
  await h.run(12 * 60_000);
  h.controls.hook = () => 'up';
  await h.run(4 * 60_000);
  assert.equal(savepointsOf(h), 4, 'no burst after an outage');
});

scenario('S checkpoints by a cron line; a clock that jumps repeats no slot', async (h) => {
  await start(h, withPolicies({ checkpoint: { schedule: '*/10 * * * *' } }));
  const before = count(h, 'checkpoint-asked');
  const taken = (): number => count(h, 'checkpoint-asked') - before;
  await h.run(9 * 60_000);
  assert.equal(taken(), 0, 'the slot before the start was never asked for');
  await h.run(2 * 60_000);
  assert.equal(taken(), 1, 'at ten past');
  h.controls.skewMs = -5 * 60_000;
  await h.run(6 * 60_000);
  assert.equal(taken(), 1, 'it is ten past again, and nothing is repeated');
  h.controls.skewMs = 3 * 3_600_000;
  await h.run(60_000);
  assert.equal(taken(), 2, 'three hours ahead: one slot, not eighteen');
  h.controls.skewMs = 0;
  await h.run(5 * 60_000);
  assert.equal(taken(), 2);
});

scenario('S a slot missed while suspended runs once after the job was resumed', async (h) => {
  const spec = withPolicies(savepoints({ schedule: '10m' }));
  await start(h, spec);
  await suspend(h, spec);
  const before = savepointsOf(h);
  await h.run(35 * 60_000);
  h.apply(spec);
  await reachRunning(h, 'resumed');
  await h.run(60_000);
  assert.equal(savepointsOf(h), before + 1);
});

scenario('S superseded savepoints are removed, and what a start may need never is', async (h) => {
  const spec = withPolicies(savepoints({ history: { count: 2 } }));
  await start(h, spec);
  for (const nonce of [1, 2, 3, 4]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await request(h, spec, nonce);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await h.run(70_000);
  }
  await h.until(() => historyOf(h).length === 2 && quiet(h), LIMIT_MS, 'two are kept');
  const stored = h.world.storage.all().filter(({ kind }) => kind === 'savepoint');
  assert.equal(stored.length, 2, 'and two lie there');
  assert.deepEqual(
    historyOf(h)
      .map(({ path }) => path)
      .toSorted(),
    stored.map(({ path }) => path).toSorted(),
  );
  assert.equal(count(h, 'disposed'), 2);
  // The one that an upgrade starts from stays, however many come after it.
  await upgrade(h, { ...reconfigured(spec, '64'), savepointNonce: 4 });
  const from = status(h).epoch?.restoredFrom ?? assert.fail();
  for (const nonce of [5, 6, 7]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await request(h, reconfigured(spec, '64'), nonce);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await h.run(70_000);
  }
  assert.ok(h.ledger.snapshot(from) !== undefined, 'epoch 2 started from it');
  assert.equal(historyOf(h).length, 3);
  await reachSettled(h);
});

scenario('S savepoints of an age are removed, but for the newest', async (h) => {
  const spec = withPolicies(savepoints({ history: { age: '10m' } }));
  await start(h, spec);
  await request(h, spec, 1);
  await request(h, spec, 2);
  await h.run(11 * 60_000);
  await h.until(() => historyOf(h).length === 1 && quiet(h), LIMIT_MS, 'the older one went');
  assert.equal(h.world.storage.all().filter(({ kind }) => kind === 'savepoint').length, 1);
});

scenario('S a disposal that fails is told to a person and not tried again', async (h) => {
  const spec = withPolicies(savepoints({ history: { count: 1 } }));
  await start(h, spec);
  await request(h, spec, 1);
  const [first] = historyOf(h);
  await h.run(70_000);
  h.world.storage.forbid(first?.path ?? assert.fail());
  await request(h, spec, 2);
  await h.until(() => (status(h).leftovers ?? []).length === 1, LIMIT_MS, 'told');
  assert.match(status(h).leftovers?.[0] ?? '', /savepoint-\d+\/.*Permission denied/);
  assert.equal(historyOf(h).length, 1);
  const asked = h.world.api.writes.length;
  await reachSettled(h);
  assert.ok(asked > 0 && isReady(h));
});

scenario('S answers of Flink about a disposal are lost: what is gone is gone', async (h) => {
  const spec = withPolicies(savepoints({ history: { count: 1 } }));
  await start(h, spec);
  await request(h, spec, 1);
  await h.run(70_000);
  let lost = 0;
  h.apply({ ...spec, savepointNonce: 2 });
  await h.until(() => status(h).operation?.kind === 'dispose', LIMIT_MS, 'to be removed');
  h.controls.flink = (_index, method) => (method === 'POST' && lost++ < 2 ? 'answer-lost' : 'none');
  await h.until(() => historyOf(h).length === 1 && quiet(h), LIMIT_MS, 'removed');
  assert.ok(lost >= 2);
  assert.equal(count(h, 'disposed'), 1);
  assert.equal(status(h).leftovers, undefined);
});

scenario('S a snapshot that is needed again before it was removed stays', async (h) => {
  const spec = withPolicies(savepoints({ history: { count: 1 } }));
  await start(h, spec);
  await request(h, spec, 1);
  const [first] = historyOf(h);
  await h.run(70_000);
  h.apply({ ...spec, savepointNonce: 2 });
  h.controls.flink = (_index, method) =>
    method === 'POST' && status(h).operation?.kind === 'dispose' ? 'unreachable' : 'none';
  await h.until(() => status(h).operation?.kind === 'dispose', LIMIT_MS, 'to be removed');
  h.apply({ ...spec, savepointNonce: 2, restore: { from: first?.path } });
  await h.until(() => quiet(h), LIMIT_MS, 'withdrawn');
  h.controls.flink = () => 'none';
  await h.run(60_000);
  assert.equal(count(h, 'disposed'), 0);
  assert.ok(uid(h) !== '');
});

/** Jobs that fail leave their checkpoints; each correction is the next epoch, from the newest of them. */
for (const [kept, expected] of [
  [1, [2]],
  [0, [2]],
  [2, [1, 2]],
] as const) {
  scenario(
    `S with keepEpochs ${kept} the last checkpoints of epochs ${expected.join(' and ')} are left of three`,
    async (h) => {
      const failing = (value: string): Spec => ({
        ...reconfigured(withPolicies({ checkpoint: { keepEpochs: kept } }), value),
        jobArgs: ['--fail-after-ms', '25000'],
      });
      for (const [index, value] of ['64', '65'].entries()) {
        h.apply(failing(value));
        // oxlint-disable-next-line no-await-in-loop -- one epoch after the other
        await h.until(
          () => epochOf(h) === index + 1 && status(h).state === 'Failed',
          LIMIT_MS,
          `epoch ${index + 1} failed`,
        );
      }
      h.apply({ ...failing('66'), jobArgs: [] });
      await reachRunning(h, 'epoch 3 runs');
      assert.equal(epochOf(h), 3);
      await h.run(10_000 + 40_000);
      const known = historyOf(h).filter(({ kind }) => kind === 'checkpoint');
      assert.deepEqual(known.map(({ epoch }) => epoch).toSorted(), expected);
      for (const { path } of known) assert.ok(h.ledger.snapshot(path) !== undefined, path);
      assert.equal(count(h, 'disposed'), 2 - expected.length);
      assert.equal(
        status(h).epoch?.restoredFrom,
        known.find(({ epoch }) => epoch === 2)?.path,
        'what epoch 3 started from',
      );
      killJobManager(h);
      await h.until(() => jobOf(h) === undefined, 5_000, 'the JobManager is gone');
      await reachRunning(h, 'recovered');
      await reachSettled(h);
    },
  );
}
