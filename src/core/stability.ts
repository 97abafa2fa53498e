import type { ObservedPod } from '../api/kube.ts';
import type { Epoch } from '../api/status.ts';
import { parsePolicyDuration } from './duration.ts';
import { isOver } from './facts/absence.ts';
import type { Facts } from './facts/facts.ts';
import { mainContainer, ofEpoch, podsOf } from './facts/process.ts';
import { checkpointingOff } from './lifecycle/contract.ts';
import { isOwnCheckpoint } from './lifecycle/snapshots.ts';
import { parseTime } from './time.ts';

/**
 * Stable (lifecycle.md, Rollback) is an epoch all of whose tasks were seen running while a snapshot of its own was complete; where
 * Flink says that the job writes no checkpoints, all tasks are enough.
 *
 *   all tasks run ──runningAt──► Flork asks for a checkpoint ──complete──► stableAt
 *
 * The clock of policies.upgrade.readiness runs while all pods of the epoch run and its restore is done. Status has it only when it
 * starts and when it stops, and no longer than until the epoch is stable.
 */

/** policies.upgrade.readiness, where the spec does not say. */
const READINESS_MS = 5 * 60_000;

/** The last stretch of the clock is at least so long: tasks of pods that were pending until now need time to start. */
const STRETCH_MS = 60_000;

/** A clock that is further than this from Flink's is not believed: nothing is judged because a clock jumped. */
const SKEW_MS = 60_000;

/** What this sync learned about how far the epoch is from being stable. Facts only grow. */
export function stability(facts: Facts): Pick<Epoch, 'runningAt' | 'stableAt' | 'clock'> {
  const { epoch, flink, at } = facts;
  if (!epoch || epoch.ended || epoch.stableAt !== undefined) return {};
  const runningAt = epoch.runningAt ?? (flink.allTasksRun ? at : undefined);
  const running = runningAt === undefined ? {} : { runningAt };
  if (isStable(facts)) return { ...running, stableAt: at };
  const clock = clockOf(facts, epoch);
  return { ...running, ...(clock ? { clock } : {}) };
}

/** All tasks of this epoch have run together, now or before. */
export function hasRun({ epoch }: Pick<Facts, 'epoch'>): boolean {
  return epoch?.runningAt !== undefined || epoch?.stableAt !== undefined;
}

/** Whether the epoch is stable, was so before, or is seen to be so now. Unknown is no: only what Flink has said counts. */
export function isStable(facts: Facts): boolean {
  const { epoch, flink, view } = facts;
  if (!epoch) return false;
  if (epoch.stableAt !== undefined) return true;
  if (!flink.allTasksRun || view.kind !== 'answered') return false;
  return checkpointingOff(facts) || checkpointed(facts);
}

/**
 * Whether a snapshot of this epoch is complete: Flink counts none that was restored (CheckpointStatsCounts.incrementRestoredCheckpoints),
 * the trigger of one that Flork asked for knows sooner than the statistics, and an earlier process may have left one.
 */
function checkpointed(facts: Facts): boolean {
  const { view, aside, operation, flink, epoch, prior, restore } = facts;
  if (view.kind !== 'answered' || !epoch) return false;
  const statistics = view.checkpoints.kind === 'value' ? view.checkpoints.value : undefined;
  if ((statistics?.completed ?? 0) > 0) return true;
  const told = view.trigger.kind === 'value' ? view.trigger.value.kind : undefined;
  const asked = operation === undefined && aside !== undefined && aside.jobId === flink.job?.id;
  if (asked && (told === 'checkpointed' || told === 'completed')) return true;
  if (prior?.snapshots?.lastCheckpoint?.epoch === epoch.number) return true;
  return [statistics?.latestRestored?.path, restore?.path].some(
    (path) => path !== undefined && isOwnCheckpoint(facts, { path, epoch: epoch.number }),
  );
}

function clockOf(facts: Facts, epoch: Epoch): Epoch['clock'] {
  const { clock } = epoch;
  const runs = isRestored(facts, epoch) && allPodsRun(facts, epoch);
  if (runs === (clock?.since !== undefined)) return clock;
  if (!runs) return clock && { seconds: secondsOf(facts, clock) };
  return isClockBelieved(facts) ? { seconds: clock?.seconds ?? 0, since: facts.at } : clock;
}

