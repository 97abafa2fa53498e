/* oxlint-disable max-lines -- one schema, read as a table */
import * as v from 'valibot';
import { isObject } from './json.ts';

/**
 * The status of a FlinkJob: Flork's write-ahead log and what a person reads.
 * Every field is in this schema, from which the CRD is generated: a field the CRD does not know is pruned by the API server
 * and would be written again at every sync. Nothing here has a default (a defaulted field never equals what was sent).
 */

const text = (description: string) => v.pipe(v.string(), v.description(description));
const count = (description: string) => v.pipe(v.number(), v.safeInteger(), v.description(description));
const flag = (description: string) => v.pipe(v.boolean(), v.description(description));
/** RFC 3339 in UTC with second precision. */
const time = (description: string) => v.pipe(v.string(), v.description(`${description} (RFC 3339)`));

export const STATES = [
  'Created',
  'Deploying',
  'Upgrading',
  'RollingBack',
  'Running',
  'Stopping',
  'Rescaling',
  'Deleting',
  'Suspended',
  'Finished',
  'RolledBack',
  'Stalled',
  'Failed',
] as const;
export const FLORK_PHASES = ['CREATED', 'DEPLOYING', 'DEPLOYED', 'COMPLETED', 'FAILED'] as const;
export const OPERATION_KINDS = [
  'start',
  'stop',
  'cancel',
  'delete',
  'savepoint',
  'checkpoint',
  'rescale',
  'dispose',
] as const;
export const PURPOSES = [
  'upgrade',
  'suspend',
  'restore',
  'delete',
  'restart',
  'scale',
  'rollback',
  'health',
  'failed',
  'stable',
  'request',
  'schedule',
  'retention',
] as const;
export const ENDS = ['stopped', 'canceled', 'finished', 'failed', 'replaced'] as const;

/** A Kubernetes condition. Types: Ready, Reconciling, Stalled, StateSafe, ChildrenApplied. */
export const Condition = v.object({
  type: text('Ready, Reconciling, Stalled, StateSafe or ChildrenApplied'),
  status: v.pipe(v.picklist(['True', 'False', 'Unknown']), v.description('True, False or Unknown')),
  reason: text('One of the documented reasons (docs/runbook.md)'),
  message: text('What is, and what is wanted'),
  observedGeneration: count('The generation of the spec that was acted on'),
  lastTransitionTime: time('When the status of this condition last changed'),
});

/** A restorable snapshot of a job's state. */
export const Snapshot = v.object({
  path: text('Where it lies, as Flink names it'),
  kind: v.pipe(v.picklist(['checkpoint', 'savepoint']), v.description('checkpoint or savepoint')),
  epoch: count('The epoch that wrote it'),
  trigger: v.optional(
    text('Why it was taken: periodic, request, schedule, upgrade, suspend, restore, delete, or another purpose'),
  ),
  at: time('When it was complete'),
  sizeBytes: v.optional(count('Its size as Flink reports it')),
});

/** How an epoch ended; a snapshot is there unless nothing can be or need be restored. */
export const Ended = v.object({
  how: v.pipe(
    v.picklist(ENDS),
    v.description('stopped (with savepoint), canceled, finished, failed or replaced (never ran)'),
  ),
  path: v.optional(text('The snapshot that the next epoch restores')),
  kind: v.optional(v.pipe(v.picklist(['checkpoint', 'savepoint']), v.description('What kind of snapshot that is'))),
  startsEmpty: v.optional(flag('Whether the state-loss contract lets the next epoch start empty')),
  rewound: v.optional(flag('Whether the job may have got further than that snapshot')),
  rollback: v.optional(flag('Whether the last stable epoch takes its place (policies.upgrade.rollback)')),
  newest: v.optional(text('The newest snapshot of an epoch that is rolled back: what another spec goes on from')),
  byFlork: flag('Whether Flork ended it; otherwise it finished, failed or was canceled by itself or by someone else'),
  over: v.optional(
    flag('Whether the job was seen ended, or its process gone: its pods go, whatever is seen or not seen later'),
  ),
  at: time('When this was seen'),
});

/** The clock of policies.upgrade.readiness; gone once the epoch is stable. */
const ReadinessClock = v.object({
  seconds: count('Seconds that it ran before it last stood still'),
  since: v.optional(time('Since when it runs; absent while a pod of the epoch does not')),
});

