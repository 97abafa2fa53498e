import assert from 'node:assert/strict';
import {
  epochOf,
  jobOf,
  LIMIT_MS,
  pods,
  reachRunning,
  reachSettled,
  start,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { highlyAvailable, reconfigured, SPEC, withPolicies } from '../harness/sample.ts';
import { assertRewoundTold, running, savepointsOf, scenario, status, uid } from '../harness/scenario.ts';

/** Upgrades with Flink's high availability, with and without standbys. */

const HA = highlyAvailable(SPEC);
const STANDBY = highlyAvailable(SPEC, 2);
const lastState = (spec: typeof SPEC) => withPolicies(spec, { upgrade: { mode: 'last-state' } });

/** kill -9 of the JobManager that leads, or of one that stands by. */
function kill(h: History, which: 'leader' | 'standby'): void {
  const leads = h.world.runtime
    .jobManagers()
    .find((manager) => manager.info.owner === uid(h) && manager.job() !== undefined)?.info.podUid;
  const pod = pods(h, 'jobmanager').find(({ metadata }) => (metadata.uid === leads) === (which === 'leader'));
  h.tell(`kill -9 of the ${which}`);
  h.world.kubelet.kill(pod ?? assert.fail(`no ${which}`));
}

for (const [what, spec] of [
  ['high availability', HA],
  ['a standby', STANDBY],
] as const) {
  scenario(`2 upgrade by last-state with ${what}`, async (h) => {
    await start(h, lastState(spec));
    await h.run(25_000);
    await upgrade(h, reconfigured(lastState(spec), '64'));
    assert.match(status(h).epoch?.restoredFrom ?? '', /\/chk-\d+$/);
    assert.equal(savepointsOf(h), 0);
    assert.equal(h.ledger.rewinds.length, 0);
    await reachSettled(h);
  });
}

scenario('2 and 5 upgrade, suspend and resume with a savepoint and a standby', async (h) => {
  await start(h, STANDBY);
  await h.run(15_000);
  await upgrade(h, reconfigured(STANDBY, '64'));
  await suspend(h, reconfigured(STANDBY, '64'));
  h.apply(STANDBY);
  await reachRunning(h, 'resumed');
  assert.equal(savepointsOf(h), 2);
  assert.equal(h.ledger.rewinds.length, 0);
});

for (const which of ['leader', 'standby'] as const) {
  scenario(`11 with a standby, the ${which} killed when the stop is asked for`, async (h) => {
    await start(h, STANDBY);
    await h.run(25_000);
    h.apply(reconfigured(STANDBY, '64'));
    await h.until(() => (h.ledger.counts['stop-asked'] ?? 0) > 0, LIMIT_MS, 'the stop is asked for');
    kill(h, which);
    await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'upgraded');
    if (which === 'standby') assert.equal(savepointsOf(h), 1);
    assert.equal(h.ledger.rewinds.length, 0);
  });
}

scenario('11 with a standby, the leader killed while the job is being canceled: gone on from the newest', async (h) => {
  await start(h, lastState(STANDBY));
  await h.run(35_000);
  h.apply(reconfigured(lastState(STANDBY), '64'));
  await h.until(() => jobOf(h)?.state() === 'CANCELLING', LIMIT_MS, 'it is being canceled');
  kill(h, 'leader');
  await h.until(() => running(h) && epochOf(h) === 2, 900_000, 'upgraded');
  assert.match(status(h).epoch?.restoredFrom ?? '', /\/chk-\d+$/);
});

for (const [what, spec] of [
  ['high availability', HA],
  ['a standby', STANDBY],
] as const) {
  scenario(`11 with ${what}, JobManager killed between the savepoint of a stop and its reading: Rewound`, async (h) => {
    await start(h, spec);
    await h.run(25_000);
    h.controls.flink = (_index, method) => (method === 'GET' && taken(h) ? 'unreachable' : 'none');
    h.apply(reconfigured(spec, '64'));
    await h.until(() => taken(h), LIMIT_MS, 'the savepoint is complete');
    kill(h, 'leader');
    h.controls.flink = () => 'none';
    await h.until(() => running(h) && epochOf(h) === 2, 900_000, 'upgraded');
    assert.equal(savepointsOf(h), 2, 'the job ran again, and was stopped again');
    assert.ok(h.ledger.rewinds.length > 0, 'Flink went back behind the savepoint');
    assertRewoundTold(h);
  });
}

/**
 * Ends the JobManager when the job has come to its end by the savepoint of a stop, and nobody has heard of either; `afterMs` later Flink
 * has removed what it kept of the job.
 */
async function killAtTheEnd(h: History, spec: typeof SPEC, afterMs = 0): Promise<void> {
  await start(h, spec);
  await h.run(25_000);
  h.controls.flink = (_index, method) => (method === 'GET' && taken(h) ? 'unreachable' : 'none');
  h.apply(reconfigured(spec, '64'));
  await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'the job has ended');
  await h.run(afterMs);
  kill(h, 'leader');
  h.controls.flink = () => 'none';
}

