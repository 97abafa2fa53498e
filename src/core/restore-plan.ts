import type { Ended, Epoch } from '../api/status.ts';
import { jobIdOf } from './build/names.ts';
import type { Facts } from './facts/facts.ts';
import { newestInFlink } from './lifecycle/snapshots.ts';
import type { EpochRecord, RestoreContent } from './record.ts';

/** A newer checkpoint is recorded for the next process at most this often; the number of retained ones covers it (Trap 1). */
export const RECORDING_INTERVAL_MS = 60_000;

/** What the first process of an epoch starts with. */
export function firstRestore(uid: string, record: EpochRecord): RestoreContent {
  return {
    incarnation: 1,
    ...(record.restoredFrom ? { path: record.restoredFrom } : {}),
    pathAt: 0,
    jobId: jobIdOf(uid, record.number, record.highAvailability ? 'ha' : 1),
    allowNonRestoredState: record.allowNonRestoredState,
    startable: true,
  };
}

/**
 * What the next process of the current epoch starts with (lifecycle.md, Recover without HA): a fresh job id as soon as a process
 * was seen, and the newest recorded checkpoint. After the end there is nothing to start with, only the path.
 */
export function nextRestore(facts: Facts, epoch: Epoch, record: EpochRecord, ended: Ended | undefined): RestoreContent {
  const observed = facts.restore ?? lostContent(facts, epoch, record);
  const numbered = nextIncarnation(facts, epoch, record, observed);
  if (ended) {
    const { path: _, ...rest } = numbered;
    return {
      ...rest,
      ...(ended.path ? { path: ended.path } : {}),
      startable: false,
      ended: ended.how,
      endedByFlork: ended.byFlork,
    };
  }
  const { ended: _, endedByFlork: __, ...startable } = { ...numbered, startable: true };
  return newestPath(facts, epoch, startable);
}

/** The ConfigMap was deleted: as good as status knows it. */
function lostContent(facts: Facts, epoch: Epoch, record: EpochRecord): RestoreContent {
  const first = firstRestore(facts.input.job.ref.uid, record);
  const checkpoint = facts.prior?.snapshots?.lastCheckpoint;
  const path = checkpoint && checkpoint.epoch === epoch.number ? checkpoint.path : first.path;
  const incarnation = record.highAvailability ? 1 : Math.max(1, epoch.incarnation + 1);
  const { path: _, ...rest } = first;
  return {
    ...rest,
    ...(path ? { path } : {}),
    incarnation,
    jobId: jobIdOf(facts.input.job.ref.uid, epoch.number, record.highAvailability ? 'ha' : incarnation),
    ...(epoch.process ? { lastProcess: epoch.process } : {}),
  };
}

function nextIncarnation(facts: Facts, epoch: Epoch, record: EpochRecord, content: RestoreContent): RestoreContent {
  const seen = epoch.process;
  const { uid } = facts.input.job.ref;
  if (seen === undefined) return content;
  const incarnation = record.highAvailability ? 1 : Math.max(content.incarnation, epoch.incarnation + 1);
  if (content.lastProcess === seen && content.incarnation === incarnation) return content;
  return {
    ...content,
    lastProcess: seen,
    incarnation,
    jobId: jobIdOf(uid, epoch.number, record.highAvailability ? 'ha' : incarnation),
  };
}

/** The first checkpoint of an epoch is recorded at once, newer ones once a minute, by the clock of the checkpoints themselves. */
function newestPath(facts: Facts, epoch: Epoch, content: RestoreContent): RestoreContent {
  const newest = newestInFlink(facts);
  if (!newest || newest.path === content.path || newest.at <= content.pathAt) return content;
  const first = content.path === undefined || content.path === epoch.restoredFrom;
  if (!first && newest.at - content.pathAt < RECORDING_INTERVAL_MS) return content;
  return { ...content, path: newest.path, pathAt: newest.at };
}
