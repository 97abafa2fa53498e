import type { Facts } from './facts/facts.ts';
import { scaledByGeneration } from './facts/scale.ts';
import type { EpochRecord } from './record.ts';

/** The TaskManagers of the running epoch, and the generation of the spec by which their number was last changed in place. */
export type TaskManagers = { readonly taskManager: number; readonly scaledBy?: number };

/** The number that stands: what the epoch began with, or what a rescale in place made of it. */
export function standingTaskManagers(facts: Facts, record: EpochRecord): TaskManagers {
  const scaledBy = scaledByGeneration(facts.taskManager, record.number);
  return scaledBy === undefined
    ? { taskManager: record.replicas.taskManager }
    : { taskManager: facts.taskManager?.replicas ?? 0, scaledBy };
}

/**
 * TaskManagers first up and last down: they are raised once the intent to rescale is observed in status, and lowered only when Flink
 * has answered in this very sync that the job runs without them. What was done for this generation of the spec already is kept to;
 * an answer to an older view of the FlinkJob (its generation is behind the one on the Deployment) leaves them alone.
 */
export function wantedTaskManagers(facts: Facts, record: EpochRecord): TaskManagers {
  const { scale } = facts;
  const standing = standingTaskManagers(facts, record);
  if (!scale || record.number !== facts.epoch?.number) return standing;
  if (scale.way !== 'in-place' && scale.way !== 'reactive') return standing;
  const { generation } = facts.input.job;
  const { taskManagers } = scale.wanted;
  if ((standing.scaledBy ?? 0) > generation || taskManagers === standing.taskManager) return standing;
  const raised = taskManagers > standing.taskManager && (scale.intended || standing.scaledBy === generation);
  const lowered = taskManagers < standing.taskManager && scale.intended && scale.reached;
  return raised || lowered ? { taskManager: taskManagers, scaledBy: generation } : standing;
}