/** One deployment of the job. */
export const Epoch = v.object({
  number: count('Counts the deployments of this FlinkJob, from 1'),
  incarnation: count('Counts the JobManager processes of this epoch that Flork has seen; 0 before the first'),
  jobId: text('Flink job id of the running process'),
  process: v.optional(text('JobManager pod uid and restart count of that process')),
  generation: count('Generation of the spec that this epoch runs'),
  recordHash: text('Hash of the record ConfigMap of this epoch'),
  nextRecordHash: v.optional(text('Hash of the record while it is about to change')),
  restoredFrom: v.optional(text('The snapshot this epoch started from')),
  attempt: count('Counts operations of any kind; only grows, over all epochs'),
  asked: v.optional(
    count('Counts the savepoints, checkpoints and disposals asked of running jobs; only grows, over all epochs'),
  ),
  startedAt: time('When this epoch was declared'),
  ran: v.optional(flag('Whether a task of this epoch was ever seen running, or a checkpoint of it complete')),
  idle: v.optional(
    text('The newest process up to which every process of this epoch is proven never to have run a task'),
  ),
  runningAt: v.optional(time('When all its tasks first ran')),
  stableAt: v.optional(
    time('When it became stable: all its tasks ran and, where the job writes checkpoints, one of its own was complete'),
  ),
  clock: v.optional(v.pipe(ReadinessClock, v.description('How long it has had to become stable'))),
  scale: v.optional(
    v.pipe(
      v.object({
        parallelism: count('Parallelism of the job'),
        taskManagers: count('Number of TaskManagers'),
        fixed: v.optional(
          v.pipe(
            v.array(text('Id of a vertex')),
            v.description('Vertices of the job graph that keep a parallelism of their own'),
          ),
        ),
      }),
      v.description('What this epoch was last to be rescaled to in place; absent when it never was'),
    ),
  ),
  unread: v.optional(
    text('Directory of a stop whose process ended before its result was read: a savepoint in it would be the newest'),
  ),
  ended: v.optional(Ended),
});

/** The one intent in progress, observed in status before anything is done about it. */
export const Operation = v.object({
  kind: v.pipe(
    v.picklist(OPERATION_KINDS),
    v.description('start, stop (with savepoint), cancel, delete, savepoint, checkpoint, rescale or dispose'),
  ),
  purpose: v.pipe(
    v.picklist(PURPOSES),
    v.description(
      'What it is for: upgrade, suspend, restore, delete, restart, scale, rollback, health, failed, stable, request, schedule or retention',
    ),
  ),
  attempt: count('Number of this operation, part of its trigger id'),
  jobId: v.optional(text('The Flink job it is about')),
  process: v.optional(text('JobManager process it was asked of')),
  triggerId: v.optional(
    text('Trigger id: a hash of uid, epoch, kind and attempt, so that Flink takes a repeated call for the same'),
  ),
  directory: v.optional(text('Savepoint directory of this attempt alone')),
  path: v.optional(text('The snapshot that is being removed')),
  generation: count('Generation of the spec that asked for it'),
  startedAt: time('When it was intended'),
  askedAt: v.optional(time("When Flink was last asked for a snapshot, by Flink's clock")),
  known: v.optional(flag('Whether Flink was seen to know of it: what it no longer knows is over')),
  unknownSince: v.optional(time("Since when Flink does not know what it was asked for, by Flink's clock")),
  deadline: v.optional(time('When it is given up')),
  nonce: v.optional(count('The nonce of spec that asked for it')),
  startsEmpty: v.optional(flag('Whether the next epoch starts empty: the job is left without its state')),
  slot: v.optional(time('The slot of the schedule that asked for it')),
  result: v.optional(
    v.object({
      path: v.optional(text('The savepoint it made')),
      failure: v.optional(text('First line of why it failed')),
      at: time('When the result was read'),
    }),
  ),
});

/** A line of history: one transition between epochs, or a state that Flork had to step back to. */
export const Transition = v.object({
  at: time('When'),
  generation: count('Generation acted on'),
  from: text('State before'),
  to: text('State after'),
  reason: text('Why: a documented reason'),
  snapshot: v.optional(text('Snapshot restored or taken')),
});

/** status.job: what Flink says about the job. */
export const JobStatus = v.object({
  name: v.optional(text('Job name in Flink')),
  state: text('Flink JobStatus as last seen'),
  parallelism: v.optional(count('Highest parallelism of its vertices')),
  restarts: v.optional(count('JobManager processes after the first, in this epoch')),
  startedAt: v.optional(time('When Flink started it')),
  endedAt: v.optional(time('When it ended')),
  flinkVersion: v.optional(text('Flink version that answers')),
  failure: v.optional(text('First lines of the newest failure')),
});

