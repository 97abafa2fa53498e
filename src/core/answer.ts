import type { Reason } from '../api/reasons.ts';
import type { Ended, Epoch, Operation, Snapshot, State, Status } from '../api/status.ts';
import type { FlinkCommand } from './flink-view.ts';
import type { EpochRecord } from './record.ts';

/** How far the workloads of the current epoch are wanted. `keep` leaves both as observed. */
export type Workloads = 'run' | 'jobmanager-only' | 'stop' | 'keep' | 'gone';

/** What is said: state, one documented reason, and a message of what is and what comes next. */
export type Say = {
  readonly state: State;
  readonly reason: Reason;
  readonly message: string;
  /** Which of Ready, Reconciling and Stalled holds (exactly one). */
  readonly as: 'ready' | 'progress' | 'stalled';
};

/**
 * What a rule of lifecycle/ answers: what to say, what changes in the write-ahead log, what the workloads do, what to tell Flink.
 * `undefined` fields leave the prior value; `null` removes it.
 */
export type Answer = {
  readonly rule: string;
  readonly say: Say;
  readonly workloads: Workloads;
  readonly epoch?: Epoch;
  /** Record of a newly declared epoch, written beside the children of the old one. */
  readonly declared?: EpochRecord;
  readonly ended?: Ended | null;
  readonly operation?: Operation | null;
  readonly retry?: Status['retry'] | null;
  readonly missing?: Status['missing'];
  readonly redeploy?: Status['redeploy'];
  readonly handled?: Status['handled'];
  /** A snapshot that was just taken of the job, which goes on. */
  readonly snapshot?: Snapshot;
  /** Path of a snapshot that is no longer there, or that is given up. */
  readonly forgotten?: string;
  /** What a person may have to remove. */
  readonly leftovers?: readonly string[];
  readonly commands?: readonly FlinkCommand[];
  /** A line of history, when this answer is a transition. */
  readonly transition?: { readonly reason: Reason; readonly snapshot?: string };
  readonly stateSafe?: { readonly status: 'True' | 'False'; readonly reason: Reason; readonly message: string };
  readonly resyncAfterSeconds: number;
  readonly finalized?: boolean;
  /** Nothing is answered: the view contradicts itself and is to be shown again. */
  readonly retry429?: boolean;
};
