import assert from 'node:assert/strict';
import type { JobState, TriggerView } from '../../src/core/flink-view.ts';
import type { FlinkClient } from '../../src/flink/client.ts';

/**
 * What Flork builds on in Flink's REST API. Each story is told to real Flink (test/e2e/cases/contract.ts) and to the simulator's model
 * (model.test.ts): the model is as Flink is, or one of them fails.
 */

/** A job that runs, with nobody else at work on it. */
export type Stage = {
  readonly client: FlinkClient;
  /** Folder for savepoints, as a URI without a slash at its end. */
  readonly savepoints: string;
  /** A folder in which nothing can be written. */
  readonly forbidden: string;
  /** Polls until there is a value; rejects when it takes longer. */
  readonly until: <T>(what: string, seconds: number, probe: () => Promise<T | undefined>) => Promise<T>;
  /** Kills the JobManager's process as a crash would. */
  readonly killJobManager: () => Promise<void>;
};

/** A job and what is tried on it, in this order. */
export type Contract = {
  readonly name: string;
  readonly conf: Readonly<Record<string, string>>;
  readonly steps: readonly (readonly [string, (stage: Stage) => Promise<void>])[];
};

const NOBODY = 'f'.repeat(32);
const id = (number: number): string => `d00d${String(number).padStart(28, '0')}`;

/** The job, once it is in this state, and all its tasks run where that is RUNNING; another one than `not`. */
async function jobIn({ client, until }: Stage, state: JobState, not?: string): Promise<string> {
  return until(`a job that is ${state}`, 120, async () => {
    const overview = await client.overview();
    const job = overview.kind === 'value' ? overview.value[0] : undefined;
    if (job?.state !== state || job.id === not) return undefined;
    const { total, running } = job.tasks;
    return state !== 'RUNNING' || (total > 0 && running === total) ? job.id : undefined;
  });
}

/** The result of an operation, once there is one. */
const resultOf = (
  { client, until }: Stage,
  kind: 'savepoint' | 'checkpoint',
  jobId: string,
  triggerId: string,
): Promise<Exclude<TriggerView, { kind: 'in-progress' }>> =>
  until('a result', 60, async () => {
    const trigger = await client.trigger({ kind, jobId, triggerId });
    return trigger.kind === 'value' && trigger.value.kind !== 'in-progress' ? trigger.value : undefined;
  });

/** Asks for a savepoint; how it was received. */
const ask = ({ client }: Stage, jobId: string, triggerId: string, directory: string): Promise<string> =>
  client.savepoint(jobId, { directory, formatType: 'CANONICAL', triggerId }).then(({ kind }) => kind);
const askStop = ({ client }: Stage, jobId: string, triggerId: string, directory: string): Promise<string> =>
  client.stop(jobId, { directory, drain: false, formatType: 'CANONICAL', triggerId }).then(({ kind }) => kind);

async function pathOf(stage: Stage, jobId: string, triggerId: string): Promise<string> {
  const result = await resultOf(stage, 'savepoint', jobId, triggerId);
  assert.equal(result.kind, 'completed', JSON.stringify(result));
  return result.kind === 'completed' ? result.path : '';
}

const unknown = async (
  { client }: Stage,
  kind: 'savepoint' | 'checkpoint',
  jobId: string,
  triggerId: string,
): Promise<void> => {
  const trigger = await client.trigger({ kind, jobId, triggerId });
  assert.equal(trigger.kind, 'absent', JSON.stringify(trigger));
};