/** A recorded snapshot that processes could not find. */
export const Missing = v.object({
  path: text('The snapshot that is not there'),
  processes: v.pipe(
    v.array(text('Pod uid and end, or pod uid and restart count')),
    v.description('Processes that said so, at most three'),
  ),
  steppedTo: v.optional(text('The older snapshot that the next process goes back to')),
  exhausted: v.optional(flag('Whether that one is not there either')),
});

/** What was asked for once and has been acted on. */
export const Handled = v.object({
  restoreNonce: v.optional(count('Last spec.restore.nonce acted on')),
  restartNonce: v.optional(count('Last spec.restartNonce acted on')),
  savepointNonce: v.optional(count('Last spec.savepointNonce acted on')),
  checkpointNonce: v.optional(count('Last spec.checkpointNonce acted on')),
  savepointSlot: v.optional(time('Newest slot of policies.savepoint.schedule that was acted on')),
  checkpointSlot: v.optional(time('Newest slot of policies.checkpoint.schedule that was acted on')),
});

/** Metadata of Flink's high availability that ended epochs have left; nobody owns it. */
export const HighAvailabilityMetadata = v.object({
  epoch: count('The epoch that it belongs to; the newest of several'),
  from: v.optional(count('The oldest of several epochs')),
  kind: v.pipe(v.picklist(['kubernetes', 'other']), v.description('kubernetes (ConfigMaps) or other (ZooKeeper)')),
  storage: v.optional(text('Storage directory of high availability; Flork removes no files')),
  cleaned: v.optional(flag('Whether its ConfigMaps are removed')),
  failure: v.optional(text('Why the last attempt to remove them failed')),
  refused: v.optional(flag('Whether the API server refused it')),
});

/** The whole status. */
export const Status = v.object({
  observedGeneration: count('Generation that this status describes (written by Metacontroller)'),
  state: v.pipe(v.picklist(STATES), v.description('Where the job is in its life (docs/lifecycle.md)')),
  message: text('What is, and what comes next'),
  conditions: v.pipe(v.array(Condition), v.description('Ready, Reconciling, Stalled, StateSafe, ChildrenApplied')),
  florkPhase: v.pipe(
    v.picklist(FLORK_PHASES),
    v.description('Phase of the original Flork: CREATED, DEPLOYING, DEPLOYED, COMPLETED or FAILED'),
  ),
  generationDuringLastTransition: count('Generation when florkPhase last changed'),
  knownSavepointPath: v.optional(text('Newest restorable savepoint')),
  epoch: v.optional(Epoch),
  stableEpoch: v.optional(
    v.object({
      number: count('The last stable epoch, while a newer one has not got there'),
      recordHash: text('Hash of its record ConfigMap'),
      path: v.optional(text('The snapshot it ended with')),
    }),
  ),
  operation: v.optional(Operation),
  retry: v.optional(
    v.object({
      notBefore: time('No new attempt before'),
      failures: count('Failed attempts in a row'),
      kind: v.optional(v.pipe(v.picklist(OPERATION_KINDS), v.description('What failed; stop where it is not said'))),
      failure: v.optional(text('First line of the last failure')),
    }),
  ),
  failedEpoch: v.optional(
    v.object({
      number: count('The newest epoch that was rolled back'),
      recordHash: text('Hash of its record ConfigMap'),
      path: v.optional(text('The snapshot it started from')),
      generation: v.optional(count('Generation of the spec that failed')),
      newest: v.optional(text('Its newest snapshot')),
    }),
  ),
  redeploy: v.optional(
    v.pipe(
      v.object({
        epoch: count('The epoch that is deployed anew'),
        attempts: count('How many times in a row'),
        notBefore: time('Not before'),
        why: v.optional(text('What is wrong with the epoch, which runs (policies.health)')),
      }),
      v.description('Flork deploys the job anew by itself; absent when it has run for long enough'),
    ),
  ),
  health: v.optional(
    v.pipe(
      v.object({
        jobId: text('The Flink job whose restarts are counted'),
        restarts: count('Where the count began'),
        since: v.optional(time('When it began; absent while nothing restarts')),
      }),
      v.description('What policies.health counts'),
    ),
  ),
  missing: v.optional(v.pipe(Missing, v.description('A recorded snapshot that processes could not find'))),
  handled: v.optional(Handled),
  scaledAt: v.optional(time('When the last change of scale that needed a restart was made')),
  job: v.optional(JobStatus),
  snapshots: v.optional(
    v.object({
      lastCheckpoint: v.optional(Snapshot),
      lastSavepoint: v.optional(Snapshot),
      history: v.optional(v.array(Snapshot)),
    }),
  ),
  history: v.optional(v.array(Transition)),
  highAvailability: v.optional(
    v.pipe(v.array(HighAvailabilityMetadata), v.description('What the high availability of ended epochs has left')),
  ),
  leftovers: v.optional(
    v.array(text('Metadata of high availability, or a snapshot, that Flork may not remove; a person may')),
  ),
  plan: v.optional(v.array(v.object({ field: text('Field of spec'), note: text('Why it does not act now') }))),
  taskManagerReplicas: v.optional(count('Observed TaskManager replicas, for the scale subresource')),
  taskManagerSelector: v.optional(text('Label selector of the TaskManager pods, for the scale subresource')),
});

