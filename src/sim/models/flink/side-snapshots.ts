import type { Random } from '../random.ts';
import type { Happening } from './events.ts';
import type { JobFaults } from './job.ts';
import type { OperationResult } from './operations.ts';
import type { Storage } from './storage.ts';
import { INTERRUPTED, NOT_ALL_RUNNING } from './messages.ts';

/** Savepoints and checkpoints that somebody asks for while the job goes on. */
export type SideSnapshots = {
  readonly savepoint: (triggerId: string, directory: string, done: (result: OperationResult) => void) => void;
  readonly checkpoint: (done: (result: OperationResult) => void) => void;
  /** The coordinator is suspended: what is being taken fails. */
  readonly interrupt: () => void;
};

/** What a job lends to them. */
export type Lender = {
  readonly random: Random;
  readonly storage: Storage;
  readonly faults: JobFaults;
  readonly id: string;
  readonly later: (ms: number, run: () => void) => void;
  /** All tasks run, and the job is not being stopped. */
  readonly ready: () => boolean;
  readonly counter: () => number;
  /** Writes a savepoint of this content. */
  readonly write: (path: string, counter: number) => void;
  readonly failed: () => void;
  /** Takes a checkpoint out of turn; its id, or nothing when it failed. */
  readonly take: (done: (id: number | undefined) => void) => void;
  readonly emit: (event: Happening) => void;
};

export function savepointPath(directory: string, jobId: string, random: Random): string {
  return `${directory.replace(/\/+$/, '')}/savepoint-${jobId.slice(0, 6)}-${random.hex(12)}`;
}

export function unwritable(directory: string): string {
  return `java.util.concurrent.CompletionException: java.io.IOException: Failed to create savepoint directory ${directory}: Permission denied`;
}

export function sideSnapshots(job: Lender): SideSnapshots {
  const { random, storage, faults, later, emit } = job;
  const pending = new Set<(text: string) => void>();

  /** Registers what is under way; the answer ends it and says whether it still was. */
  const begin = (fail: (text: string) => void): (() => boolean) => {
    const ended = (text: string): void => {
      pending.delete(ended);
      fail(text);
    };
    pending.add(ended);
    return () => pending.delete(ended);
  };
  return {
    interrupt: () => {
      for (const fail of pending) fail(INTERRUPTED);
    },
    savepoint: (triggerId, directory, done) => {
      const fail = (text: string): void => {
        emit({ kind: 'savepoint-failed', triggerId, message: text });
        done({ kind: 'failed', text });
      };
      if (!job.ready()) {
        later(50, () => fail(NOT_ALL_RUNNING));
        return;
      }
      const end = begin(fail);
      later(faults.savepointMs + random.between(0, 200), () => {
        if (!end()) return;
        const path = savepointPath(directory, job.id, random);
        if (!storage.writable(path)) {
          job.failed();
          fail(unwritable(directory));
          return;
        }
        const counter = job.counter();
        job.write(path, counter);
        emit({ kind: 'savepoint', triggerId, path, counter });
        done({ kind: 'completed', path });
      });
    },
    checkpoint: (done) => {
      const fail = (text: string): void => done({ kind: 'failed', text });
      if (!job.ready()) {
        later(50, () => fail(NOT_ALL_RUNNING));
        return;
      }
      const end = begin(fail);
      job.take((id) => {
        if (!end()) return;
        if (id === undefined) fail('org.apache.flink.runtime.checkpoint.CheckpointException: Checkpoint declined.');
        else done({ kind: 'checkpointed', id });
      });
    },
  };
}
