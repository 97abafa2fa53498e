import type { Tree } from '../objects.ts';
import type { JobManager } from './job-manager.ts';
import type { Operation } from './operations.ts';
import { text } from '../objects.ts';
import { error, json, trace, type RestReply } from './rest-reply.ts';

/** Flink's asynchronous operations by REST: a trigger and, by its id, a result. */

/** 202 even if the job does not exist or is initializing: the failure is in the result. */
export function stop(jobManager: JobManager, jobId: string, body: Tree): RestReply {
  const triggerId = text(body['triggerId']);
  const directory = text(body['targetDirectory']);
  if (directory === '') return error(400, noDirectory('targetDirectory'));
  jobManager.stop(jobId, triggerId, directory);
  return json(202, { 'request-id': triggerId });
}

export function takeSavepoint(jobManager: JobManager, jobId: string, body: Tree): RestReply {
  const triggerId = text(body['triggerId']);
  const directory = text(body['target-directory']);
  if (directory === '') return error(400, noDirectory('target-directory'));
  jobManager.savepoint(jobId, triggerId, directory);
  return json(202, { 'request-id': triggerId });
}

export function takeCheckpoint(jobManager: JobManager, jobId: string, body: Tree): RestReply {
  const triggerId = text(body['triggerId']);
  jobManager.checkpoint(jobId, triggerId);
  return json(202, { 'request-id': triggerId });
}

export function takenCheckpoint(jobManager: JobManager, jobId: string, triggerId: string): RestReply {
  const operation = jobManager.operations.checkpoints.get(`${triggerId}/${jobId}`);
  if (operation === undefined)
    return error(404, trace(`There is no checkpoint operation with triggerId=${triggerId} for job ${jobId}.`));
  const { result } = operation;
  if (result === undefined) return json(200, { status: { id: 'IN_PROGRESS' }, operation: null });
  const info =
    result.kind === 'checkpointed'
      ? { checkpointId: result.id }
      : { failureCause: failureCause(result.kind === 'failed' ? result.text : '') };
  return json(200, { status: { id: 'COMPLETED' }, operation: info });
}

/** POST answers 200 with a trigger id of Flink's own choice (SavepointDisposalTriggerHeaders). */
export function disposal(jobManager: JobManager, method: string, triggerId: string, body: Tree): RestReply {
  if (method === 'POST') {
    const path = text(body['savepoint-path']);
    if (path === '') return error(400, trace('Field savepoint-path must not be omitted or be null.'));
    return json(200, { 'request-id': jobManager.dispose(path) });
  }
  const operation = jobManager.operations.disposals.get(triggerId);
  if (operation === undefined)
    return error(404, trace(`Operation not found under key: OperationKey{triggerId=${triggerId}}`));
  return json(200, operationBody(operation));
}

export function savepoint(jobManager: JobManager, jobId: string, triggerId: string): RestReply {
  const operation = jobManager.operations.savepoints.get(`${triggerId}/${jobId}`);
  if (operation === undefined) {
    return error(404, trace(`There is no savepoint operation with triggerId=${triggerId} for job ${jobId}.`));
  }
  return json(200, operationBody(operation));
}

function operationBody({ result }: Operation): Tree {
  if (result === undefined) return { status: { id: 'IN_PROGRESS' }, operation: null };
  if (result.kind === 'completed') return { status: { id: 'COMPLETED' }, operation: { location: result.path } };
  if (result.kind !== 'failed') return { status: { id: 'COMPLETED' }, operation: {} };
  return { status: { id: 'COMPLETED' }, operation: { 'failure-cause': failureCause(result.text) } };
}

function failureCause(message: string): Tree {
  return {
    class: message.split(':')[0],
    'stack-trace': `${message}\n\tat org.apache.flink.Sim.run(Sim.java:1)`,
    'serialized-throwable': 'rO0AB',
  };
}

function noDirectory(property: string): string {
  return `Config key [state.savepoints.dir / execution.checkpointing.savepoint-dir] is not set. Property [${property}] must be provided.`;
}
