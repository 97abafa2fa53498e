import assert from 'node:assert/strict';
import { epochOf, jobOf, killJobManager, leftovers, LIMIT_MS, reachRunning, start, suspend } from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { reconfigured, SPEC, type Spec } from '../harness/sample.ts';
import { savepointsOf, scenario, status, uid } from '../harness/scenario.ts';

/** Deletions that take a savepoint first, and deletions that cannot end as they should. */

type Fields = Readonly<Record<string, unknown>>;

function withDeletion(deletion: Fields, more: Fields = {}, spec: Spec = SPEC): Spec {
  return { ...spec, policies: { ...(spec['policies'] as Fields), ...more, deletion } };
}

const KEEPING = withDeletion({ savepoint: true });
const gone = (h: History): boolean => h.job() === undefined && leftovers(h).length === 0;
const stored = (h: History): number => h.world.storage.all().filter(({ kind }) => kind === 'savepoint').length;
const holds = (h: History): boolean => (status(h).message ?? '').includes('spec.policies.deletion.savepoint: false');

/** Deletes, and sees a savepoint of all that the job had done. */
async function removeWithSavepoint(h: History, expected: number): Promise<void> {
  const owner = uid(h);
  h.remove();
  await h.until(() => gone(h), LIMIT_MS, 'deleted without a trace');
  assert.equal(h.ledger.savepoints(owner), expected);
  assert.equal(stored(h), expected, 'savepoints outlive the FlinkJob');
}

scenario('6 deletion with a savepoint: its path is in status before the pods go', async (h) => {
  await start(h, KEEPING);
  await h.run(15_000);
  h.remove();
  await h.until(() => status(h).epoch?.ended?.path !== undefined, LIMIT_MS, 'recorded');
  const path = status(h).epoch?.ended?.path ?? '';
  assert.ok(h.ledger.snapshot(path) !== undefined);
  assert.equal(status(h).snapshots?.history?.[0]?.trigger, 'delete');
  await h.until(() => gone(h), LIMIT_MS, 'deleted without a trace');
  assert.equal(stored(h), 1);
  assert.equal(h.ledger.counts['cancel-asked'] ?? 0, 0, 'what was stopped is not canceled');
});

scenario('6 deletion with a savepoint that drains; nothing else ever does', async (h) => {
  const drained: boolean[] = [];
  h.world.faults.flink = ({ method, path, body }) => {
    if (method === 'POST' && path.endsWith('/stop')) drained.push(body?.['drain'] === true);
    return { kind: 'none' };
  };
  const savepoint = { directory: 'file:///data/savepoints', advanceToEndOfEventTime: true, format: 'NATIVE' };
  const spec = withDeletion({ savepoint: true }, { savepoint });
  await start(h, spec);
  await suspend(h, spec);
  h.apply(spec);
  await reachRunning(h, 'resumed');
  assert.ok(drained.length > 0 && drained.every((drain) => !drain), 'a suspended job is to be resumed');
  drained.length = 0;
  await removeWithSavepoint(h, 2);
  assert.ok(drained.length > 0 && drained.every(Boolean));
});

scenario('6 deletion with a savepoint that fails holds, says why, and goes on when it can', async (h) => {
  await start(h, KEEPING);
  h.world.storage.forbid('file:///data/savepoints');
  const process = jobOf(h);
  h.remove();
  await h.until(() => holds(h), LIMIT_MS, 'told');
  assert.match(status(h).message ?? '', /Permission denied/);
  await h.run(60_000);
  assert.match(status(h).message ?? '', /approveStateLoss: "lose-[0-9a-f]{12}"/);
  assert.equal(jobOf(h), process, 'the job runs on');
  assert.equal(jobOf(h)?.state(), 'RUNNING');
  h.world.storage.forbid('');
  await h.until(() => gone(h), LIMIT_MS, 'deleted');
  assert.equal(stored(h), 1);
});

const GIVEN_UP: readonly (readonly [string, (h: History) => Spec])[] = [
  ['deletion.savepoint: false', () => withDeletion({ savepoint: false })],
  ['stateLoss: allow', () => withDeletion({ savepoint: true }, { stateLoss: 'allow' })],
  [
    'approveStateLoss',
    (h) => ({ ...KEEPING, approveStateLoss: /lose-[0-9a-f]{12}/.exec(status(h).message ?? '')?.[0] ?? assert.fail() }),
  ],
];
for (const [what, spec] of GIVEN_UP) {
  scenario(`6 deletion whose savepoint fails is given up by ${what}`, async (h) => {
    await start(h, KEEPING);
    h.world.storage.forbid('file:///data/savepoints');
    h.remove();
    await h.until(() => holds(h), LIMIT_MS, 'it holds');
    h.apply(spec(h));
    await h.until(() => gone(h), 120_000, 'deleted');
    assert.equal(stored(h), 0);
  });
}

scenario('6 deletion with a savepoint of a job whose tasks do not run: it waits for them, and says so', async (h) => {
  await start(h, KEEPING);
  h.world.faults.schedulable = () => false;
  for (const pod of h.world.api.list('Pod').filter(({ metadata }) => metadata.name.includes('taskmanager')))
    h.world.kubelet.kill(pod);
  for (const pod of h.world.api.list('Pod').filter(({ metadata }) => metadata.name.includes('taskmanager')))
    h.world.api.remove('somebody', { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name });
  await h.until(() => jobOf(h)?.tasksRunning() === false, LIMIT_MS, 'no task runs');
  h.remove();
  await h.run(30_000);
  assert.ok(holds(h), status(h).message);
  h.world.faults.schedulable = () => true;
  await h.until(() => gone(h), LIMIT_MS, 'deleted');
  assert.equal(stored(h), 1);
});

