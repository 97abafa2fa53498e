import * as v from 'valibot';
import { parseJson } from '../api/json.ts';
import type { JsonObject } from '../api/kube.ts';
import type {
  CheckpointConfigView,
  CheckpointsView,
  ExceptionsView,
  FlinkErrorKind,
  JobDetail,
  JobView,
  Part,
  TriggerQuestion,
  TriggerView,
  VertexBounds,
} from '../core/flink-view.ts';
import { errorLine, firstLine, meaningOf, type Meaning } from './messages.ts';
import {
  boundsView,
  checkpointConfigView,
  checkpointsView,
  checkpointTriggerView,
  disposalView,
  exceptionsView,
  jobDetail,
  jobViews,
  restartsView,
  triggerView,
} from './replies.ts';
import {
  CheckpointConfig,
  Checkpoints,
  CheckpointTriggerStatus,
  DashboardConfig,
  Errors,
  Exceptions,
  JobDetails,
  JobsOverview,
  Metrics,
  ResourceRequirements,
  TriggerAccepted,
  TriggerStatus,
} from './schema.ts';
import type { FlinkRequest, Service, Transport } from './transport.ts';

/** Flink's answers are at most this deep; a JobManager is not trusted to keep to it. */
const MAX_DEPTH = 64;
const ID = /^[0-9a-f]{32}$/;

/** One call's outcome before it is read: JSON, a definite error of Flink, or a failure that tells nothing. */
type Reply =
  | { readonly kind: 'json'; readonly json: unknown }
  | { readonly kind: 'error'; readonly status: number; readonly text: string; readonly meaning: Meaning | undefined }
  | { readonly kind: 'failed'; readonly error: FlinkErrorKind; readonly text: string };

/** How a POST or PATCH ended. */
export type Accepted =
  | { readonly kind: 'done'; readonly text: string; readonly triggerId?: string }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'unknown'; readonly error: FlinkErrorKind; readonly text: string };

/** What a client needs for the calls of one sync to one JobManager. */
export type ClientOptions = {
  readonly transport: Transport;
  readonly service: Service;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
};

/** The calls Flork makes to one JobManager. */
export type FlinkClient = {
  readonly overview: () => Promise<Part<JobView[]>>;
  readonly version: () => Promise<Part<string>>;
  readonly detail: (jobId: string) => Promise<Part<JobDetail>>;
  readonly checkpoints: (jobId: string) => Promise<Part<CheckpointsView>>;
  readonly checkpointConfig: (jobId: string) => Promise<Part<CheckpointConfigView>>;
  readonly exceptions: (jobId: string) => Promise<Part<ExceptionsView>>;
  readonly trigger: (question: TriggerQuestion) => Promise<Part<TriggerView>>;
  readonly stop: (
    jobId: string,
    stop: {
      readonly directory: string;
      readonly drain: boolean;
      readonly formatType: string;
      readonly triggerId: string;
    },
  ) => Promise<Accepted>;
  readonly cancel: (jobId: string) => Promise<Accepted>;
  readonly savepoint: (
    jobId: string,
    savepoint: { readonly directory: string; readonly formatType: string; readonly triggerId: string },
  ) => Promise<Accepted>;
  readonly checkpoint: (jobId: string, triggerId: string) => Promise<Accepted>;
  readonly dispose: (path: string) => Promise<Accepted>;
  readonly bounds: (jobId: string) => Promise<Part<readonly VertexBounds[]>>;
  readonly restarts: (jobId: string) => Promise<Part<number>>;
  readonly rescale: (jobId: string, bounds: readonly VertexBounds[]) => Promise<Accepted>;
};