export const CONTRACTS: readonly Contract[] = [
  {
    name: 'operations',
    conf: { 'rest.async.store-duration': '12 s' },
    steps: [
      [
        'an id that nobody has used is unknown',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          await unknown(stage, 'savepoint', job, id(1));
          await unknown(stage, 'checkpoint', job, id(1));
        },
      ],
      [
        'a job that Flink does not know: absent; a savepoint of it is accepted and fails, or is unknown',
        async (stage) => {
          const { client } = stage;
          await jobIn(stage, 'RUNNING');
          for (const part of [await client.detail(NOBODY), await client.checkpoints(NOBODY)])
            assert.equal(part.kind, 'absent', JSON.stringify(part));
          assert.equal(await ask(stage, NOBODY, id(2), stage.savepoints), 'done');
          assert.equal((await resultOf(stage, 'savepoint', NOBODY, id(2))).kind, 'failed');
        },
      ],
      [
        'a savepoint asked for three times under one id is one savepoint',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          const asked = [1, 2, 3].map(() => ask(stage, job, id(3), `${stage.savepoints}/a`));
          for (const answer of asked) assert.equal(await answer, 'done');
          const path = await pathOf(stage, job, id(3));
          assert.equal(await ask(stage, job, id(3), `${stage.savepoints}/b`), 'done', 'complete, and asked for again');
          assert.equal(await pathOf(stage, job, id(3)), path, 'the first one, wherever the last was to be');
        },
      ],
      [
        'the id of a savepoint is taken for a stop, too: the job goes on',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          assert.equal(await ask(stage, job, id(4), `${stage.savepoints}/c`), 'done');
          const path = await pathOf(stage, job, id(4));
          assert.equal(await askStop(stage, job, id(4), `${stage.savepoints}/c`), 'done');
          assert.equal(await pathOf(stage, job, id(4)), path);
          assert.equal(await jobIn(stage, 'RUNNING'), job);
        },
      ],
      [
        'a folder that cannot be written: accepted, failed in the result, and the job goes on',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          assert.equal(await askStop(stage, job, id(5), stage.forbidden), 'done');
          const result = await resultOf(stage, 'savepoint', job, id(5));
          assert.deepEqual([result.kind, result.kind === 'failed' ? result.path : ''], ['failed', undefined]);
          assert.equal(await jobIn(stage, 'RUNNING'), job);
        },
      ],
      [
        'a checkpoint on request is told by the id that it is listed under',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          assert.equal((await stage.client.checkpoint(job, id(6))).kind, 'done');
          const result = await resultOf(stage, 'checkpoint', job, id(6));
          assert.equal(result.kind, 'checkpointed', JSON.stringify(result));
        },
      ],
      [
        'the default scheduler has no bounds and takes none',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          const bounds = await stage.client.bounds(job);
          assert.equal(bounds.kind, 'absent', JSON.stringify(bounds));
        },
      ],
      [
        'a result is forgotten after its time, and its id is as good as new',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          assert.equal(await ask(stage, job, id(7), `${stage.savepoints}/d`), 'done');
          const path = await pathOf(stage, job, id(7));
          await stage.until('the result is forgotten', 60, async () => {
            const trigger = await stage.client.trigger({ kind: 'savepoint', jobId: job, triggerId: id(7) });
            return trigger.kind === 'absent' ? true : undefined;
          });
          assert.equal(await ask(stage, job, id(7), `${stage.savepoints}/e`), 'done');
          assert.notEqual(await pathOf(stage, job, id(7)), path, 'a second savepoint');
        },
      ],
      [
        'another process knows of no operation',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          assert.equal(await ask(stage, job, id(8), `${stage.savepoints}/f`), 'done');
          await pathOf(stage, job, id(8));
          await stage.killJobManager();
          const next = await jobIn(stage, 'RUNNING', job);
          await unknown(stage, 'savepoint', job, id(8));
          await unknown(stage, 'savepoint', next, id(8));
          const detail = await stage.client.detail(job);
          assert.equal(detail.kind, 'absent', 'nor of its job');
        },
      ],
      [
        'a stop asked for three times under one id is one savepoint, and its result outlives the job',
        async (stage) => {
          const job = await jobIn(stage, 'RUNNING');
          const asked = [1, 2, 3].map(() => askStop(stage, job, id(9), `${stage.savepoints}/stop`));
          for (const answer of asked) assert.equal(await answer, 'done');
          const path = await pathOf(stage, job, id(9));
          assert.equal(await jobIn(stage, 'FINISHED'), job);
          assert.equal(await pathOf(stage, job, id(9)), path);
          await stage.until('it is listed', 30, async () => {
            const checkpoints = await stage.client.checkpoints(job);
            const newest = checkpoints.kind === 'value' ? checkpoints.value.latestSavepoint : undefined;
            return newest?.path === path && newest.synchronous === true ? true : undefined;
          });
        },
      ],
      [
        'of a job that has ended no savepoint can be had, and a cancel changes nothing',
        async (stage) => {
          const job = await jobIn(stage, 'FINISHED');
          assert.equal(await askStop(stage, job, id(10), stage.savepoints), 'done');
          assert.equal((await resultOf(stage, 'savepoint', job, id(10))).kind, 'failed');
          assert.equal((await stage.client.cancel(job)).kind, 'done');
          assert.equal(await jobIn(stage, 'FINISHED'), job);
        },
      ],
    ],
  },
  {
    name: 'bounds',
    conf: { 'jobmanager.scheduler': 'adaptive' },
    steps: [
      [
        'the adaptive scheduler tells the bounds of each vertex, and takes others',
        async (stage) => {
          const { client } = stage;
          const job = await jobIn(stage, 'RUNNING');
          const bounds = await client.bounds(job);
          assert.equal(bounds.kind, 'value', JSON.stringify(bounds));
          if (bounds.kind !== 'value') return;
          assert.ok(bounds.value.length > 0 && bounds.value.every(({ lower, upper }) => lower === 1 && upper === 1));
          const wider = bounds.value.map((one) => ({ ...one, upper: 2 }));
          assert.equal((await client.rescale(job, wider)).kind, 'done');
          const told = await stage.until('Flink tells them', 30, async () => {
            const now = await client.bounds(job);
            return now.kind === 'value' && now.value.every(({ upper }) => upper === 2) ? now.value.length : undefined;
          });
          assert.equal(told, bounds.value.length);
          assert.equal(await jobIn(stage, 'RUNNING'), job, 'the job goes on with the slots that it has');
          assert.equal((await client.rescale(job, bounds.value)).kind, 'done');
        },
      ],
      [
        'bounds that leave a vertex out, or name another one, are refused',
        async (stage) => {
          const { client } = stage;
          const job = await jobIn(stage, 'RUNNING');
          assert.equal((await client.rescale(job, [])).kind, 'refused');
          assert.equal((await client.rescale(job, [{ id: NOBODY, lower: 1, upper: 2 }])).kind, 'refused');
        },
      ],
      [
        'a cancel asked for twice: CANCELED, and its newest checkpoint is still told',
        async (stage) => {
          const { client } = stage;
          const job = await jobIn(stage, 'RUNNING');
          await stage.until('a checkpoint', 60, async () => {
            const checkpoints = await client.checkpoints(job);
            return checkpoints.kind === 'value' && checkpoints.value.latestCompleted ? true : undefined;
          });
          assert.equal((await client.cancel(job)).kind, 'done');
          assert.equal((await client.cancel(job)).kind, 'done');
          assert.equal(await jobIn(stage, 'CANCELED'), job);
          const checkpoints = await client.checkpoints(job);
          assert.ok(checkpoints.kind === 'value' && checkpoints.value.latestCompleted, JSON.stringify(checkpoints));
          assert.equal((await client.cancel(job)).kind, 'done');
        },
      ],
    ],
  },
];
