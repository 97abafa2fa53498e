import type * as v from 'valibot';
import type {
  CheckpointConfigView,
  CheckpointsView,
  ExceptionsView,
  JobDetail,
  JobView,
  SnapshotView,
  TriggerView,
  VertexBounds,
  VertexView,
} from '../core/flink-view.ts';
import { missingPathIn } from '../core/missing.ts';
import { failureLine, firstLine, namesMissingSnapshot, savepointInFailure, usablePath } from './messages.ts';
import type {
  CheckpointConfig,
  Checkpoints,
  CheckpointTriggerStatus,
  Exceptions,
  JobDetails,
  JobsOverview,
  Metrics,
  ResourceRequirements,
  TriggerStatus,
} from './schema.ts';

/** Flink's replies in Flork's words. */

/** Rows of /jobs/overview; -1 as a time means not yet, and 0 as that of the end that Flink does not know it. */
export function jobViews(reply: v.InferOutput<typeof JobsOverview>): JobView[] {
  return reply.jobs.map((job) => ({
    id: job.jid,
    name: firstLine(job.name ?? ''),
    state: job.state,
    startTime: time(job['start-time']),
    endTime: time(job['end-time']) || undefined,
    tasks: job.tasks,
  }));
}

/** /jobs/:id. */
export function jobDetail(reply: v.InferOutput<typeof JobDetails>): JobDetail {
  const parallelisms = (reply.vertices ?? [])
    .map((vertex) => count(vertex.parallelism))
    .filter((parallelism) => parallelism !== undefined);
  const vertices = (reply.vertices ?? []).slice(0, MOST_VERTICES).flatMap(vertexView);
  return {
    vertices,
    runningSince: time(reply.timestamps?.RUNNING),
    now: time(reply.now),
    parallelism: parallelisms.length === 0 ? undefined : Math.max(...parallelisms.slice(0, MOST_VERTICES)),
  };
}

/** No job graph is larger; a JobManager is not trusted to keep to it. */
const MOST_VERTICES = 10_000;

type Vertex = NonNullable<NonNullable<v.InferOutput<typeof JobDetails>['vertices']>>[number];

function vertexView({ id, name, parallelism, maxParallelism }: Vertex): VertexView[] {
  if (typeof id !== 'string' || typeof parallelism !== 'number') return [];
  const most = typeof maxParallelism === 'number' && maxParallelism > 0 ? maxParallelism : undefined;
  return [{ id, name: firstLine(name ?? ''), parallelism, maxParallelism: most }];
}

