import type { JobState } from './job-state.ts';

/** What happens inside the modelled Flink clusters, for the invariants and the timeline. */

/** A JobManager process: a container start of a pod. */
export type ProcessInfo = {
  /** uid of the FlinkJob (pod annotation). */
  readonly owner: string;
  readonly epoch: number;
  readonly podUid: string;
  readonly podName: string;
  readonly restartCount: number;
  readonly jobId: string;
  /** Its cluster id with high availability, '' without: several processes of one cluster elect a leader. */
  readonly cluster: string;
};

export type FlinkEvent = { readonly at: number; readonly process: ProcessInfo } & (
  | { readonly kind: 'process-started'; readonly restoreFrom: string | undefined }
  | { readonly kind: 'process-ended'; readonly how: string }
  | { readonly kind: 'leadership'; readonly granted: boolean }
  | { readonly kind: 'restored'; readonly path: string | undefined; readonly counter: number }
  | { readonly kind: 'job-state'; readonly state: JobState }
  | { readonly kind: 'checkpoint'; readonly path: string; readonly counter: number }
  | { readonly kind: 'checkpoint-failed'; readonly message: string }
  | { readonly kind: 'failed-over'; readonly why: string }
  /** The job is executed with this parallelism of its largest vertex. */
  | { readonly kind: 'executed'; readonly parallelism: number; readonly slotsOfEach: number }
  /** The adaptive scheduler restarts the job from its newest checkpoint, to run it with another parallelism. */
  | { readonly kind: 'rescaled'; readonly to: number }
  | { readonly kind: 'bounds-told'; readonly upper: number }
  | { readonly kind: 'stop-asked'; readonly triggerId: string; readonly fresh: boolean }
  | { readonly kind: 'savepoint-asked'; readonly triggerId: string; readonly fresh: boolean }
  | { readonly kind: 'checkpoint-asked'; readonly triggerId: string; readonly fresh: boolean }
  | { readonly kind: 'checkpoint-taken'; readonly triggerId: string; readonly done: boolean }
  | { readonly kind: 'disposed'; readonly path: string }
  /** Complete, of a stop or of a job that goes on. */
  | { readonly kind: 'savepoint'; readonly triggerId: string; readonly path: string; readonly counter: number }
  | { readonly kind: 'savepoint-failed'; readonly triggerId: string; readonly message: string }
  | { readonly kind: 'cancel-asked' }
);

type Bare<T> = T extends unknown ? Omit<T, 'at' | 'process'> : never;
/** An event as its place of origin knows it. */
export type Happening = Bare<FlinkEvent>;

export function processName(process: ProcessInfo): string {
  return `${process.podUid}/${process.restartCount}`;
}
