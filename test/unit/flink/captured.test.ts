import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { FlinkCommand, FlinkView, Questions } from '../../../src/core/flink-view.ts';
import { createExecute } from '../../../src/flink/execute.ts';
import { createObserve } from '../../../src/flink/observe.ts';
import type { FlinkResponse, Transport } from '../../../src/flink/transport.ts';
import { ask, CANCEL, JOB, STOP } from './flink-fixture.ts';

/** Replies of real JobManagers (test/fixtures/flink), read by the real client. */

type Answered = Extract<FlinkView, { kind: 'answered' }>;
const VERSIONS = ['1.20', '2.3'] as const;

function captured(version: string, name: string): FlinkResponse {
  const file = new URL(`../../fixtures/flink/${version}/${name}.json`, import.meta.url);
  const { status, body } = JSON.parse(readFileSync(file, 'utf8')) as { status: number; body: unknown };
  return { kind: 'response', status, text: JSON.stringify(body) };
}

/** A JobManager in the state whose replies have these names. */
function jobManager(
  version: string,
  names: Partial<Record<'overview' | 'job' | 'checkpoints' | 'config' | 'exceptions' | 'trigger', string>>,
): Transport {
  return async ({ path }) => {
    const part = /^\/jobs\/overview$/.test(path)
      ? 'overview'
      : path.includes('/checkpoints/config')
        ? 'config'
        : path.includes('/checkpoints')
          ? 'checkpoints'
          : path.includes('/exceptions')
            ? 'exceptions'
            : path.includes('/savepoints/')
              ? 'trigger'
              : 'job';
    return captured(version, path === '/config' ? 'config-cluster' : (names[part] ?? 'unknown-path'));
  };
}

async function observe(
  transport: Transport,
  change: Partial<Extract<Questions, { kind: 'ask' }>> = {},
): Promise<Answered> {
  const jobIds = [1, 2, 3, 4, 5, 6].map((digit) => `c0ffee${String(digit).repeat(26)}`);
  const view = await createObserve({ transport })(ask({ jobIds, ...change }));
  assert.equal(view.kind, 'answered', JSON.stringify(view));
  return view as Answered;
}

