import type { Clock } from '../clock.ts';
import type { Tree } from '../objects.ts';
import type { CheckpointEntry } from './checkpointing.ts';
import type { Job } from './job.ts';
import type { JobManager } from './job-manager.ts';
import { disposal, savepoint, stop, takeCheckpoint, takenCheckpoint, takeSavepoint } from './rest-operations.ts';
import { error, json, serverError, trace, type RestReply } from './rest-reply.ts';
import { isExecuted, requirements, rescale, shownVertices, taskCount } from './rest-vertices.ts';

/** Flink's REST API as far as Flork calls it, with Flink's own texts (1.19 to 2.3). */
/** The job that stands for a main() that failed has no graph. */
const DRIVER = '(application driver)';

/** `web.refresh-interval`: how old a cached answer may be. */
const REFRESH_MS = 3_000;

export function restCall(jobManager: JobManager, clock: Clock, method: string, given: string, body: Tree): RestReply {
  const path = given.replace(/^\/v1\//, '/');
  const [bare = '', query = ''] = path.split('?');
  if (jobManager.phase() === 'electing') return error(503, ELECTION);
  if (method === 'GET' && bare === '/config') return json(200, configOf(jobManager));
  if (method === 'GET' && bare === '/overview')
    return json(200, { 'flink-version': jobManager.version, taskmanagers: 1 });
  if (method === 'GET' && bare === '/jobs/overview') return json(200, { jobs: overview(jobManager, clock.now()) });
  const [, root, jobId = '', resource = '', item = ''] = bare.split('/');
  if (root === 'savepoint-disposal') return disposal(jobManager, method, jobId, body);
  if (root !== 'jobs') return error(404, 'Not found: ' + bare);
  if (!/^[0-9a-f]{32}$/.test(jobId)) return error(400, `Bad request, could not parse parameters: ${jobId}`);
  if (method === 'POST' && resource === 'stop') return stop(jobManager, jobId, body);
  if (method === 'POST' && resource === 'savepoints') return takeSavepoint(jobManager, jobId, body);
  if (method === 'POST' && resource === 'checkpoints') return takeCheckpoint(jobManager, jobId, body);
  if (method === 'PATCH' && query === 'mode=cancel') return cancel(jobManager, jobId);
  if (method === 'PUT' && resource === 'resource-requirements') return rescale(jobManager, jobId, body);
  if (method === 'GET' && resource === 'resource-requirements') return requirements(jobManager, jobId);
  if (method === 'GET' && resource === 'savepoints') return savepoint(jobManager, jobId, item);
  if (method === 'GET' && resource === 'checkpoints' && /^[0-9a-f]{32}$/.test(item))
    return takenCheckpoint(jobManager, jobId, item);
  if (method === 'GET')
    return cached(jobManager, clock, bare, () => jobResource(jobManager, clock, jobId, resource, item));
  return error(404, 'Not found: ' + bare);
}

function jobResource(jobManager: JobManager, clock: Clock, jobId: string, resource: string, item: string): RestReply {
  const job = jobManager.job();
  if (job === undefined || job.id !== jobId) return error(404, trace(`Job ${jobId} not found`));
  switch (`${resource}${item === '' ? '' : `/${item}`}`) {
    case '':
      return json(200, details(job, clock.now()));
    case 'checkpoints':
      return checkpoints(job);
    case 'checkpoints/config':
      return checkpointConfig(job);
    case 'metrics':
      // Fetched every 10 s (metrics.fetcher.update-interval): a young job has none.
      return json(
        200,
        clock.now() - job.startTime < 10_000 ? [] : [{ id: 'numRestarts', value: String(job.failures.length) }],
      );
    case 'exceptions':
      return json(200, exceptions(job));
    default:
      return error(404, `Not found: ${resource}`);
  }
}

function cached(jobManager: JobManager, clock: Clock, path: string, compute: () => RestReply): RestReply {
  const known = jobManager.cache.get(path);
  if (known !== undefined && clock.now() - known.at < REFRESH_MS) return known;
  const reply = compute();
  if (reply.status === 200) jobManager.cache.set(path, { at: clock.now(), ...reply });
  return reply;
}

function overview(jobManager: JobManager, now: number): readonly unknown[] {
  const job = jobManager.job();
  if (job === undefined) return [];
  const end = job.endTime();
  return [
    {
      jid: job.id,
      name: job.name,
      state: job.state(),
      'start-time': job.startTime,
      'end-time': end,
      duration: (end < 0 ? now : end) - job.startTime,
      'last-modification': now,
      tasks: tasks(job),
      ...(jobManager.version.startsWith('1.') ? {} : { 'pending-operators': 0 }),
    },
  ];
}

const NO_STATISTICS = { completed: 0, failed: 0, restored: undefined, entries: [] };

function tasks(job: Job): Tree {
  const state = job.state();
  // Failed before there was a graph.
  const total = state === 'FAILED' && !job.since.has('CREATED') ? 0 : taskCount(job);
  const running = job.tasksRunning() ? total : 0;
  const waiting = total - running;
  const none = {
    created: 0,
    scheduled: 0,
    deploying: 0,
    running: 0,
    finished: 0,
    canceling: 0,
    canceled: 0,
    failed: 0,
    reconciling: 0,
    initializing: 0,
  };
  switch (state) {
    case 'FINISHED':
      return { total, ...none, finished: total };
    case 'CANCELED':
      return { total, ...none, canceled: total };
    case 'FAILED':
      return { total, ...none, failed: total };
    case 'RUNNING':
      return { total, ...none, running, deploying: waiting };
    default:
      return { total, ...none, scheduled: total };
  }
}

function details(job: Job, now: number): Tree {
  const names = [
    'INITIALIZING',
    'CREATED',
    'RUNNING',
    'RESTARTING',
    'FAILING',
    'FAILED',
    'CANCELLING',
    'CANCELED',
    'FINISHED',
    'SUSPENDED',
    'RECONCILING',
  ];
  return {
    jid: job.id,
    name: job.name,
    state: job.state(),
    isStoppable: false,
    'start-time': job.startTime,
    'end-time': job.endTime(),
    now,
    timestamps: Object.fromEntries(
      names.map((name) => [name, isExecuted(job) || name === 'INITIALIZING' ? (job.since.get(name) ?? 0) : 0]),
    ),
    vertices: job.name === DRIVER ? [] : shownVertices(job),
  };
}

function checkpoints(job: Job): RestReply {
  if (job.state() === 'INITIALIZING') return serverError('FlinkJobNotInitialized: the job is initializing');
  if (job.checkpointing.intervalMs === undefined) return error(404, 'Checkpointing has not been enabled.');
  const { completed, failed, restored, entries } = isExecuted(job) ? job.checkpoints() : NO_STATISTICS;
  const latest = entries.findLast((entry) => !entry.savepoint);
  const savepoint = entries.findLast((entry) => entry.savepoint);
  return json(200, {
    counts: { restored: restored === undefined ? 0 : 1, total: completed + failed, in_progress: 0, completed, failed },
    summary: {},
    latest: {
      completed: latest === undefined ? null : checkpointEntry(latest),
      savepoint: savepoint === undefined ? null : checkpointEntry(savepoint),
      failed: null,
      restored:
        restored === undefined
          ? null
          : {
              id: restored.id,
              restore_timestamp: restored.at,
              is_savepoint: restored.savepoint,
              external_path: restored.path,
            },
    },
    history: entries.slice(-10).toReversed().map(checkpointEntry),
  });
}

function checkpointEntry(entry: CheckpointEntry): Tree {
  return {
    className: 'completed',
    id: entry.id,
    status: 'COMPLETED',
    is_savepoint: entry.savepoint,
    savepointFormat: entry.savepoint ? 'CANONICAL' : null,
    checkpoint_type: entry.synchronous ? 'SYNC_SAVEPOINT' : entry.savepoint ? 'SAVEPOINT' : 'CHECKPOINT',
    trigger_timestamp: entry.at - 50,
    latest_ack_timestamp: entry.at,
    checkpointed_size: 4096,
    state_size: 4096,
    end_to_end_duration: 50,
    external_path: entry.path,
    discarded: entry.discarded,
  };
}

function checkpointConfig(job: Job): RestReply {
  const { intervalMs, retention } = job.checkpointing;
  if (intervalMs === undefined) return error(404, 'Checkpointing is not enabled for this job (' + job.id + ').');
  return json(200, {
    mode: 'exactly_once',
    interval: intervalMs,
    timeout: 600_000,
    min_pause: 0,
    max_concurrent: 1,
    externalization: {
      enabled: retention !== 'NO_EXTERNALIZED_CHECKPOINTS',
      delete_on_cancellation: retention !== 'RETAIN_ON_CANCELLATION',
    },
  });
}

function exceptions(job: Job): Tree {
  const entries = job.failures.map(({ at, text: stacktrace }) => ({
    exceptionName: stacktrace.split(':')[0],
    stacktrace: `${stacktrace}\n\tat org.apache.flink.Sim.run(Sim.java:1)`,
    timestamp: at,
    concurrentExceptions: [],
  }));
  return { exceptionHistory: { entries, truncated: false } };
}

function cancel(jobManager: JobManager, jobId: string): RestReply {
  const job = jobManager.job();
  if (job === undefined || job.id !== jobId) return error(404, trace('Job could not be found.'));
  const state = job.state();
  if (state === 'FINISHED' || state === 'FAILED') {
    return error(
      409,
      trace(`Job cancellation failed because the job has already reached another terminal state (${state}).`),
    );
  }
  job.cancel();
  return json(202, {});
}

function configOf(jobManager: JobManager): Tree {
  return {
    'refresh-interval': 3000,
    'flink-version': jobManager.version,
    'flink-revision': 'sim',
    features: { 'web-submit': false },
  };
}

const ELECTION = 'Service temporarily unavailable due to an ongoing leader election. Please refresh.';
