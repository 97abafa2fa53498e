import type { Child } from '../api/kube.ts';
import type { FlinkJobSpec } from '../api/flinkjob.ts';
import type { Ended } from '../api/status.ts';
import type { EpochNonces } from './handled.ts';
import { rememberedByObject, rememberedByText } from './memo.ts';

/** Who the children belong to. `uid` enters every hash. */
export type JobRef = {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly tenant?: string;
};

/**
 * The record of an epoch: all that a later Flork needs to go on with it without rendering anything anew (S10).
 * It is stored gzipped in ConfigMap `<name>-epoch-<h>` and trusted only by its hash (lifecycle.md S7).
 */
export type EpochRecord = {
  readonly version: 1;
  readonly uid: string;
  readonly number: number;
  /** Generation of the accepted spec. */
  readonly generation: number;
  /** The accepted spec as the user wrote it; compared field by field with a new one, parsed by the same code. */
  readonly spec: FlinkJobSpec;
  readonly restoredFrom?: string;
  readonly allowNonRestoredState: boolean;
  readonly highAvailability: boolean;
  /** Nonces already acted on, so that a wiped status does not repeat them. */
  readonly handled: EpochNonces;
  /** How the JobManager is reached. */
  readonly rest: { readonly scheme: 'http' | 'https'; readonly port: number };
  /** Effective savepoint directory (policies.savepoint.directory or its configuration key), without trailing slash. */
  readonly savepointDirectory?: string;
  /** Checkpoint interval of the rendered configuration in milliseconds; absent when not configured there (main() may still set it). */
  readonly checkpointIntervalMs?: number;
  /** Rendered number of retained checkpoints. */
  readonly retainedCheckpoints: number;
  readonly replicas: { readonly jobManager: number; readonly taskManager: number };
  /** Rendered children in canonical form, without replicas, without the annotations that change within an epoch, without desired-hash. */
  readonly children: {
    readonly configuration: Child;
    readonly services: readonly Child[];
    readonly jobManager: Child;
    readonly taskManager: Child;
  };
  /** How the epoch ended, once that has been observed in status; without times, so that whoever writes it writes the same. */
  readonly ended?: Pick<Ended, 'how' | 'path' | 'byFlork' | 'rollback' | 'newest'>;
  /** What this epoch was rolled back from; stands while the spec is the one that failed. */
  readonly failed?: FailedEpoch;
};

/** An epoch that did not become stable, and whose record took its place. */
export type FailedEpoch = {
  readonly number: number;
  readonly generation: number;
  readonly recordHash: string;
  readonly spec: FlinkJobSpec;
  /** The snapshot it started from. */
  readonly path?: string;
  readonly newest?: string;
  /** The epoch whose record runs again. */
  readonly to: number;
};

/**
 * A newer checkpoint is recorded for the next process at most this often. How many checkpoints Flink is told to retain, and whether
 * a job's state counts as safe, follow from it (lifecycle.md, Trap 1).
 */
export const RECORDING_INTERVAL_MS = 60_000;
/** And at the latest after this long: a settled job is asked every 15 to 25 s, and a sync may take some seconds. */
export const RECORDED_WITHIN_MS = RECORDING_INTERVAL_MS + 30_000;

/** What the next JobManager process of an epoch starts with: content of ConfigMap `<name>-restore-<h>`. */
export type RestoreContent = {
  /** Number of the next process, 1 for the first; with Kubernetes HA always 1. */
  readonly incarnation: number;
  /** The process that was seen last when this was written; absent before the first. */
  readonly lastProcess?: string;
  /** Snapshot to restore; absent starts empty. */
  readonly path?: string;
  /** When that snapshot was complete, epoch milliseconds, 0 when given from outside. */
  readonly pathAt: number;
  /** Flink job id of the next process. */
  readonly jobId: string;
  readonly allowNonRestoredState: boolean;
  /** Numbers of operations that are used up (status.epoch), so that a wiped status does not repeat them; absent: none. */
  readonly attempt?: number;
  readonly asked?: number;
  /** Flork is about to cancel the job, or has: status alone could forget it. */
  readonly canceling?: true;
  /** How the epoch ended; present exactly when not startable. */
  readonly ended?: Ended['how'];
  /** Whether the job may have got further than `path`. */
  readonly rewound?: true;
  /** The last stable epoch takes the place of this one. */
  readonly rollback?: true;
  /** The newest snapshot of an epoch that is rolled back. */
  readonly newest?: string;
  /** Whether Flork ended it, or it ended by itself or by someone else. */
  readonly endedByFlork?: boolean;
  /** `false` after the end: the start keys are left out, so that a restarted container cannot start (configMapKeyRef optional: false). */
  readonly startable: boolean;
};

/** The record of an epoch that ended. */
export function closedRecord(record: EpochRecord, { how, path, byFlork, rollback, newest }: Ended): EpochRecord {
  const back = rollback ? { rollback, ...(newest ? { newest } : {}) } : {};
  return closedAs(record)(JSON.stringify({ how, ...(path ? { path } : {}), byFlork, ...back }));
}

const closedAs = rememberedByObject((record: EpochRecord) =>
  rememberedByText(2, (ended): EpochRecord => ({
    ...record,
    ended: JSON.parse(ended) as NonNullable<EpochRecord['ended']>,
  })),
);

/** The record without its end. */
export const openRecord = rememberedByObject((record: EpochRecord): EpochRecord => {
  const { ended, ...open } = record;
  return ended === undefined ? record : open;
});
