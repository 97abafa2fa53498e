import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { checkpointsView, exceptionsView, jobDetail, jobViews } from '../../../src/flink/replies.ts';
import { Checkpoints, Exceptions, JobDetails, JobsOverview } from '../../../src/flink/schema.ts';

const JOB = { jid: 'a'.repeat(32), name: 'x', state: 'RUNNING', tasks: { total: 1, running: 1, finished: 0 } };

function job(times: object) {
  return jobViews(v.parse(JobsOverview, { jobs: [{ ...JOB, ...times }] }))[0];
}
function completed(entry: object) {
  const latest = { completed: { id: 1, external_path: 'file:/a', latest_ack_timestamp: 5, ...entry } };
  return checkpointsView(v.parse(Checkpoints, { counts: { completed: 1, failed: 0, restored: 0 }, latest }))
    .latestCompleted;
}

/** The API server refuses a status with a time or a number that is none, and with it every later one. */
describe('what Flink answers becomes only what status can hold', () => {
  it('times are times', () => {
    assert.deepEqual([job({ 'start-time': 5 })?.startTime, job({ 'start-time': 5.7 })?.startTime], [5, 5]);
    for (const time of [1e308, -1, 253_402_300_800_000, Number.MAX_VALUE])
      assert.deepEqual(
        [job({ 'start-time': time })?.startTime, job({ 'end-time': time })?.endTime],
        [undefined, undefined],
      );
    assert.equal(completed({ latest_ack_timestamp: 1e300 }), undefined);
    assert.equal(jobDetail(v.parse(JobDetails, { now: 1e300 })).now, undefined);
    const failure = { exceptionName: 'a', stacktrace: 'b', timestamp: 1e300 };
    assert.equal(exceptionsView(v.parse(Exceptions, { exceptionHistory: { entries: [failure] } })).newest, undefined);
  });

  it('counts are whole numbers', () => {
    const parallelism = (value: number) =>
      jobDetail(v.parse(JobDetails, { vertices: [{ parallelism: value }] })).parallelism;
    assert.deepEqual(
      [parallelism(4), parallelism(0.5), parallelism(1e308), parallelism(-1)],
      [4, undefined, undefined, undefined],
    );
    assert.equal(completed({ state_size: 12 })?.sizeBytes, 12);
    for (const size of [0.5, 1e308]) assert.equal(completed({ state_size: size })?.sizeBytes, undefined);
  });
});