for (const [what, spec] of [
  ['high availability', HA],
  ['a standby', STANDBY],
] as const) {
  scenario(`11 with ${what}, JobManager killed when a stop has ended the job and is not read: held`, async (h) => {
    await killAtTheEnd(h, spec);
    await h.until(() => isHeldUnread(h), 900_000, 'held, and where to look is told');
    assert.doesNotMatch(status(h).message ?? '', /chk-/, 'checkpoints of a job that finished are deleted by Flink');
    await h.run(600_000);
    assert.equal(epochOf(h), 1, 'nobody goes on without it');
    const from = h.world.storage.all().find(({ kind }) => kind === 'savepoint')?.path;
    h.apply({ ...reconfigured(spec, '64'), restore: { from, nonce: 1 } });
    await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'from the savepoint that was named');
    assert.equal(h.ledger.rewinds.length, 0);
  });
}

for (const [what, spec] of [
  ['high availability', HA],
  ['a standby', STANDBY],
] as const) {
  scenario(`11 with ${what}, such a job is not even known any more: held, and left within two minutes`, async (h) => {
    await killAtTheEnd(h, spec, 5000);
    await h.until(() => isHeldUnread(h), 900_000, 'held, and where to look is told');
    await h.run(30_000);
    assert.equal(jobOf(h), undefined, 'no JobManager lists it');
    const from = h.world.storage.all().find(({ kind }) => kind === 'savepoint')?.path;
    h.apply({ ...reconfigured(spec, '64'), restore: { from, nonce: 1 } });
    await h.until(() => running(h) && epochOf(h) === 2, 150_000, 'from the savepoint that was named');
    assert.equal(h.ledger.rewinds.length, 0);
  });
}

scenario('11 with high availability, such a job may lose its state: it starts empty', async (h) => {
  await killAtTheEnd(h, HA);
  await h.until(() => isHeldUnread(h), 900_000, 'held');
  const token = /lose-[0-9a-f]{12}/.exec(status(h).message ?? '')?.[0] ?? assert.fail('no token');
  h.ledger.permit(uid(h));
  h.apply({ ...reconfigured(HA, '64'), approveStateLoss: token });
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'started empty');
  assert.equal(status(h).epoch?.restoredFrom, undefined);
});

scenario('11 with high availability, such a job is of no state: it starts empty', async (h) => {
  await killAtTheEnd(h, HA);
  h.apply(withPolicies(reconfigured(HA, '64'), { upgrade: { mode: 'stateless' } }));
  await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'started empty');
});

scenario(
  '21 with high availability, JobManager killed when a bounded job has finished: Finished all the same',
  async (h) => {
    const spec = { ...HA, jobArgs: ['--bounded-ms', '9000'] };
    h.apply(spec);
    await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'the job has ended');
    kill(h, 'leader');
    await h.until(() => status(h).state === 'Finished', LIMIT_MS, 'Finished');
    assert.equal(epochOf(h), 1);
    assert.equal(status(h).job?.name, 'Counting', 'what Flink no longer knows is not forgotten');
  },
);

scenario(
  '21 with high availability, JobManager killed when Flink has forgotten a bounded job that finished: told, and not run again',
  async (h) => {
    const spec = { ...HA, jobArgs: ['--bounded-ms', '60000'] };
    await start(h, spec);
    await h.run(25_000);
    h.controls.flink = () => 'unreachable';
    await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'the job has ended');
    await h.run(5000);
    kill(h, 'leader');
    h.controls.flink = () => 'none';
    await h.until(() => isHeld(h), 600_000, 'told');
    assert.match(status(h).message ?? '', /lists no job.*If it has finished, nothing is left to do/);
    h.apply(reconfigured(spec, '64'));
    await h.run(900_000);
    assert.deepEqual([epochOf(h), isHeld(h)], [1, true], 'a change runs it no more than itself');
    h.apply(withPolicies(reconfigured(spec, '64'), { upgrade: { mode: 'stateless' } }));
    await h.until(() => running(h) && epochOf(h) === 2, LIMIT_MS, 'a person says that it may start anew');
    assert.equal(status(h).epoch?.restoredFrom, undefined);
  },
);

scenario(
  '11 with high availability, such a job, and the change is taken back: where to look is told all the same',
  async (h) => {
    await killAtTheEnd(h, HA, 5000);
    await h.until(() => isHeldUnread(h), 900_000, 'held');
    h.apply(HA);
    await h.run(600_000);
    assert.ok(isHeldUnread(h), status(h).message);
    assert.equal(epochOf(h), 1);
  },
);

const isHeld = (h: History): boolean =>
  status(h).conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'StateAtRisk') === true;

const isHeldUnread = (h: History): boolean =>
  isHeld(h) && /lies below file:\S*\/1 if it was completed/.test(status(h).message ?? '');

const taken = (h: History): boolean => (h.ledger.counts.savepoint ?? 0) > 0;
