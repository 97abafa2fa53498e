import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Core } from './harness/core.ts';
import { realCore } from './harness/core.ts';
import { doDeed } from './harness/deeds.ts';
import {
  aged,
  epochOf,
  isReady,
  jobOf,
  killJobManager,
  LIMIT_MS,
  reachRunning,
  pods,
  reachSettled,
  remove,
  start,
  upgrade,
} from './harness/flows.ts';
import { Broken, createHistory, type History } from './harness/history.ts';
import { MEANINGLESS } from './harness/meaningless.ts';
import { MUTANTS } from './harness/mutants.ts';
import { reconfigured, SPEC, withPolicies } from './harness/sample.ts';

/** The proof of the harness: wrong cores are caught by an invariant, and the real one passes the very same histories. */

async function unreachableForAWhile(core: Core): Promise<void> {
  const h = createHistory({ seed: 31, core });
  await start(h);
  await h.run(20_000);
  h.world.faults.flink = () => ({ kind: 'unreachable' });
  await h.run(60_000);
  h.world.faults.flink = () => ({ kind: 'none' });
  await reachRunning(h);
}

async function upgraded(core: Core): Promise<void> {
  const h = createHistory({ seed: 32, core });
  await start(h);
  await h.run(15_000);
  await upgrade(h, reconfigured(SPEC, '64'));
}

async function wipedAfterAnUpgrade(core: Core): Promise<void> {
  const h = createHistory({ seed: 33, core });
  await start(h);
  await h.run(15_000);
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(25_000);
  h.edit((live) => ({ ...live, status: {} }));
  await h.until(() => isReady(h) && epochOf(h) === 2, LIMIT_MS, 'adopted');
}

async function killedTwice(core: Core): Promise<void> {
  const h = createHistory({ seed: 34, core });
  await start(h);
  for (let time = 0; time < 2; time++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, with checkpoints that nobody has recorded
    await h.run(45_000);
    killJobManager(h);
    // oxlint-disable-next-line no-await-in-loop
    await h.until(() => jobOf(h) === undefined, 5_000, 'gone');
    // oxlint-disable-next-line no-await-in-loop
    await reachRunning(h);
  }
  await h.run(40_000);
}

async function upgradedTwice(core: Core): Promise<void> {
  const h = createHistory({ seed: 35, core });
  await start(h);
  await h.run(15_000);
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(30_000);
  await upgrade(h, reconfigured(SPEC, '32'));
}

async function finished(core: Core): Promise<void> {
  const h = createHistory({ seed: 36, core });
  h.apply({ ...SPEC, jobArgs: ['--bounded-ms', '8000'] });
  await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'finished');
  await h.run(5_000);
  killJobManager(h);
  await h.run(60_000);
}

async function workloadDeleted(core: Core): Promise<void> {
  const h = createHistory({ seed: 37, core });
  await start(h);
  await h.run(15_000);
  // Its pod is on a node that is lost: nobody can say that it is gone.
  for (const pod of pods(h, 'jobmanager')) h.world.kubelet.loseNode(pod);
  doDeed(h, 'JobManager Deployment deleted');
  await h.run(60_000);
}

async function restoredByNonce(core: Core): Promise<void> {
  const h = createHistory({ seed: 38, core });
  await start(h);
  await h.run(25_000);
  const from = h.world.storage.all()[0]?.path;
  h.apply({ ...SPEC, restore: { from, nonce: 1 } });
  await h.until(() => isReady(h) && epochOf(h) === 2, LIMIT_MS, 'restored');
  await h.run(60_000);
  if (epochOf(h) !== 2) h.fail('S1', 'the nonce acted more than once');
  await h.run(1);
}

/** How far the JobManager is when the deletion is seen differs from seed to seed. */
async function deletedWhilePodsAreNotShown(core: Core): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- the first that catches is enough
  for (const seed of [39, 40, 41]) await deletedEarly(core, seed);
}

async function deletedEarly(core: Core, seed: number): Promise<void> {
  const h = createHistory({ seed, core });
  h.world.faults.watchLagMs = (kind) => (kind === 'Pod' ? 1_900 : 15);
  h.apply(SPEC);
  await h.until(() => jobManagers(h) > 0, LIMIT_MS, 'a JobManager process begins');
  h.remove();
  await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
}