/** Typed calls to one JobManager; every failure is a value. */
export function flinkClient(options: ClientOptions): FlinkClient {
  const call = (method: FlinkRequest['method'], path: string, body?: JsonObject): Promise<Reply> =>
    send(options, { method, path, ...(body === undefined ? {} : { body }) });
  const get = <S extends v.GenericSchema, T>(
    path: string,
    schema: S,
    view: (reply: v.InferOutput<S>) => T | undefined,
  ): Promise<Part<T>> => call('GET', path).then((reply) => part(reply, path, schema, view));
  return {
    overview: () => get('/jobs/overview', JobsOverview, jobViews),
    version: () => get('/config', DashboardConfig, (reply) => reply['flink-version']),
    detail: (jobId) => get(`/jobs/${checked(jobId)}`, JobDetails, jobDetail),
    checkpoints: (jobId) => get(`/jobs/${checked(jobId)}/checkpoints`, Checkpoints, checkpointsView),
    checkpointConfig: async (jobId) => {
      const path = `/jobs/${checked(jobId)}/checkpoints/config`;
      const reply = await call('GET', path);
      const off = reply.kind === 'error' && reply.meaning === 'checkpointing-off';
      return off
        ? { kind: 'value', value: CHECKPOINTING_OFF }
        : part(reply, path, CheckpointConfig, checkpointConfigView);
    },
    exceptions: (jobId) => get(`/jobs/${checked(jobId)}/exceptions?maxExceptions=1`, Exceptions, exceptionsView),
    trigger: ({ kind, jobId, triggerId }) => {
      const item = checked(triggerId);
      if (kind === 'disposal') return get(`/savepoint-disposal/${item}`, TriggerStatus, disposalView);
      const of = `/jobs/${checked(jobId)}`;
      return kind === 'checkpoint'
        ? get(`${of}/checkpoints/${item}`, CheckpointTriggerStatus, checkpointTriggerView)
        : get(`${of}/savepoints/${item}`, TriggerStatus, triggerView);
    },
    stop: async (jobId, { directory, drain, formatType, triggerId }) => {
      const body = { targetDirectory: directory, drain, formatType, triggerId: checked(triggerId) };
      return triggerAccepted(await call('POST', `/jobs/${checked(jobId)}/stop`, body), triggerId);
    },
    cancel: async (jobId) => cancelAccepted(await call('PATCH', `/jobs/${checked(jobId)}?mode=cancel`)),
    // The directory is spelled otherwise than in a stop (SavepointTriggerRequestBody, StopWithSavepointRequestBody).
    savepoint: async (jobId, { directory, formatType, triggerId }) => {
      const body = { 'target-directory': directory, 'cancel-job': false, formatType, triggerId: checked(triggerId) };
      return triggerAccepted(await call('POST', `/jobs/${checked(jobId)}/savepoints`, body), triggerId);
    },
    checkpoint: async (jobId, triggerId) => {
      const body = { checkpointType: 'CONFIGURED', triggerId: checked(triggerId) };
      return triggerAccepted(await call('POST', `/jobs/${checked(jobId)}/checkpoints`, body), triggerId);
    },
    dispose: async (path) => disposalAccepted(await call('POST', '/savepoint-disposal', { 'savepoint-path': path })),
    bounds: (jobId) => get(`/jobs/${checked(jobId)}/resource-requirements`, ResourceRequirements, boundsView),
    restarts: (jobId) => get(`/jobs/${checked(jobId)}/metrics?get=numRestarts`, Metrics, restartsView),
    rescale: async (jobId, bounds) => {
      const body = Object.fromEntries(
        bounds.map(({ id, lower, upper }) => [id, { parallelism: { lowerBound: lower, upperBound: upper } }]),
      );
      return rescaleAccepted(await call('PUT', `/jobs/${checked(jobId)}/resource-requirements`, body));
    },
  };
}

const CHECKPOINTING_OFF: CheckpointConfigView = {
  enabled: false,
  intervalMs: undefined,
  externalized: false,
  deleteOnCancellation: true,
};

/** An id that goes into a path; `invalid` makes Flink refuse the call instead of it going elsewhere. */
function checked(id: string): string {
  return ID.test(id) ? id : 'invalid';
}

