import type { Clock } from '../clock.ts';
import type { ContainerStart, Process } from '../kubelet.ts';
import type { Random } from '../random.ts';
import type { Launch } from './entry-point.ts';
import type { Happening, ProcessInfo } from './events.ts';
import type { Job, JobFaults } from './job.ts';
import type { OperationResult, Operations } from './operations.ts';
import type { Storage } from './storage.ts';
import { durationMs, readProgram } from './entry-point.ts';
import type { Contender, Election, HighAvailability } from './high-availability.ts';
import { processName } from './events.ts';
import { startJob } from './job.ts';
import { recoveredJob } from './recovered-job.ts';
import { operationCache } from './operations.ts';
import type { Bounds } from './vertices.ts';

/**
 * One JobManager process in application mode:
 *
 *   connection refused ─► 503 (leader election) ─► jobs [] (main() runs) ─► its job ─► … ─► exit
 *
 * With high availability it contends for the lease, goes on with the job that is stored, and suspends it when the lease is lost.
 */
export type JobManager = Process & {
  readonly info: ProcessInfo;
  readonly phase: () => Phase;
  /** With high availability: the identity that leads, when it is another process. Its answers are passed on. */
  readonly follows: () => string | undefined;
  readonly job: () => Job | undefined;
  readonly version: string;
  /** Flink's caches of operations: stops share one with savepoints. */
  readonly operations: Readonly<Record<'savepoints' | 'checkpoints' | 'disposals', Operations>>;
  /** Registers a stop under its trigger id; a known id starts nothing. */
  readonly stop: (jobId: string, triggerId: string, directory: string) => void;
  readonly savepoint: (jobId: string, triggerId: string, directory: string) => void;
  readonly checkpoint: (jobId: string, triggerId: string) => void;
  /** Begins to remove a snapshot; answers the trigger id, which nobody can choose. */
  readonly dispose: (path: string) => string;
  /** Other bounds for the vertices of the job; a text says why not. They are stored with high availability. */
  readonly rescale: (bounds: readonly Bounds[]) => string | undefined;
  /** The results of completed operations expire. */
  readonly forget: () => void;
  readonly slotsChanged: () => void;
  /** Answers of the web handlers that Flink caches, by path. */
  readonly cache: Map<string, { readonly at: number; readonly status: number; readonly text: string }>;
};
export type Phase = 'refused' | 'electing' | 'up' | 'gone';

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
  readonly ha: HighAvailability | undefined;
  readonly emit: (event: Happening) => void;
};

const STORE_MS = 300_000;
/** So long what high availability kept of a job that ended is being removed. */
const CLEAN_UP_MS = 100;
const DRIVER = '(application driver)';

