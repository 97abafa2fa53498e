import type { Ended } from '../../api/status.ts';
import type { Facts } from '../facts/facts.ts';
import type { SnapshotView } from '../flink-view.ts';

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
  const recorded = facts.restore?.path ?? facts.epoch?.restoredFrom;
  if (recorded === undefined) return {};
  if (recorded === facts.epoch?.restoredFrom) return { path: recorded };
  return { path: recorded, kind: isOwnSavepoint(facts, recorded) ? 'savepoint' : 'checkpoint' };
}

/** A path as it can be compared: Flink writes file:/x where file:///x was asked for. */
export function comparable(path: string): string {
  return path.replace(/^file:\/*/, '/').replace(/\/+$/, '');
}

/** Whether Flork asked for this savepoint: it lies in a directory that is named after the uid of this FlinkJob, wherever. */
export function isOwnSavepoint(facts: Facts, path: string): boolean {
  const { name, namespace, uid } = facts.input.job.ref;
  return path.includes(`/${namespace}-${name}-${uid}/`);
}

/** Directory of all savepoints that Flork takes of this FlinkJob. */
export function ownDirectory(facts: Facts): string | undefined {
  const directory = facts.record?.savepointDirectory;
  const { name, namespace, uid } = facts.input.job.ref;
  return directory === undefined ? undefined : `${directory}/${namespace}-${name}-${uid}`;
}

/** The savepoint of a stop whose answer was lost: one that Flink lists below the given directory. */
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
  if (found === undefined || own === undefined) return undefined;
  return /^\d+\//.test(comparable(found.path).slice(comparable(own).length + 1)) ? found : undefined;
}

/** The snapshots a person can choose from, newest first, for the message of a hold. */
export function candidates(facts: Facts): readonly string[] {
  const newest = newestInFlink(facts);
  const lines = [
    newest && `${newest.path} (${newest.kind}, Flink's newest)`,
    facts.restore?.path && `${facts.restore.path} (recorded for the next process)`,
    facts.prior?.snapshots?.lastSavepoint &&
      `${facts.prior.snapshots.lastSavepoint.path} (savepoint, ${facts.prior.snapshots.lastSavepoint.at})`,
    facts.epoch?.restoredFrom && `${facts.epoch.restoredFrom} (this epoch started from it)`,
  ].filter((line) => line !== undefined && line !== '');
  return [...new Map(lines.map((line) => [String(line).split(' ')[0], String(line)])).values()];
}
