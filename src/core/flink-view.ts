/**
 * What Flork asks a JobManager and what it may hear: the border between the pure core and src/flink.
 * `questions` (core) says what to ask, `observe` (src/flink) answers with a FlinkView and never rejects,
 * `reconcile` (core) decides, `execute` (src/flink) runs the commands.
 */

/** Why a call gave no usable answer. `unavailable`: 503 or a message of the transient table; `refused`: a definite 4xx. */
export type FlinkErrorKind = 'unreachable' | 'timeout' | 'tls' | 'unavailable' | 'refused' | 'unexpected-reply';

/** One endpoint's answer. `absent` is Flink's own definite no with its text; `failed` says nothing about the job. */
export type Part<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'absent'; readonly text: string }
  | { readonly kind: 'failed'; readonly error: FlinkErrorKind; readonly text: string }
  | { readonly kind: 'not-asked' };

/** Flink's JobStatus; `UNKNOWN` for a spelling that this version does not know. */
export const JOB_STATES = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
  'SUSPENDED',
  'RECONCILING',
  'UNKNOWN',
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A row of /jobs/overview. Times are epoch milliseconds, `endTime` is `undefined` while the job lives. */
export type JobView = {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  readonly startTime: number | undefined;
  readonly endTime: number | undefined;
  readonly tasks: { readonly total: number; readonly running: number; readonly finished: number };
};

/** From /jobs/:id. `runningSince`: when the job was first RUNNING in this process, 0 if never, `undefined` if not told. */
export type JobDetail = {
  readonly runningSince: number | undefined;
  /** Flink's own clock when it answered, epoch milliseconds. */
  readonly now: number | undefined;
  /** The highest parallelism of its vertices. */
  readonly parallelism: number | undefined;
  readonly vertices: readonly VertexView[];
};

/** A vertex of the job graph as it runs. `maxParallelism`: `undefined` when not told. */
export type VertexView = {
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number | undefined;
};

/** Between which parallelisms the adaptive scheduler runs a vertex (/jobs/:id/resource-requirements). */
export type VertexBounds = { readonly id: string; readonly lower: number; readonly upper: number };

/** A snapshot as /checkpoints names it. Only entries with a usable external path are given. */
export type SnapshotView = {
  readonly id: number;
  readonly path: string;
  readonly kind: 'checkpoint' | 'savepoint';
  /** When it was complete (latest_ack_timestamp) or restored, epoch milliseconds. */
  readonly at: number;
  readonly sizeBytes: number | undefined;
  /** Whether it is the savepoint of a stop (checkpoint_type SYNC_SAVEPOINT), after which a job ends; `undefined` when not told. */
  readonly synchronous?: boolean;
};

/** From /jobs/:id/checkpoints. */
export type CheckpointsView = {
  readonly completed: number;
  readonly failed: number;
  readonly restored: number;
  readonly latestCompleted: SnapshotView | undefined;
  readonly latestSavepoint: SnapshotView | undefined;
  readonly latestRestored: SnapshotView | undefined;
};

/** From /jobs/:id/checkpoints/config. `enabled: false` is a positive answer that periodic checkpointing is off. */
export type CheckpointConfigView = {
  readonly enabled: boolean;
  readonly intervalMs: number | undefined;
  readonly externalized: boolean;
  readonly deleteOnCancellation: boolean;
};

/** From /jobs/:id/exceptions: the newest root failure, first lines only; `missing`: the snapshot that it names as not found. */
export type ExceptionsView = {
  readonly newest: { readonly at: number; readonly text: string } | undefined;
  readonly missing?: string;
};

/** What became of a triggered operation. A failed stop may still name a consistent savepoint (StopWithSavepointStoppingException). */
export type TriggerView =
  | { readonly kind: 'in-progress' }
  /** A savepoint or a stop. */
  | { readonly kind: 'completed'; readonly path: string }
  /** A checkpoint, by the id that /checkpoints lists it under. */
  | { readonly kind: 'checkpointed'; readonly checkpointId: number }
  /** The snapshot is gone: by this disposal, or it was gone before. */
  | { readonly kind: 'disposed' }
  | { readonly kind: 'failed'; readonly text: string; readonly path: string | undefined };

