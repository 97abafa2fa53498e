import type { FlinkView, JobView } from '../flink-view.ts';

/** What Flink said, classified. `silent`: nobody was asked or nobody answered; nothing follows from it. */
export type FlinkFacts = {
  readonly heard: 'answered' | 'unreachable' | 'not-asked';
  /** The job of this epoch, if listed. */
  readonly job: JobView | undefined;
  /** Jobs are listed, none of them of this epoch. */
  readonly foreign: boolean;
  readonly allTasksRun: boolean;
  /** No call of this sync timed out: the answers are of this moment, not of some seconds ago. */
  readonly timely: boolean;
  /** A task runs or has run, as far as this answer tells. */
  readonly anyTaskRan: boolean;
};

const TERMINAL = ['FINISHED', 'FAILED', 'CANCELED'];

/** Whether Flink will never touch this job again (globally terminal states, flink-core JobStatus). */
export function isTerminal(job: JobView | undefined): boolean {
  return job !== undefined && TERMINAL.includes(job.state);
}

/** Classifies the answer for an epoch whose processes may use `jobIds`. */
export function flinkFacts(view: FlinkView, jobIds: readonly string[]): FlinkFacts {
  if (view.kind !== 'answered') {
    return { heard: view.kind, job: undefined, foreign: false, allTasksRun: false, timely: false, anyTaskRan: false };
  }
  const job = jobIds
    .map((id) => view.jobs.find((candidate) => candidate.id === id))
    .find((found) => found !== undefined);
  const detail = view.detail.kind === 'value' ? view.detail.value : undefined;
  const checkpoints = view.checkpoints.kind === 'value' ? view.checkpoints.value : undefined;
  const tasks = job?.tasks;
  return {
    heard: 'answered',
    job,
    foreign: job === undefined && view.jobs.length > 0,
    allTasksRun:
      job?.state === 'RUNNING' &&
      tasks !== undefined &&
      tasks.total > 0 &&
      tasks.running + tasks.finished >= tasks.total,
    timely: [
      view.flinkVersion,
      view.detail,
      view.checkpoints,
      view.checkpointConfig,
      view.exceptions,
      view.trigger,
      view.bounds,
      view.restarts,
    ].every((part) => part.kind !== 'failed' || part.error !== 'timeout'),
    anyTaskRan:
      (tasks?.running ?? 0) + (tasks?.finished ?? 0) > 0 ||
      (detail?.runningSince ?? 0) > 0 ||
      (checkpoints?.completed ?? 0) > 0 ||
      job?.state === 'FINISHED',
  };
}
