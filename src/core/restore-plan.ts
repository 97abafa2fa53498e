import type { Ended, Epoch, Snapshot } from '../api/status.ts';
import { processJobId } from './build/names.ts';
import type { Answer } from './answer.ts';
import type { Facts } from './facts/facts.ts';
import { newestInFlink } from './lifecycle/snapshots.ts';
import { isVoid, knownAt } from './missing.ts';
import { RECORDING_INTERVAL_MS, type EpochRecord, type RestoreContent } from './record.ts';
import { isSamePath } from './snapshot-path.ts';
import { parseTime } from './time.ts';

/** What the answer writes for the next process of the current epoch; `undefined` when nothing is known of the epoch. */
export function restoreOf(facts: Facts, answer: Answer, epoch: Epoch | undefined): RestoreContent | undefined {
  const { record, restore } = facts;
  if (!record || !facts.epoch || !epoch) return undefined;
  if (answer.workloads === 'keep' && restore && answer.ended === undefined && !facts.epoch.ended) return restore;
  const current = facts.epoch.number === epoch.number ? epoch : facts.epoch;
  const ended = answer.ended === null ? undefined : (answer.ended ?? facts.epoch.ended);
  const next = marked(facts, answer, nextRestore(facts, current, record, ended, intends(facts, answer)));
  const numbered = withNumbers(current, next);
  return next.startable ? withSnapshot(numbered, answer.snapshot) : numbered;
}

/** Numbers of operations only grow, and are told where there are any. */
function withNumbers(epoch: Epoch, content: RestoreContent): RestoreContent {
  const attempt = Math.max(epoch.attempt, content.attempt ?? 0);
  const asked = Math.max(epoch.asked ?? 0, content.asked ?? 0);
  return { ...content, ...(attempt > 0 ? { attempt } : {}), ...(asked > 0 ? { asked } : {}) };
}

/** A snapshot that was asked for is what the next process starts with from the moment it is known, unless a newer one is. */
function withSnapshot(content: RestoreContent, snapshot: Snapshot | undefined): RestoreContent {
  const at = parseTime(snapshot?.at);
  if (snapshot === undefined || at === undefined || snapshot.path === content.path) return content;
  return at + 1000 > content.pathAt ? { ...content, path: snapshot.path, pathAt: at } : content;
}

/** An operation is intended in this answer: what its end may not tell is recorded at once. */
function intends(facts: Facts, answer: Answer): boolean {
  const { kind } = answer.operation ?? {};
  return kind !== facts.operation?.kind && (kind === 'cancel' || kind === 'stop');
}

/**
 * Flork's own cancel is told here as well as in status, which may be shown old when the job is seen canceled. The mark stays until
 * the job is seen running with no such intent.
 */
function marked(facts: Facts, answer: Answer, content: RestoreContent): RestoreContent {
  const { canceling, ...rest } = content;
  if (!content.startable) return rest;
  const intent = answer.operation === undefined ? facts.operation : (answer.operation ?? undefined);
  const stays = canceling && !(facts.operation?.kind !== 'cancel' && facts.flink.allTasksRun);
  return intent?.kind === 'cancel' || stays ? { ...rest, canceling: true } : rest;
}

/** What the first process of an epoch starts with. */
export function firstRestore(uid: string, record: EpochRecord): RestoreContent {
  return {
    incarnation: 1,
    ...(record.restoredFrom ? { path: record.restoredFrom } : {}),
    pathAt: 0,
    jobId: processJobId(uid, record, 1),
    allowNonRestoredState: record.allowNonRestoredState,
    startable: true,
  };
}

/**
 * What the next process of the current epoch starts with (lifecycle.md, Recover without HA): a fresh job id as soon as a process
 * was seen, and the newest recorded checkpoint. After the end there is nothing to start with, only the path.
 */
