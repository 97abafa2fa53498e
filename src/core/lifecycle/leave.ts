import type { Condition } from '../../api/status.ts';
import type { Facts } from '../facts/facts.ts';
import { parsePolicyDuration } from '../duration.ts';
import { hasRun, readinessMs } from '../stability.ts';
import { isSaidMissing } from '../missing.ts';
import { parseTime } from '../time.ts';
import { resolveMode, savepointDirectory } from './contract.ts';
import { FORGOTTEN, listsNoJob } from './no-job.ts';
import { heritage, newestInFlink, unreadHint } from './snapshots.ts';

/**
 * How a running job is left with its state (lifecycle.md, Upgrade):
 *
 *   savepoint    all tasks run ──► stop        not for long ──► wait        not for good, or it fails again and again ──► last-state
 *   last-state   checkpoints outlive a cancel ──► cancel       they do not ──► stop, or hold
 *   stateless    cancel
 */
export type Way =
  /** With a savepoint. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'cancel'; readonly startsEmpty: boolean; readonly why: string }
  /** It will come by itself, or patience ends. */
  | { readonly kind: 'wait'; readonly why: string }
  /** A person is needed; `wished`: the spec itself asks to wait, so that only a token ends it. */
  | { readonly kind: 'hold'; readonly why: string; readonly wished?: true }
  /** Nobody answers, or somebody else: nothing follows. */
  | { readonly kind: 'silent'; readonly why: string };

/** So many savepoints have to fail in a row before the job is left without one. */
const SAVEPOINT_ATTEMPTS = 3;
/** So long a job that ran before may take to run again, or its JobManager to come back. */
const RECOVERY_MS = 60_000;

/** The way to leave the job now. */
export function wayOf(facts: Facts): Way {
  const mode = resolveMode(facts);
  if (mode === 'stateless') return { kind: 'cancel', startsEmpty: true, why: 'its mode is stateless' };
  if (facts.flink.heard === 'unreachable') return { kind: 'silent', why: 'The JobManager does not answer' };
  if (facts.flink.foreign) return { kind: 'silent', why: 'The JobManager that answers does not run this job' };
  const { path } = heritage(facts);
  if (path !== undefined && isSaidMissing(facts, path)) {
    return { kind: 'hold', why: `The JobManager does not start, as the recorded snapshot ${path} is not there` };
  }
  switch (mode) {
    case 'savepoint':
      return bySavepoint(facts);
    case 'last-state':
      return byLastState(facts);
    case 'unknown':
      return facts.flink.job === undefined && !isPatienceOver(facts)
        ? { kind: 'wait', why: 'The change waits for the JobManager.' }
        : {
            kind: 'hold',
            why: 'Whether the job writes checkpoints is not known, as its JobManager did not say',
          };
    default:
      return mode satisfies never;
  }
}

function bySavepoint(facts: Facts): Way {
  const waits = facts.wanted?.policies?.upgrade?.fallback === 'wait';
  if (facts.flink.allTasksRun) {
    const other = savepointsFail(facts) && !waits ? byCheckpoint(facts) : undefined;
    return other?.kind === 'cancel' ? other : { kind: 'stop' };
  }
  if (!isPatienceOver(facts)) {
    return { kind: 'wait', why: 'The change waits until all tasks run, so that a savepoint can be taken.' };
  }
  if (!waits) return byCheckpoint(facts);
  const why = 'The job cannot take a savepoint, as not all of its tasks run, and policies.upgrade.fallback is wait';
  return { kind: 'hold', why, wished: true };
}

function byLastState(facts: Facts): Way {
  const { flink } = facts;
  if (flink.job === undefined && !isPatienceOver(facts)) {
    return { kind: 'wait', why: 'The change waits for the JobManager, which knows the newest checkpoint.' };
  }
  const way = byCheckpoint(facts);
  if (way.kind === 'wait' || (way.kind === 'cancel' && !isTooOld(facts))) return way;
  if (savepointDirectory(facts) === undefined) {
    if (way.kind !== 'cancel') return way;
    const why =
      'The newest checkpoint is older than policies.upgrade.maxCheckpointAge, and no savepoint directory is known';
    return { kind: 'hold', why, wished: true };
  }
  if (flink.allTasksRun) return way.kind === 'cancel' && savepointsFail(facts) ? way : { kind: 'stop' };
  if (isPatienceOver(facts)) return way;
  return { kind: 'wait', why: 'The change waits until all tasks run, so that a savepoint can be taken.' };
}

