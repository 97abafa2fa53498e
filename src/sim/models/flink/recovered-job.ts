import type { Job } from './job.ts';
import type { JobState } from './job-state.ts';
import { readProgram } from './entry-point.ts';
import { createVertices } from './vertices.ts';

/**
 * What a JobManager tells of a job whose dirty result it found in the job result store: how it ended, and nothing else (Dispatcher,
 * CheckpointResourcesCleanupRunner; ArchivedExecutionGraph.createSparseArchivedExecutionGraph). Seen on Flink 1.20.5: the name is
 * "unknown", the time of the end is 0, there are no tasks, and checkpointing is said not to be enabled.
 */
export function recoveredJob(id: string, state: JobState, startTime: number): Job {
  const refuse = (done: (result: { kind: 'failed'; text: string }) => void): void =>
    done({ kind: 'failed', text: `Job ${id} is not running` });
  return {
    id,
    name: 'unknown',
    vertices: { ...createVertices(new Map(), readProgram([]), undefined), all: [] },
    rescale: () => `Job ${id} has ended`,
    startTime,
    state: () => state,
    endTime: () => 0,
    since: new Map([['INITIALIZING', startTime]]),
    tasksRunning: () => false,
    counter: () => 0,
    checkpoints: () => ({ completed: 0, failed: 0, restored: undefined, entries: [] }),
    checkpointing: { intervalMs: undefined, directory: undefined, retained: 1, retention: '' },
    failures: [],
    cancel: () => undefined,
    stop: (_trigger, _directory, done) => refuse(done),
    savepoint: (_trigger, _directory, done) => refuse(done),
    checkpoint: refuse,
    slotsChanged: () => undefined,
    fail: () => undefined,
    abandon: () => undefined,
  };
}
