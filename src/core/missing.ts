import type { Missing, Snapshot } from '../api/status.ts';
import type { Facts } from './facts/facts.ts';
import { mainContainer, ofEpoch, podsOf } from './facts/process.ts';
import { flinkVersionOf } from './flink-version.ts';
import { isSamePath } from './snapshot-path.ts';
import { parseTime } from './time.ts';

/**
 * Evidence that the snapshot which the next process restores is not there (lifecycle.md, Trap 1). Only Flink's own sentence about this
 * very path counts, once for each process that died of it (1.19, 1.20: in the termination message) or failed its job for it (from 2.0:
 * in /jobs/:id/exceptions). Everything else, a file system that cannot be reached above all, is no evidence.
 */

/** So many processes have to say it before Flork goes back to another snapshot. */
export const EVIDENCE = 3;

/** AbstractFsCheckpointStorageAccess.resolveCheckpointPointer: no such file or directory, or one without metadata. */
const SENTENCES = [
  /Cannot find checkpoint or savepoint file\/directory '([^'\n]+)'/,
  /Cannot find meta data file '_metadata' in directory '([^'\n]+)'/,
];

/** The snapshot that a stack trace names as not found; `undefined` when it names none. */
export function missingPathIn(text: string): string | undefined {
  for (const sentence of SENTENCES) {
    const path = sentence.exec(text)?.[1];
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The snapshot that a failed job without a graph names as not found: it could not be initialized. */
function namedByJob({ flink, view }: Facts): string | undefined {
  if (flink.job?.state !== 'FAILED' || flink.job.tasks.total > 0) return undefined;
  return view.kind === 'answered' && view.exceptions.kind === 'value' ? view.exceptions.value.missing : undefined;
}

/**
 * Whether a job that could not be initialized takes its process along: before Flink 2.0, without high availability, that is fatal
 * (ApplicationDispatcherBootstrap). For a moment the process still tells of its failed job.
 */
export function diesWithItsJob({ record }: Facts): boolean {
  if (!record || record.highAvailability) return false;
  return flinkVersionOf(record.spec)?.startsWith('1.') === true;
}

/** Whether the process that answers is about to die of a snapshot it could not find. */
export function isDyingOfIt(facts: Facts): boolean {
  return diesWithItsJob(facts) && namedByJob(facts) !== undefined;
}

/** The processes shown in this sync that say of `path` that it is not there: pod uid and end, or the process that lives on. */
function witnesses(facts: Facts, path: string): readonly string[] {
  const { input, epoch, process } = facts;
  const pods = epoch ? ofEpoch(podsOf(input.observed.pods ?? [], 'jobmanager'), input.job.ref.uid, epoch.number) : [];
  const dead = pods.flatMap((pod) => {
    const container = mainContainer(pod);
    return [container?.state, container?.lastState]
      .filter((state) => state?.kind === 'terminated')
      .filter(({ message }) => isSamePath(missingPathIn(message), path))
      .map(({ finishedAt }) => `${pod.metadata.uid}/${finishedAt}`);
  });
  // One that dies is counted by its end.
  const tells = process.kind === 'running' && isSamePath(namedByJob(facts), path) && !isDyingOfIt(facts);
  const lives = tells ? [process.id] : [];
  return [...dead, ...lives];
}

/** What status is to hold: counted per process, forgotten when all tasks run. Grows only as processes end, so it is written no oftener. */
export function missingOf(facts: Facts): Missing | undefined {
  const before = facts.prior?.missing;
  const path = facts.restore?.path;
  if (facts.flink.allTasksRun) return undefined;
  if (path === undefined) return before;
  const seen = witnesses(facts, path);
  if (before && isSamePath(before.path, path)) {
    return { ...before, processes: [...new Set([...before.processes, ...seen])].slice(0, EVIDENCE) };
  }
  if (seen.length === 0) return before;
  if (before && isSamePath(before.steppedTo, path)) return { ...before, exhausted: true };
  return { path, processes: seen.slice(0, EVIDENCE) };
}

/** Whether the newest process says of this very snapshot that it is not there, or enough have: reason to hold a change, not to go back behind it. */
export function isSaidMissing(facts: Facts, path: string): boolean {
  const missing = missingOf(facts);
  const exhausted = missing?.exhausted === true && isSamePath(missing.steppedTo, path);
  return exhausted || (isProvenMissing(missing) && isSamePath(missing.path, path)) || witnesses(facts, path).length > 0;
}

/** Whether enough processes said so. */
export function isProvenMissing(missing: Missing | undefined): missing is Missing {
  return missing !== undefined && missing.processes.length >= EVIDENCE;
}

/** Whether Flork has gone back behind this snapshot, as it is not there: nothing may name it again. */
export function isVoid({ prior }: Facts, path: string): boolean {
  return prior?.missing?.steppedTo !== undefined && isSamePath(path, prior.missing.path);
}

/**
 * The newest other snapshot that is known: a savepoint or a checkpoint on record in status, else what the epoch started from.
 * `undefined` when none is known, or when a stop's savepoint may be complete whose path was never read: that one is newer.
 */
export function stepOf(facts: Facts, missing: Missing): string | undefined {
  if (facts.epoch?.unread !== undefined) return undefined;
  const { snapshots } = facts.prior ?? {};
  const known: Snapshot[] = [snapshots?.lastSavepoint, snapshots?.lastCheckpoint, ...(snapshots?.history ?? [])]
    .filter((snapshot) => snapshot !== undefined)
    .filter(({ path }) => !isSamePath(path, missing.path));
  const newest = known.toSorted((a, b) => (parseTime(b.at) ?? 0) - (parseTime(a.at) ?? 0))[0];
  const given = facts.epoch?.restoredFrom;
  return newest?.path ?? (isSamePath(given, missing.path) ? undefined : given);
}

/** When a snapshot was complete as status tells it, epoch milliseconds; 0 when it does not. */
export function knownAt(facts: Facts, path: string): number {
  const { snapshots } = facts.prior ?? {};
  const found = [snapshots?.lastSavepoint, snapshots?.lastCheckpoint, ...(snapshots?.history ?? [])].find(
    (snapshot) => snapshot?.path === path,
  );
  return parseTime(found?.at) ?? 0;
}
