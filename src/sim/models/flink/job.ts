import type { SideSnapshots } from './side-snapshots.ts';
import { savepointPath, sideSnapshots, unwritable } from './side-snapshots.ts';
import type { OperationResult } from './operations.ts';
import { TERMINAL, type JobState } from './job-state.ts';
import {
  checkpointingConfig,
  outlives,
  type CheckpointEntry,
  type CheckpointingConfig,
  type CheckpointStats,
} from './checkpointing.ts';
import type { JobOptions } from './job-options.ts';
import { createScheduling } from './scheduling.ts';
import { createVertices, type Bounds, type Vertices } from './vertices.ts';
import { INTERRUPTED, LOST_TASK_MANAGER, NO_RESOURCES, NOT_ALL_RUNNING, stoppingFailed } from './messages.ts';

/**
 * A counting job in a JobManager: its state is a number that grows while all tasks run, kept by checkpoints.
 *
 *   INITIALIZING ─► CREATED ─► RUNNING ⇄ RESTARTING,  RUNNING ─► FINISHED | CANCELED | FAILED
 */
export type Job = {
  readonly id: string;
  readonly name: string;
  readonly vertices: Vertices;
  /** Other bounds for the adaptive scheduler; a text says why not. */
  readonly rescale: (bounds: readonly Bounds[]) => string | undefined;
  readonly startTime: number;
  readonly state: () => JobState;
  readonly endTime: () => number;
  readonly since: ReadonlyMap<string, number>;
  readonly tasksRunning: () => boolean;
  readonly counter: () => number;
  readonly checkpoints: () => CheckpointStats;
  readonly checkpointing: CheckpointingConfig;
  readonly failures: readonly { readonly at: number; readonly text: string }[];
  readonly cancel: () => void;
  /** Takes the synchronous savepoint and finishes; the text of a failure otherwise. */
  readonly stop: (triggerId: string, directory: string, done: (result: OperationResult) => void) => void;
  /** Snapshots on request while the job goes on. */
  readonly savepoint: SideSnapshots['savepoint'];
  readonly checkpoint: SideSnapshots['checkpoint'];
  /** TaskManagers came or went. */
  readonly slotsChanged: () => void;
  readonly fail: (why: string) => void;
  /** The process is going: `suspended` gracefully, or killed. */
  readonly abandon: (how: 'suspended' | 'killed') => void;
};

/** Faults that tests switch on. */
export type JobFaults = { stopFailsAfterSavepoint: boolean; savepointMs: number; checkpointsFail: boolean };

/** The counter grows by one in so many milliseconds. */
const STEP_MS = 100;