for (const version of VERSIONS) {
  describe(`replies of Flink ${version}`, () => {
    it('of a running job', async () => {
      const view = await observe(
        jobManager(version, {
          overview: 'overview-running-all',
          job: 'job-running',
          checkpoints: 'checkpoints-completed',
          config: 'config-on',
          exceptions: 'exceptions-empty',
        }),
      );
      const [job] = view.jobs;
      assert.equal(job?.state, 'RUNNING');
      assert.ok(job.tasks.total > 0 && job.tasks.running === job.tasks.total);
      assert.equal(job.endTime, undefined);
      assert.ok(view.flinkVersion.kind === 'value' && view.flinkVersion.value.startsWith(version));
      assert.ok(
        view.detail.kind === 'value' &&
          (view.detail.value.runningSince ?? 0) > 0 &&
          (view.detail.value.parallelism ?? 0) >= 1,
      );
      assert.ok(view.checkpoints.kind === 'value');
      assert.match(view.checkpoints.value.latestCompleted?.path ?? '', /^file:.*\/chk-2$/);
      assert.equal(view.checkpoints.value.latestCompleted?.kind, 'checkpoint');
      assert.equal(view.checkpoints.value.latestSavepoint, undefined);
      assert.deepEqual(view.checkpointConfig, {
        kind: 'value',
        value: { enabled: true, intervalMs: 2000, externalized: true, deleteOnCancellation: false },
      });
      assert.deepEqual(view.exceptions, { kind: 'not-asked' });
    });

    it('of a restored job, and of one with a savepoint', async () => {
      const restored = await observe(
        jobManager(version, { overview: 'overview-running', checkpoints: 'checkpoints-restored' }),
      );
      assert.ok(restored.checkpoints.kind === 'value');
      assert.equal(restored.checkpoints.value.restored, 1);
      assert.ok((restored.checkpoints.value.latestRestored?.path ?? '').length > 0);
      const saved = await observe(
        jobManager(version, { overview: 'overview-running', checkpoints: 'checkpoints-savepoint' }),
      );
      assert.ok(saved.checkpoints.kind === 'value');
      assert.equal(saved.checkpoints.value.latestSavepoint?.kind, 'savepoint');
    });

    it('of a job that is being initialized', async () => {
      const view = await observe(
        jobManager(version, {
          overview: 'overview-initializing',
          job: 'job-initializing',
          checkpoints: 'checkpoints-initializing',
          config: 'config-initializing',
          exceptions: 'exceptions-initializing',
        }),
      );
      assert.equal(view.jobs[0]?.state, 'INITIALIZING');
      assert.equal(view.detail.kind === 'value' && view.detail.value.runningSince, 0);
      assert.equal(view.checkpoints.kind === 'failed' && view.checkpoints.error, 'unavailable');
      assert.match(view.checkpoints.kind === 'failed' ? view.checkpoints.text : '', /^Unable to get JobMasterGateway/);
      assert.ok(view.checkpointConfig.kind === 'value' && view.checkpointConfig.value.enabled);
    });

    it('of a job that the JobManager does not know', async () => {
      const view = await observe(
        jobManager(version, {
          overview: 'overview-running',
          job: 'unknown-job',
          checkpoints: 'unknown-job-checkpoints',
          config: 'unknown-job-config',
          exceptions: 'unknown-job-exceptions',
          trigger: 'unknown-trigger',
        }),
        {
          trigger: {
            kind: 'savepoint',
            jobId: 'c0ffee11111111111111111111111111',
            triggerId: 'd00dd00dd00dd00dd00dd00dd00d0099',
          },
        },
      );
      for (const part of [view.detail, view.checkpoints, view.checkpointConfig, view.trigger])
        assert.equal(part.kind, 'absent');
      assert.match(
        view.trigger.kind === 'absent' ? view.trigger.text : '',
        /^There is no savepoint operation with triggerId=d00d/,
      );
    });

    it('of a job without checkpointing: a positive answer', async () => {
      const view = await observe(
        jobManager(version, { overview: 'overview-running-all', config: 'config-off', checkpoints: 'checkpoints-off' }),
      );
      assert.ok(view.checkpointConfig.kind === 'value' && !view.checkpointConfig.value.enabled);
      assert.ok(view.checkpoints.kind === 'value' && view.checkpoints.value.completed === 0);
    });

    it('of a job whose main() threw: no answer about checkpointing', async () => {
      const view = await observe(
        jobManager(version, {
          overview: 'main-throws-overview',
          job: 'main-throws-job',
          checkpoints: 'main-throws-checkpoints',
          config: 'main-throws-config',
          exceptions: 'main-throws-exceptions',
        }),
      );
      assert.equal(view.jobs[0]?.state, 'FAILED');
      assert.equal(view.checkpointConfig.kind, 'failed');
      assert.equal(view.checkpoints.kind, 'failed');
      assert.match(
        view.exceptions.kind === 'value' ? (view.exceptions.value.newest?.text ?? '') : '',
        /main\(\) throws, as asked/,
      );
    });

    it('of a failed job, with why', async () => {
      const view = await observe(jobManager(version, { overview: 'overview-failed', exceptions: 'exceptions-failed' }));
      assert.equal(view.jobs[0]?.state, 'FAILED');
      assert.notEqual(view.jobs[0]?.endTime, undefined);
      const text = view.exceptions.kind === 'value' ? (view.exceptions.value.newest?.text ?? '') : '';
      assert.ok(text.length > 0 && text.length <= 300 && !text.includes('\n'), text);
    });

    for (const [name, kind] of [
      ['stop-in-progress', 'in-progress'],
      ['stop-completed', 'completed'],
      ['stop-completed-when-finished', 'completed'],
      ['savepoint-completed', 'completed'],
      ['stop-early-failed', 'failed'],
      ['stop-unwritable', 'failed'],
      ['savepoint-early-failed', 'failed'],
      ['unknown-job-stop-result', 'failed'],
    ] as const) {
      it(`of a trigger: ${name} is ${kind}`, async () => {
        const trigger = {
          kind: 'savepoint' as const,
          jobId: 'c0ffee11111111111111111111111111',
          triggerId: 'd00dd00dd00dd00dd00dd00dd00d0003',
        };
        const view = await observe(jobManager(version, { overview: 'overview-running', trigger: name }), { trigger });
        assert.ok(view.trigger.kind === 'value', JSON.stringify(view.trigger));
        assert.equal(view.trigger.value.kind, kind);
        if (view.trigger.value.kind === 'failed') {
          assert.ok(view.trigger.value.text.length > 0 && view.trigger.value.text.length <= 300);
          assert.equal(view.trigger.value.path, undefined);
        }
      });
    }

    for (const [name, kind, text] of [
      ['cancel-accepted', 'done', /^$/],
      ['cancel-canceled', 'done', /^$/],
      ['cancel-finished', 'done', /^$/],
      ['cancel-failed', 'done', /^$/],
      ['unknown-job-cancel', 'refused', /^Job could not be found\.$/],
      ['bad-job-id', 'refused', /^Bad request/],
    ] as const) {
      it(`to a cancel: ${name} is ${kind}`, async () => {
        const [result] = await createExecute({ transport: async () => captured(version, name) })([CANCEL]);
        assert.equal(result?.kind, kind);
        assert.match(result?.text ?? '', text);
      });
    }

    it('to a savepoint and to a checkpoint of a job that goes on, and its result', async () => {
      const of = { service: STOP.service, jobId: JOB, triggerId: 'd00dd00dd00dd00dd00dd00dd00d0006' };
      const savepoint = { ...of, kind: 'savepoint', directory: 'file:///s', formatType: 'CANONICAL' } as const;
      const run = async (name: string, command: FlinkCommand) => {
        const [result] = await createExecute({ transport: async () => captured(version, name) })([command]);
        return `${result?.kind} ${result?.text}`;
      };
      assert.equal(await run('savepoint-accepted', savepoint), 'done ');
      assert.match(await run('savepoint-no-directory', savepoint), /^refused Config key .* is not set/);
      const triggerId = 'd00dd00dd00dd00dd00dd00dd00d0009';
      assert.equal(await run('checkpoint-trigger', { ...of, kind: 'checkpoint', triggerId }), 'done ');
      assert.match(await run('checkpoint-trigger', { ...of, kind: 'checkpoint' }), /^unknown .*another trigger/);
      const transport: Transport = async ({ path }) =>
        captured(version, path.endsWith(triggerId) ? 'checkpoint-trigger-result' : 'overview-running');
      const { trigger } = await observe(transport, { trigger: { kind: 'checkpoint', jobId: JOB, triggerId } });
      assert.equal(trigger.kind === 'value' && trigger.value.kind, 'checkpointed');
    });

    it('to a stop', async () => {
      const run = async (name: string): Promise<string> => {
        const response = captured(version, name);
        const triggerId =
          response.kind === 'response'
            ? (/"request-id":"([0-9a-f]{32})"/.exec(response.text)?.[1] ?? 'd'.repeat(32))
            : '';
        const [result] = await createExecute({ transport: async () => response })([
          { ...STOP, triggerId } as typeof STOP,
        ]);
        return `${result?.kind} ${result?.text}`;
      };
      assert.equal(await run('stop-accepted'), 'done ');
      assert.equal(await run('stop-repeated'), 'done ');
      assert.match(
        await run('stop-no-directory'),
        /^refused Config key \[execution\.checkpointing\.savepoint-dir\] is not set/,
      );
    });
  });
}
