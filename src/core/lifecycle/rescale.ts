import type { Epoch, Operation } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { isTerminal } from '../facts/flink.ts';
import type { ScaleFacts } from '../facts/scale.ts';
import type { EpochRecord } from '../record.ts';
import { standingTaskManagers } from '../task-managers.ts';
import { rfc3339 } from '../time.ts';
import { usedUp } from './intend.ts';
import { CLUSTER_SECONDS, settledSeconds, TRANSITION_SECONDS } from './pace.ts';
import { progress, ready, stalled } from './say.ts';
import { restService } from './service.ts';
import { troubleOf } from './trouble.ts';

/**
 * Another scale of the same epoch:
 *
 *   intended ──observed──► TaskManagers up ──ready──► bounds to Flink ──all tasks run so──► TaskManagers down ──seen──► done
 *
 * Each step is a comparison of what is wanted with what Flink and the Deployment show now, so that it does not matter which of
 * them was done before, by whom, or is to be done again: a new JobManager process begins with its old parallelism.
 */
export function rescale(facts: Facts): Answer | undefined {
  const { scale, epoch, record, operation, flink } = facts;
  if (!scale || !epoch || !record || epoch.ended) return undefined;
  if (scale.way !== 'in-place' && scale.way !== 'reactive') return undefined;
  if (operation !== undefined && operation.kind !== 'rescale') return undefined;
  const there = standingTaskManagers(facts, record).taskManager === scale.wanted.taskManagers;
  // It came to its end: what is not as wanted now, Flink makes so by itself (a TaskManager was lost, say), unless it forgot its bounds.
  if (there && operation === undefined && scale.recorded && !scale.target?.differs) return undefined;
  if (there && scale.reached && (scale.way === 'in-place' || isReady(facts, scale))) return rescaled(facts, scale);
  // Nobody to ask: the rules below say why, and the intent stays.
  if (flink.heard !== 'answered' || !flink.job || isTerminal(flink.job) || flink.job.state === 'INITIALIZING')
    return undefined;
  if (scale.way === 'in-place' && scale.target === undefined) return boundsUnknown(facts);
  // TaskManagers may take long: until they are there the job runs on, and snapshots of it may be due.
  if (there && flink.allTasksRun && waitsForSlots(facts, scale)) return undefined;
  if (!scale.intended) return rescaleIntended(facts, scale, epoch);
  return step(facts, scale, record);
}

/** Flink did not say which bounds it has: nothing follows from that. */
function boundsUnknown(facts: Facts): Answer {
  return {
    rule: 'rescaleUnheard',
    say: progress('Rescaling', 'Rescaling', 'Waiting for Flink to say with which parallelism it runs the job.'),
    workloads: 'run',
    resyncAfterSeconds: facts.operation ? TRANSITION_SECONDS * 2 : CLUSTER_SECONDS / 3,
  };
}

