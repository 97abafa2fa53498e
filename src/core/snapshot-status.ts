import type { Epoch, Snapshot, Status } from '../api/status.ts';
import type { Answer } from './answer.ts';
import type { Facts } from './facts/facts.ts';
import { isOwnCheckpoint, isOwnSavepoint, newestInFlink } from './lifecycle/snapshots.ts';
import { sameJson } from './memo.ts';
import { isVoid } from './missing.ts';
import type { RestoreContent } from './record.ts';
import { isSamePath } from './snapshot-path.ts';
import { fitted, LONGEST_LEFTOVER } from './status-size.ts';
import { rfc3339 } from './time.ts';

/** status.snapshots: what was taken, what is recorded for the next process, what ended epochs have left. */

/** Status has room for so much of it; what falls off is never removed by Flork. */
const MOST_ENTRIES = 40;
const MOST_CHARACTERS = 7000;
const MOST_LEFTOVERS = 20;

/** The newest savepoint, with this answer's. */
export function lastSavepointOf(facts: Facts, answer: Answer): Snapshot | undefined {
  const taken = answer.snapshot?.kind === 'savepoint' ? answer.snapshot : savepointOfStop(facts, answer);
  const before = facts.prior?.snapshots?.lastSavepoint;
  return taken ?? (before && isVoid(facts, before.path) ? undefined : before);
}

function savepointOfStop(facts: Facts, answer: Answer): Snapshot | undefined {
  const ended = answer.ended;
  if (!ended || ended.how !== 'stopped' || !ended.path || !facts.epoch) return undefined;
  // Told again, it is what it was.
  const known = facts.prior?.snapshots?.history?.find(({ path }) => path === ended.path);
  if (known) return known;
  const purpose = facts.operation?.purpose ?? (facts.suspendWanted ? 'suspend' : 'upgrade');
  return {
    path: ended.path,
    kind: 'savepoint',
    epoch: facts.epoch.number,
    trigger: purpose,
    at: ended.at,
  };
}

/** The size of a savepoint, which Flink lists some seconds after it was complete. */
function sized(facts: Facts, entry: Snapshot): Snapshot {
  const { view } = facts;
  if (entry.kind !== 'savepoint' || entry.sizeBytes !== undefined || view.kind !== 'answered') return entry;
  const listed = view.checkpoints.kind === 'value' ? view.checkpoints.value.latestSavepoint : undefined;
  const same = listed !== undefined && isSamePath(listed.path, entry.path);
  return same && listed.sizeBytes !== undefined ? { ...entry, sizeBytes: listed.sizeBytes } : entry;
}

/** The last checkpoint of an epoch that makes room for the next: what is known of the checkpoints it retains. */
function checkpointOfEnded(facts: Facts, epoch: Epoch | undefined): Snapshot | undefined {
  // As status has it: in a late view the new epoch is known from its workload, and the old one still stands in status.
  const old = facts.prior?.epoch ?? facts.epoch;
  const path = old?.ended?.path;
  if (!old || epoch === undefined || epoch.number <= old.number || path === undefined) return undefined;
  // By its path: an end that is known from the children does not say of which kind it is.
  if (!isOwnCheckpoint(facts, { path, epoch: old.number })) return undefined;
  const known = facts.prior?.snapshots?.lastCheckpoint;
  if (known?.path === path) return { ...known, trigger: known.trigger ?? 'periodic' };
  return { path, kind: 'checkpoint', epoch: old.number, trigger: 'periodic', at: old.ended?.at ?? facts.at };
}

/**
 * The status with its snapshots. The checkpoint recorded for the next process enters it only together with something else: alone it
 * would be a write per checkpoint.
 */
export function withSnapshots(
  facts: Facts,
  answer: Answer,
  status: Status,
  lastSavepoint: Snapshot | undefined,
  restore: RestoreContent | undefined,
): Status {
  const { lastCheckpoint: newest } = facts.prior?.snapshots ?? {};
  const before = newest && isVoid(facts, newest.path) ? undefined : newest;
  const history = historyOf(facts, answer, status.epoch, lastSavepoint).map((entry) => sized(facts, entry));
  const assemble = (lastCheckpoint: Snapshot | undefined): Status => {
    const snapshots = {
      ...(lastCheckpoint ? { lastCheckpoint } : {}),
      ...(lastSavepoint ? { lastSavepoint: sized(facts, lastSavepoint) } : {}),
      ...(history.length > 0 ? { history } : {}),
    };
    return fitted(Object.keys(snapshots).length > 0 ? { ...status, snapshots } : status);
  };
  const still = assemble(before);
  if (sameJson(still, facts.prior)) return still;
  const taken = answer.snapshot?.kind === 'checkpoint' ? answer.snapshot : undefined;
  return assemble(taken ?? recorded(facts, restore) ?? before);
}

/** Newest first. */
function historyOf(
  facts: Facts,
  answer: Answer,
  epoch: Epoch | undefined,
  lastSavepoint: Snapshot | undefined,
): Snapshot[] {
  const before = (facts.prior?.snapshots?.history ?? []).filter(({ path }) => !isVoid(facts, path));
  const added = [lastSavepoint, checkpointOfEnded(facts, epoch)].filter(
    (entry) =>
      entry !== undefined && entry.path !== answer.forgotten && !before.some(({ path }) => path === entry.path),
  ) as Snapshot[];
  const history = [...added, ...before.filter(({ path }) => path !== answer.forgotten)].slice(0, MOST_ENTRIES);
  while (history.length > 1 && JSON.stringify(history).length > MOST_CHARACTERS) history.pop();
  return history;
}

function recorded(facts: Facts, restore: RestoreContent | undefined): Snapshot | undefined {
  const { epoch, prior } = facts;
  if (
    !epoch ||
    !restore?.startable ||
    restore.path === undefined ||
    restore.pathAt === 0 ||
    restore.path === epoch.restoredFrom ||
    restore.path === facts.prior?.missing?.steppedTo ||
    isOwnSavepoint(facts, restore.path)
  )
    return undefined;
  const known = prior?.snapshots?.lastCheckpoint;
  if (known?.path === restore.path) return known;
  const newest = newestInFlink(facts);
  const size = newest?.path === restore.path ? newest.sizeBytes : undefined;
  return {
    path: restore.path,
    kind: 'checkpoint',
    epoch: epoch.number,
    at: rfc3339(restore.pathAt),
    ...(size === undefined ? {} : { sizeBytes: size }),
  };
}

/** What a person may have to remove, of whatever kind, with the snapshots that this answer adds. */
export function leftSnapshots(facts: Facts, answer: Answer): readonly string[] {
  const before = (facts.prior?.leftovers ?? []).map((line) => line.slice(0, LONGEST_LEFTOVER));
  const added = (answer.leftovers ?? []).map((line) => line.slice(0, 400)).filter((line) => !before.includes(line));
  return [...before, ...added].slice(-MOST_LEFTOVERS);
}
