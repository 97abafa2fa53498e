import { strict as assert } from 'node:assert';
import { savepointsOnDisk } from '../lib/flink-job.ts';
import type { Passing, Point } from '../lib/gate.ts';
import { until, type KubeObject } from '../lib/kube.ts';
import { killOperator } from '../lib/processes.ts';
import { BOTH_VERSIONS, EITHER, type Case, type Outcome } from './case.ts';
import { settled, type Allowed, type Lane, type Subject } from './lane.ts';

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
type Story = { readonly subject: Subject; readonly epoch: number; operation?: Operation };
type Operation = {
  readonly kind: string;
  readonly jobId: string;
  readonly triggerId: string;
  readonly directory: string;
};

const statusOf = (passing: Passing): any => passing.parent.status; // oxlint-disable-line typescript/no-explicit-any -- read loosely
const stopOf = (passing: Passing): Operation | undefined => {
  const operation = statusOf(passing)?.operation as Operation | undefined;
  return operation?.kind === 'stop' ? operation : undefined;
};
const objects = (groups: Passing['children'], kind: string): readonly KubeObject[] =>
  Object.entries(groups).flatMap(([key, group]) => (key.startsWith(kind) ? Object.values(group) : []));
const replicas = (found: readonly KubeObject[], component: string): number | undefined =>
  found.find((object) => object.kind === 'Deployment' && object.metadata.name.endsWith(`-${component}`))?.spec
    ?.replicas;
const jobManagerOf = (passing: Passing): number | undefined =>
  replicas(objects(passing.children, 'Deployment'), 'jobmanager');
/** Pods that may still run something: one that has failed for good stays a while as an object. */
const podsOf = (passing: Passing): readonly KubeObject[] =>
  objects(passing.related, 'Pod').filter((pod) => !['Failed', 'Succeeded'].includes(String(pod.status?.phase)));

/** What Flink says of the stop: nothing yet, that it is under way, or its end. */
async function trigger(story: Story, operation: Operation): Promise<'unknown' | 'IN_PROGRESS' | 'COMPLETED'> {
  const { job } = story.subject;
  const path = `/api/v1/namespaces/${job.namespace}/services/${job.name}-rest:8081/proxy/jobs/${operation.jobId}/savepoints/${operation.triggerId}`;
  const answer = await job.cluster.call('GET', path);
  if (answer.status === 404) return 'unknown';
  return JSON.parse(answer.text).status.id;
}

type Row = { readonly state: string; readonly tasks: { readonly total: number; readonly running: number } };
async function row(story: Story): Promise<Row | undefined> {
  return (await story.subject.job.rest('/jobs/overview')).jobs[0] as Row | undefined;
}

const before =
  (what: string, at: (passing: Passing, story: Story) => boolean | Promise<boolean>) =>
  (story: Story): Point => ({
    what,
    side: 'before',
    at: (passing) => passing.hook === 'sync' && at(passing, story),
  });
const after =
  (what: string, at: (passing: Passing, story: Story) => boolean | Promise<boolean>) =>
  (story: Story): Point => ({
    what,
    side: 'after',
    at: (passing) => passing.hook === 'sync' && passing.answer !== undefined && at(passing, story),
  });

/** The answer of the sync that asked Flink to stop. */
const asked = after('the stop is accepted', async (passing, story) => {
  const operation = stopOf(passing);
  if (operation === undefined || (await trigger(story, operation)) === 'unknown') return false;
  story.operation = operation;
  return true;
});
const nextStarts = before(
  'the next JobManager starts',
  (passing, { epoch }) =>
    statusOf(passing)?.epoch?.number === epoch + 1 && jobManagerOf(passing) === 1 && podsOf(passing).length > 0,
);

const TWICE: readonly [Allowed, Allowed] = ['at-least-once', 'at-least-once'];
const ONCE: readonly [Allowed, Allowed] = ['exactly-once', 'exactly-once'];
const BY_HA: readonly [Allowed, Allowed] = ['at-least-once', 'exactly-once'];

export const KILLS: readonly Kill[] = [
  {
    what: 'the spec has changed, nothing is intended yet',
    point: before(
      'the new spec is shown',
      (passing, { epoch }) =>
        passing.parent.metadata.generation !== statusOf(passing)?.epoch?.generation &&
        statusOf(passing)?.epoch?.number === epoch,
    ),
    victim: 'JobManager',
    answer: 'give',
    allowed: BY_HA,
  },
  {
    what: 'the stop is intended in status, not asked for',
    point: before('the intent is in status', (passing) => stopOf(passing) !== undefined),
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
      until('the savepoint is on disk', 30, async () =>
        (await savepointsOnDisk(story.subject.job.namespace)).some((path) =>
          path.startsWith(story.operation!.directory.replace(/^file:\/*/, '/')),
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
      until('FINISHED', 30, async () =>
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
    point: before('the path is in status', (passing) => statusOf(passing)?.epoch?.ended?.path !== undefined),
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
    point: before(
      'the next epoch is declared',
      (passing, { epoch }) => statusOf(passing)?.epoch?.number === epoch + 1 && jobManagerOf(passing) === 0,
    ),
    victim: 'Flork and Metacontroller',
    answer: 'lose',
    allowed: ONCE,
  },
  { what: 'the next JobManager starts', point: nextStarts, victim: 'JobManager', answer: 'give', allowed: ONCE },
  {
    what: 'the next job is being restored',
    point: nextStarts,
    wait: (story) =>
      until('the job is being restored', 60, async () => {
        const found = await row(story);
        return found !== undefined && found.tasks.running < Math.max(1, found.tasks.total) ? true : undefined;
      }),
    victim: 'JobManager',
    answer: 'give',
    allowed: ONCE,
  },
  {
    what: 'the first tasks of the next job run',
    point: nextStarts,
    wait: (story) =>
      until('tasks run', 60, async () => (((await row(story))?.tasks.running ?? 0) > 0 ? true : undefined)),
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
    await trap.arrives(120, () => job.explain(''));
    await kill.wait?.(story);
    if (kill.victim === 'JobManager')
      await until('a JobManager process to kill', 30, () => job.killJobManager().then(() => true));
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