export function startJob(options: JobOptions): Job {
  const { clock, random, storage, emit, program } = options;
  const checkpointing = checkpointingConfig(options.config, program);
  const vertices = createVertices(options.config, program, options.bounds);
  const since = new Map<string, number>();
  const failures: { at: number; text: string }[] = [];
  const entries: CheckpointEntry[] = [];
  const startTime = clock.now();
  let restored: CheckpointStats['restored'];
  let state: JobState = 'INITIALIZING';
  let endTime = -1;
  let base = options.restore?.counter ?? 0;
  let runningSince: number | undefined;
  let ranMs = 0;
  let completed = 0;
  let failed = 0;
  let nextId = (options.restore?.checkpointId ?? 0) + 1;
  /** What an earlier process noted, oldest first: it is kept and subsumed as if it were this one's. */
  let inherited = (options.store?.all() ?? []).filter(({ id }) => id <= (options.restore?.checkpointId ?? 0));
  let stopping = false;
  /** Counts executions, so that what an earlier one scheduled does nothing. */
  let attempt = 0;
  let alive = true;
  let interruptStop: (() => void) | undefined;

  const later = (ms: number, run: () => void): void => {
    const mine = attempt;
    clock.after(ms, () => {
      if (alive && mine === attempt) run();
    });
  };
  const enter = (next: JobState): void => {
    state = next;
    since.set(next, clock.now());
    if (TERMINAL.has(next)) endTime = clock.now();
    emit({ kind: 'job-state', state: next });
  };
  const counter = (): number =>
    base + (runningSince === undefined ? 0 : Math.floor((clock.now() - runningSince) / STEP_MS));
  const halt = (): void => {
    base = counter();
    if (runningSince !== undefined) ranMs += clock.now() - runningSince;
    runningSince = undefined;
    attempt++;
    interruptStop?.();
    side.interrupt();
  };
  const end = (next: JobState): void => {
    halt();
    enter(next);
    // What a suspended job with high availability leaves is what the next leader goes on from.
    if (next === 'SUSPENDED' && options.store !== undefined) return;
    if (outlives(checkpointing.retention, next)) return;
    for (const { path } of inherited) storage.remove(path);
    discard(entries.filter((entry) => !entry.savepoint));
  };
  const discard = (gone: readonly CheckpointEntry[]): void => {
    for (const entry of gone) {
      entry.discarded = true;
      if (storage.read(entry.path)?.writer === options.writer) storage.remove(entry.path);
      options.store?.remove(entry.id);
    }
  };
  const failOver = (why: string): void => {
    failures.unshift({ at: clock.now(), text: why });
    emit({ kind: 'failed-over', why });
    goBack(random.between(500, 1500));
  };
  /** The job is executed again from its newest checkpoint. */
  const goBack = (ms: number): void => {
    const latest = entries.findLast((entry) => !entry.savepoint && !entry.discarded);
    attempt++;
    if (runningSince !== undefined) ranMs += clock.now() - runningSince;
    runningSince = undefined;
    interruptStop?.();
    side.interrupt();
    stopping = false;
    base = latest === undefined ? (options.restore?.counter ?? 0) : (storage.read(latest.path)?.counter ?? 0);
    scheduling.restart();
    enter('RESTARTING');
    later(ms, scheduling.schedule);
  };
  const scheduling = createScheduling({
    clock,
    vertices,
    slots: options.slots,
    later,
    state: () => state,
    held: () => stopping,
    wait: () => enter('CREATED'),
    execute: () => execute(),
    emit,
    goBack: () => goBack(random.between(200, 800)),
    giveUp: () => {
      if (state !== 'CREATED') return;
      failures.unshift({ at: clock.now(), text: NO_RESOURCES });
      end('FAILED');
    },
  });
  const execute = (): void => {
    if (state === 'CREATED' || state === 'RESTARTING') enter('RUNNING');
    attempt++;
    later(random.between(200, 800), () => {
      runningSince = clock.now();
      if (checkpointing.intervalMs !== undefined) later(checkpointing.intervalMs, checkpoint);
      if (program.boundedMs !== undefined) later(Math.max(0, program.boundedMs - ranMs), () => end('FINISHED'));
      if (program.failOverMs !== undefined) later(program.failOverMs, () => failOver('a task failed'));
      if (program.failAfterMs !== undefined) {
        later(Math.max(0, program.failAfterMs - ranMs), () => {
          failures.unshift({ at: clock.now(), text: 'java.lang.RuntimeException: the program failed' });
          end('FAILED');
        });
      }
    });
  };
  const checkpoint = (): void => {
    if (state !== 'RUNNING' || stopping) return;
    take(() => {});
    later(checkpointing.intervalMs ?? 0, checkpoint);
  };
  /** Takes one checkpoint; its id, or nothing when it failed. */
  const take = (done: (id: number | undefined) => void): void => {
    const counted = options.store === undefined ? nextId++ : options.store.next();
    if (counted === undefined) {
      // The ConfigMap of the job is gone: checkpoints fail, and that alone fails no job (CheckpointFailureManager).
      failed++;
      emit({ kind: 'checkpoint-failed', message: 'Could not get the next checkpoint id' });
      done(undefined);
      return;
    }
    const id = counted;
    const value = counter();
    later(random.between(20, 120), () => {
      const path = `${checkpointing.directory ?? ''}/${options.id}/chk-${id}`;
      const there = storage.read(path);
      if (there !== undefined && there.writer !== options.writer) {
        storage.remove(path);
        failed++;
        emit({ kind: 'checkpoint-failed', message: 'Failure to finalize checkpoint' });
        done(undefined);
        failOver('org.apache.flink.util.FlinkException: Failure to finalize checkpoint');
        return;
      }
      const written =
        !options.faults.checkpointsFail && checkpointing.directory !== undefined && storage.writable(path);
      if (written) complete(id, path, value, false);
      else failed++;
      done(written ? id : undefined);
    });
  };
  const complete = (id: number, path: string, value: number, savepoint: boolean, synchronous = false): void => {
    const kind = savepoint ? 'savepoint' : 'checkpoint';
    const [jobId, writer, now] = [options.id, options.writer, clock.now()];
    storage.write({ path, kind, counter: value, jobId, writer, checkpointId: id, at: now });
    entries.push({ id, path, at: now, savepoint, synchronous, discarded: false });
    completed++;
    if (savepoint) return;
    options.store?.add({ id, path });
    emit({ kind: 'checkpoint', path, counter: value });
    const kept = entries.filter((entry) => !entry.savepoint && !entry.discarded);
    const surplus = kept.length + inherited.length - checkpointing.retained;
    if (surplus <= 0) return;
    for (const { id: old, path: where } of inherited.slice(0, surplus)) {
      storage.remove(where);
      options.store?.remove(old);
    }
    discard(kept.slice(0, Math.max(0, surplus - inherited.length)));
    inherited = inherited.slice(surplus);
  };

  const side = sideSnapshots({
    random,
    storage,
    faults: options.faults,
    id: options.id,
    later,
    ready: () => state === 'RUNNING' && runningSince !== undefined && !stopping,
    counter,
    write: (path, value) => complete(options.store?.next() ?? nextId++, path, value, true),
    failed: () => failed++,
    take,
    emit,
  });
  const stop: Job['stop'] = (triggerId, directory, done) => {
    const reject = (message: string): void => {
      interruptStop = undefined;
      emit({ kind: 'savepoint-failed', triggerId, message });
      done({ kind: 'failed', text: message });
    };
    if (state !== 'RUNNING' || runningSince === undefined || stopping) {
      later(50, () => reject(NOT_ALL_RUNNING));
      return;
    }
    stopping = true;
    interruptStop = () => reject(INTERRUPTED);
    later(options.faults.savepointMs + random.between(0, 200), () => {
      const path = savepointPath(directory, options.id, random);
      if (!storage.writable(path)) {
        stopping = false;
        failed++;
        later(checkpointing.intervalMs ?? 0, checkpoint);
        reject(unwritable(directory));
        return;
      }
      interruptStop = undefined;
      const value = counter();
      base = value;
      runningSince = undefined;
      complete(options.store?.next() ?? nextId++, path, value, true, true);
      emit({ kind: 'savepoint', triggerId, path, counter: value });
      if (options.faults.stopFailsAfterSavepoint) {
        failures.unshift({ at: clock.now(), text: 'java.lang.RuntimeException: notifyCheckpointComplete failed' });
        end('FAILED');
        done({ kind: 'failed', text: stoppingFailed(path, options.id) });
        return;
      }
      done({ kind: 'completed', path });
      later(random.between(50, 400), () => end('FINISHED'));
    });
  };

  emit({ kind: 'job-state', state });
  since.set('INITIALIZING', startTime);
  later(random.between(200, 600), () => {
    if (options.restore !== undefined) {
      const { path, checkpointId, savepoint } = options.restore;
      restored = { id: checkpointId, path, at: clock.now(), savepoint };
    }
    emit({ kind: 'restored', path: options.restore?.path, counter: base });
    scheduling.schedule();
  });

  return {
    id: options.id,
    name: options.name,
    vertices,
    rescale: scheduling.tell,
    startTime,
    state: () => state,
    endTime: () => endTime,
    since,
    tasksRunning: () => state === 'RUNNING' && (runningSince !== undefined || stopping),
    counter,
    checkpoints: () => ({ completed, failed, restored, entries }),
    checkpointing,
    failures,
    cancel: () => {
      emit({ kind: 'cancel-asked' });
      if (TERMINAL.has(state) || state === 'CANCELLING') return;
      halt();
      enter('CANCELLING');
      later(random.between(50, 400), () => end('CANCELED'));
    },
    stop,
    savepoint: side.savepoint,
    checkpoint: side.checkpoint,
    slotsChanged: () => {
      if (state === 'CREATED' || state === 'RESTARTING') later(random.between(10, 300), scheduling.schedule);
      else if (state === 'RUNNING' && options.slots() < Math.max(...vertices.current())) failOver(LOST_TASK_MANAGER);
      else if (vertices.scheduler !== 'default') scheduling.adapt();
    },
    fail: (why) => {
      failures.unshift({ at: clock.now(), text: why });
      end('FAILED');
    },
    abandon: (how) => {
      if (how === 'suspended' && !TERMINAL.has(state)) end('SUSPENDED');
      alive = false;
    },
  };
}
