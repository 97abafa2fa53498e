import { strict as assert } from 'node:assert';
import { comparable } from '../../../../src/core/snapshot-path.ts';
import { STATE } from '../../flink/bare.ts';
import { savepointsOnDisk } from '../../lib/flink-job.ts';
import { sleep } from '../../lib/kube.ts';
import { scenario, type Case } from '../case.ts';
import { conditionOf, settled, type Lane, type Subject } from '../lane.ts';
import { asked, declared, ended, intended, shown, type Story } from '../points.ts';

/** Scenarios 2 to 5, 9, 15 and 38: changes of the spec, by each mode, at each step, in vain, rolled back, and while nothing may be decided. */

export async function storyOf(subject: Subject): Promise<Story> {
  return { subject, epoch: (await subject.job.get()).status.epoch.number };
}

/** Waits until the newest change runs, `epochs` later than the story began. */
export async function arrives(
  { subject, epoch }: Story,
  epochs: number,
): Promise<any> /* oxlint-disable-line typescript/no-explicit-any -- a status, read loosely */ {
  const { held, object } = await settled(subject.job, 300);
  assert.equal(held, false, object.status.message);
  assert.equal(object.status.epoch.number, epoch + epochs);
  assert.ok(await subject.runsItsChange(), 'it runs the newest change');
  return object.status;
}

const byLastState = scenario(
  '2-last-state',
  'upgrade by last-state: canceled, goes on from its newest checkpoint',
  async (lane) => {
    const subject = await lane.shared();
    const story = await storyOf(subject);
    const savepoints = await savepointsOnDisk(lane.namespace);
    await subject.change({ policies: { upgrade: { mode: 'last-state' } } });
    const status = await arrives(story, 1);
    assert.match(status.epoch.restoredFrom, /\/chk-\d+$/);
    assert.deepEqual(await savepointsOnDisk(lane.namespace), savepoints, 'no savepoint');
    await subject.judge('exactly-once');
    await subject.job.cluster.patch(subject.job.path, { spec: { policies: { upgrade: null } } });
    return '';
  },
);

const stateless = scenario('2-stateless', 'stateless upgrade: begins anew', (lane) =>
  lane.withOwn('stateless', { policies: { upgrade: { mode: 'stateless' } } }, async (subject) => {
    await subject.counts();
    const story = await storyOf(subject);
    await subject.change();
    const status = await arrives(story, 1);
    assert.equal(status.epoch.restoredFrom, undefined);
    const { first } = await subject.counts();
    assert.equal(first, 0);
    return '';
  }),
);

/** Holds an upgrade at a point, does `then`, and lets it go on. */
async function at(
  lane: Lane,
  point: (story: Story) => Parameters<Lane['gate']['trap']>[1],
  then: (story: Story) => Promise<unknown>,
): Promise<Story> {
  const subject = await lane.shared();
  const story = await storyOf(subject);
  const trap = await lane.gate.trap(`${lane.namespace}/${subject.job.name}`, point(story));
  try {
    await subject.change();
    await trap.arrives(120, () => subject.job.explain(''));
    await then(story);
  } finally {
    trap.open();
  }
  return story;
}

const STEPS = [
  ['intended', intended, 1],
  ['asked', asked, 1],
  ['recorded', ended, 1],
  ['declared', declared, 2],
] as const;
const changesAgain = STEPS.map(([step, point, epochs]) =>
  scenario(
    `3-${step}`,
    `the spec changes again when the stop or start before is ${step}: the newest runs`,
    async (lane) => {
      const story = await at(lane, point, ({ subject }) => subject.change());
      await arrives(story, epochs);
      await story.subject.judge('exactly-once');
      return '';
    },
  ),
);

const ROLLBACK = (namespace: string): object => ({
  savepoint: { directory: `file://${STATE}/${namespace}/savepoints` },
  upgrade: { rollback: 'automatic', readiness: '1m' },
});

/** Takes a change back at a point. */
const takenBack = (lane: Lane, point: typeof shown): Promise<Story> =>
  at(lane, point, async ({ subject: { job } }) => {
    const running = ((await job.rest('/jobmanager/config')) as { key: string; value: string }[]).find(
      ({ key }) => key === 'e2e.change',
    );
    await job.cluster.patch(job.path, { spec: { flinkConf: { 'e2e.change': running?.value ?? null } } });
  });

const revertedBefore = scenario(
  '4-before',
  'the change is taken back before the stop is asked for: nothing happens',
  async (lane) => {
    const { job } = await lane.shared();
    const [savepoints, jobId] = [await savepointsOnDisk(lane.namespace), (await job.progress()).jobId];
    const { subject, epoch } = await takenBack(lane, shown);
    await sleep(5000);
    assert.equal((await job.ready(120)).status.epoch.number, epoch);
    assert.equal((await job.progress()).jobId, jobId, 'the same process');
    assert.deepEqual(await savepointsOnDisk(lane.namespace), savepoints);
    await subject.judge('exactly-once');
    return '';
  },
);

