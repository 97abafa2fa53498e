import type { Clock } from '../clock.ts';
import type { ContainerStart, Process } from '../kubelet.ts';
import type { Random } from '../random.ts';
import type { Launch } from './entry-point.ts';
import type { Happening, ProcessInfo } from './events.ts';
import type { Job, JobFaults, StopResult } from './job.ts';
import type { Storage } from './storage.ts';
import { durationMs, readProgram } from './entry-point.ts';
import { processName } from './events.ts';
import { startJob } from './job.ts';

/**
 * One JobManager process in application mode:
 *
 *   connection refused ─► 503 (leader election) ─► jobs [] (main() runs) ─► its job ─► … ─► exit
 */
export type JobManager = Process & {
  readonly info: ProcessInfo;
  readonly phase: () => Phase;
  readonly job: () => Job | undefined;
  readonly version: string;
  readonly operations: ReadonlyMap<string, Operation>;
  /** Registers a stop under its trigger id; a known id starts nothing. */
  readonly stop: (jobId: string, triggerId: string, directory: string) => void;
  readonly slotsChanged: () => void;
  /** Answers of the web handlers that Flink caches, by path. */
  readonly cache: Map<string, { readonly at: number; readonly status: number; readonly text: string }>;
};
export type Phase = 'refused' | 'electing' | 'up' | 'gone';
export type Operation = { result: StopResult | undefined; completedAt: number };

export type JobManagerOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  readonly start: ContainerStart;
  readonly launch: Launch;
  readonly info: ProcessInfo;
  readonly version: string;
  readonly slots: () => number;
  readonly faults: JobFaults;
  readonly emit: (event: Happening) => void;
};

const STORE_MS = 300_000;

export function startJobManager(options: JobManagerOptions): JobManager {
  const { clock, random, storage, start, launch, info, emit } = options;
  const program = readProgram(launch.jobArgs);
  const operations = new Map<string, Operation>();
  let phase: Phase = 'refused';
  let job: Job | undefined;

  const later = (ms: number, run: () => void): void => {
    clock.after(ms, () => {
      if (phase !== 'gone') run();
    });
  };
  const exit = (code: number, message: string): void => {
    if (phase === 'gone') return;
    phase = 'gone';
    job?.abandon('killed');
    emit({ kind: 'process-ended', how: message === '' ? `exit ${code}` : message });
    start.exit(code, message);
  };
  const onJobEvent = (event: Happening): void => {
    emit(event);
    if (event.kind !== 'job-state' || launch.config.get('execution.shutdown-on-application-finish') === 'false') return;
    if (event.state === 'FINISHED' || event.state === 'CANCELED') later(1_000, () => exit(0, ''));
    else if (event.state === 'FAILED') later(1_000, () => exit(163, ''));
  };
  const run = (name: string, restore: Parameters<typeof startJob>[0]['restore']): Job => {
    const { faults, slots } = options;
    const config = launch.config;
    const writer = processName(info);
    return startJob({
      clock,
      random,
      storage,
      id: info.jobId,
      name,
      writer,
      program,
      config,
      restore,
      slots,
      faults,
      emit: onJobEvent,
    });
  };
  /** main() has built the graph and submits it. */
  const submit = (): void => {
    if (program.throwsInMain) {
      if (launch.config.get('execution.submit-failed-job-on-application-error') !== 'true') {
        exit(2, 'java.lang.RuntimeException: main() threw');
        return;
      }
      job = run('(application driver)', undefined);
      job.fail(
        'org.apache.flink.client.program.ProgramInvocationException: The main method caused an error: main() threw',
      );
      return;
    }
    const from = launch.restoreFrom;
    const snapshot = from === undefined ? undefined : storage.read(from);
    if (from !== undefined && snapshot === undefined) {
      later(200, () => exit(1, notFound(from)));
      return;
    }
    job = run(
      launch.config.get('pipeline.name') ?? 'Counting',
      snapshot === undefined ? undefined : { ...snapshot, savepoint: snapshot.kind === 'savepoint' },
    );
  };

  emit({ kind: 'process-started', restoreFrom: launch.restoreFrom });
  later(random.between(800, 1500), () => {
    phase = 'electing';
    later(random.between(200, 600), () => {
      phase = 'up';
      later(random.between(300, 1000), submit);
    });
  });

  return {
    info,
    phase: () => phase,
    job: () => job,
    version: options.version,
    operations,
    cache: new Map(),
    listening: () => phase === 'electing' || phase === 'up',
    stop: (jobId, triggerId, directory) => {
      const key = `${triggerId}/${jobId}`;
      const known = operations.get(key);
      const storeMs = durationMs(launch.config.get('rest.async.store-duration')) ?? STORE_MS;
      const expired = known?.result !== undefined && storeMs > 0 && clock.now() - known.completedAt > storeMs;
      emit({ kind: 'stop-asked', triggerId, fresh: known === undefined || expired });
      if (known !== undefined && !expired) return;
      const operation: Operation = { result: undefined, completedAt: 0 };
      operations.set(key, operation);
      const done = (result: StopResult): void => {
        operation.result = result;
        operation.completedAt = clock.now();
      };
      if (job === undefined || job.id !== jobId || job.state() === 'INITIALIZING') {
        emit({ kind: 'savepoint-failed', triggerId, message: 'job not found' });
        done({
          kind: 'failed',
          text: `org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (${jobId})`,
        });
      } else job.stop(triggerId, directory, done);
    },
    slotsChanged: () => job?.slotsChanged(),
    terminate: () => {
      job?.abandon('suspended');
      later(random.between(200, 1500), () => exit(143, ''));
    },
    kill: () => {
      if (phase === 'gone') return;
      phase = 'gone';
      job?.abandon('killed');
      emit({ kind: 'process-ended', how: 'killed' });
    },
  };
}

/** Seen on Flink 1.20 and 2.3 when the snapshot is gone. */
function notFound(path: string): string {
  return `org.apache.flink.runtime.entrypoint.ClusterEntrypointException: Fatal error\nCaused by: java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory '${path}' on file system 'file'.`;
}