async function send(options: ClientOptions, request: Pick<FlinkRequest, 'method' | 'path' | 'body'>): Promise<Reply> {
  const { transport, service, timeoutMs, signal } = options;
  const response = await transport({ ...request, service, timeoutMs }, signal);
  if (response.kind === 'error') return { kind: 'failed', error: response.error, text: firstLine(response.text) };
  const { status, text } = response;
  const json = parseJson(text, MAX_DEPTH);
  if (status >= 200 && status < 300) {
    return json === undefined ? unexpected(`the reply to ${request.path} is not JSON`) : { kind: 'json', json };
  }
  const errors = v.safeParse(Errors, json);
  const line = errors.success ? errorLine(errors.output.errors) : `${status} without Flink's error format`;
  const meaning = errors.success ? meaningOf(status, text) : undefined;
  if (status === 503 || meaning === 'transient') return { kind: 'failed', error: 'unavailable', text: line };
  if (status === 408) return { kind: 'failed', error: 'unavailable', text: line };
  if (meaning === 'cannot-rescale') return { kind: 'error', status, text: line, meaning };
  if (!errors.success || status >= 500 || status < 400) return unexpected(`${request.path}: ${status} ${line}`);
  return { kind: 'error', status, text: line, meaning };
}

function unexpected(text: string): Reply {
  return { kind: 'failed', error: 'unexpected-reply', text: firstLine(text) };
}

function part<S extends v.GenericSchema, T>(
  reply: Reply,
  path: string,
  schema: S,
  view: (reply: v.InferOutput<S>) => T | undefined,
): Part<T> {
  if (reply.kind === 'failed') return reply;
  if (reply.kind === 'error') return errorPart(reply, path);
  const parsed = v.safeParse(schema, reply.json, { abortEarly: true });
  const value = parsed.success ? view(parsed.output) : undefined;
  if (value === undefined) {
    return { kind: 'failed', error: 'unexpected-reply', text: `the reply to ${path} is not what Flink answers` };
  }
  return { kind: 'value', value };
}

/** Only an error whose text is known is an answer about the job; any other may come from a wrong path or a foreign server. */
function errorPart(reply: Extract<Reply, { kind: 'error' }>, path: string): Part<never> {
  const absent: readonly (Meaning | undefined)[] = ['job-not-found', 'trigger-not-found', 'checkpointing-off'];
  if (reply.meaning === 'cannot-rescale') return { kind: 'absent', text: reply.text };
  if (reply.status === 404 && absent.includes(reply.meaning)) return { kind: 'absent', text: reply.text };
  if (reply.status === 404)
    return { kind: 'failed', error: 'unexpected-reply', text: firstLine(`${path}: ${reply.text}`) };
  return { kind: 'failed', error: 'refused', text: reply.text };
}

function triggerAccepted(reply: Reply, triggerId: string): Accepted {
  if (reply.kind === 'failed') return { kind: 'unknown', error: reply.error, text: reply.text };
  if (reply.kind === 'error') return { kind: 'refused', text: reply.text };
  const parsed = v.safeParse(TriggerAccepted, reply.json);
  if (!parsed.success || parsed.output['request-id'] !== triggerId) {
    return { kind: 'unknown', error: 'unexpected-reply', text: 'the reply names another trigger' };
  }
  return { kind: 'done', text: '' };
}

/** Flink gives the trigger id of a disposal itself (SavepointDisposalTriggerHandler). */
function disposalAccepted(reply: Reply): Accepted {
  if (reply.kind === 'failed') return { kind: 'unknown', error: reply.error, text: reply.text };
  if (reply.kind === 'error') return { kind: 'refused', text: reply.text };
  const parsed = v.safeParse(TriggerAccepted, reply.json);
  const triggerId = parsed.success ? parsed.output['request-id'] : '';
  if (!ID.test(triggerId))
    return { kind: 'unknown', error: 'unexpected-reply', text: 'the reply to the disposal names no trigger' };
  return { kind: 'done', text: '', triggerId };
}

function cancelAccepted(reply: Reply): Accepted {
  if (reply.kind === 'failed') return { kind: 'unknown', error: reply.error, text: reply.text };
  if (reply.kind === 'json' || reply.meaning === 'already-ended') return { kind: 'done', text: '' };
  return { kind: 'refused', text: reply.text };
}

/** 409: another update is under way, or the job is on its way elsewhere; it is asked again. */
function rescaleAccepted(reply: Reply): Accepted {
  if (reply.kind === 'failed') return { kind: 'unknown', error: reply.error, text: reply.text };
  if (reply.kind === 'json') return { kind: 'done', text: '' };
  if (reply.status === 409 || reply.status === 404) return { kind: 'unknown', error: 'unavailable', text: reply.text };
  return { kind: 'refused', text: reply.text };
}