/** The intent, with all that it is about, in status before anything is done. */
function rescaleIntended(facts: Facts, scale: ScaleFacts, epoch: Epoch): Answer {
  const { parallelism, taskManagers } = scale.wanted;
  const fixed = scale.target?.fixed ?? [];
  const operation: Operation = {
    kind: 'rescale',
    purpose: 'scale',
    attempt: epoch.attempt + 1,
    generation: facts.input.job.generation,
    startedAt: facts.at,
  };
  return {
    rule: 'rescaleIntended',
    say: progress('Rescaling', 'Rescaling', `Rescaling in place to ${sizeOf(scale)}.`),
    workloads: 'run',
    epoch: { ...epoch, scale: { parallelism, taskManagers, ...(fixed.length > 0 ? { fixed: [...fixed] } : {}) } },
    operation,
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

function step(facts: Facts, scale: ScaleFacts, record: EpochRecord): Answer {
  const { flink } = facts;
  const rises = scale.target ? waitsForSlots(facts, scale) : !isReady(facts, scale);
  if (rises && standingTaskManagers(facts, record).taskManager <= scale.wanted.taskManagers)
    return startsTaskManagers(facts, scale);
  if (scale.target?.differs && flink.job) {
    return {
      rule: 'rescaleAsked',
      say: progress('Rescaling', 'Rescaling', `Telling Flink to run the job with ${sizeOf(scale)}.`),
      workloads: 'run',
      commands: [{ kind: 'rescale', service: restService(facts), jobId: flink.job.id, bounds: scale.target.bounds }],
      resyncAfterSeconds: TRANSITION_SECONDS,
    };
  }
  if (!scale.reached) {
    const trouble = flink.allTasksRun ? undefined : troubleOf(facts);
    const now =
      facts.view.kind === 'answered' && facts.view.detail.kind === 'value' ? facts.view.detail.value : undefined;
    return {
      rule: 'rescaleUnderWay',
      say: progress(
        'Rescaling',
        trouble?.reason ?? 'Rescaling',
        trouble?.message ??
          `Flink rescales the job to ${sizeOf(scale)}${now?.parallelism === undefined ? '' : `; it runs with parallelism ${now.parallelism}`}.`,
      ),
      workloads: 'run',
      resyncAfterSeconds: TRANSITION_SECONDS * 2,
    };
  }
  return {
    rule: 'rescaleStopsTaskManagers',
    say: progress('Rescaling', 'Rescaling', `The job runs with ${sizeOf(scale)}; the others are being stopped.`),
    workloads: 'run',
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** Whether as many TaskManagers as wanted are ready. */
function isReady({ taskManager }: Facts, { wanted }: ScaleFacts): boolean {
  return (taskManager?.status.readyReplicas ?? 0) >= wanted.taskManagers;
}

/** Whether a parallelism is to be raised and the slots for it are not there. */
function waitsForSlots(facts: Facts, scale: ScaleFacts): boolean {
  return scale.target?.raises === true && !isReady(facts, scale);
}

/** The job runs as it did, and waits for TaskManagers. */
export function rescaleWaits(facts: Facts): Answer | undefined {
  const { scale, record, epoch, flink } = facts;
  if (!scale || !record || epoch?.ended || scale.way !== 'in-place' || !flink.allTasksRun) return undefined;
  return waitsForSlots(facts, scale) ? startsTaskManagers(facts, scale) : undefined;
}

/** Slots come before the parallelism that needs them; until then the job runs as it did. */
function startsTaskManagers(facts: Facts, { wanted }: ScaleFacts): Answer {
  const trouble = troubleOf(facts);
  const ready = facts.taskManager?.status.readyReplicas ?? 0;
  return {
    rule: 'rescaleStartsTaskManagers',
    say: progress(
      'Rescaling',
      trouble?.reason ?? 'Rescaling',
      `${ready} of ${wanted.taskManagers} TaskManagers are ready; the job goes on as it was until all are.${trouble ? ` ${trouble.message}` : ''}`,
    ),
    workloads: 'run',
    resyncAfterSeconds: trouble ? CLUSTER_SECONDS : TRANSITION_SECONDS * 2,
  };
}

/** Job and TaskManagers are as wanted. */
function rescaled(facts: Facts, scale: ScaleFacts): Answer {
  return {
    rule: 'rescaled',
    say: facts.flink.allTasksRun
      ? ready('Running', 'Running', `All tasks run, rescaled in place to ${sizeOf(scale)}.`)
      : progress('Running', 'TasksStarting', `Rescaled in place to ${sizeOf(scale)}; not all of its tasks run.`),
    workloads: 'run',
    operation: null,
    ...usedUp(facts),
    transition: { reason: 'Rescaled' },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** A change of scale that cannot be made, or not yet, while the job runs well. */
export function scaleWaits(facts: Facts): Answer | undefined {
  const { scale, epoch } = facts;
  if (!scale || !epoch || epoch.ended || (scale.way !== 'impossible' && scale.way !== 'cooldown')) return undefined;
  if (!facts.flink.allTasksRun || (facts.operation !== undefined && facts.operation.kind !== 'rescale'))
    return undefined;
  if (scale.way === 'impossible') {
    return {
      rule: 'scaleImpossible',
      say: stalled(
        'Stalled',
        'ScaleImpossible',
        `The job goes on as it was and is not scaled to ${sizeOf(scale)}. ${scale.why}`,
      ),
      workloads: 'run',
      operation: null,
      resyncAfterSeconds: settledSeconds(facts.input.job.ref.uid),
    };
  }
  const until = scale.until ?? facts.now;
  return {
    rule: 'scaleCooldown',
    say: progress(
      'Running',
      'ScaleCooldown',
      `All tasks run. The change to ${sizeOf(scale)} needs a restart and waits until ${rfc3339(until)} (policies.scaleCooldown).`,
    ),
    workloads: 'run',
    operation: null,
    resyncAfterSeconds: Math.max(1, Math.min(CLUSTER_SECONDS, (until - facts.now) / 1000)),
  };
}

/** "parallelism 4 on 2 TaskManagers" */
function sizeOf({ way, wanted }: ScaleFacts): string {
  const machines = `${wanted.taskManagers} TaskManager${wanted.taskManagers === 1 ? '' : 's'}`;
  return way === 'reactive' ? machines : `parallelism ${wanted.parallelism} on ${machines}`;
}
