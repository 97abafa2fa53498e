import type { OPERATION_KINDS } from '../../api/status.ts';
import type { EpochRecord, JobRef } from '../record.ts';
import { rememberedByText } from '../memo.ts';
import { sha256Hex } from './hash.ts';

/**
 * Names and ids of everything that belongs to a FlinkJob. They are functions of its name, uid, epoch and counters alone,
 * so that any Flork computes the same ones and nothing of another epoch or of a former object of the same name is ever read.
 *
 * FROZEN: a different result here means another job id, another directory, another ConfigMap for jobs that run.
 * The tests pin literal values; they are never updated.
 */

/** Names that live as long as the FlinkJob. */
export type Names = {
  readonly jobManager: string;
  readonly taskManager: string;
  readonly internalService: string;
  readonly restService: string;
};

/** Names of one epoch. */
export type EpochNames = {
  /** Ten hex digits of (uid, epoch). */
  readonly hash: string;
  readonly configuration: string;
  readonly restore: string;
  readonly record: string;
  /** Flink's cluster ids (high availability); at most 45 + 11 characters. */
  readonly clusterId: string;
};

/** Workloads and Services of a FlinkJob. */
export function names(ref: Pick<JobRef, 'name'>): Names {
  return {
    jobManager: `${ref.name}-jobmanager`,
    taskManager: `${ref.name}-taskmanager`,
    internalService: `${ref.name}-jobmanager`,
    restService: `${ref.name}-rest`,
  };
}

/** ConfigMaps and cluster id of epoch `number`. */
export function epochNames(ref: Pick<JobRef, 'name' | 'uid'>, number: number): EpochNames {
  const hash = digest('epoch', ref.uid, number).slice(0, 10);
  return {
    hash,
    configuration: `${ref.name}-conf-${hash}`,
    restore: `${ref.name}-restore-${hash}`,
    record: `${ref.name}-epoch-${hash}`,
    clusterId: `${ref.name}-${hash}`,
  };
}

/**
 * Flink job id, 32 hex digits. Without high availability each process has its own, so that it never writes where another one wrote;
 * with it (`'ha'`) one id serves the epoch, as Flink finds its metadata by it.
 */
export function jobIdOf(uid: string, epoch: number, incarnation: number | 'ha'): string {
  return flinkId('job', uid, epoch, incarnation);
}

/** Trigger id of an operation, 32 hex digits: Flink takes a call repeated with it for the same call. */
export function triggerIdOf(
  uid: string,
  epoch: number,
  kind: (typeof OPERATION_KINDS)[number],
  attempt: number,
): string {
  return flinkId('trigger', uid, epoch, kind, attempt);
}

/** The id that one process of an epoch runs under: its own, or the epoch's where high availability needs it. */
export function processJobId(
  uid: string,
  record: Pick<EpochRecord, 'number' | 'highAvailability'>,
  incarnation: number,
): string {
  return jobIdOf(uid, record.number, record.highAvailability ? 'ha' : incarnation);
}

/** The word that a user copies into `spec.approveStateLoss`: it approves the loss of this epoch's state and nothing else. */
export function approvalToken(uid: string, epoch: number): string {
  return `lose-${digest('approval', uid, epoch).slice(0, 12)}`;
}

/** An id that is never all zero, which Flink takes for "none given". */
function flinkId(...parts: readonly (string | number)[]): string {
  const id = digest(...parts).slice(0, 32);
  return /^0+$/.test(id) ? `${id.slice(1)}1` : id;
}

/** JSON keeps ("a", "bc") and ("ab", "c") apart. */
function digest(...parts: readonly (string | number)[]): string {
  return hashed(JSON.stringify(['flork/v1', ...parts]));
}

/** The same few names and ids are asked for in every sync of a job. */
const hashed = rememberedByText(8192, sha256Hex);