/** /jobs/:id/resource-requirements, by vertex id. */
export function boundsView(reply: v.InferOutput<typeof ResourceRequirements>): VertexBounds[] | undefined {
  const bounds = Object.entries(reply).map(([id, { parallelism }]) => ({
    id,
    lower: parallelism.lowerBound,
    upper: parallelism.upperBound,
  }));
  return bounds.length === 0 || bounds.length > MOST_VERTICES
    ? undefined
    : bounds.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** /jobs/:id/metrics?get=numRestarts; `undefined` while Flink has not fetched it. */
export function restartsView(reply: v.InferOutput<typeof Metrics>): number | undefined {
  return count(reply.find(({ id }) => id === 'numRestarts')?.value);
}

/** /jobs/:id/checkpoints. */
export function checkpointsView(reply: v.InferOutput<typeof Checkpoints>): CheckpointsView {
  const { completed, savepoint, restored } = reply.latest ?? {};
  return {
    completed: reply.counts.completed,
    failed: reply.counts.failed,
    restored: reply.counts.restored,
    latestCompleted: snapshot(completed, 'checkpoint'),
    latestSavepoint: snapshot(savepoint, 'savepoint'),
    latestRestored: snapshot(restored, 'checkpoint'),
  };
}

type Entry = NonNullable<NonNullable<v.InferOutput<typeof Checkpoints>['latest']>['completed']>;

function snapshot(entry: Entry | null | undefined, kind: SnapshotView['kind']): SnapshotView | undefined {
  if (entry === null || entry === undefined || entry.discarded === true) return undefined;
  const path = usablePath(entry.external_path ?? '');
  const at = time(entry.restore_timestamp ?? entry.latest_ack_timestamp ?? entry.trigger_timestamp);
  if (path === undefined || at === undefined) return undefined;
  return {
    id: entry.id,
    path,
    kind: entry.is_savepoint === true ? 'savepoint' : kind,
    at,
    sizeBytes: count(entry.checkpointed_size) ?? count(entry.state_size),
    ...(entry.is_savepoint === true && typeof entry.checkpoint_type === 'string'
      ? { synchronous: entry.checkpoint_type === 'SYNC_SAVEPOINT' }
      : {}),
  };
}

/** /jobs/:id/checkpoints/config. Flink says "off" by an interval of Long.MAX_VALUE, which JSON readers see as 2^63. */
export function checkpointConfigView(reply: v.InferOutput<typeof CheckpointConfig>): CheckpointConfigView | undefined {
  const { interval, externalization } = reply;
  if (interval <= 0) return undefined;
  const enabled = interval < Number.MAX_SAFE_INTEGER;
  return {
    enabled,
    intervalMs: enabled ? interval : undefined,
    externalized: externalization.enabled,
    deleteOnCancellation: externalization.delete_on_cancellation,
  };
}

/** /jobs/:id/exceptions. */
export function exceptionsView(reply: v.InferOutput<typeof Exceptions>): ExceptionsView {
  const entries = reply.exceptionHistory?.entries ?? [];
  const newest = entries.toSorted((a, b) => b.timestamp - a.timestamp)[0];
  if (newest !== undefined) {
    const at = time(newest.timestamp);
    const text = failureLine(newest.stacktrace ?? newest.exceptionName ?? '');
    const missing = missingPathIn(newest.stacktrace ?? '');
    return { newest: at === undefined ? undefined : { at, text }, ...(missing === undefined ? {} : { missing }) };
  }
  const root = reply['root-exception'];
  const at = time(reply.timestamp);
  return {
    newest: root === undefined || root === null || at === undefined ? undefined : { at, text: failureLine(root) },
  };
}

/** /jobs/:id/savepoints/:triggerId; a status that is neither of the two known is no answer. */
export function triggerView(reply: v.InferOutput<typeof TriggerStatus>): TriggerView | undefined {
  if (reply.status.id === 'IN_PROGRESS') return { kind: 'in-progress' };
  if (reply.status.id !== 'COMPLETED') return undefined;
  const cause = reply.operation?.['failure-cause'];
  if (cause !== undefined && cause !== null) {
    const trace = cause['stack-trace'] ?? cause.class ?? '';
    return { kind: 'failed', text: failureLine(trace) || 'Flink gives no reason', path: savepointInFailure(trace) };
  }
  const path = usablePath(reply.operation?.location ?? '');
  return path === undefined
    ? { kind: 'failed', text: 'Flink names no usable path', path: undefined }
    : { kind: 'completed', path };
}

/** /jobs/:id/checkpoints/:triggerId. */
export function checkpointTriggerView(reply: v.InferOutput<typeof CheckpointTriggerStatus>): TriggerView | undefined {
  if (reply.status.id === 'IN_PROGRESS') return { kind: 'in-progress' };
  if (reply.status.id !== 'COMPLETED') return undefined;
  const checkpointId = reply.operation?.checkpointId ?? undefined;
  if (checkpointId !== undefined) return { kind: 'checkpointed', checkpointId };
  const cause = reply.operation?.failureCause;
  const text = failureLine(cause?.['stack-trace'] ?? cause?.class ?? '');
  return { kind: 'failed', text: text || 'Flink gives no reason', path: undefined };
}

/** /savepoint-disposal/:triggerId: AsynchronousOperationInfo, whose operation has a failure-cause or nothing. */
export function disposalView(reply: v.InferOutput<typeof TriggerStatus>): TriggerView | undefined {
  if (reply.status.id === 'IN_PROGRESS') return { kind: 'in-progress' };
  if (reply.status.id !== 'COMPLETED') return undefined;
  const cause = reply.operation?.['failure-cause'];
  if (cause === undefined || cause === null) return { kind: 'disposed' };
  const trace = cause['stack-trace'] ?? cause.class ?? '';
  if (namesMissingSnapshot(trace)) return { kind: 'disposed' };
  return { kind: 'failed', text: failureLine(trace) || 'Flink gives no reason', path: undefined };
}

/** The last moment that RFC 3339 can say (the year 9999). What is not a time is not told: status could not hold it. */
const LAST_MS = 253_402_300_799_999;

function time(ms: number | null | undefined): number | undefined {
  return ms === null || ms === undefined || ms < 0 || ms > LAST_MS ? undefined : Math.floor(ms);
}

/** A whole number that JSON and the API server agree on. */
function count(value: number | null | undefined): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}