scenario('6 deletion with a savepoint of an unreachable JobManager holds, and unreachable is not gone', async (h) => {
  await start(h, KEEPING);
  h.world.faults.flink = () => ({ kind: 'unreachable' });
  h.remove();
  await h.run(10 * 60_000);
  assert.ok(holds(h), status(h).message);
  assert.equal(jobOf(h)?.state(), 'RUNNING', 'the time-out is not for the savepoint');
  h.world.faults.flink = () => ({ kind: 'none' });
  await h.until(() => gone(h), LIMIT_MS, 'deleted');
  assert.equal(stored(h), 1);
});

const NOTHING_TO_TAKE: readonly (readonly [string, number, (h: History) => Promise<void>])[] = [
  [
    'never ran',
    0,
    async (h) => {
      h.world.faults.pulls = () => false;
      h.apply(KEEPING);
      await h.run(20_000);
    },
  ],
  [
    'is suspended',
    1,
    async (h) => {
      await start(h, KEEPING);
      await suspend(h, KEEPING);
    },
  ],
  [
    'has finished',
    0,
    async (h) => {
      h.apply({ ...KEEPING, jobArgs: ['--bounded-ms', '4000'] });
      await h.until(() => status(h).state === 'Finished', LIMIT_MS, 'finished');
    },
  ],
  [
    'has failed',
    0,
    async (h) => {
      h.apply({ ...KEEPING, jobArgs: ['--fail-after-ms', '4000'] });
      await h.until(() => status(h).state === 'Failed', LIMIT_MS, 'failed');
    },
  ],
];
for (const [what, savepoints, story] of NOTHING_TO_TAKE) {
  scenario(`6 deletion with a savepoint of a job that ${what}: there is nothing to take`, async (h) => {
    await story(h);
    await removeWithSavepoint(h, savepoints);
  });
}

const FLOWS: readonly (readonly [string, (h: History) => boolean])[] = [
  ['intended', (h) => status(h).operation?.kind === 'stop'],
  ['asked for', (h) => (h.ledger.counts['stop-asked'] ?? 0) > 0],
  ['complete', (h) => savepointsOf(h) > 0],
  ['recorded', (h) => status(h).epoch?.ended !== undefined],
];
for (const [when, reached] of FLOWS) {
  scenario(`6 deletion with a savepoint when that of an upgrade is ${when}: one serves both`, async (h) => {
    await start(h, KEEPING);
    h.apply(reconfigured(KEEPING, '64'));
    await h.until(() => reached(h), LIMIT_MS, when);
    await removeWithSavepoint(h, 1);
    assert.equal(h.ledger.counts['stop-asked'], 1);
  });

  scenario(`11 JobManager killed when the savepoint of a deletion is ${when}`, async (h) => {
    await start(h, KEEPING);
    await h.run(15_000);
    h.remove();
    await h.until(() => reached(h), LIMIT_MS, when);
    killJobManager(h);
    await h.until(() => gone(h), LIMIT_MS, 'deleted');
    assert.ok(stored(h) >= 1, 'with a savepoint');
  });
}

scenario('6 deletion with a savepoint when one on request is under way', async (h) => {
  await start(h, KEEPING);
  h.world.faults.job.savepointMs = 3_000;
  h.apply({ ...KEEPING, savepointNonce: 1 });
  await h.until(() => (h.ledger.counts['savepoint-asked'] ?? 0) > 0, LIMIT_MS, 'asked for');
  h.remove();
  await h.until(() => gone(h), LIMIT_MS, 'deleted');
  assert.equal(h.ledger.counts['stop-asked'], 1);
});

scenario('6 deletion.timeout bounds the cancel of a JobManager that does not answer', async (h) => {
  await start(h, withDeletion({ timeout: '30s' }));
  h.world.faults.flink = () => ({ kind: 'unreachable' });
  h.remove();
  await h.run(25_000);
  assert.equal(jobOf(h)?.state(), 'RUNNING');
  await h.until(() => (status(h).message ?? '').includes('within 30s'), 10_000, 'told');
  await h.until(() => gone(h), 60_000, 'deleted');
});

scenario(
  '29 foreground deletion with a savepoint asked for: the cluster does not wait, and that is said',
  async (h) => {
    await start(h, KEEPING);
    h.remove('foreground');
    let told = false;
    await h.until(
      () => {
        told ||= h.job() !== undefined && (status(h).message ?? '').includes('no savepoint');
        return gone(h);
      },
      LIMIT_MS,
      'deleted',
    );
    assert.ok(told || epochOf(h) === 0);
  },
);

scenario('37 deleted with a savepoint and created again from it', async (h) => {
  await start(h, KEEPING);
  await h.run(12_000);
  h.remove();
  await h.until(() => status(h).epoch?.ended?.path !== undefined, LIMIT_MS, 'recorded');
  const from = status(h).epoch?.ended?.path;
  await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
  h.apply({ ...KEEPING, restore: { from } });
  await reachRunning(h, 'started again');
  assert.equal(status(h).epoch?.restoredFrom, from);
  assert.ok((h.ledger.snapshot(from ?? '')?.counter ?? 0) > 0);
});