export type State = (typeof STATES)[number];
export type FlorkPhase = (typeof FLORK_PHASES)[number];
export type Condition = Readonly<v.InferOutput<typeof Condition>>;
export type Snapshot = Readonly<v.InferOutput<typeof Snapshot>>;
export type Ended = Readonly<v.InferOutput<typeof Ended>>;
export type Epoch = Readonly<v.InferOutput<typeof Epoch>>;
export type Missing = Readonly<v.InferOutput<typeof Missing>>;
export type Handled = Readonly<v.InferOutput<typeof Handled>>;
export type Operation = Readonly<v.InferOutput<typeof Operation>>;
export type Transition = Readonly<v.InferOutput<typeof Transition>>;
export type HighAvailabilityMetadata = Readonly<v.InferOutput<typeof HighAvailabilityMetadata>>;
export type JobStatus = Readonly<v.InferOutput<typeof JobStatus>>;
export type Status = Readonly<v.InferOutput<typeof Status>>;

/** An intent of another version of Flork, word for word: this one knows no such kind, or no such purpose. */
export type StrangeOperation = Readonly<Record<string, unknown>>;

/** The operation in a status that this version cannot read; `undefined` when there is none, or when it can. */
export function strangeOperation(raw: unknown): StrangeOperation | undefined {
  const operation = typeof raw === 'object' && raw !== null ? (raw as { operation?: unknown }).operation : undefined;
  if (typeof operation !== 'object' || operation === null) return undefined;
  return readLeniently(Operation, operation) === undefined ? (operation as StrangeOperation) : undefined;
}

type AnySchema = v.GenericSchema<unknown, unknown>;

/**
 * Reads a value that another version, or a hand, may have written: what does not parse is left out, as deep as can be. Another
 * version's way to end, say, costs `epoch.ended` and not the epoch; a bad condition costs itself. `undefined` when what is needed is bad.
 * From the inside out, so that the cost grows with the size of the value, however much of it is bad.
 */
function readLeniently(schema: AnySchema, value: unknown): unknown {
  const parsed = v.safeParse(schema, readParts(schema, value));
  return parsed.success ? parsed.output : undefined;
}

/** A list or an object with those of its parts alone that can be read; any other value as it is. */
function readParts(schema: AnySchema, value: unknown): unknown {
  if (isOptional(schema)) return readParts(schema.wrapped, value);
  if (isList(schema) && Array.isArray(value))
    return value.map((item) => readLeniently(schema.item, item)).filter((item) => item !== undefined);
  if (!isRecord(schema)) return value;
  // What is inherited is no part: a list in place of an object has a method `at`.
  if (!isObject(value)) return undefined;
  const fields: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(schema.entries)) {
    const part = Object.hasOwn(value, name) ? readLeniently(entry, value[name]) : undefined;
    if (part !== undefined) fields[name] = part;
  }
  return fields;
}

function isOptional(schema: AnySchema): schema is v.OptionalSchema<AnySchema, undefined> {
  return schema.type === 'optional';
}

function isList(schema: AnySchema): schema is v.ArraySchema<AnySchema, undefined> {
  return schema.type === 'array';
}

function isRecord(schema: AnySchema): schema is v.ObjectSchema<Readonly<Record<string, AnySchema>>, undefined> {
  return schema.type === 'object';
}

/**
 * Reads the status that Metacontroller showed. Field by field, so that one edited or unknown field does not wipe the rest;
 * a field that does not parse is absent. Returns `undefined` for no status at all (absent, null, or the CRD's default of -1).
 */
export function parseStatus(raw: unknown): Partial<Status> | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const fields: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(Status.entries)) {
    const value = (raw as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    const parsed = readLeniently(schema, value);
    if (parsed !== undefined) fields[name] = parsed;
  }
  const status = fields as Partial<Status>;
  return status.state === undefined && status.epoch === undefined ? undefined : status;
}
