import type { Status } from '../api/status.ts';
import { parsePolicyDuration } from './duration.ts';
import type { Facts } from './facts/facts.ts';
import { parseTime } from './time.ts';

/**
 * Whether a job that runs is well (policies.health). Nothing here acts: lifecycle/redeploy.ts does.
 *
 * Restarts are counted from the first one in a quiet time until the window is over, so that status is written twice for each window:
 *
 *   quiet {restarts} ──one more──► {restarts, since} ──window over, clock put back, or a rescale──► quiet
 */
const WINDOW_MS = 10 * 60_000;

/** The time in which restarts are counted. */
export function healthWindow(facts: Pick<Facts, 'wanted'>): number {
  return parsePolicyDuration(facts.wanted?.policies?.health?.window ?? '') ?? WINDOW_MS;
}

/** How long the job may go without a completed checkpoint; `undefined`: as long as it likes. */
export function stallLimit(facts: Pick<Facts, 'wanted'>): number | undefined {
  return parsePolicyDuration(facts.wanted?.policies?.health?.checkpointStall ?? '');
}

/** A change of scale restarts the tasks, and is no failure (AdaptiveScheduler counts both in numRestarts). */
function isRescaled({ operation, scale }: Facts): boolean {
  const underWay = scale !== undefined && ['in-place', 'reactive'].includes(scale.way) && !scale.reached;
  return operation?.kind === 'rescale' || underWay;
}

/** What status is to remember of Flink's count: nothing without a limit. */
export function countedRestarts(facts: Facts): Status['health'] {
  const { wanted, flink, view, prior, now, at } = facts;
  if (wanted?.policies?.health?.restarts === undefined) return undefined;
  const known = prior?.health;
  const total = view.kind === 'answered' && view.restarts.kind === 'value' ? view.restarts.value : undefined;
  if (!flink.job || total === undefined) return known;
  const quiet = { jobId: flink.job.id, restarts: total };
  // Another process counts from 0.
  if (known?.jobId !== quiet.jobId || total < known.restarts || isRescaled(facts)) return quiet;
  if (known.since !== undefined) return isWithin(known.since, now, healthWindow(facts)) ? known : quiet;
  // How long ago the others were nobody knows: the hook may have been away.
  return total === known.restarts ? known : { ...quiet, restarts: total - 1, since: at };
}

function isWithin(since: string, now: number, window: number): boolean {
  const elapsed = now - (parseTime(since) ?? now);
  return elapsed >= 0 && elapsed <= window;
}

/** Why the job is unwell, by what Flink says now and status has remembered; `undefined`: it is well, or nobody can say. */
export function unwell(facts: Facts): string | undefined {
  return tooManyRestarts(facts) ?? stalledCheckpoints(facts);
}

function tooManyRestarts(facts: Facts): string | undefined {
  const most = facts.wanted?.policies?.health?.restarts;
  const { view, prior, now, flink } = facts;
  const known = prior?.health;
  if (most === undefined || known?.since === undefined || known.jobId !== flink.job?.id) return undefined;
  if (isRescaled(facts) || !isWithin(known.since, now, healthWindow(facts))) return undefined;
  const total = view.kind === 'answered' && view.restarts.kind === 'value' ? view.restarts.value : 0;
  if (total - known.restarts <= most) return undefined;
  return `Flink has restarted the job more than ${most} times since ${known.since} (policies.health.restarts)`;
}

/** By Flink's own clock, of a job whose tasks all run and that says that checkpointing is on. */
function stalledCheckpoints(facts: Facts): string | undefined {
  const limit = stallLimit(facts);
  const { view, flink, epoch, now } = facts;
  if (limit === undefined || view.kind !== 'answered' || !flink.allTasksRun) return undefined;
  const { detail, checkpoints, checkpointConfig: config } = view;
  if (detail.kind !== 'value' || checkpoints.kind !== 'value' || config.kind !== 'value') return undefined;
  const { now: flinkNow, runningSince } = detail.value;
  if (!config.value.enabled || flinkNow === undefined || !runningSince) return undefined;
  const last = Math.max(runningSince, checkpoints.value.latestCompleted?.at ?? 0);
  // RUNNING may be long before all tasks run: they have had as long as that, too.
  const ran = now - (parseTime(epoch?.runningAt ?? epoch?.stableAt) ?? now);
  if (flinkNow - last <= limit || ran <= limit) return undefined;
  const policy = facts.wanted?.policies?.health?.checkpointStall;
  return `No checkpoint of the job was completed for more than ${policy} (policies.health.checkpointStall)`;
}
