/** What Flink says when a savepoint fails, and why it fails over (1.20). */
export const NOT_ALL_RUNNING =
  'java.util.concurrent.CompletionException: org.apache.flink.runtime.checkpoint.CheckpointException: Some tasks of the job have already finished or not all required tasks are currently running';
export const INTERRUPTED =
  'java.util.concurrent.CompletionException: org.apache.flink.runtime.checkpoint.CheckpointException: Checkpoint Coordinator is suspending.';
export const LOST_TASK_MANAGER =
  'org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id sim is no longer reachable';

export const NO_RESOURCES =
  'org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Not enough resources available for scheduling.';
/** SchedulerNG, JobMaster; seen as a server error. */
export const CANNOT_RESCALE =
  'java.lang.UnsupportedOperationException: The DefaultScheduler does not support changing the parallelism without a job restart. This feature is currently only expected to work with the AdaptiveScheduler.';
export const REACTIVE =
  'java.lang.UnsupportedOperationException: Cannot change the parallelism of a job running in reactive mode.';

export function stoppingFailed(path: string, jobId: string): string {
  return `org.apache.flink.runtime.scheduler.stopwithsavepoint.StopWithSavepointStoppingException: A savepoint has been created at: ${path}, but the corresponding job ${jobId} failed during stopping. The savepoint is consistent, but might have uncommitted transactions. If you want to commit the transaction please restart a job from this savepoint.`;
}
