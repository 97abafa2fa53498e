/**
 * The Flink messages that must be read because its status codes do not tell (Flink 1.19-2.3). Nothing else in Flork
 * matches on Flink's texts; each row has a contract test.
 */
export type Meaning =
  /** Not ready, or the view of the job is not there yet: says nothing about the job. */
  | 'transient'
  | 'job-not-found'
  | 'trigger-not-found'
  /** A positive answer: this job has no checkpoint coordinator. */
  | 'checkpointing-off'
  /** The job has ended by itself: nothing is left to cancel. */
  | 'already-ended'
  /** A positive answer: the scheduler of this job cannot change its parallelism without a restart. */
  | 'cannot-rescale'
  /** No savepoint directory in the request or the configuration. */
  | 'no-savepoint-directory';

/** One row: a text in a reply of one of these statuses means this. */
export type MessageRow = {
  readonly meaning: Meaning;
  readonly statuses: readonly number[];
  readonly contains: string;
  readonly origin: string;
};

export const MESSAGES: readonly MessageRow[] = [
  {
    meaning: 'transient',
    statuses: [500, 404],
    contains: 'UnavailableDispatcherOperationException',
    origin: 'Dispatcher: leader there, job not yet',
  },
  {
    meaning: 'transient',
    statuses: [500],
    contains: 'FlinkJobNotFoundException',
    origin: 'handlers that do not map it, while the job comes up',
  },
  {
    meaning: 'transient',
    statuses: [500],
    contains: 'FencingTokenException',
    origin: 'RPC to a Dispatcher that is gaining leadership',
  },
  { meaning: 'transient', statuses: [500], contains: 'LeaderRetrievalException', origin: 'leader election' },
  { meaning: 'transient', statuses: [500], contains: 'AskTimeoutException', origin: 'RPC within Flink took too long' },
  {
    meaning: 'trigger-not-found',
    statuses: [404],
    contains: 'There is no savepoint operation with triggerId=',
    origin: 'SavepointHandlers',
  },
  {
    meaning: 'trigger-not-found',
    statuses: [404],
    contains: 'There is no checkpoint operation with triggerId=',
    origin: 'CheckpointHandlers',
  },
  {
    meaning: 'trigger-not-found',
    statuses: [404],
    contains: 'Operation not found under key',
    origin: 'AbstractAsynchronousOperationHandlers, for disposals',
  },
  {
    meaning: 'checkpointing-off',
    statuses: [404],
    contains: 'Checkpointing has not been enabled',
    origin: 'CheckpointingStatisticsHandler',
  },
  {
    meaning: 'checkpointing-off',
    statuses: [404],
    contains: 'Checkpointing is not enabled for this job',
    origin: 'CheckpointConfigHandler',
  },
  { meaning: 'job-not-found', statuses: [404], contains: 'Job could not be found', origin: 'JobCancellationHandler' },
  {
    meaning: 'job-not-found',
    statuses: [404],
    contains: 'FlinkJobNotFoundException',
    origin: 'RestHandlerException around it',
  },
  {
    meaning: 'job-not-found',
    statuses: [404],
    contains: 'Could not find Flink job',
    origin: 'FlinkJobNotFoundException',
  },
  {
    meaning: 'already-ended',
    statuses: [409],
    contains: 'reached another terminal state',
    origin: 'JobCancellationHandler',
  },
  {
    meaning: 'cannot-rescale',
    statuses: [500],
    contains: 'does not support changing the parallelism without a job restart',
    origin: 'SchedulerNG, any scheduler but the adaptive one',
  },
  {
    meaning: 'cannot-rescale',
    statuses: [500],
    contains: 'Cannot change the parallelism of a job running in reactive mode',
    origin: 'AdaptiveScheduler in reactive mode',
  },
  {
    meaning: 'no-savepoint-directory',
    statuses: [400],
    contains: '[target-directory] must be provided',
    origin: 'SavepointHandlers',
  },
  {
    meaning: 'no-savepoint-directory',
    statuses: [400],
    contains: '[targetDirectory] must be provided',
    origin: 'SavepointHandlers',
  },
];

const JOB_NOT_FOUND = /Job [0-9a-f]{32} not found/;

/** What an error reply means; `undefined` when no row says. */
export function meaningOf(status: number, text: string): Meaning | undefined {
  const row = MESSAGES.find(({ statuses, contains }) => statuses.includes(status) && text.includes(contains));
  if (row !== undefined) return row.meaning;
  return status === 404 && JOB_NOT_FOUND.test(text) ? 'job-not-found' : undefined;
}

const SAVEPOINT_BEFORE = 'A savepoint has been created at: ';
const SAVEPOINT_AFTER = ', but the corresponding job';

/** The consistent savepoint that a failed stop names (StopWithSavepointStoppingException). */
export function savepointInFailure(text: string): string | undefined {
  const start = text.indexOf(SAVEPOINT_BEFORE);
  if (start < 0) return undefined;
  const from = start + SAVEPOINT_BEFORE.length;
  const end = text.indexOf(SAVEPOINT_AFTER, from);
  return end < 0 ? undefined : usablePath(text.slice(from, end));
}

const NOT_THERE = 'Cannot find checkpoint or savepoint file/directory';

/** Whether a failure says that there is no snapshot at its path (AbstractFsCheckpointStorageAccess.resolveCheckpointPointer). */
export function namesMissingSnapshot(text: string): boolean {
  return text.includes(NOT_THERE);
}

const MAX_PATH = 2048;

/** A path that another process can restore from; not for instance `<checkpoint-not-externally-addressable>`. */
export function usablePath(path: string): string | undefined {
  if (path.length === 0 || path.length > MAX_PATH) return undefined;
  // oxlint-disable-next-line no-control-regex -- a path with control characters is no path
  if (/[\u0000-\u001f\u007f<>]/.test(path)) return undefined;
  return /^(?:\/|[a-zA-Z][a-zA-Z0-9+.-]*:)/.test(path) ? path : undefined;
}

const MAX_TEXT = 300;
const CLASS_PREFIX = /^(?:[a-z][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)?: /;

/** The first line of a text, without the Java classes it starts with, at most 300 characters: all that is fit for a status. */
export function firstLine(text: string): string {
  let line = lineAt(text.trimStart());
  for (let shorter = line.replace(CLASS_PREFIX, ''); shorter !== line; shorter = line.replace(CLASS_PREFIX, ''))
    line = shorter;
  // oxlint-disable-next-line no-control-regex -- control characters are what is removed
  return cut(line.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').trim());
}

function lineAt(text: string): string {
  const end = text.indexOf('\n');
  return (end < 0 ? text : text.slice(0, end)).slice(0, 4 * MAX_TEXT);
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}

const CAUSE = '\nCaused by: ';

/** The first line of a Java stack trace and the deepest cause it names: what failed and why. */
export function failureLine(stackTrace: string): string {
  const first = firstLine(stackTrace);
  const at = stackTrace.lastIndexOf(CAUSE);
  if (at < 0) return first;
  const cause = firstLine(stackTrace.slice(at + CAUSE.length, at + CAUSE.length + 4 * MAX_TEXT));
  return cause === '' || first.includes(cause) ? first : cut(`${first} (caused by: ${cause})`);
}

/** The line that says most in `{"errors": [...]}`: handlers put the exception behind "Internal server error.". */
export function errorLine(errors: readonly string[]): string {
  const [first = '', second = ''] = errors;
  const inner = second.startsWith('<Exception on server side') ? second.slice(second.indexOf('\n') + 1) : second;
  if (!first.startsWith('Internal server error') || inner === '') return firstLine(first);
  return failureLine(inner);
}