/** The restore is done: all tasks ran, or the job or its process has failed since. A restore that takes long is none of these. */
function isRestored({ flink, process }: Facts, epoch: Epoch): boolean {
  if (epoch.clock || epoch.runningAt !== undefined || flink.allTasksRun) return true;
  if (process.kind === 'dead') return true;
  return ['RESTARTING', 'FAILING', 'FAILED'].includes(flink.job?.state ?? '');
}

/** Waiting reasons (kubelet) of a container that is not started because of its image or its configuration: the pod is pending. */
const NOT_STARTED = /Image|ContainerConfig|CreateContainer|RunContainer/;

/**
 * Every pod of the epoch has found a node and its container was started: one that ends again and again runs, one that waits for a
 * node or an image does not. Where pods are not shown, both Deployments have to report theirs ready.
 */
function allPodsRun(facts: Facts, epoch: Epoch): boolean {
  const { record, jobManager, taskManager, input } = facts;
  if (!record || facts.deployed !== epoch.number) return false;
  const { pods } = input.observed;
  const wanted = Math.min(record.replicas.taskManager, taskManager?.replicas ?? record.replicas.taskManager);
  if (pods === undefined)
    return (jobManager?.status.readyReplicas ?? 0) > 0 && (taskManager?.status.readyReplicas ?? 0) >= wanted;
  const own = ofEpoch(pods, input.job.ref.uid, epoch.number).filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && !isOver(pod),
  );
  return own.every(hasStarted) && podsOf(own, 'jobmanager').length > 0 && podsOf(own, 'taskmanager').length >= wanted;
}

function hasStarted(pod: ObservedPod): boolean {
  const container = mainContainer(pod);
  if (!container) return false;
  const { state, lastState } = container;
  if (state.kind !== 'waiting') return true;
  return lastState.kind === 'terminated' && !NOT_STARTED.test(state.reason);
}

/** Whether this hook's clock agrees with Flink's, as far as Flink tells one. */
function isClockBelieved({ view, now }: Facts): boolean {
  const theirs = view.kind === 'answered' && view.detail.kind === 'value' ? view.detail.value.now : undefined;
  return theirs === undefined || Math.abs(now - theirs) <= SKEW_MS;
}

function stretchOf({ now }: Facts, { since }: NonNullable<Epoch['clock']>): number {
  const from = parseTime(since);
  return from === undefined ? 0 : Math.max(0, now - from);
}

function secondsOf(facts: Facts, clock: NonNullable<Epoch['clock']>): number {
  return clock.seconds + Math.floor(stretchOf(facts, clock) / 1000);
}

/** Whether the epoch had its time to become stable and is not. A clock that stands still, or is not believed, decides nothing. */
export function isReadinessOver(facts: Facts): boolean {
  const clock = facts.epoch?.ended ? undefined : facts.epoch?.clock;
  if (clock?.since === undefined || isStable(facts) || !isClockBelieved(facts)) return false;
  if (!facts.epoch || !allPodsRun(facts, facts.epoch) || isAwaited(facts)) return false;
  const readiness = readinessMs(facts);
  return stretchOf(facts, clock) >= Math.min(readiness, STRETCH_MS) && secondsOf(facts, clock) * 1000 >= readiness;
}

/** A job whose own interval is no longer than this is not asked: its first checkpoint is as soon there. */
const SOON_MS = 3000;

/** Whether Flork is to ask for the first checkpoint: Flink says that the job writes checkpoints, and its own would be late. */
export function needsAsking({ view }: Facts): boolean {
  const config =
    view.kind === 'answered' && view.checkpointConfig.kind === 'value' ? view.checkpointConfig.value : undefined;
  return config?.enabled === true && (config.intervalMs === undefined || config.intervalMs > SOON_MS);
}

/** All tasks run, and the checkpoint that Flork asks for has not had its time: the hook may have been away. */
function isAwaited(facts: Facts): boolean {
  const { flink, aside, prior, now } = facts;
  const failed = prior?.retry?.kind === 'checkpoint' || prior?.retry?.kind === 'savepoint';
  if (!flink.allTasksRun || failed || !needsAsking(facts)) return false;
  return Math.abs(now - (parseTime(aside?.askedAt) ?? now)) < STRETCH_MS;
}

/** How long a new epoch may take to become stable. */
export function readinessMs({ wanted }: Pick<Facts, 'wanted'>): number {
  return parsePolicyDuration(wanted?.policies?.upgrade?.readiness ?? '') ?? READINESS_MS;
}
