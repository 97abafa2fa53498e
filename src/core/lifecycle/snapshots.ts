import type { Ended, Snapshot } from '../../api/status.ts';
import { jobIdOf } from '../build/names.ts';
import type { Facts } from '../facts/facts.ts';
import type { SnapshotView } from '../flink-view.ts';
import { isVoid } from '../missing.ts';
import { comparable } from '../snapshot-path.ts';
import { parseTime, rfc3339 } from '../time.ts';

/** The newest restorable snapshot that Flink names now: the greatest id among restored, completed and savepoint. */
export function newestInFlink(facts: Facts): SnapshotView | undefined {
  const { view } = facts;
  if (view.kind !== 'answered' || view.checkpoints.kind !== 'value') return undefined;
  const { latestCompleted, latestSavepoint, latestRestored } = view.checkpoints.value;
  return [latestCompleted, latestSavepoint, latestRestored]
    .filter((snapshot) => snapshot !== undefined)
    .toSorted((a, b) => b.id - a.id || b.at - a.at)[0];
}

/** What an ended epoch leaves to its successor: the newest snapshot that can be known of (S4). */
export function heritage(facts: Facts): Pick<Ended, 'path' | 'kind'> {
  const newest = newestInFlink(facts);
  if (newest) return { path: newest.path, kind: newest.kind };
  const recorded = recordedCheckpoint(facts);
  if (recorded !== undefined)
    return { path: recorded, kind: isOwnSavepoint(facts, recorded) ? 'savepoint' : 'checkpoint' };
  const given = facts.restore?.path ?? facts.epoch?.restoredFrom;
  return given === undefined ? {} : { path: given };
}

/** Whether Flork asked for this savepoint: it lies in a directory that is named after the uid of this FlinkJob, wherever. */
export function isOwnSavepoint(facts: Facts, path: string): boolean {
  const { name, namespace, uid } = facts.input.job.ref;
  return path.includes(`/${namespace}-${name}-${uid}/`);
}

/**
 * The newest checkpoint of this very epoch that is on record: in its restore ConfigMap or, where that was deleted or is shown late,
 * in status (whole seconds: one older or newer is the same time).
 */
export function recordedCheckpoint(facts: Facts): string | undefined {
  const { restore, epoch, prior } = facts;
  const told = prior?.snapshots?.lastCheckpoint;
  const inStatus = told && told.epoch === epoch?.number && !isVoid(facts, told.path) ? told : undefined;
  const own = restore?.path !== undefined && restore.pathAt > 0 && restore.path !== epoch?.restoredFrom;
  if (!own) return inStatus?.path;
  return (parseTime(inStatus?.at) ?? 0) > restore.pathAt + 1000 ? inStatus?.path : restore.path;
}

/** Processes of one epoch whose directories are known as its own. */
const MOST_PROCESSES = 64;

/** Whether a job of that epoch wrote it: Flink puts checkpoints into a directory named after the job. */
export function isOwnCheckpoint(facts: Facts, { path, epoch }: Pick<Snapshot, 'path' | 'epoch'>): boolean {
  const jobId = /\/([0-9a-f]{32})\/chk-\d+\/*$/.exec(path)?.[1];
  if (jobId === undefined) return false;
  const { uid } = facts.input.job.ref;
  if (jobIdOf(uid, epoch, 'ha') === jobId) return true;
  for (let process = 1; process <= MOST_PROCESSES; process += 1)
    if (jobIdOf(uid, epoch, process) === jobId) return true;
  return false;
}

/** Directory of all savepoints that Flork takes of this FlinkJob. */
export function ownDirectory(facts: Facts): string | undefined {
  const directory = facts.record?.savepointDirectory;
  const { name, namespace, uid } = facts.input.job.ref;
  return directory === undefined ? undefined : `${directory}/${namespace}-${name}-${uid}`;
}

/** Where the savepoint of a stop lies that nobody read, in words; `undefined` when there was none. */
export function unreadHint({ epoch }: Facts): string | undefined {
  if (epoch?.unread === undefined) return undefined;
  return `The job was being stopped with a savepoint when its JobManager ended: it lies below ${epoch.unread} if it was completed.`;
}

/** The savepoint of a stop whose answer was lost: one that Flink lists below the given directory, and after which the job had to end. */
export function savepointBelow(facts: Facts, directory: string | undefined): SnapshotView | undefined {
  const { view } = facts;
  if (directory === undefined || view.kind !== 'answered' || view.checkpoints.kind !== 'value') return undefined;
  const { latestSavepoint } = view.checkpoints.value;
  const below = latestSavepoint && comparable(latestSavepoint.path).startsWith(`${comparable(directory)}/`);
  return below ? latestSavepoint : undefined;
}

/** The savepoint that a stop of Flork made, as Flink lists it: stops have numbers for directories, other savepoints have names. */
export function savepointOfStop(facts: Facts): SnapshotView | undefined {
  const own = ownDirectory(facts);
  const found = savepointBelow(facts, own);
  if (found === undefined || own === undefined || found.synchronous === false) return undefined;
  return /^\d+\//.test(comparable(found.path).slice(comparable(own).length + 1)) ? found : undefined;
}

/** The snapshots a person can choose from, newest first, for the message of a hold: path, kind, when it was complete. */
export function candidates(facts: Facts): readonly string[] {
  const { prior, restore, epoch } = facts;
  const newest = newestInFlink(facts);
  // Flink deletes the checkpoints of a job that finishes.
  const recorded = facts.flink.job?.state === 'FINISHED' ? undefined : recordedCheckpoint(facts);
  const recordedAt = recorded === restore?.path ? restore?.pathAt : parseTime(prior?.snapshots?.lastCheckpoint?.at);
  const savepoint = prior?.snapshots?.lastSavepoint;
  const lines = [
    newest && { path: newest.path, is: `${newest.kind}, ${rfc3339(newest.at)}, the newest that Flink names` },
    recorded && { path: recorded, is: `checkpoint, ${rfc3339(recordedAt ?? 0)}, recorded for the next process` },
    savepoint && { path: savepoint.path, is: `savepoint, ${savepoint.at}` },
    epoch?.restoredFrom && { path: epoch.restoredFrom, is: `this epoch started from it on ${epoch.startedAt}` },
  ].filter((line) => line !== undefined && line !== '');
  return [...new Map(lines.toReversed().map((line) => [line.path, `${line.path} (${line.is})`])).values()].toReversed();
}
