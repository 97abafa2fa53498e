import type { Tree } from '../objects.ts';
import type { Job } from './job.ts';
import type { JobManager } from './job-manager.ts';
import { numberAt } from '../objects.ts';
import { CANNOT_RESCALE, REACTIVE } from './messages.ts';
import { error, json, serverError, trace, type RestReply } from './rest-reply.ts';

/** The vertices of a job by REST, and their bounds (JobResourceRequirementsBody). */

/**
 * Whether the job is shown as it is executed. While the adaptive scheduler waits for slots it shows a sparse graph: no task, no
 * statistics, no time of having run (ArchivedExecutionGraph.createSparseArchivedExecutionGraphWithJobVertices).
 */
export function isExecuted(job: Job): boolean {
  return job.vertices.scheduler === 'default' || job.state() !== 'CREATED';
}

/** Before it is executed a vertex is shown with its upper bound. */
export function shownVertices(job: Job): readonly Tree[] {
  return job.vertices.all.map((vertex, index) => ({ ...vertex, parallelism: parallelismOf(job, index) }));
}

export function taskCount(job: Job): number {
  if (!isExecuted(job)) return 0;
  return job.vertices.all.reduce((sum, _, index) => sum + parallelismOf(job, index), 0);
}

function parallelismOf(job: Job, index: number): number {
  const executed = isExecuted(job) ? job.vertices.current()[index] : undefined;
  return executed || (job.vertices.bounds()[index]?.upper ?? 0);
}

/** A job that is not there, or a scheduler that cannot, is a server error (reference: Flink facts, trap 10). */
export function requirements(jobManager: JobManager, jobId: string): RestReply {
  const job = initialized(jobManager, jobId);
  if (job === undefined) return serverError(notFound(jobId));
  if (job.vertices.scheduler === 'default') return serverError(CANNOT_RESCALE);
  const bounds = job.vertices
    .bounds()
    .map(({ id, lower, upper }) => [id, { parallelism: { lowerBound: lower, upperBound: upper } }] as const);
  return json(200, Object.fromEntries(bounds));
}

export function rescale(jobManager: JobManager, jobId: string, body: Tree): RestReply {
  const job = initialized(jobManager, jobId);
  if (job === undefined) return serverError(notFound(jobId));
  if (job.vertices.scheduler === 'default') return serverError(CANNOT_RESCALE);
  if (job.vertices.scheduler === 'reactive') return serverError(REACTIVE);
  const bounds = Object.entries(body).map(([id, given]) => ({
    id,
    lower: numberAt(given, 'parallelism', 'lowerBound') ?? 0,
    upper: numberAt(given, 'parallelism', 'upperBound') ?? 0,
  }));
  const wrong = jobManager.rescale(bounds);
  return wrong === undefined ? json(200, {}) : error(400, trace(wrong));
}

function initialized(jobManager: JobManager, jobId: string): Job | undefined {
  const job = jobManager.job();
  return job?.id === jobId && job.state() !== 'INITIALIZING' ? job : undefined;
}

function notFound(jobId: string): string {
  return `org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (${jobId})`;
}