/** Without a savepoint, from the newest checkpoint: only one that is sure to outlive the job. */
function byCheckpoint(facts: Facts): Way {
  if (facts.flink.job === undefined) return byRecord(facts);
  const lost = checkpointsLost(facts);
  if (lost === 'unknown') {
    const why = 'Flink does not say whether checkpoints outlive a cancellation';
    return isPatienceOver(facts) ? { kind: 'hold', why } : { kind: 'wait', why: `${why}; the change waits.` };
  }
  if (lost !== undefined) return { kind: 'hold', why: lost };
  const { path } = heritage(facts);
  if (path !== undefined) return { kind: 'cancel', startsEmpty: false, why: 'it goes on from its newest checkpoint' };
  if (!isPatienceOver(facts)) return { kind: 'wait', why: 'The change waits for the first checkpoint of the job.' };
  return { kind: 'hold', why: 'The job has not completed a checkpoint' };
}

/**
 * Why the checkpoints of the job would not outlive its cancellation; `undefined`: they would. Asked again before a cancel is sent,
 * as another process may have another configuration.
 */
export function checkpointsLost(facts: Facts): string | undefined {
  const { view } = facts;
  const config =
    view.kind === 'answered' && view.checkpointConfig.kind === 'value' ? view.checkpointConfig.value : undefined;
  if (config === undefined) return 'unknown';
  if (!config.enabled) return 'The job writes no checkpoints by itself, so that only a savepoint keeps its state';
  if (config.externalized && !config.deleteOnCancellation) return undefined;
  return 'The checkpoints of the job are deleted when it is canceled (execution.checkpointing.externalized-checkpoint-retention), so that only a savepoint keeps its state';
}

/**
 * The process is gone for good, or has no job to ask about: what the next process would start with is all that is known. Where a savepoint
 * may have ended the job, which Flink has deleted the checkpoints of then, the next process tells whether that is still there.
 */
function byRecord(facts: Facts): Way {
  const unread = unreadHint(facts);
  if (unread !== undefined) {
    if (isPatienceOver(facts)) return { kind: 'hold', why: unread.replace(/\.$/, '') };
    return { kind: 'wait', why: `${unread} The change waits for the next JobManager.` };
  }
  if (!isProcessGone(facts) && !listsNoJob(facts)) {
    return { kind: 'hold', why: 'The JobManager does not say yet where the job stands' };
  }
  // It may have finished, and its checkpoints with it; or failed, and the newest one is not on record.
  if (facts.record?.highAvailability && listsNoJob(facts)) return { kind: 'hold', why: FORGOTTEN };
  const { path } = heritage(facts);
  if (path === undefined)
    return { kind: 'hold', why: 'The JobManager is gone, and no snapshot of the job is on record' };
  return { kind: 'cancel', startsEmpty: false, why: `its JobManager is gone, and it goes on from ${path}` };
}

/** No process of this epoch runs: its container ended, or a pod that never started one is all there is. */
export function isProcessGone({ process, jobManager }: Facts): boolean {
  if (process.kind === 'dead') return true;
  return process.kind === 'none' && (process.pod !== undefined || (jobManager?.status.replicas ?? 0) === 0);
}

function savepointsFail(facts: Facts): boolean {
  return (facts.retry?.failures ?? 0) >= SAVEPOINT_ATTEMPTS;
}

/** Whether a person was told that the change is held. What is held is not waited for again: views that lag would have both in turn. */
export function isHeld(facts: Facts): boolean {
  return readyOf(facts)?.reason === 'StateAtRisk';
}

/** Whether Ready has had this reason for longer than a JobManager, or the next leader of several, takes to answer. */
export function isLasting(facts: Facts, reason: Condition['reason']): boolean {
  const ready = readyOf(facts);
  const since = ready?.reason === reason ? parseTime(ready.lastTransitionTime) : undefined;
  return since !== undefined && facts.now - since >= RECOVERY_MS;
}

function readyOf({ prior }: Facts): Condition | undefined {
  return prior?.conditions?.find((condition) => condition.type === 'Ready');
}

/**
 * Whether the job had its time to get all tasks running: the reason of Ready says since when a change waits for it. A job that is
 * held has had it.
 */
export function isPatienceOver(facts: Facts): boolean {
  if (isHeld(facts)) return true;
  const ready = readyOf(facts);
  const since = ready?.reason === 'ChangeWaits' ? parseTime(ready.lastTransitionTime) : undefined;
  if (since === undefined) return false;
  return facts.now - since >= (hasRun(facts) ? RECOVERY_MS : readinessMs(facts));
}

/** By Flink's own clock, where it tells it. A snapshot that was only restored is as old as the restoring: that is what would be repeated. */
function isTooOld(facts: Facts): boolean {
  const age = parsePolicyDuration(facts.wanted?.policies?.upgrade?.maxCheckpointAge ?? '');
  const { view } = facts;
  if (age === undefined || view.kind !== 'answered') return false;
  const now = (view.detail.kind === 'value' ? view.detail.value.now : undefined) ?? facts.now;
  const newest = newestInFlink(facts);
  return newest !== undefined && now - newest.at > age;
}
