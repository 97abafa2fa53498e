import { strict as assert } from 'node:assert';
import { comparable } from '../../../src/core/snapshot-path.ts';
import { savepointsOnDisk } from '../lib/flink-job.ts';
import type { Point } from '../lib/gate.ts';
import { until } from '../lib/kube.ts';
import { killOperator } from '../lib/processes.ts';
import { BOTH_VERSIONS, EITHER, type Case, type Outcome } from './case.ts';
import { settled, type Allowed, type Lane, type Subject } from './lane.ts';
import {
  after,
  asked,
  before,
  declared,
  ended,
  intended,
  jobManagerOf,
  nextStarts,
  podsOf,
  replicas,
  row,
  shown,
  statusOf,
  stopOf,
  trigger,
  type Story,
} from './points.ts';

/**
 * Kills at named points of an upgrade by stop-with-savepoint: everything is held at the point, the process is killed, everything goes on.
 * Whatever comes of it is judged by the job's state and by its committed output.
 */
type Kill = {
  readonly what: string;
  /** Snapshots, or the ends of tasks, are made to wait from before the change on. */
  readonly hold?: 'snapshot' | 'close';
  readonly point: (story: Story) => Point;
  /** What is waited for, with everything held, before the kill. */
  readonly wait?: (story: Story) => Promise<unknown>;
  readonly victim: 'JobManager' | 'Flork and Metacontroller';
  /** What becomes of the answer that is held. */
  readonly answer: 'give' | 'lose';
  /** The promise for the output, without high availability and with it. */
  readonly allowed: readonly [Allowed, Allowed];
  /** Whether the savepoint may be known to nobody, so that a person has to name it. */
  readonly mayHold?: true;
};
const TWICE: readonly [Allowed, Allowed] = ['at-least-once', 'at-least-once'];
const ONCE: readonly [Allowed, Allowed] = ['exactly-once', 'exactly-once'];
const BY_HA: readonly [Allowed, Allowed] = ['at-least-once', 'exactly-once'];

export const KILLS: readonly Kill[] = [
  {
    what: 'the spec has changed, nothing is intended yet',
    point: shown,
    victim: 'JobManager',
    answer: 'give',
    allowed: BY_HA,
  },
  {
    what: 'the stop is intended in status, not asked for',
    point: intended,
    victim: 'JobManager',
    answer: 'give',
    allowed: BY_HA,
  },
  {
    what: 'Flink has accepted the stop, the answer is lost',
    hold: 'snapshot',
    point: asked,
    victim: 'JobManager',
    answer: 'lose',
    allowed: BY_HA,
  },
  {
    what: 'the savepoint is in progress',
    hold: 'snapshot',
    point: before('the savepoint is in progress', async (passing, story) => {
      const operation = stopOf(passing);
      return operation !== undefined && (await trigger(story, operation)) === 'IN_PROGRESS';
    }),
    victim: 'JobManager',
    answer: 'give',
    allowed: BY_HA,
  },
  {
    what: 'the savepoint is on disk, the job still ends',
    hold: 'close',
    point: asked,
    wait: (story) =>
      until('the savepoint is on disk', 90, async () =>
        (await savepointsOnDisk(story.subject.job.namespace)).some((path) =>
          path.startsWith(comparable(story.operation!.directory)),
        )
          ? true
          : undefined,
      ),
    victim: 'JobManager',
    answer: 'give',
    allowed: TWICE,
    mayHold: true,
  },
  {
    what: 'the stop is complete and the job FINISHED, nobody has read it',
    point: asked,
    wait: (story) =>
      until('FINISHED', 90, async () =>
        (await trigger(story, story.operation!)) === 'COMPLETED' && (await row(story))?.state === 'FINISHED'
          ? true
          : undefined,
      ),
    victim: 'JobManager',
    answer: 'lose',
    allowed: TWICE,
    mayHold: true,
  },
  {
    what: 'the path has been read, the answer is lost',
    point: after('the path is read', (passing) => passing.answer?.status?.epoch?.ended?.path !== undefined),
    victim: 'JobManager',
    answer: 'lose',
    allowed: TWICE,
    mayHold: true,
  },
  {
    what: 'the path is in status',
    point: ended,
    victim: 'JobManager',
    answer: 'give',
    allowed: ONCE,
  },
  {
    what: 'the answer that scales to 0 is on its way',
    point: after(
      'scaled to 0',
      (passing) => jobManagerOf(passing) === 1 && replicas(passing.answer?.children ?? [], 'jobmanager') === 0,
    ),
    victim: 'JobManager',
    answer: 'give',
    allowed: ONCE,
  },
  {
    what: 'the pods are gone',
    point: before(
      'the pods are gone',
      (passing, { epoch }) =>
        statusOf(passing)?.epoch?.number === epoch && jobManagerOf(passing) === 0 && podsOf(passing).length === 0,
    ),
    victim: 'Flork and Metacontroller',
    answer: 'lose',
    allowed: ONCE,
  },
  {
    what: 'the next epoch is declared, nothing of it exists',
    point: declared,
    victim: 'Flork and Metacontroller',
    answer: 'lose',
    allowed: ONCE,
  },
  { what: 'the next JobManager starts', point: nextStarts, victim: 'JobManager', answer: 'give', allowed: ONCE },
  {
    what: 'the next job is being restored',
    point: nextStarts,
    // No checkpoint is complete before the kill, however late that is.
    wait: async (story) => {
      await story.subject.hold('snapshot');
      return until('the job is being restored', 120, async () => {
        const found = await row(story);
        return found !== undefined && found.tasks.running < Math.max(1, found.tasks.total) ? true : undefined;
      });
    },
    victim: 'JobManager',
    answer: 'give',
    allowed: ONCE,
  },
  {
    what: 'the first tasks of the next job run',
    point: nextStarts,
    wait: (story) =>
      until('tasks run', 120, async () => (((await row(story))?.tasks.running ?? 0) > 0 ? true : undefined)),
    victim: 'JobManager',
    answer: 'give',
    allowed: BY_HA,
  },
];