const ROLLED_BACK = withPolicies(SPEC, { upgrade: { rollback: 'automatic', readiness: '20s' } });
const LOOPING = { ...reconfigured(ROLLED_BACK, '64'), jobArgs: ['--fail-over-ms', '10'] };

/** What is rolled back to cannot complete a checkpoint any more: it is never stable, and stays. */
async function rolledBackInVain(core: Core): Promise<void> {
  const h = createHistory({ seed: 42, core });
  await aged(h, ROLLED_BACK);
  h.apply(LOOPING);
  await h.until(() => epochOf(h) === 3, LIMIT_MS, 'rolled back');
  h.world.storage.forbid('file:///data/checkpoints');
  await h.run(3 * 60_000);
}

/** No epoch was ever stable: there is nothing to roll back to. */
async function neverStable(core: Core): Promise<void> {
  const h = createHistory({ seed: 43, core });
  h.world.storage.forbid('file:///data/checkpoints');
  h.apply(ROLLED_BACK);
  await h.run(20_000);
  h.apply(LOOPING);
  await h.until(() => epochOf(h) === 2, LIMIT_MS, 'upgraded');
  await h.run(4 * 60_000);
  if (epochOf(h) !== 2) h.fail('rollback', `epoch ${epochOf(h)}, and none was stable`);
}

async function settled(core: Core): Promise<void> {
  const h = createHistory({ seed: 40, core });
  await start(h);
  await reachSettled(h);
  await remove(h);
}

async function editedWithoutMeaning(core: Core): Promise<void> {
  const h = createHistory({ seed: 44, core });
  await start(h);
  for (const edit of MEANINGLESS.values()) {
    h.edit(edit);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await h.run(10_000);
  }
}

const jobManagers = (h: History): number => h.world.runtime.jobManagers().length;

const HISTORIES = [
  unreachableForAWhile,
  upgraded,
  wipedAfterAnUpgrade,
  killedTwice,
  upgradedTwice,
  finished,
  workloadDeleted,
  restoredByNonce,
  deletedWhilePodsAreNotShown,
  settled,
  rolledBackInVain,
  neverStable,
  editedWithoutMeaning,
];

/** Where a mutant is caught first, so that it does not live through all the others before; one that is not there is looked for in all. */
const FIRST: ReadonlyMap<string, (core: Core) => Promise<void>> = new Map([
  ['removes the JobManager before the path is recorded', upgraded],
  ['deploys for the first time over a wiped status', wipedAfterAnUpgrade],
  ['makes a new trigger id for every sync, and writes it down', upgraded],
  ['lets facts go back with a stale view', wipedAfterAnUpgrade],
  ['takes the first savepoint again although newer snapshots are known', upgradedTwice],
  ['rolls a rollback back', rolledBackInVain],
  ['rolls back to an epoch that was not stable', neverStable],
  ['runs a finished job again', finished],
  ['starts a JobManager where none is shown', workloadDeleted],
  ['keeps the job id of the process before', killedTwice],
  ['forgets the nonces it has handled', restoredByNonce],
  ['takes an empty list of pods for a proof', deletedWhilePodsAreNotShown],
  ['writes the time into each status', settled],
  ['lets a deleted FlinkJob go at once', deletedWhilePodsAreNotShown],
  ['renders a running epoch anew', editedWithoutMeaning],
  ['compares specs letter by letter', editedWithoutMeaning],
]);

async function brokenBy(core: Core, first?: (core: Core) => Promise<void>): Promise<string | undefined> {
  const order = first === undefined ? HISTORIES : [first, ...HISTORIES.filter((history) => history !== first)];
  for (const history of order) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the first that catches is enough
      await history(core);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      return `${history.name}: ${error.violation.invariant}: ${error.violation.detail}`;
    }
  }
  return undefined;
}

test('there are at least fifteen of them', () => {
  assert.ok(MUTANTS.length >= 15);
});

test('the real core passes', async () => {
  assert.equal(await brokenBy(realCore), undefined);
});

test('the mutants that are looked for somewhere first are there', () => {
  const names = new Set(MUTANTS.map(({ name }) => name));
  assert.deepEqual(
    [...FIRST.keys()].filter((name) => !names.has(name)),
    [],
  );
});

for (const { name, core } of MUTANTS) {
  test(`caught: a core that ${name}`, async (context) => {
    const caught = await brokenBy(core, FIRST.get(name));
    assert.ok(caught !== undefined, 'the mutant survives');
    context.diagnostic(caught);
  });
}
