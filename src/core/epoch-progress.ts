import type { Epoch } from '../api/status.ts';
import { jobIdOf } from './build/names.ts';
import { candidateJobIds, type Facts } from './facts/facts.ts';
import { mayHaveRunBefore } from './facts/process.ts';
import { hasStopLostItsJob } from './lifecycle/no-job.ts';
import { isStopUnread } from './lifecycle/stop-unread.ts';
import { stability } from './stability.ts';

/**
 * What this sync has learned about the running epoch: its newest process, the id that process runs under, whether a task ever ran.
 * Facts only grow (S5).
 */
export function epochProgress(facts: Facts): Epoch | undefined {
  const { epoch, process, flink } = facts;
  if (!epoch) return undefined;
  const shown = process.kind === 'running' || process.kind === 'dead' ? process.id : undefined;
  const seen = isPast(shown, epoch.process) || isPast(shown, facts.restore?.lastProcess) ? undefined : shown;
  const {
    unread: _,
    clock: __,
    ...withProcess
  } = seen === undefined || seen === epoch.process ? epoch : nextProcess(facts, epoch, seen);
  const unread = unreadOf(facts, withProcess.process);
  const ran = epoch.ran === true || withProcess.ran === true || flink.anyTaskRan;
  const idle =
    !ran &&
    !facts.standbys &&
    process.kind === 'dead' &&
    process.exitCode === 1 &&
    !mayHaveRunBefore(epoch.process, epoch.idle, process)
      ? process.id
      : withProcess.idle;
  return {
    ...withProcess,
    ...(flink.job ? identify(facts, flink.job.id, withProcess) : {}),
    ...(ran ? { ran } : {}),
    ...(idle === undefined ? {} : { idle }),
    ...(unread === undefined ? {} : { unread }),
    ...stability(facts),
  };
}

/** Whether a process is an earlier one of the same pod: a lagging view of it. */
function isPast(shown: string | undefined, known: string | undefined): boolean {
  const [pod, restarts] = shown?.split('/') ?? [];
  const [knownPod, knownRestarts] = known?.split('/') ?? [];
  return pod !== undefined && pod === knownPod && Number(restarts) < Number(knownRestarts);
}

/** A stop was asked of a process that is no more, and of its result nothing was read; void as soon as the job runs again. */
function unreadOf(facts: Facts, newest: string | undefined): string | undefined {
  const { epoch, operation, process, flink } = facts;
  if (flink.allTasksRun) return undefined;
  if (operation?.kind !== 'stop') return epoch?.unread;
  const gone = operation.process !== undefined && (operation.process !== newest || process.kind === 'dead');
  return gone || isStopUnread(facts) || hasStopLostItsJob(facts) ? operation.directory : epoch?.unread;
}

/** A process that was not seen before. Unless its predecessor is proven idle, a task may have run unseen. */
function nextProcess(facts: Facts, epoch: Epoch, id: string): Epoch {
  const { restore, record, process } = facts;
  const read = restore?.lastProcess === id ? restore.incarnation - 1 : restore?.incarnation;
  const incarnation = record?.highAvailability
    ? 1
    : Math.max(read ?? 0, epoch.incarnation + (epoch.process === undefined ? 0 : 1), 1);
  const mayHaveRun = mayHaveRunBefore(epoch.process, epoch.idle, process);
  return {
    ...epoch,
    process: id,
    incarnation,
    jobId: jobIdOf(facts.input.job.ref.uid, epoch.number, record?.highAvailability ? 'ha' : incarnation),
    ...(mayHaveRun ? { ran: true } : {}),
  };
}

/** Flink itself says under which id the process runs. */
function identify(facts: Facts, jobId: string, epoch: Epoch): Partial<Epoch> {
  const { ref } = facts.input.job;
  if (facts.record?.highAvailability) return { jobId, incarnation: 1 };
  const newest = candidateJobIds(ref.uid, epoch, facts.record, facts.restore).length + epoch.incarnation + 2;
  for (let incarnation = newest; incarnation >= 1; incarnation -= 1) {
    if (jobIdOf(ref.uid, epoch.number, incarnation) === jobId)
      return { jobId, incarnation: Math.max(incarnation, epoch.incarnation) };
  }
  return {};
}
