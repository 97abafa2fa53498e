import type { Operation, Snapshot } from '../../api/status.ts';
import type { Answer, Say } from '../answer.ts';
import { triggerIdOf } from '../build/names.ts';
import type { Facts } from '../facts/facts.ts';
import type { FlinkCommand, TriggerView } from '../flink-view.ts';
import { handledBy, requestsOf, type Request } from '../requests.ts';
import { hasRun, isStable } from '../stability.ts';
import { comparable } from '../snapshot-path.ts';
import { parseTime, rfc3339 } from '../time.ts';
import { checkpointingOff } from './contract.ts';
import { clockOf, isForgotten, isListedSince, isUnknown, withMemory } from './forgotten.ts';
import { TRANSITION_SECONDS } from './pace.ts';
import { sayOn } from './say-on.ts';
import { restService } from './service.ts';
import { ownDirectory, savepointBelow } from './snapshots.ts';

/**
 * What is asked of a job that goes on: a savepoint, a checkpoint, the disposal of a snapshot.
 *
 *   due ──► intent in status ──observed──► POST (repeated until its trigger is known) ──► result: recorded, or a new attempt later
 *
 * Where Flink no longer knows what it was asked for, the listing is what tells: it is waited for before anything is asked a second time.
 *
 * It is done only while all tasks run and nothing else is to be done; whatever else comes up takes over, and the request stays.
 */

/** An intent of this epoch, with the next number of its kind of operation. */
export function intendAside(
  facts: Facts,
  what: Pick<Operation, 'kind' | 'purpose' | 'nonce' | 'slot' | 'path'>,
  rule: string,
  text: string,
): Answer | undefined {
  const { epoch, process, flink } = facts;
  const own = ownDirectory(facts);
  if (!epoch || !flink.job || (what.kind === 'savepoint' && own === undefined)) return undefined;
  const attempt = (epoch.asked ?? 0) + 1;
  const { uid } = facts.input.job.ref;
  const operation: Operation = {
    ...what,
    attempt,
    jobId: flink.job.id,
    ...(process.kind === 'running' ? { process: process.id } : {}),
    // Flink gives the trigger id of a disposal itself.
    ...(what.kind === 'dispose' ? {} : { triggerId: triggerIdOf(uid, epoch.number, what.kind, attempt) }),
    // Not a number: those are the directories of stops.
    ...(what.kind === 'savepoint' ? { directory: `${own}/savepoint-${attempt}` } : {}),
    generation: facts.input.job.generation,
    startedAt: facts.at,
  };
  return { rule, say: sayOn(facts, text), workloads: 'run', operation, resyncAfterSeconds: TRANSITION_SECONDS };
}

/** Savepoints and checkpoints that the spec asks for, in that order; one that failed pauses before its next attempt. */
export function snapshotDue(facts: Facts): Answer | undefined {
  const { epoch, flink, now } = facts;
  if (!epoch || epoch.ended || !hasRun(facts) || facts.aside || !flink.allTasksRun) return undefined;
  const possible = requestsOf(facts).filter((request) => canTake(facts, request));
  const [next] = possible.filter(({ kind }) => pauseOf(facts, kind) <= now);
  if (next) {
    const text = next.kind === 'savepoint' ? 'A savepoint is being taken.' : 'A checkpoint is being taken.';
    return intendAside(facts, next, 'snapshotIntended', text);
  }
  const [waiting] = possible;
  const retry = facts.prior?.retry;
  if (!waiting || !retry) return undefined;
  return {
    rule: 'snapshotRetryLater',
    say: sayFailed(facts, waiting.kind, retry.failures, retry.failure ?? '', retry.notBefore),
    workloads: 'run',
    resyncAfterSeconds: Math.max(1, Math.min(15, (pauseOf(facts, waiting.kind) - now) / 1000)),
  };
}

/** Whether Flink can be asked for it at all; where not, status.plan says so. */
export function canTake(facts: Facts, { kind }: Pick<Request, 'kind'>): boolean {
  return kind === 'savepoint' ? ownDirectory(facts) !== undefined : !checkpointingOff(facts);
}

function pauseOf(facts: Facts, kind: Operation['kind']): number {
  const retry = facts.prior?.retry;
  return retry?.kind === kind ? (parseTime(retry.notBefore) ?? 0) : 0;
}

function sayFailed(facts: Facts, kind: Operation['kind'], failures: number, failure: string, notBefore: string): Say {
  const times = failures === 1 ? '' : `, ${failures} times in a row`;
  const what = kind === 'savepoint' ? 'The savepoint' : 'The checkpoint';
  const say = sayOn(facts, `${what} asked for failed${times}: ${failure}. The next attempt follows at ${notBefore}.`);
  return isStable(facts) ? { ...say, reason: failureReason(kind) } : say;
}

const failureReason = (kind: Operation['kind']) =>
  kind === 'savepoint' ? ('SavepointFailed' as const) : ('CheckpointFailed' as const);