function nextRestore(
  facts: Facts,
  epoch: Epoch,
  record: EpochRecord,
  ended: Ended | undefined,
  atOnce: boolean,
): RestoreContent {
  const observed = facts.restore ?? lostContent(facts, epoch, record);
  const numbered = nextIncarnation(facts, epoch, record, observed);
  if (ended) {
    const { path: _, ...rest } = numbered;
    // One that was to make room may yet stay, and then starts from what it was given.
    const path = ended.path ?? (ended.how === 'replaced' ? record.restoredFrom : undefined);
    return {
      ...rest,
      ...(path ? { path } : {}),
      startable: false,
      ended: ended.how,
      endedByFlork: ended.byFlork,
      ...(ended.rewound ? { rewound: true } : {}),
      ...(ended.rollback ? { rollback: true } : {}),
      ...(ended.rollback && ended.newest !== undefined ? { newest: ended.newest } : {}),
    };
  }
  const { ended: _, endedByFlork: __, rollback: ___, newest: ____, ...startable } = { ...numbered, startable: true };
  const given = startable.path ?? record.restoredFrom;
  return newestPath(facts, epoch, given === undefined ? startable : { ...startable, path: given }, atOnce);
}

/** The ConfigMap was deleted: as good as status knows it. */
function lostContent(facts: Facts, epoch: Epoch, record: EpochRecord): RestoreContent {
  const first = firstRestore(facts.input.job.ref.uid, record);
  const path = toldOf(facts, epoch)?.path ?? first.path;
  const incarnation = record.highAvailability ? 1 : Math.max(1, epoch.incarnation + 1);
  const { path: _, ...rest } = first;
  return {
    ...rest,
    ...(path ? { path } : {}),
    incarnation,
    jobId: processJobId(facts.input.job.ref.uid, record, incarnation),
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
    jobId: processJobId(uid, record, incarnation),
  };
}

/**
 * The first checkpoint of an epoch is recorded at once, newer ones once a minute or before the job is left, by the clock of the checkpoints themselves.
 * What status has recorded of this epoch is never left behind, however old the ConfigMap is shown.
 */
function newestPath(facts: Facts, epoch: Epoch, content: RestoreContent, atOnce: boolean): RestoreContent {
  const told = steppedBack(facts, recordedInStatus(facts, epoch, content));
  const newest = newestInFlink(facts);
  if (!newest || newest.path === told.path || newest.at <= told.pathAt) return told;
  const first = told.path === undefined || told.path === epoch.restoredFrom;
  if (!first && !atOnce && newest.at - told.pathAt < RECORDING_INTERVAL_MS) return told;
  return { ...told, path: newest.path, pathAt: newest.at };
}

function recordedInStatus(facts: Facts, epoch: Epoch, content: RestoreContent): RestoreContent {
  const told = toldOf(facts, epoch);
  if (!told || told.path === content.path) return content;
  // Status has whole seconds: a second older or newer is the same time.
  return told.at > content.pathAt + 1000 ? { ...content, path: told.path, pathAt: told.at } : content;
}

/** The newest snapshot of an epoch that status tells of: a checkpoint, or a savepoint that was asked for. */
function toldOf(facts: Facts, epoch: Epoch): { readonly path: string; readonly at: number } | undefined {
  const { lastCheckpoint, lastSavepoint } = facts.prior?.snapshots ?? {};
  return [lastCheckpoint, lastSavepoint]
    .flatMap((snapshot) => {
      const at = parseTime(snapshot?.at);
      return snapshot && at !== undefined && snapshot.epoch === epoch.number && !isVoid(facts, snapshot.path)
        ? [{ path: snapshot.path, at }]
        : [];
    })
    .toSorted((a, b) => b.at - a.at)[0];
}

/** The recorded snapshot is proven missing and status shows the one to go back to. */
function steppedBack(facts: Facts, content: RestoreContent): RestoreContent {
  const { missing } = facts.prior ?? {};
  if (missing?.steppedTo === undefined || !isSamePath(content.path, missing.path)) return content;
  return { ...content, path: missing.steppedTo, pathAt: knownAt(facts, missing.steppedTo) };
}