async function run(kill: Kill, lane: Lane): Promise<Outcome> {
  const { gate, namespace } = lane;
  const subject = await lane.shared();
  const { job } = subject;
  const since = Date.now();
  const story: Story = { subject, epoch: (await job.get()).status.epoch.number };
  await job.counting('some checkpoints', 60, (progress) => progress.completed >= 3);
  const trap = await gate.trap(`${namespace}/${job.name}`, kill.point(story));
  const notes: string[] = [];
  let generation: number;
  try {
    if (kill.hold !== undefined) await subject.hold(kill.hold);
    generation = await subject.change();
    await trap.arrives(240, () => job.explain(''));
    await kill.wait?.(story);
    if (kill.victim === 'JobManager')
      await until('a JobManager process to kill', 90, () => job.killJobManager().then(() => true));
    else notes.push(`killed ${await killOperator(lane.cluster, namespace)}`);
  } finally {
    await subject.release();
    trap.open(kill.answer);
  }
  const end = await settled(job, 300);
  if (end.held) {
    assert.ok(kill.mayHold, `held: ${end.object.status.message}`);
    notes.push(`held (${end.object.status.message}), a person named the savepoint`);
    await nameNewestSavepoint(subject, generation);
    assert.equal((await settled(job, 300)).held, false, 'goes on from the savepoint that was named');
  }
  const now = await job.get();
  const further = now.status.epoch.number - story.epoch;
  assert.ok(further === 1 || (end.held && further > 1), `${further} epochs further`);
  const verdict = await subject.judge(kill.allowed[lane.ha ? 1 : 0]);
  if (verdict.repeated > 0) {
    const told = ((await job.get()).status.history as { at: string; reason: string }[]).some(
      ({ at, reason }) => reason === 'Rewound' && Date.parse(at) >= since - 1000,
    );
    assert.ok(told, `${verdict.repeated} numbers repeated, and history does not say Rewound`);
  }
  return { repeated: verdict.repeated, note: notes.join('; ') };
}

/** What a person does who is told that a savepoint was asked for and cannot be found. */
async function nameNewestSavepoint({ job }: Subject, nonce: number): Promise<void> {
  const paths = await savepointsOnDisk(job.namespace);
  const own = paths.filter((path) => path.includes(`-${job.name}-`));
  const attempt = (path: string): number => Number(/\/(\d+)\/savepoint-/.exec(path)?.[1]);
  const newest = own.toSorted((a, b) => attempt(b) - attempt(a))[0];
  assert.ok(newest, 'there is a savepoint');
  await job.cluster.patch(job.path, {
    spec: { restore: { from: `file://${newest.replace(/\/_metadata$/, '')}`, nonce } },
  });
}

export const killCases: readonly Case[] = KILLS.map((kill, index) => ({
  name: `kill/${index + 1}`,
  what: `${kill.victim} killed when ${kill.what}`,
  versions: BOTH_VERSIONS,
  ha: EITHER,
  times: 3,
  seconds: 75,
  run: (lane) => run(kill, lane),
}));
