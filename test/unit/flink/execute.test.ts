import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FlinkCommand } from '../../../src/core/flink-view.ts';
import { createExecute } from '../../../src/flink/execute.ts';
import type { FlinkResponse, Transport } from '../../../src/flink/transport.ts';
import { CANCEL, fakeFlink, flinkError, JOB, OTHER_JOB, reply, RESCALE, STOP, TRIGGER } from './flink-fixture.ts';

const run = async (
  command: FlinkCommand,
  response: FlinkResponse,
): Promise<[string | undefined, string | undefined]> => {
  const [result] = await createExecute({ transport: async () => response })([command]);
  return [result?.kind, result?.text];
};

describe('execute', () => {
  it('stops with the body that Flink wants', async () => {
    const { transport, calls } = fakeFlink({ [`/jobs/${JOB}/stop`]: reply({ 'request-id': TRIGGER }, 202) });
    const [result] = await createExecute({ transport })([STOP]);
    assert.equal(result?.kind, 'done');
    assert.equal(calls[0]?.method, 'POST');
    assert.deepEqual(calls[0]?.body, {
      targetDirectory: 's3://bucket/savepoints/1',
      drain: false,
      formatType: 'CANONICAL',
      triggerId: TRIGGER,
    });
  });

  it('takes savepoints and checkpoints with the bodies that Flink wants: the directory is spelled otherwise than in a stop', async () => {
    const of = { service: STOP.service, jobId: JOB, triggerId: TRIGGER };
    const accepted = reply({ 'request-id': TRIGGER }, 202);
    const { transport, calls } = fakeFlink({
      [`/jobs/${JOB}/savepoints`]: accepted,
      [`/jobs/${JOB}/checkpoints`]: accepted,
    });
    const results = await createExecute({ transport })([
      { ...of, kind: 'savepoint', directory: 's3://b/s/savepoint-1', formatType: 'NATIVE' },
      { ...of, kind: 'checkpoint' },
    ]);
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ['done', 'done'],
    );
    assert.deepEqual(calls[0]?.body, {
      'target-directory': 's3://b/s/savepoint-1',
      'cancel-job': false,
      formatType: 'NATIVE',
      triggerId: TRIGGER,
    });
    assert.deepEqual(calls[1]?.body, { checkpointType: 'CONFIGURED', triggerId: TRIGGER });
  });

  it('disposes of a snapshot, under the trigger id that Flink gives', async () => {
    const dispose = { kind: 'dispose', service: STOP.service, path: 's3://b/s/savepoint-1/x' } as const;
    const { transport, calls } = fakeFlink({ '/savepoint-disposal': reply({ 'request-id': TRIGGER }) });
    assert.deepEqual(await createExecute({ transport })([dispose]), [
      { command: dispose, kind: 'done', text: '', triggerId: TRIGGER },
    ]);
    assert.deepEqual([calls[0]?.method, calls[0]?.body], ['POST', { 'savepoint-path': dispose.path }]);
    assert.equal((await run(dispose, reply({ 'request-id': '../x' })))[0], 'unknown');
    assert.equal((await run(dispose, flinkError(400, 'Field savepoint-path must not be omitted')))[0], 'refused');
    assert.equal((await run(dispose, flinkError(503, 'leader election')))[0], 'unknown');
  });

  it('cancels by PATCH, and takes an ended job for done', async () => {
    const { transport, calls } = fakeFlink({ [`/jobs/${JOB}`]: reply({}, 202) });
    assert.equal((await createExecute({ transport })([CANCEL]))[0]?.kind, 'done');
    assert.deepEqual([calls[0]?.method, calls[0]?.path], ['PATCH', `/jobs/${JOB}?mode=cancel`]);
    const ended = flinkError(
      409,
      'Job cancellation failed because the job has already reached another terminal state (FINISHED).',
    );
    assert.deepEqual(await run(CANCEL, ended), ['done', '']);
  });

  it('rescales by PUT with the bounds of every vertex', async () => {
    const { transport, calls } = fakeFlink({ [`/jobs/${JOB}/resource-requirements`]: reply({}) });
    assert.equal((await createExecute({ transport })([RESCALE]))[0]?.kind, 'done');
    assert.equal(calls[0]?.method, 'PUT');
    assert.deepEqual(calls[0]?.body, {
      [JOB]: { parallelism: { lowerBound: 1, upperBound: 4 } },
      [OTHER_JOB]: { parallelism: { lowerBound: 1, upperBound: 1 } },
    });
    const refusals: readonly FlinkResponse[] = [
      flinkError(400, 'The newly requested parallelism 4 exceeds its maximum parallelism 2.'),
      flinkError(500, 'Internal server error.', 'x does not support changing the parallelism without a job restart'),
    ];
    // oxlint-disable-next-line no-await-in-loop -- a table
    for (const refusal of refusals) assert.equal((await run(RESCALE, refusal))[0], 'refused');
    assert.equal((await run(RESCALE, flinkError(409, 'Another update is in progress.')))[0], 'unknown');
  });

  it('is refused by a definite no, with its first line', async () => {
    assert.deepEqual(await run(CANCEL, flinkError(404, 'Job could not be found.\n\tat x')), [
      'refused',
      'Job could not be found.',
    ]);
    const [kind] = await run(
      STOP,
      flinkError(400, 'Config key [state.savepoints.dir] is not set. Property [targetDirectory] must be provided.'),
    );
    assert.equal(kind, 'refused');
  });

  it('does not know after a time-out, a 5xx, or an answer that is not Flink', async () => {
    for (const response of [
      { kind: 'error', error: 'timeout', text: 'slow' },
      { kind: 'error', error: 'unreachable', text: 'ECONNRESET' },
      flinkError(500, 'Internal server error.'),
      flinkError(503, 'Service temporarily unavailable due to an ongoing leader election.'),
      flinkError(408, 'Job cancellation timed out.'),
      { kind: 'response', status: 302, text: '' },
      { kind: 'response', status: 404, text: '<html>' },
    ] as const satisfies readonly FlinkResponse[]) {
      // oxlint-disable-next-line no-await-in-loop -- a table
      for (const command of [STOP, CANCEL, RESCALE]) assert.equal((await run(command, response))[0], 'unknown');
    }
    assert.equal((await run(STOP, reply({ 'request-id': 'other' }, 202)))[0], 'unknown');
  });

  it('sends nothing more after a time-out, nor when its time is used up', async () => {
    let calls = 0;
    const transport: Transport = async () => {
      calls++;
      return { kind: 'error', error: 'timeout', text: '' };
    };
    const results = await createExecute({ transport })([STOP, CANCEL]);
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ['unknown', 'unknown'],
    );
    await createExecute({ transport })([STOP], AbortSignal.abort());
    assert.equal(calls, 1);
  });

  it('does not put into a path what is no id', async () => {
    const { transport, calls } = fakeFlink({});
    await createExecute({ transport })([{ ...CANCEL, jobId: '../x' }]);
    assert.equal(calls[0]?.path, '/jobs/invalid?mode=cancel');
  });
});