/** Everything one sync heard. The parts speak of the first of the asked job ids that /jobs/overview lists. */
export type FlinkView =
  | { readonly kind: 'not-asked'; readonly why: string }
  | { readonly kind: 'unreachable'; readonly error: FlinkErrorKind; readonly text: string }
  | {
      readonly kind: 'answered';
      readonly jobs: readonly JobView[];
      readonly flinkVersion: Part<string>;
      readonly detail: Part<JobDetail>;
      readonly checkpoints: Part<CheckpointsView>;
      readonly checkpointConfig: Part<CheckpointConfigView>;
      readonly exceptions: Part<ExceptionsView>;
      readonly trigger: Part<TriggerView>;
      /** `absent`: the scheduler of this job cannot rescale it. */
      readonly bounds: Part<readonly VertexBounds[]>;
      /** How many times this process has restarted the tasks of the job (metric numRestarts); Flink may know it only some seconds later. */
      readonly restarts: Part<number>;
    };

/** What to ask in this sync; `undefined` questions are not asked. */
export type Questions =
  | { readonly kind: 'none'; readonly why: string }
  | {
      readonly kind: 'ask';
      /** Name and namespace of the REST Service, the only thing that is ever called. */
      readonly service: {
        readonly name: string;
        readonly namespace: string;
        readonly port: number;
        readonly scheme: 'http' | 'https';
      };
      /** Ids this epoch's processes may use, most likely first. */
      readonly jobIds: readonly string[];
      readonly wants: {
        /** Asked in any case of a job that is not RUNNING. */
        readonly detail: boolean;
        readonly checkpoints: boolean;
        readonly checkpointConfig: boolean;
        /** Asked only of a job that is not RUNNING. */
        readonly exceptions: boolean;
        readonly flinkVersion: boolean;
        readonly bounds: boolean;
        /** Asked only where policies.health counts them. */
        readonly restarts: boolean;
      };
      readonly trigger: TriggerQuestion | undefined;
    };

/**
 * Which operation to ask about: `savepoint` covers savepoints and stops (/jobs/:id/savepoints/:triggerId), `checkpoint`
 * /jobs/:id/checkpoints/:triggerId, `disposal` /savepoint-disposal/:triggerId, which is of no job.
 */
export type TriggerQuestion = {
  readonly kind: 'savepoint' | 'checkpoint' | 'disposal';
  readonly jobId: string;
  readonly triggerId: string;
};

/** A command to Flink; its intent has been observed in status and repeating it changes nothing. */
export type FlinkCommand =
  | {
      readonly kind: 'stop';
      readonly service: Extract<Questions, { kind: 'ask' }>['service'];
      readonly jobId: string;
      readonly triggerId: string;
      readonly directory: string;
      readonly formatType: 'CANONICAL' | 'NATIVE';
      readonly drain: boolean;
    }
  | {
      readonly kind: 'cancel';
      readonly service: Extract<Questions, { kind: 'ask' }>['service'];
      readonly jobId: string;
    }
  /** A savepoint of a job that goes on. */
  | {
      readonly kind: 'savepoint';
      readonly service: Extract<Questions, { kind: 'ask' }>['service'];
      readonly jobId: string;
      readonly triggerId: string;
      readonly directory: string;
      readonly formatType: 'CANONICAL' | 'NATIVE';
    }
  /** A checkpoint as the job is configured to take them, now. */
  | {
      readonly kind: 'checkpoint';
      readonly service: Extract<Questions, { kind: 'ask' }>['service'];
      readonly jobId: string;
      readonly triggerId: string;
    }
  /** Removes a snapshot. Flink names the trigger itself; a second disposal of the same path finds nothing, which is no failure. */
  | {
      readonly kind: 'dispose';
      readonly service: Extract<Questions, { kind: 'ask' }>['service'];
      readonly path: string;
    }
  | {
      readonly kind: 'rescale';
      readonly service: Extract<Questions, { kind: 'ask' }>['service'];
      readonly jobId: string;
      /** Of every vertex: Flink refuses an incomplete list. */
      readonly bounds: readonly VertexBounds[];
    };

/** How a command ended: `done` (accepted), `refused` (a definite no, with Flink's first line), `unknown` (no or no usable answer). */
export type CommandResult = {
  readonly command: FlinkCommand;
  readonly kind: 'done' | 'refused' | 'unknown';
  readonly text: string;
  /** The trigger id of a disposal, which Flink gives itself. */
  readonly triggerId?: string;
};
