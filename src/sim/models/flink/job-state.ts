/** Flink's JobStatus, as far as the model passes through it. */
export type JobState =
  | 'INITIALIZING'
  | 'CREATED'
  | 'RUNNING'
  | 'RESTARTING'
  | 'CANCELLING'
  | 'CANCELED'
  | 'FINISHED'
  | 'FAILED'
  | 'SUSPENDED';

export const TERMINAL: ReadonlySet<JobState> = new Set(['CANCELED', 'FINISHED', 'FAILED', 'SUSPENDED']);
