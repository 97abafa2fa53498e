import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FlinkView } from '../../../src/core/flink-view.ts';
import { createObserve } from '../../../src/flink/observe.ts';
import { createPatience } from '../../../src/flink/patience.ts';
import type { FlinkResponse, Transport } from '../../../src/flink/transport.ts';
import { ask, fakeFlink, flinkError, JOB, OTHER_JOB, reply, row, TRIGGER } from './flink-fixture.ts';

type Answered = Extract<FlinkView, { kind: 'answered' }>;

async function observe(replies: Record<string, FlinkResponse>, questions = ask()): Promise<Answered> {
  const view = await createObserve({ transport: fakeFlink(replies).transport })(questions);
  assert.equal(view.kind, 'answered');
  return view as Answered;
}

const CHECKPOINTS = `/jobs/${JOB}/checkpoints`;
const CONFIG = `/jobs/${JOB}/checkpoints/config`;
const SAVEPOINT = `/jobs/${JOB}/savepoints/${TRIGGER}`;
const BOUNDS = `/jobs/${JOB}/resource-requirements`;
const COUNTS = { restored: 1, total: 9, in_progress: 0, completed: 7, failed: 1 };

describe('observe', () => {
  it('reads numRestarts, which Flink tells as text, and not at all at first', async () => {
    const told = async (body: unknown) => {
      const { transport } = fakeFlink({ [`/jobs/${JOB}/metrics`]: reply(body) });
      const view = await createObserve({ transport })(ask());
      return view.kind === 'answered' ? view.restarts : undefined;
    };
    assert.deepEqual(await told([{ id: 'numRestarts', value: '3' }]), { kind: 'value', value: 3 });
    for (const body of [[], [{ id: 'numRestarts', value: 'NaN' }], [{ id: 'uptime', value: '3' }], {}])
      assert.equal((await told(body))?.kind, 'failed');
  });

  it('asks nothing when there is no question', async () => {
    const { transport, calls } = fakeFlink({});
    const view = await createObserve({ transport })({ kind: 'none', why: 'no ready pod' });
    assert.deepEqual(view, { kind: 'not-asked', why: 'no ready pod' });
    assert.equal(calls.length, 0);
  });

  it('asks /jobs/overview first and the parts for the first asked id that is listed', async () => {
    const { transport, calls } = fakeFlink({
      [`/jobs/${JOB}`]: reply({
        timestamps: { RUNNING: 5 },
        vertices: [{ parallelism: 2 }, { id: 'v', name: 'Sink', parallelism: '4', maxParallelism: 128 }],
      }),
    });
    const view = await createObserve({ transport })(ask({ jobIds: [OTHER_JOB, JOB] }));
    assert.equal(calls[0]?.path, '/jobs/overview');
    assert.ok(calls.slice(1).every(({ path }) => path === '/config' || path.includes(JOB)));
    assert.deepEqual((view as Answered).detail, {
      kind: 'value',
      value: {
        runningSince: 5,
        now: undefined,
        parallelism: 4,
        vertices: [{ id: 'v', name: 'Sink', parallelism: 4, maxParallelism: 128 }],
      },
    });
  });

  it('reads the bounds of the vertices, sorted; anything odd is no answer', async () => {
    const vertex = (lowerBound: unknown, upperBound: unknown) => ({ parallelism: { lowerBound, upperBound } });
    const view = await observe({ [BOUNDS]: reply({ [OTHER_JOB]: vertex(1, '4'), [JOB]: vertex(1, 1) }) });
    assert.deepEqual(view.bounds, {
      kind: 'value',
      value: [
        { id: JOB, lower: 1, upper: 1 },
        { id: OTHER_JOB, lower: 1, upper: 4 },
      ],
    });
    for (const body of [{}, { [JOB]: {} }, { odd: vertex(1, 1) }, [], { [JOB]: vertex(1, 'x') }]) {
      // oxlint-disable-next-line no-await-in-loop -- a table
      assert.equal((await observe({ [BOUNDS]: reply(body) })).bounds.kind, 'failed');
    }
  });

  it('tells a scheduler that cannot rescale from a job that is not there: both are a 500', async () => {
    const server = (line: string) => flinkError(500, 'Internal server error.', `<Exception on server side:\n${line}`);
    const cannot = await observe({
      [BOUNDS]: server(
        'java.lang.UnsupportedOperationException: The DefaultScheduler does not support changing the parallelism without a job restart.',
      ),
    });
    assert.deepEqual(cannot.bounds, {
      kind: 'absent',
      text: 'The DefaultScheduler does not support changing the parallelism without a job restart.',
    });
    const gone = await observe({
      [BOUNDS]: server('org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job'),
    });
    assert.equal(gone.bounds.kind, 'failed');
    const other = await observe({ [BOUNDS]: server('java.lang.NullPointerException') });
    assert.equal(other.bounds.kind, 'failed');
  });

  it('asks no parts of a job that is not listed', async () => {
    const view = await observe({
      '/jobs/overview': reply({ jobs: [] }),
      '/config': reply({ 'flink-version': '2.3.0' }),
    });
    assert.deepEqual(view.jobs, []);
    assert.deepEqual(view.flinkVersion, { kind: 'value', value: '2.3.0' });
    for (const part of [view.detail, view.checkpoints, view.checkpointConfig, view.exceptions, view.trigger]) {
      assert.deepEqual(part, { kind: 'not-asked' });
    }
  });

  it('reads rows tolerantly: new states, numbers as text, -1 as not yet', async () => {
    const view = await observe({
      '/jobs/overview': reply({ jobs: [row({ state: 'HIBERNATING', 'start-time': '12' })] }),
    });
    assert.deepEqual(view.jobs, [
      {
        id: JOB,
        name: 'word count',
        state: 'UNKNOWN',
        startTime: 12,
        endTime: undefined,
        tasks: { total: 2, running: 2, finished: 0 },
      },
    ]);
  });

  it('does not let a row it cannot read make a job look absent', async () => {
    const { transport } = fakeFlink({ '/jobs/overview': reply({ jobs: [{ jid: 7 }] }) });
    const view = await createObserve({ transport })(ask());
    assert.equal(view.kind === 'unreachable' && view.error, 'unexpected-reply');
  });

  it('keeps the asked job among many foreign ones', async () => {
    const foreign = Array.from({ length: 50 }, (_, i) => row({ jid: i.toString(16).padStart(32, '0') }));
    const view = await observe({ '/jobs/overview': reply({ jobs: [...foreign, row()] }) });
    assert.equal(view.jobs[0]?.id, JOB);
    assert.equal(view.jobs.length, 21);
  });

  for (const [what, answer, error] of [
    [
      '503 during leader election',
      flinkError(503, 'Service temporarily unavailable due to an ongoing leader election. Please refresh.'),
      'unavailable',
    ],
    ['a proxy page', { kind: 'response', status: 200, text: '<html>' }, 'unexpected-reply'],
    ['half a JSON', { kind: 'response', status: 200, text: '{"jobs":[' }, 'unexpected-reply'],
    ['a redirect', { kind: 'response', status: 302, text: '' }, 'unexpected-reply'],
    ['an answer nested without end', { kind: 'response', status: 200, text: '['.repeat(10_000) }, 'unexpected-reply'],
    ['404 of another server', flinkError(404, 'Not found: /jobs/overview'), 'unexpected-reply'],
    ['no connection', { kind: 'error', error: 'unreachable', text: 'ECONNREFUSED' }, 'unreachable'],
    ['a bad certificate', { kind: 'error', error: 'tls', text: 'CERT_HAS_EXPIRED' }, 'tls'],
  ] as const satisfies readonly (readonly [string, FlinkResponse, string])[]) {
    it(`${what} is unreachable: ${error}`, async () => {
      const { transport, calls } = fakeFlink({ '/jobs/overview': answer });
      const view = await createObserve({ transport })(ask());
      assert.equal(view.kind === 'unreachable' && view.error, error);
      assert.equal(calls.length, 1);
    });
  }

  it('does not reject when its transport does', async () => {
    const transport: Transport = async () => {
      throw new Error('secret');
    };
    const view = await createObserve({ transport })(ask());
    assert.deepEqual(view, { kind: 'unreachable', error: 'unreachable', text: 'Error' });
  });

  it('ends all calls with the first time-out', async () => {
    const aborted: string[] = [];
    const transport: Transport = async ({ path }, signal) => {
      if (path === '/jobs/overview') return reply({ jobs: [row()] });
      if (path === '/config') return { kind: 'error', error: 'timeout', text: 'slow' };
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted.push(path);
          resolve({ kind: 'error', error: 'timeout', text: 'ended' });
        });
      });
    };
    const view = await createObserve({ transport })(ask());
    assert.equal(view.kind, 'answered');
    assert.equal(aborted.length, 5);
  });

  it('stays within its budget', async () => {
    const transport: Transport = (_request, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ kind: 'error', error: 'timeout', text: 'ended' }));
      });
    const view = await createObserve({ transport, patience: createPatience({ budgetMs: 20 }) })(ask());
    assert.equal(view.kind === 'unreachable' && view.error, 'timeout');
  });
});