export function startJobManager(options: JobManagerOptions): JobManager {
  const { clock, random, storage, start, launch, info, emit } = options;
  const program = readProgram(launch.jobArgs);
  const storeMs = durationMs(launch.config.get('rest.async.store-duration')) ?? STORE_MS;
  const operations = {
    savepoints: operationCache(clock, storeMs),
    checkpoints: operationCache(clock, storeMs),
    disposals: operationCache(clock, storeMs),
  };
  let phase: Phase = 'refused';
  let job: Job | undefined;
  let contender: Contender | undefined;
  /** Counts terms of leadership, so that what an earlier one began does nothing. */
  let term = 0;
  let mayTakeSlotsAt = 0;
  const identity = processName(info);
  const jobHa = options.ha?.job(info.jobId);

  const later = (ms: number, run: () => void): void => {
    clock.after(ms, () => {
      if (phase !== 'gone') run();
    });
  };
  const exit = (code: number, message: string): void => {
    if (phase === 'gone') return;
    phase = 'gone';
    job?.abandon('killed');
    contender?.leave();
    emit({ kind: 'process-ended', how: message === '' ? `exit ${code}` : message });
    start.exit(code, message);
  };
  const onJobEvent = (event: Happening): void => {
    emit(event);
    if (event.kind === 'job-state' && isOver(event.state) && job?.name !== DRIVER) {
      jobHa?.conclude(event.state);
      later(CLEAN_UP_MS, () => jobHa?.cleanUp());
    }
    if (event.kind !== 'job-state' || launch.config.get('execution.shutdown-on-application-finish') === 'false') return;
    if (event.state === 'FINISHED' || event.state === 'CANCELED') later(1_000, () => exit(0, ''));
    else if (event.state === 'FAILED') later(1_000, () => exit(163, ''));
  };
  const slots = (): number => (clock.now() < mayTakeSlotsAt ? 0 : options.slots());
  const run = (
    name: string,
    restore: Parameters<typeof startJob>[0]['restore'],
    config: ReadonlyMap<string, string> = launch.config,
    bounds?: readonly Bounds[],
  ): Job => {
    const { faults } = options;
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
      store: jobHa?.checkpoints,
      bounds,
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
      // It stands for a main() that failed, and is in no result store: another process runs main() again.
      job = run(DRIVER, undefined);
      job.fail(
        'org.apache.flink.client.program.ProgramInvocationException: The main method caused an error: main() threw',
      );
      return;
    }
    const stored = jobHa?.graph();
    if (stored === undefined) jobHa?.submit({ config: [...launch.config] });
    jobHa?.checkpoints.open();
    // A checkpoint that high availability knows beats the path of the command line (DefaultExecutionGraphFactory).
    const newest = jobHa?.checkpoints.all().at(-1);
    const from = newest?.path ?? launch.restoreFrom;
    const snapshot = from === undefined ? undefined : storage.read(from);
    if (snapshot !== undefined) jobHa?.checkpoints.goOnFrom(snapshot.checkpointId);
    if (from !== undefined && snapshot === undefined) {
      // A stored job that cannot be restored is fatal and stays, and before 2.0 one without high availability is; another one fails
      // for good (test/fixtures/flink: restore-missing).
      if (stored !== undefined) {
        later(200, () => exit(2, notFound(from)));
        return;
      }
      job = run(nameOf(launch), undefined);
      job.fail(
        `org.apache.flink.runtime.client.JobInitializationException: Could not start the JobMaster.\n${notFound(from)}`,
      );
      // For a moment the dying process tells of its failed job.
      if (jobHa === undefined && options.version.startsWith('1.')) later(1_000, () => exit(2, notFound(from)));
      return;
    }
    job = run(
      nameOf(launch),
      snapshot === undefined ? undefined : { ...snapshot, savepoint: snapshot.kind === 'savepoint' },
      stored === undefined ? launch.config : new Map(stored.config),
      stored?.bounds,
    );
  };
  const lead = (): void => {
    phase = 'up';
    // A job that came to its end is not run again (job result store); of one that is not cleaned up yet a shadow is shown.
    const result = jobHa?.result();
    if (result?.dirty === true) {
      job = recoveredJob(info.jobId, result.state, clock.now());
      later(CLEAN_UP_MS, () => jobHa?.cleanUp());
    }
    if (result !== undefined) return;
    const mine = ++term;
    later(random.between(300, 1000), () => {
      if (mine === term) submit();
    });
  };
  const elected = (event: Election): void => {
    if (phase === 'gone') return;
    if (event === 'gone') {
      exit(
        2,
        `org.apache.flink.runtime.leaderelection.LeaderElectionException: ConfigMap ${options.ha?.clusterId}-cluster-config-map is deleted externally`,
      );
      return;
    }
    emit({ kind: 'leadership', granted: event === 'granted' });
    if (event === 'granted') {
      // TaskManagers hear of a new leader by the ConfigMap.
      mayTakeSlotsAt = clock.now() + random.between(1_000, 3_000);
      clock.after(mayTakeSlotsAt - clock.now() + 1, () => job?.slotsChanged());
      lead();
    } else {
      term++;
      phase = 'electing';
      job?.abandon('suspended');
      job = undefined;
    }
  };

  const initialized = (jobId: string): Job | undefined =>
    job !== undefined && job.id === jobId && job.state() !== 'INITIALIZING' ? job : undefined;

  emit({ kind: 'process-started', restoreFrom: launch.restoreFrom });
  later(random.between(800, 1500), () => {
    phase = 'electing';
    if (options.ha === undefined) later(random.between(200, 600), lead);
    else contender = options.ha.contend(identity, elected);
  });

  return {
    info,
    phase: () => phase,
    follows: () => {
      const leader = phase === 'electing' ? options.ha?.leader() : undefined;
      return leader === '' || leader === identity ? undefined : leader;
    },
    job: () => job,
    version: options.version,
    operations,
    cache: new Map(),
    listening: () => phase === 'electing' || phase === 'up',
    stop: (jobId, triggerId, directory) => {
      const key = `${triggerId}/${jobId}`;
      emit({ kind: 'stop-asked', triggerId, fresh: operations.savepoints.isFresh(key) });
      operations.savepoints.start(key, (done) => {
        const found = initialized(jobId);
        if (found === undefined) emit({ kind: 'savepoint-failed', triggerId, message: 'job not found' });
        if (found === undefined) done(jobNotFound(jobId));
        else found.stop(triggerId, directory, done);
      });
    },
    savepoint: (jobId, triggerId, directory) => {
      const key = `${triggerId}/${jobId}`;
      emit({ kind: 'savepoint-asked', triggerId, fresh: operations.savepoints.isFresh(key) });
      operations.savepoints.start(key, (done) => {
        const found = initialized(jobId);
        if (found === undefined) emit({ kind: 'savepoint-failed', triggerId, message: 'job not found' });
        if (found === undefined) done(jobNotFound(jobId));
        else found.savepoint(triggerId, directory, done);
      });
    },
    checkpoint: (jobId, triggerId) => {
      const key = `${triggerId}/${jobId}`;
      emit({ kind: 'checkpoint-asked', triggerId, fresh: operations.checkpoints.isFresh(key) });
      operations.checkpoints.start(key, (done) => {
        const found = initialized(jobId);
        const take = found?.checkpoint ?? ((end) => end(jobNotFound(jobId)));
        take((result) => {
          emit({ kind: 'checkpoint-taken', triggerId, done: result.kind === 'checkpointed' });
          done(result);
        });
      });
    },
    dispose: (path) => {
      const triggerId = random.hex(32);
      operations.disposals.start(triggerId, (done) =>
        later(random.between(20, 200), () => {
          if (storage.read(path) === undefined) done({ kind: 'failed', text: notFound(path) });
          else if (!storage.writable(path)) done({ kind: 'failed', text: notDeleted(path) });
          else {
            storage.remove(path);
            emit({ kind: 'disposed', path });
            done({ kind: 'disposed' });
          }
        }),
      );
      return triggerId;
    },
    rescale: (bounds) => {
      const wrong = job?.rescale(bounds);
      const stored = jobHa?.graph();
      if (wrong === undefined && stored !== undefined) jobHa?.submit({ ...stored, bounds });
      return wrong;
    },
    forget: () => {
      for (const cache of Object.values(operations)) cache.forget();
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
      contender?.die();
      emit({ kind: 'process-ended', how: 'killed' });
    },
    cutOff: () => contender?.cutOff(),
  };
}

function jobNotFound(jobId: string): OperationResult {
  return {
    kind: 'failed',
    text: `org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (${jobId})`,
  };
}

function notDeleted(path: string): string {
  return `java.util.concurrent.CompletionException: org.apache.flink.util.FlinkException: Could not dispose savepoint ${path}.\nCaused by: java.io.IOException: Permission denied`;
}

function isOver(state: string): boolean {
  return ['FINISHED', 'CANCELED', 'FAILED'].includes(state);
}

function nameOf(launch: Launch): string {
  return launch.config.get('pipeline.name') ?? 'Counting';
}

/** Seen on Flink 1.20.5 and 2.3 when the snapshot is gone; Flork's log configuration has it in the termination message. */
function notFound(path: string): string {
  return `Fatal error occurred in the cluster entrypoint.\njava.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory '${path}' on file system 'file'.\n`;
}
