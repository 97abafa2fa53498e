import * as v from 'valibot';
import { JOB_STATES } from '../core/flink-view.ts';

/**
 * Tolerant schemas of Flink's replies, 1.19 to 2.3: only what Flork reads, unknown fields dropped, numbers also as strings.
 * What is absent stays absent: a number that is not told is never 0.
 */

const numeric = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^-?\d+(?:\.\d+)?$/), v.transform(Number))]),
  v.finite(),
);
const optionalNumber = v.optional(v.fallback(v.optional(v.nullable(numeric)), undefined));
const optionalText = v.optional(v.fallback(v.optional(v.nullable(v.string())), undefined));
const optionalFlag = v.optional(v.fallback(v.optional(v.nullable(v.boolean())), undefined));

/** GET /jobs/overview. One row that cannot be read spoils the reply: dropping it could make a job look absent. */
export const JobsOverview = v.object({
  jobs: v.array(
    v.object({
      jid: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
      name: optionalText,
      state: v.fallback(v.picklist(JOB_STATES), 'UNKNOWN'),
      'start-time': optionalNumber,
      'end-time': optionalNumber,
      tasks: v.object({ total: numeric, running: numeric, finished: numeric }),
    }),
  ),
});

/** GET /config. */
export const DashboardConfig = v.object({ 'flink-version': v.pipe(v.string(), v.minLength(1), v.maxLength(64)) });

/** GET /jobs/:id. */
export const JobDetails = v.object({
  now: optionalNumber,
  timestamps: v.optional(v.fallback(v.optional(v.nullable(v.object({ RUNNING: optionalNumber }))), undefined)),
  vertices: v.optional(
    v.fallback(
      v.optional(
        v.nullable(
          v.array(
            v.object({
              id: optionalText,
              name: optionalText,
              parallelism: optionalNumber,
              maxParallelism: optionalNumber,
            }),
          ),
        ),
      ),
      undefined,
    ),
  ),
});

const Entry = v.object({
  id: numeric,
  external_path: optionalText,
  is_savepoint: optionalFlag,
  discarded: optionalFlag,
  latest_ack_timestamp: optionalNumber,
  trigger_timestamp: optionalNumber,
  restore_timestamp: optionalNumber,
  checkpointed_size: optionalNumber,
  state_size: optionalNumber,
  checkpoint_type: optionalText,
});
const optionalEntry = v.optional(v.nullable(Entry));

/** GET /jobs/:id/checkpoints. */
export const Checkpoints = v.object({
  counts: v.object({ completed: numeric, failed: numeric, restored: numeric }),
  latest: v.optional(
    v.nullable(v.object({ completed: optionalEntry, savepoint: optionalEntry, restored: optionalEntry })),
  ),
});

/** GET /jobs/:id/resource-requirements (JobResourceRequirementsBody): bounds by vertex. One that cannot be read spoils the reply. */
export const ResourceRequirements = v.record(
  v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  v.object({ parallelism: v.object({ lowerBound: numeric, upperBound: numeric }) }),
);

/** GET /jobs/:id/metrics?get=…: an empty list until the metric has been fetched from the process. */
export const Metrics = v.array(v.object({ id: v.string(), value: optionalNumber }));

/** GET /jobs/:id/checkpoints/config. */
export const CheckpointConfig = v.object({
  interval: numeric,
  externalization: v.object({ enabled: v.boolean(), delete_on_cancellation: v.boolean() }),
});

/** GET /jobs/:id/exceptions; root-exception exists up to 1.20. */
export const Exceptions = v.object({
  'root-exception': optionalText,
  timestamp: optionalNumber,
  exceptionHistory: v.optional(
    v.nullable(
      v.object({
        entries: v.array(v.object({ exceptionName: optionalText, stacktrace: optionalText, timestamp: numeric })),
      }),
    ),
  ),
});

/** GET /jobs/:id/savepoints/:triggerId and /savepoint-disposal/:triggerId. COMPLETED covers failures. */
export const TriggerStatus = v.object({
  status: v.object({ id: v.string() }),
  operation: v.optional(
    v.nullable(
      v.object({
        location: optionalText,
        'failure-cause': v.optional(v.nullable(v.object({ class: optionalText, 'stack-trace': optionalText }))),
      }),
    ),
  ),
});

/** GET /jobs/:id/checkpoints/:triggerId; the failure is spelled in camelCase here (CheckpointInfo). */
export const CheckpointTriggerStatus = v.object({
  status: v.object({ id: v.string() }),
  operation: v.optional(
    v.nullable(
      v.object({
        checkpointId: optionalNumber,
        failureCause: v.optional(v.nullable(v.object({ class: optionalText, 'stack-trace': optionalText }))),
      }),
    ),
  ),
});

/** 202 of POST /jobs/:id/stop, /savepoints and /checkpoints; 200 of POST /savepoint-disposal. */
export const TriggerAccepted = v.object({ 'request-id': v.string() });

/** Any error of Flink's REST handlers. */
export const Errors = v.object({ errors: v.array(v.string()) });