/** An intent of this kind is observed: ask Flink, again and again under one id until it knows of it; then read what came of it. */
export function asideUnderWay(facts: Facts): Answer | undefined {
  const { aside, epoch, flink, process } = facts;
  if (!aside || !epoch || epoch.ended || !flink.allTasksRun) return undefined;
  const recorded = recordedPath(facts, aside);
  if (recorded !== undefined) return savepointTaken(facts, aside, recorded);
  const otherProcess = process.kind === 'running' && aside.process !== undefined && aside.process !== process.id;
  if (otherProcess || flink.job?.id !== aside.jobId) return orphaned(facts, aside);
  const result = resultOf(facts, aside);
  const lost = result === undefined && aside.kind !== 'dispose' && isForgotten(facts, aside);
  if (lost && aside.known) return failed(facts, aside, 'Flink no longer knows what came of it');
  if (lost) return over(facts, 'asideForgotten', `Flink does not know of ${aside.kind} ${aside.attempt}.`);
  if (result?.kind === 'failed')
    return aside.kind === 'dispose' ? disposalFailed(facts, aside, result.text) : failed(facts, aside, result.text);
  if (result?.kind === 'completed') return savepointTaken(facts, aside, result.path);
  if (result?.kind === 'checkpointed') return checkpointTaken(facts, aside, result.checkpointId);
  if (result?.kind === 'disposed')
    return {
      ...over(facts, 'snapshotDisposed', 'A snapshot that is no longer needed was removed.'),
      ...(aside.path ? { forgotten: aside.path } : {}),
    };
  return underWay(facts, aside);
}

/** The savepoint is in the restore ConfigMap, which was written before this status: it is not asked for again, whoever has forgotten it. */
function recordedPath({ restore }: Facts, { kind, attempt, directory }: Operation): string | undefined {
  if (kind !== 'savepoint' || directory === undefined || (restore?.asked ?? 0) < attempt) return undefined;
  const { path } = restore ?? {};
  return path !== undefined && comparable(path).startsWith(`${comparable(directory)}/`) ? path : undefined;
}

/** What Flink says of it. A savepoint whose answer was lost or forgotten is found where it alone can be. */
function resultOf(facts: Facts, aside: Operation): TriggerView | undefined {
  if (aside.result?.failure !== undefined) return { kind: 'failed', text: aside.result.failure, path: undefined };
  const { view } = facts;
  const said = view.kind === 'answered' && view.trigger.kind === 'value' ? view.trigger.value : undefined;
  if (said !== undefined && said.kind !== 'in-progress') return said;
  if (aside.kind === 'checkpoint') return checkpointSince(facts, aside);
  const listed = aside.kind === 'savepoint' ? savepointBelow(facts, aside.directory) : undefined;
  return listed && { kind: 'completed', path: listed.path };
}

/** A checkpoint that Flink was asked for and has forgotten, or never heard of: any that was complete later is as good. */
function checkpointSince({ view }: Facts, { askedAt }: Operation): TriggerView | undefined {
  const asked = parseTime(askedAt);
  if (asked === undefined || view.kind !== 'answered' || view.trigger.kind !== 'absent') return undefined;
  const newest = view.checkpoints.kind === 'value' ? view.checkpoints.value.latestCompleted : undefined;
  // Status has whole seconds.
  return newest && newest.at >= asked + 1000 ? { kind: 'checkpointed', checkpointId: newest.id } : undefined;
}