const revertedAfter = scenario(
  '4-after',
  'the change is taken back when the stop is accepted: a full upgrade back',
  async (lane) => {
    const { subject, epoch } = await takenBack(lane, asked);
    const { held, object } = await settled(subject.job, 300);
    assert.equal(held, false, object.status.message);
    assert.equal(object.status.epoch.number, epoch + 1);
    await subject.judge('exactly-once');
    return '';
  },
);

const suspended = scenario(
  '5',
  'suspended, changed, resumed: once from its savepoint, with the change',
  async (lane) => {
    const subject = await lane.shared();
    const { job } = subject;
    const story = await storyOf(subject);
    await job.cluster.patch(job.path, { spec: { state: 'suspended' } });
    await job.status('Suspended', 180, ({ status }) => status.state === 'Suspended');
    await subject.change();
    await sleep(5000);
    assert.equal((await job.get()).status.state, 'Suspended', 'a change does not wake it');
    assert.deepEqual(await job.pods('taskmanager'), []);
    await job.cluster.patch(job.path, { spec: { state: 'running' } });
    await arrives(story, 1);
    await subject.judge('exactly-once');
    return '';
  },
);

const unwritable = scenario(
  '9',
  'savepoint directory unwritable: told, the job goes on, and is upgraded once it can be written',
  async (lane) => {
    const subject = await lane.shared();
    const { job } = subject;
    const folder = `/var/tmp/flork-e2e/${lane.namespace}/savepoints`;
    const story = await storyOf(subject);
    const { jobId } = await job.progress();
    await lane.shell(`mkdir -p ${folder}; chown -R root ${folder}; chmod -R go-w ${folder}`);
    try {
      await subject.change({ policies: { upgrade: { fallback: 'wait' } } });
      await job.status(
        'told',
        180,
        ({ metadata, status }) => conditionOf({ metadata, status }, 'Stalled')?.reason === 'SavepointFailed',
      );
      const now = await job.progress();
      const later = await job.counting(
        'the job goes on',
        60,
        (p) => p.offset > now.offset && p.completed > now.completed,
      );
      assert.equal(later.jobId, jobId, 'the same process');
    } finally {
      await lane.shell(`chmod -R a+rwX ${folder}`);
    }
    await arrives(story, 1);
    await subject.judge('exactly-once');
    await job.cluster.patch(job.path, { spec: { policies: { upgrade: null } } });
    return '';
  },
  { seconds: 120 },
);

const paused = scenario('38', 'paused: a change is not acted on; resumed: it is', async (lane) => {
  const subject = await lane.shared();
  const { job } = subject;
  const story = await storyOf(subject);
  const { jobId } = await job.progress();
  const pause = (value: string | null): Promise<unknown> =>
    job.cluster.patch(job.path, { metadata: { annotations: { 'flork.itom.com/paused': value } } });
  await pause('true');
  try {
    await job.status('told', 60, (found) => conditionOf(found, 'Ready')?.reason === 'Paused');
    await subject.change();
    await sleep(10_000);
    const { status } = await job.get();
    assert.deepEqual([status.epoch.number, status.operation], [story.epoch, undefined]);
    assert.equal((await job.progress()).jobId, jobId);
  } finally {
    await pause(null);
  }
  await arrives(story, 1);
  await subject.judge('exactly-once');
  return '';
});

const rolledBack = scenario(
  '15',
  'main() of the new spec throws: the last stable one runs again with its state, once, until the spec is corrected',
  (lane) =>
    lane.withOwn('rollback', { policies: ROLLBACK(lane.namespace) }, async (subject) => {
      const { job } = subject;
      await subject.counts();
      const story = await storyOf(subject);
      const { jobArgs } = (await job.get()).spec;
      await subject.change({ jobArgs: ['--throw-in-main', ...jobArgs] });
      const { status } = await job.status('RolledBack', 300, (found) => found.status.state === 'RolledBack');
      assert.equal(status.epoch.number, story.epoch + 2);
      assert.equal(status.failedEpoch.number, story.epoch + 1);
      assert.equal(
        comparable(status.epoch.restoredFrom),
        comparable(status.failedEpoch.path),
        'from its own savepoint',
      );
      assert.ok(!(await subject.runsItsChange()), 'the stable spec runs');
      await sleep(20_000);
      assert.equal((await job.get()).status.epoch.number, story.epoch + 2, 'it stays so');
      const { repeated } = await subject.judge('at-least-once');
      await subject.change({ jobArgs });
      await arrives(story, 3);
      await subject.judge('at-least-once');
      return `${repeated} numbers repeated from before the change`;
    }),
  { seconds: 130 },
);

export const upgradeCases: readonly Case[] = [
  byLastState,
  stateless,
  ...changesAgain,
  revertedBefore,
  revertedAfter,
  suspended,
  unwritable,
  rolledBack,
  paused,
];
