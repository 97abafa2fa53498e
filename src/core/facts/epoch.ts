import type { Observed, ObservedDeployment } from '../../api/kube.ts';
import type { Ended, Epoch, Status } from '../../api/status.ts';
import { epochNames, processJobId } from '../build/names.ts';
import { encodeRecord, readRecord } from '../build/record.ts';
import { readRestore } from '../build/restore.ts';
import { closedRecord, openRecord, type EpochRecord, type JobRef, type RestoreContent } from '../record.ts';
import { rfc3339 } from '../time.ts';

/**
 * Which epoch is the current one, put together from status and children, whichever is newer.
 * A status that is absent or older beside living children is what a lagging cache shows in the first second of any job
 * (metacontroller reference, trace call 24) and also what a wiped status looks like: the answer is the same for both.
 */
export type EpochFacts = {
  readonly epoch: Epoch | undefined;
  /** True when the epoch was taken from its record and workload because status does not know it. */
  readonly adopted: boolean;
  /** Epoch number that the JobManager Deployment carries; 0 when there is none. */
  readonly deployed: number;
  readonly record: EpochRecord | undefined;
  readonly restore: RestoreContent | undefined;
  /** How the epoch ended as *observed in status*: the only evidence that may cost a JobManager (S3). */
  readonly endedInStatus: Ended | undefined;
};

/** The epoch number a Deployment carries; 0 when absent or unreadable. */
export function epochOfDeployment(deployment: ObservedDeployment | undefined): number {
  const number = Number(deployment?.metadata.annotations?.['flork.itom.com/epoch'] ?? 0);
  return Number.isInteger(number) && number > 0 ? number : 0;
}

/**
 * Reads the record of an epoch if one of the hashes that may vouch for it does (S7). Its end changes it: a hash vouches for the record
 * with and without the end, as a write of either may have been lost, or seen late.
 */
export function trustedRecord(
  ref: JobRef,
  observed: Observed,
  number: number,
  hashes: readonly (string | undefined)[],
  ended: Ended | undefined,
) {
  const configMap = observed.configMaps.get(epochNames(ref, number).record);
  const read = configMap && readRecord(configMap);
  if (!read || read.record.uid !== ref.uid || read.record.number !== number) return undefined;
  if (hashes.includes(read.hash)) return read;
  const open = openRecord(read.record);
  const hash = encodeRecord(open).hash;
  const vouched = hashes.includes(hash) || (ended && hashes.includes(encodeRecord(closedRecord(open, ended)).hash));
  return vouched ? { record: open, hash } : undefined;
}

/** An epoch that status does not know, as its record and its restore ConfigMap describe it. Unless no process was seen, it ran. */
function adopt(
  ref: JobRef,
  record: EpochRecord,
  hash: string,
  restore: RestoreContent | undefined,
  jobManager: ObservedDeployment,
  attempt: number,
  asked: number | undefined,
): Epoch {
  const incarnation = record.highAvailability
    ? restore?.lastProcess
      ? 1
      : 0
    : Math.max(0, (restore?.incarnation ?? 1) - 1);
  const seen = restore === undefined || restore.lastProcess !== undefined;
  return {
    number: record.number,
    incarnation,
    jobId: processJobId(ref.uid, record, Math.max(1, incarnation)),
    ...(restore?.lastProcess ? { process: restore.lastProcess } : {}),
    generation: record.generation,
    recordHash: hash,
    ...(record.restoredFrom ? { restoredFrom: record.restoredFrom } : {}),
    attempt,
    ...(asked === undefined ? {} : { asked }),
    startedAt: jobManager.metadata.creationTimestamp ?? rfc3339(0),
    ...(seen ? { ran: true } : {}),
  };
}

/** The number of the last stop or cancel that status tells of: what led to another epoch is used up. */
function usedBefore(prior: Partial<Status> | undefined): number {
  const { epoch, operation } = prior ?? {};
  const led = operation?.kind === 'stop' || operation?.kind === 'cancel' ? operation.attempt : 0;
  return Math.max(epoch?.attempt ?? 0, led);
}

/** The end as the record tells it. An epoch that was to make room may yet begin to run: of that only status tells. */
function endedByRecord(ended: EpochRecord['ended'], at: string): Ended | undefined {
  if (!ended || ended.how === 'replaced') return undefined;
  return { ...ended, at };
}

