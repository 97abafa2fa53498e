import type { Operation } from '../api/status.ts';
import type { Facts } from './facts/facts.ts';
import { candidateJobIds, factsOf } from './facts/facts.ts';
import type { Questions, TriggerQuestion } from './flink-view.ts';
import { leavingWanted } from './facts/facts.ts';
import { restService } from './lifecycle/service.ts';
import type { Input } from './types.ts';

/**
 * What to ask Flink in this sync. A JobManager that is known to have no ready pod is not asked: its pod has already said more
 * than a time-out could, and sooner (architecture.md 7).
 */
export function questions(input: Omit<Input, 'flink'>): Questions {
  return questionsOf(factsOf({ ...input, flink: { kind: 'not-asked', why: '' } }));
}

function questionsOf(facts: Facts): Questions {
  const { epoch, process, jobManager, prior, operation } = facts;
  const { job } = facts.input;
  if (job.paused) return { kind: 'none', why: 'paused' };
  if (!epoch || !jobManager || !facts.record) return { kind: 'none', why: 'nothing runs' };
  if (isOver(facts)) return { kind: 'none', why: 'the job has ended' };
  if (jobManager.replicas === 0) return { kind: 'none', why: 'the JobManager is at 0' };
  const up =
    process.kind === 'unknown'
      ? (jobManager.status.readyReplicas ?? 0) > 0
      : process.kind === 'running' && process.ready && !process.leaving;
  if (!up) return { kind: 'none', why: 'no JobManager is ready' };
  const settled =
    (prior?.state === 'Running' || prior?.state === 'RolledBack') &&
    epoch.stableAt !== undefined &&
    !operation &&
    !facts.aside &&
    !leavingWanted(facts);
  const bounds = facts.scale?.asks ?? false;
  const health = facts.wanted?.policies?.health;
  const stall = health?.checkpointStall !== undefined;
  const safety =
    prior?.conditions?.some((condition) => condition.type === 'StateSafe' && condition.reason !== 'StateAtRisk') ??
    false;
  return {
    kind: 'ask',
    service: restService(facts),
    jobIds: candidateJobIds(job.ref.uid, epoch, facts.record, facts.restore),
    wants: {
      detail: !settled || bounds || stall || prior?.job?.parallelism === undefined,
      checkpoints: true,
      checkpointConfig: !settled || !safety || stall,
      exceptions: true,
      flinkVersion: prior?.job?.flinkVersion === undefined,
      bounds,
      restarts: health?.restarts !== undefined,
    },
    trigger: triggerOf(operation ?? facts.aside),
  };
}

/** The result to ask for. */
function triggerOf(operation: Operation | undefined): TriggerQuestion | undefined {
  const { kind, jobId, triggerId } = operation ?? {};
  if (jobId === undefined || triggerId === undefined) return undefined;
  if (kind === 'stop' || kind === 'savepoint') return { kind: 'savepoint', jobId, triggerId };
  if (kind === 'checkpoint') return { kind: 'checkpoint', jobId, triggerId };
  return kind === 'dispose' ? { kind: 'disposal', jobId, triggerId } : undefined;
}

/** The end is in status: nothing that Flink says can change it. */
function isOver({ endedInStatus: ended }: Facts): boolean {
  return ended !== undefined && !ended.byFlork && ended.how !== 'failed';
}