/** Done with: its number is used up. */
function over(facts: Facts, rule: string, text: string): Answer {
  const { epoch, aside } = facts;
  return {
    rule,
    say: sayOn(facts, text),
    workloads: 'run',
    operation: null,
    ...(epoch && aside ? { epoch: { ...epoch, asked: Math.max(epoch.asked ?? 0, aside.attempt) } } : {}),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The JobManager that was asked is gone, and what it knew with it. */
function orphaned(facts: Facts, aside: Operation): Answer {
  return over(
    facts,
    'asideOrphaned',
    `The JobManager that was asked (${aside.kind} ${aside.attempt}) is gone; it is asked anew.`,
  );
}

function savepointTaken(facts: Facts, aside: Operation, path: string): Answer {
  const { view, restore } = facts;
  const checkpoints =
    view.kind === 'answered' && view.checkpoints.kind === 'value' ? view.checkpoints.value : undefined;
  const listed = checkpoints?.latestSavepoint;
  const same = listed !== undefined && comparable(listed.path) === comparable(path);
  const snapshot: Snapshot = {
    path,
    kind: 'savepoint',
    epoch: facts.epoch?.number ?? 0,
    trigger: aside.purpose,
    at: rfc3339(same ? listed.at : restore?.path === path ? restore.pathAt : clockOf(facts)),
    ...(same && listed.sizeBytes !== undefined ? { sizeBytes: listed.sizeBytes } : {}),
  };
  return {
    ...over(facts, 'savepointTaken', `Savepoint ${path} is complete.`),
    handled: handledBy(facts, aside),
    ...cleared(facts, aside),
    snapshot,
  };
}

function checkpointTaken(facts: Facts, aside: Operation, checkpointId: number): Answer {
  const { view } = facts;
  const newest =
    view.kind === 'answered' && view.checkpoints.kind === 'value' ? view.checkpoints.value.latestCompleted : undefined;
  const snapshot: Snapshot | undefined =
    newest && newest.id >= checkpointId
      ? {
          path: newest.path,
          kind: 'checkpoint',
          epoch: facts.epoch?.number ?? 0,
          trigger: newest.id === checkpointId ? aside.purpose : 'periodic',
          at: rfc3339(newest.at),
          ...(newest.sizeBytes === undefined ? {} : { sizeBytes: newest.sizeBytes }),
        }
      : undefined;
  return {
    ...over(facts, 'checkpointTaken', `Checkpoint ${checkpointId} is complete.`),
    handled: handledBy(facts, aside),
    ...cleared(facts, aside),
    ...(snapshot ? { snapshot } : {}),
  };
}

/** A success ends the pauses of its own kind. */
function cleared(facts: Facts, aside: Operation): Pick<Answer, 'retry'> {
  return facts.prior?.retry?.kind === aside.kind ? { retry: null } : {};
}

/** The job goes on; told once in history, and another attempt follows with a growing pause. */
function failed(facts: Facts, aside: Operation, failure: string): Answer {
  const before = facts.prior?.retry;
  const failures = (before?.kind === aside.kind ? before.failures : 0) + 1;
  const pauseSeconds = Math.min(300, 10 * 2 ** (failures - 1));
  const notBefore = rfc3339(facts.now + pauseSeconds * 1000);
  const say = sayFailed(facts, aside.kind, failures, failure, notBefore);
  return {
    ...over(facts, 'snapshotFailed', ''),
    say,
    retry: { failures, notBefore, kind: aside.kind, failure },
    ...(failures === 1 ? { transition: { reason: failureReason(aside.kind) } } : {}),
    resyncAfterSeconds: Math.min(pauseSeconds, 15),
  };
}

/** It is not tried again: a person is told. */
function disposalFailed(facts: Facts, aside: Operation, failure: string): Answer {
  const { path } = aside;
  return {
    ...over(facts, 'disposalFailed', `Flink could not remove ${path}; status.leftovers has it.`),
    ...(path ? { forgotten: path, leftovers: [`${path}: ${failure}`] } : {}),
  };
}

function underWay(facts: Facts, aside: Operation): Answer {
  const unknown = isUnknown(facts) || aside.triggerId === undefined;
  const next = unknown ? toAsk(facts, aside) : { command: undefined, operation: withMemory(facts, aside) };
  const { command, operation } = next;
  const what = {
    savepoint: `A savepoint is being taken to ${aside.directory}.`,
    checkpoint: 'A checkpoint is being taken.',
  };
  const text =
    aside.kind === 'savepoint' || aside.kind === 'checkpoint'
      ? what[aside.kind]
      : `Snapshot ${aside.path} is being removed.`;
  return {
    rule: command ? 'asideAsked' : 'asideUnderWay',
    say: sayOn(facts, text),
    workloads: 'run',
    ...(operation ? { operation } : {}),
    ...(command ? { commands: [command] } : {}),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

type Next = { readonly command: FlinkCommand | undefined; readonly operation?: Operation };

/**
 * What Flink does not know is asked for. If it was asked before, it may have done it and forgotten the result: a second call would
 * take a second snapshot, and the listing may yet show the first.
 */
function toAsk(facts: Facts, aside: Operation): Next {
  const command = commandOf(facts, aside);
  if (aside.kind === 'dispose' || command === undefined) return { command };
  const { askedAt, unknownSince, ...intent } = aside;
  const clock = clockOf(facts);
  // A status that was shown late may have lost when it was asked for, but not that Flink knew of it.
  if (askedAt === undefined && !aside.known) return { command, operation: { ...intent, askedAt: rfc3339(clock) } };
  if (unknownSince === undefined) return { command: undefined, operation: { ...aside, unknownSince: rfc3339(clock) } };
  if (aside.known || !isListedSince(facts, aside)) return { command: undefined };
  return { command, operation: { ...intent, askedAt: rfc3339(clock) } };
}

function commandOf(facts: Facts, aside: Operation): FlinkCommand | undefined {
  const { kind, jobId, triggerId, directory, path } = aside;
  const service = restService(facts);
  if (kind === 'dispose') return path === undefined ? undefined : { kind, service, path };
  if (jobId === undefined || triggerId === undefined) return undefined;
  if (kind === 'checkpoint') return { kind, service, jobId, triggerId };
  if (kind !== 'savepoint' || directory === undefined) return undefined;
  const formatType = facts.wanted?.policies?.savepoint?.format ?? 'CANONICAL';
  return { kind, service, jobId, triggerId, directory, formatType };
}