/** What the restore ConfigMap of an ended epoch says about its end, when status does not (yet) know. */
function endedByRestore(restore: RestoreContent | undefined, at: string): Ended | undefined {
  // An epoch that was to make room may yet begin to run: only status says so.
  if (!restore || restore.startable || restore.ended === 'replaced') return undefined;
  const how = restore.ended ?? 'stopped';
  const byFlork = restore.ended === undefined || restore.endedByFlork === true;
  const rewound = restore.rewound ? { rewound: true } : {};
  const newest = restore.newest === undefined ? {} : { newest: restore.newest };
  const back = restore.rollback ? { rollback: true, ...newest } : {};
  return { how, ...(restore.path ? { path: restore.path } : {}), ...rewound, ...back, byFlork, at };
}

/**
 * The epoch with a number of operations that neither the restore ConfigMap nor any of these savepoints goes beyond. Each savepoint lies in
 * a folder named by its operation, so that a number is known to be used up even where status, shown late or wiped, does not tell (S5).
 */
function withNumbersOf(
  ref: JobRef,
  epoch: Epoch,
  restore: RestoreContent | undefined,
  paths: readonly (string | undefined)[],
): Epoch {
  const own = `/${ref.namespace}-${ref.name}-${ref.uid}/`;
  const used = paths.map((path) => {
    const from = path?.lastIndexOf(own) ?? -1;
    return from < 0 ? 0 : Number(/^\d{1,9}(?=\/)/.exec(path?.slice(from + own.length) ?? '')?.[0] ?? 0);
  });
  const attempt = Math.max(epoch.attempt, restore?.attempt ?? 0, ...used);
  const asked = Math.max(epoch.asked ?? 0, restore?.asked ?? 0);
  if (attempt === epoch.attempt && asked === (epoch.asked ?? 0)) return epoch;
  return { ...epoch, attempt, ...(asked > 0 ? { asked } : {}) };
}

/** Puts status and children together; never throws, whatever was edited. */
export function epochFacts(
  ref: JobRef,
  prior: Partial<Status> | undefined,
  observed: Observed,
  jobManager: ObservedDeployment | undefined,
  now: number,
): EpochFacts {
  const facts = readEpoch(ref, prior, observed, jobManager, now);
  const { epoch, restore } = facts;
  if (!epoch) return facts;
  return {
    ...facts,
    epoch: withNumbersOf(ref, epoch, restore, [epoch.ended?.path, epoch.restoredFrom, restore?.path]),
  };
}

function readEpoch(
  ref: JobRef,
  prior: Partial<Status> | undefined,
  observed: Observed,
  jobManager: ObservedDeployment | undefined,
  now: number,
): EpochFacts {
  const known = prior?.epoch;
  const deployed = epochOfDeployment(jobManager);
  const annotation = jobManager?.metadata.annotations?.['flork.itom.com/record-hash'];
  const readRestoreOf = (number: number): RestoreContent | undefined => {
    const configMap = observed.configMaps.get(epochNames(ref, number).restore);
    return configMap && readRestore(configMap);
  };
  if (jobManager && deployed > (known?.number ?? 0)) {
    const read = trustedRecord(ref, observed, deployed, [annotation], undefined);
    const restore = readRestoreOf(deployed);
    if (read) {
      // Without any status, numbers that were used before are not known: those to come are greater than any of them.
      const untold = prior === undefined && restore?.asked === undefined;
      const asked = untold ? Math.floor(now / 1000) : known?.asked;
      const epoch = adopt(ref, read.record, read.hash, restore, jobManager, usedBefore(prior), asked);
      const ended = endedByRecord(read.record.ended, rfc3339(now)) ?? endedByRestore(restore, rfc3339(now));
      return {
        epoch: ended ? { ...epoch, ended } : epoch,
        adopted: true,
        deployed,
        record: read.record,
        restore,
        endedInStatus: undefined,
      };
    }
    return { epoch: known, adopted: true, deployed, record: undefined, restore, endedInStatus: undefined };
  }
  if (!known)
    return {
      epoch: undefined,
      adopted: false,
      deployed,
      record: undefined,
      restore: undefined,
      endedInStatus: undefined,
    };
  const vouching = [known.recordHash, known.nextRecordHash, deployed === known.number ? annotation : undefined];
  const read = trustedRecord(ref, observed, known.number, vouching, known.ended);
  const restore = readRestoreOf(known.number);
  const ended = known.ended ?? endedByRecord(read?.record.ended, rfc3339(now)) ?? endedByRestore(restore, rfc3339(now));
  return {
    epoch: ended ? { ...known, ended } : known,
    adopted: false,
    deployed,
    record: read?.record,
    restore,
    endedInStatus: known.ended,
  };
}