describe('checkpoints', () => {
  it('are read with the newest of each kind', async () => {
    const view = await observe({
      [CHECKPOINTS]: reply({
        counts: COUNTS,
        latest: {
          completed: {
            className: 'completed',
            id: 7,
            latest_ack_timestamp: 700,
            external_path: 's3://b/chk-7',
            is_savepoint: false,
            discarded: false,
            checkpointed_size: 9,
          },
          savepoint: {
            id: 5,
            latest_ack_timestamp: 500,
            external_path: 's3://b/savepoint-5',
            is_savepoint: true,
            discarded: false,
          },
          failed: null,
          restored: { id: 3, restore_timestamp: 300, external_path: 's3://b/savepoint-3', is_savepoint: true },
        },
        history: [{ status: 'BRAND_NEW' }],
      }),
    });
    assert.deepEqual(view.checkpoints, {
      kind: 'value',
      value: {
        completed: 7,
        failed: 1,
        restored: 1,
        latestCompleted: { id: 7, path: 's3://b/chk-7', kind: 'checkpoint', at: 700, sizeBytes: 9 },
        latestSavepoint: { id: 5, path: 's3://b/savepoint-5', kind: 'savepoint', at: 500, sizeBytes: undefined },
        latestRestored: { id: 3, path: 's3://b/savepoint-3', kind: 'savepoint', at: 300, sizeBytes: undefined },
      },
    });
  });

  it('that cannot be restored are left out', async () => {
    const view = await observe({
      [CHECKPOINTS]: reply({
        counts: COUNTS,
        latest: {
          completed: { id: 7, latest_ack_timestamp: 700, external_path: '<checkpoint-not-externally-addressable>' },
          savepoint: { id: 5, latest_ack_timestamp: 500, external_path: 's3://b/x', discarded: true },
          restored: null,
        },
      }),
    });
    assert.ok(view.checkpoints.kind === 'value');
    assert.equal(view.checkpoints.value.latestCompleted, undefined);
    assert.equal(view.checkpoints.value.latestSavepoint, undefined);
  });

  it('without counts are no answer: a number that is not told is not 0', async () => {
    const view = await observe({ [CHECKPOINTS]: reply({ latest: {} }) });
    assert.equal(view.checkpoints.kind === 'failed' && view.checkpoints.error, 'unexpected-reply');
  });

  it('of a job without them are absent, of one that comes up unavailable', async () => {
    const off = await observe({
      [CHECKPOINTS]: flinkError(
        404,
        'org.apache.flink.runtime.rest.handler.RestHandlerException: Checkpointing has not been enabled.\n\tat x',
      ),
    });
    assert.deepEqual(off.checkpoints, { kind: 'absent', text: 'Checkpointing has not been enabled.' });
    const coming = await observe({
      [CHECKPOINTS]: flinkError(
        500,
        'Internal server error.',
        '<Exception on server side:\norg.x.UnavailableDispatcherOperationException: initializing',
      ),
    });
    assert.equal(coming.checkpoints.kind === 'failed' && coming.checkpoints.error, 'unavailable');
  });
});

