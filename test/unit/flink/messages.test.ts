import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  errorLine,
  failureLine,
  firstLine,
  meaningOf,
  MESSAGES,
  savepointInFailure,
  usablePath,
  type Meaning,
} from '../../../src/flink/messages.ts';
import { JOB, TRIGGER } from './flink-fixture.ts';

/** What Flink writes (sources of 1.19-2.3), one per row of the table at least. */
const SAID: readonly { readonly status: number; readonly text: string; readonly means: Meaning }[] = [
  {
    status: 500,
    text: 'Internal server error., <Exception on server side:\njava.lang.UnsupportedOperationException: The DefaultScheduler does not support changing the parallelism without a job restart. This feature is currently only expected to work with the AdaptiveScheduler.',
    means: 'cannot-rescale',
  },
  {
    status: 500,
    text: 'java.lang.UnsupportedOperationException: Cannot change the parallelism of a job running in reactive mode.',
    means: 'cannot-rescale',
  },
  {
    status: 500,
    text: 'Internal server error., <Exception on server side:\norg.apache.flink.runtime.dispatcher.UnavailableDispatcherOperationException: Unable to get JobMasterGateway for initializing job.',
    means: 'transient',
  },
  {
    status: 404,
    text: 'org.apache.flink.runtime.dispatcher.UnavailableDispatcherOperationException: x',
    means: 'transient',
  },
  {
    status: 500,
    text: `Internal server error., <Exception on server side:\norg.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (${JOB})`,
    means: 'transient',
  },
  {
    status: 500,
    text: 'org.apache.flink.runtime.rpc.exceptions.FencingTokenException: Fencing token not set',
    means: 'transient',
  },
  { status: 500, text: 'org.apache.flink.runtime.leaderretrieval.LeaderRetrievalException: x', means: 'transient' },
  { status: 500, text: 'akka.pattern.AskTimeoutException: Ask timed out', means: 'transient' },
  {
    status: 404,
    text: `org.apache.flink.runtime.rest.handler.RestHandlerException: There is no savepoint operation with triggerId=${TRIGGER} for job ${JOB}.`,
    means: 'trigger-not-found',
  },
  {
    status: 404,
    text: `org.apache.flink.runtime.rest.handler.RestHandlerException: There is no checkpoint operation with triggerId=${TRIGGER} for job ${JOB}.`,
    means: 'trigger-not-found',
  },
  {
    status: 404,
    text: `org.apache.flink.runtime.rest.NotFoundException: Operation not found under key: OperationKey{triggerId=${TRIGGER}}`,
    means: 'trigger-not-found',
  },
  { status: 404, text: 'Checkpointing has not been enabled.', means: 'checkpointing-off' },
  { status: 404, text: `Checkpointing is not enabled for this job (${JOB}).`, means: 'checkpointing-off' },
  { status: 404, text: 'Job could not be found.', means: 'job-not-found' },
  { status: 404, text: 'FlinkJobNotFoundException', means: 'job-not-found' },
  { status: 404, text: `Could not find Flink job (${JOB})`, means: 'job-not-found' },
  {
    status: 404,
    text: `org.apache.flink.runtime.rest.NotFoundException: Job ${JOB} not found`,
    means: 'job-not-found',
  },
  {
    status: 409,
    text: 'Job cancellation failed because the job has already reached another terminal state (FINISHED).',
    means: 'already-ended',
  },
  {
    status: 400,
    text: 'Config key [state.savepoints.dir] is not set. Property [target-directory] must be provided.',
    means: 'no-savepoint-directory',
  },
  {
    status: 400,
    text: 'Config key [execution.checkpointing.savepoint-dir] is not set. Property [targetDirectory] must be provided.',
    means: 'no-savepoint-directory',
  },
];

describe('the table of Flink messages', () => {
  for (const { status, text, means } of SAID) {
    it(`reads ${status} "${text.slice(0, 60).replaceAll('\n', ' ')}" as ${means}`, () => {
      assert.equal(meaningOf(status, text), means);
    });
  }
  it('has a case for every row', () => {
    for (const { statuses, contains } of MESSAGES) {
      for (const status of statuses) {
        assert.ok(
          SAID.some((said) => said.status === status && said.text.includes(contains)),
          `${status} ${contains}`,
        );
      }
    }
  });
  it('says nothing about texts and statuses that it does not know', () => {
    assert.equal(meaningOf(404, 'Not found: /v1/jobs'), undefined);
    assert.equal(meaningOf(200, 'Checkpointing has not been enabled.'), undefined);
    assert.equal(meaningOf(500, 'java.lang.NullPointerException'), undefined);
  });
});

describe('the savepoint inside the failure of a stop', () => {
  const text = (path: string): string =>
    `org.apache.flink.runtime.scheduler.stopwithsavepoint.StopWithSavepointStoppingException: A savepoint has been created at: ${path}, but the corresponding job ${JOB} failed during stopping. The savepoint is consistent, but might have uncommitted transactions.`;
  it('is taken, commas in its name included', () => {
    assert.equal(savepointInFailure(text('s3://b/savepoint-aaaaaa-0123')), 's3://b/savepoint-aaaaaa-0123');
    assert.equal(savepointInFailure(text('file:/a,b/savepoint-1')), 'file:/a,b/savepoint-1');
  });
  it('is not made up', () => {
    assert.equal(savepointInFailure('The Flink job is currently not executing.'), undefined);
    assert.equal(savepointInFailure('A savepoint has been created at: s3://b/x'), undefined);
    assert.equal(savepointInFailure(text('<checkpoint-not-externally-addressable>')), undefined);
  });
});

describe('paths', () => {
  it('are taken when another process can restore from them', () => {
    for (const path of ['s3://b/chk-1', 'file:/tmp/x', '/mnt/x', 'hdfs://nn:8020/a b'])
      assert.equal(usablePath(path), path);
  });
  it('are left when not', () => {
    for (const path of [
      '',
      '<checkpoint-not-externally-addressable>',
      'relative',
      's3://x\ny',
      `s3://${'x'.repeat(3000)}`,
    ]) {
      assert.equal(usablePath(path), undefined);
    }
  });
});

describe('lines for people', () => {
  it('lose the Java classes in front, and all but the first line', () => {
    const trace = `java.util.concurrent.CompletionException: org.apache.flink.runtime.rest.handler.RestHandlerException: Job ${JOB} not found\n\tat x`;
    assert.equal(firstLine(trace), `Job ${JOB} not found`);
  });
  it('are at most 300 characters without control characters', () => {
    const line = firstLine(`\u001b[31m${'x'.repeat(1000)}`);
    assert.equal(line.length, 300);
    assert.ok(!line.includes('\u001b'));
  });
  it('name the deepest cause', () => {
    const trace =
      'org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy\n\tat a.B.c(B.java:1)\nCaused by: org.x.Y: middle\n\t... 2 more\nCaused by: java.io.FileNotFoundException: /data/in (No such file or directory)\n\tat z';
    assert.equal(
      failureLine(trace),
      'Recovery is suppressed by NoRestartBackoffTimeStrategy (caused by: /data/in (No such file or directory))',
    );
  });
  it('come from the exception behind "Internal server error."', () => {
    const inner =
      '<Exception on server side:\norg.apache.flink.util.FlinkException: the reason\n\tat x\nEnd of exception on server side>';
    assert.equal(errorLine(['Internal server error.', inner]), 'the reason');
    assert.equal(errorLine(['Internal server error.']), 'Internal server error.');
    assert.equal(errorLine([]), '');
  });
});