describe('the checkpoint configuration', () => {
  const config = (
    interval: unknown,
    externalization = { enabled: true, delete_on_cancellation: false },
  ): FlinkResponse => reply({ mode: 'exactly_once', interval, timeout: 600_000, externalization });

  it('tells interval and retention', async () => {
    const view = await observe({ [CONFIG]: config(2000) });
    assert.deepEqual(view.checkpointConfig, {
      kind: 'value',
      value: { enabled: true, intervalMs: 2000, externalized: true, deleteOnCancellation: false },
    });
  });

  it('is off by Long.MAX_VALUE and by the 404 that says so', async () => {
    const view = await observe({
      [CONFIG]: {
        kind: 'response',
        status: 200,
        text: '{"interval":9223372036854775807,"externalization":{"enabled":false,"delete_on_cancellation":true}}',
      },
    });
    assert.ok(view.checkpointConfig.kind === 'value' && !view.checkpointConfig.value.enabled);
    const absent = await observe({ [CONFIG]: flinkError(404, `Checkpointing is not enabled for this job (${JOB}).`) });
    assert.ok(absent.checkpointConfig.kind === 'value' && !absent.checkpointConfig.value.enabled);
  });

  it('is not believed to be off while the job is not built', async () => {
    const noTasks = { total: 0, running: 0, finished: 0 };
    for (const change of [{ state: 'INITIALIZING' }, { state: 'NEW_STATE' }, { state: 'FAILED', tasks: noTasks }]) {
      // oxlint-disable-next-line no-await-in-loop -- three cases
      const view = await observe({
        '/jobs/overview': reply({ jobs: [row(change)] }),
        [CHECKPOINTS]: flinkError(404, 'Checkpointing has not been enabled.'),
        [CONFIG]: flinkError(404, `Checkpointing is not enabled for this job (${JOB}).`),
      });
      assert.equal(view.checkpointConfig.kind === 'failed' && view.checkpointConfig.error, 'unavailable');
      assert.equal(view.checkpoints.kind === 'failed' && view.checkpoints.error, 'unavailable');
    }
  });

  it('is unknown when it is not told', async () => {
    for (const body of [
      {},
      { interval: 'soon', externalization: {} },
      { interval: -1, externalization: { enabled: true, delete_on_cancellation: false } },
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- three cases
      const view = await observe({ [CONFIG]: reply(body) });
      assert.equal(view.checkpointConfig.kind, 'failed');
    }
  });
});

describe('a trigger', () => {
  const trigger = { kind: 'savepoint' as const, jobId: JOB, triggerId: TRIGGER };
  const read = async (response: FlinkResponse): Promise<Answered['trigger']> =>
    (await observe({ [SAVEPOINT]: response }, ask({ trigger }))).trigger;

  it('is in progress, completed, or failed', async () => {
    assert.deepEqual(await read(reply({ status: { id: 'IN_PROGRESS' }, operation: null })), {
      kind: 'value',
      value: { kind: 'in-progress' },
    });
    assert.deepEqual(
      await read(reply({ status: { id: 'COMPLETED' }, operation: { location: 'file:/s/savepoint-1' } })),
      {
        kind: 'value',
        value: { kind: 'completed', path: 'file:/s/savepoint-1' },
      },
    );
    const cause = {
      class: 'java.lang.X',
      'stack-trace':
        'java.util.concurrent.CompletionException: org.x.CheckpointException: Some tasks not running\n\tat y',
      'serialized-throwable': 'x'.repeat(40_000),
    };
    assert.deepEqual(await read(reply({ status: { id: 'COMPLETED' }, operation: { 'failure-cause': cause } })), {
      kind: 'value',
      value: { kind: 'failed', text: 'Some tasks not running', path: undefined },
    });
  });

  it('that failed may still name its savepoint', async () => {
    const text = `org.x.StopWithSavepointStoppingException: A savepoint has been created at: s3://b/savepoint-1, but the corresponding job ${JOB} failed during stopping.`;
    const part = await read(
      reply({ status: { id: 'COMPLETED' }, operation: { 'failure-cause': { class: 'x', 'stack-trace': text } } }),
    );
    assert.equal(part.kind === 'value' && part.value.kind === 'failed' && part.value.path, 's3://b/savepoint-1');
  });

  it('is absent when Flink says so, and only then', async () => {
    assert.equal(
      (await read(flinkError(404, `There is no savepoint operation with triggerId=${TRIGGER} for job ${JOB}.`))).kind,
      'absent',
    );
    assert.equal((await read(flinkError(404, 'Not found: /jobs'))).kind, 'failed');
    assert.equal((await read(reply({ status: { id: 'PONDERING' } }))).kind, 'failed');
    assert.equal((await read(flinkError(500, 'Internal server error.'))).kind, 'failed');
  });
});

describe('the trigger of a checkpoint', () => {
  const path = `/jobs/${JOB}/checkpoints/${TRIGGER}`;
  const read = async (response: FlinkResponse): Promise<Answered['trigger']> =>
    (await observe({ [path]: response }, ask({ trigger: { kind: 'checkpoint', jobId: JOB, triggerId: TRIGGER } })))
      .trigger;

  it('is in progress, done, failed (in camelCase), or absent', async () => {
    assert.deepEqual(await read(reply({ status: { id: 'IN_PROGRESS' }, operation: null })), {
      kind: 'value',
      value: { kind: 'in-progress' },
    });
    assert.deepEqual(await read(reply({ status: { id: 'COMPLETED' }, operation: { checkpointId: 7 } })), {
      kind: 'value',
      value: { kind: 'checkpointed', checkpointId: 7 },
    });
    const failureCause = { class: 'x', 'stack-trace': 'org.x.CheckpointException: Not all tasks run\n\tat y' };
    assert.deepEqual(await read(reply({ status: { id: 'COMPLETED' }, operation: { failureCause } })), {
      kind: 'value',
      value: { kind: 'failed', text: 'Not all tasks run', path: undefined },
    });
    const text = `There is no checkpoint operation with triggerId=${TRIGGER} for job ${JOB}.`;
    assert.equal((await read(flinkError(404, text))).kind, 'absent');
    assert.equal((await read(reply({ status: { id: 'PONDERING' } }))).kind, 'failed');
  });
});

describe('the trigger of a disposal', () => {
  const read = async (response: FlinkResponse): Promise<Answered['trigger']> => {
    const trigger = { kind: 'disposal' as const, jobId: JOB, triggerId: TRIGGER };
    return (await observe({ [`/savepoint-disposal/${TRIGGER}`]: response }, ask({ trigger }))).trigger;
  };
  const failed = (trace: string): FlinkResponse =>
    reply({
      status: { id: 'COMPLETED' },
      operation: { 'failure-cause': { class: 'x', 'stack-trace': trace } },
    });

  it('is in progress, done, failed, or absent', async () => {
    assert.deepEqual(await read(reply({ status: { id: 'IN_PROGRESS' } })), {
      kind: 'value',
      value: { kind: 'in-progress' },
    });
    assert.deepEqual(await read(reply({ status: { id: 'COMPLETED' }, operation: {} })), {
      kind: 'value',
      value: { kind: 'disposed' },
    });
    assert.deepEqual(await read(failed('java.io.IOException: Permission denied\n\tat y')), {
      kind: 'value',
      value: { kind: 'failed', text: 'Permission denied', path: undefined },
    });
    assert.equal((await read(flinkError(404, 'Operation not found under key: OperationKey{x}'))).kind, 'absent');
  });

  it('is done when there is no such snapshot: it was removed before, and the answer lost', async () => {
    const trace =
      "java.util.concurrent.CompletionException: org.x.FlinkException: Could not dispose\nCaused by: java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory 'file:/s/1' on file system 'file'.";
    assert.deepEqual(await read(failed(trace)), { kind: 'value', value: { kind: 'disposed' } });
  });
});

describe('exceptions', () => {
  const RESTARTING = { '/jobs/overview': reply({ jobs: [row({ state: 'RESTARTING' })] }) };

  it('are not asked of a job that runs', async () => {
    assert.deepEqual((await observe({})).exceptions, { kind: 'not-asked' });
  });

  it('give the newest failure in one line', async () => {
    const entries = [
      { exceptionName: 'x', stacktrace: 'java.lang.RuntimeException: newer\n\tat a', timestamp: 20, taskName: null },
      { exceptionName: 'x', stacktrace: 'java.lang.RuntimeException: older', timestamp: '10' },
    ];
    const view = await observe({
      ...RESTARTING,
      [`/jobs/${JOB}/exceptions`]: reply({ exceptionHistory: { entries, truncated: false } }),
    });
    assert.deepEqual(view.exceptions, { kind: 'value', value: { newest: { at: 20, text: 'newer' } } });
  });

  it('come from root-exception where there is no history', async () => {
    const view = await observe({
      ...RESTARTING,
      [`/jobs/${JOB}/exceptions`]: reply({
        'root-exception': 'java.lang.X: root',
        timestamp: 5,
        exceptionHistory: { entries: [] },
      }),
    });
    assert.deepEqual(view.exceptions, { kind: 'value', value: { newest: { at: 5, text: 'root' } } });
    const none = await observe({
      ...RESTARTING,
      [`/jobs/${JOB}/exceptions`]: reply({ exceptionHistory: { entries: [], truncated: false } }),
    });
    assert.deepEqual(none.exceptions, { kind: 'value', value: { newest: undefined } });
  });
});
