/* oxlint-disable max-lines -- one schema, read as a table */
import * as v from 'valibot';
import { HttpRoute, Ingress, NetworkPolicy, PodDisruptionBudget, PodMonitor } from './optional-children.ts';

/**
 * The spec of a FlinkJob (flork.itom.com/v1). The CRD is generated from this schema (tools/generate.ts), its texts are
 * what `kubectl explain` prints: meaning, default, and what a change does to a running job (upgrade: the job is stopped
 * with a snapshot and goes on with the new spec; scale: its parallelism changes; nothing: it is read when needed).
 * Pod specs are only looked at loosely here: the API server has checked them against the official schema in the CRD.
 */

export const GROUP = 'flork.itom.com';
export const VERSION = 'v1';
export const KIND = 'FlinkJob';
export const FLINK_VERSIONS = ['1.19', '1.20', '2.0', '2.1', '2.2', '2.3'] as const;

/** How the CRD generator shows a schema that is not Flork's own to describe (tools/crd/from-valibot.ts). */
export type Shown = 'pod-spec' | 'quantity' | 'int-or-string' | 'any-fields';

const text = (description: string) => v.pipe(v.string(), v.description(description));
const texts = (description: string) => v.pipe(v.array(v.string()), v.description(description));
const flag = (description: string) => v.pipe(v.boolean(), v.description(description));
const integer = (least: number, most: number, description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most), v.description(description));
const map = (description: string) => v.pipe(v.record(v.string(), v.string()), v.description(description));

const Quantity = v.pipe(v.union([v.string(), v.number()]), v.metadata({ shown: 'quantity' satisfies Shown }));
const quantities = (description: string) => v.pipe(v.record(v.string(), Quantity), v.description(description));

export const PodMeta = v.object({
  labels: v.optional(map('Labels of the pods, beside those of Flork. Default: none. A change: upgrade.')),
  annotations: v.optional(map('Annotations of the pods, beside those of Flork. Default: none. A change: upgrade.')),
});
export const PodSpec = v.pipe(
  v.looseObject({ containers: v.optional(v.array(v.looseObject({ name: v.string() }))) }),
  v.metadata({ shown: 'pod-spec' satisfies Shown }),
);
export const Resources = v.object({
  requests: v.optional(quantities('What is reserved for the container. Default: none. A change: upgrade.')),
  limits: v.optional(
    quantities(
      'What the container may use; the memory limit is Flink’s process size. Default: none. A change: upgrade.',
    ),
  ),
});

const duration = (description: string) =>
  v.pipe(v.string(), v.description(`${description} Durations are 90s, 30m, 6h, 7d.`));
const nonce = (description: string) => integer(0, Number.MAX_SAFE_INTEGER, description);

const UpgradePolicy = v.object({
  mode: v.optional(
    v.pipe(
      v.picklist(['savepoint', 'last-state', 'stateless']),
      v.description(
        'How the job goes over to a changed spec: savepoint stops it with a savepoint, last-state cancels it and goes on from its newest checkpoint, stateless starts empty. ' +
          'Default: found from the running job (savepoint when it keeps state and a savepoint directory is known, last-state when it writes checkpoints, stateless only when Flink says that it does not). A change: nothing, read when an upgrade begins.',
      ),
    ),
  ),
  fallback: v.optional(
    v.pipe(
      v.picklist(['last-state', 'wait']),
      v.description(
        'What follows when the mode is savepoint and the job cannot take one now: go on from its newest checkpoint, or wait until it can. Default: last-state. A change: nothing, read when an upgrade begins.',
      ),
    ),
  ),
  maxCheckpointAge: v.optional(
    duration(
      'With mode last-state: when the newest checkpoint is older, a savepoint is taken in its place. Default: none, any age will do. A change: nothing, read when an upgrade begins.',
    ),
  ),
  readiness: v.optional(
    duration(
      'How long a new epoch may take to become stable once all its pods run and its state is restored. Default: 5m. A change: nothing.',
    ),
  ),
  rollback: v.optional(
    v.pipe(
      v.picklist(['never', 'automatic']),
      v.description(
        'Whether an epoch that does not become stable in time makes room for the last stable one, started from the snapshot that the failed one started from. Default: never. A change: nothing.',
      ),
    ),
  ),
});

const SavepointPolicy = v.object({
  directory: v.optional(
    text(
      'Where savepoints are written, a URI or a path that both JobManager and TaskManagers reach. The configuration key execution.checkpointing.savepoint-dir says the same. ' +
        'Default: that key; without it no savepoint is taken. A change: upgrade.',
    ),
  ),
  format: v.optional(
    v.pipe(
      v.picklist(['CANONICAL', 'NATIVE']),
      v.description('Format of the savepoints that Flork takes. Default: CANONICAL. A change: nothing.'),
    ),
  ),
  schedule: v.optional(
    text(
      'When savepoints are taken by themselves: a duration (6h: as long after the last one) or a cron line of five fields in UTC; a slot that was missed runs once. Default: none. A change: nothing.',
    ),
  ),
  history: v.optional(
    v.pipe(
      v.object({
        count: v.optional(integer(1, 100, 'How many savepoints are kept. Default: 10. A change: nothing.')),
        age: v.optional(duration('How old they may get. Default: any age. A change: nothing.')),
      }),
      v.description(
        'Which of the savepoints that Flork took are kept; the newest, and any that a start may still need, always are. Default: ten. A change: nothing.',
      ),
    ),
  ),
  advanceToEndOfEventTime: v.optional(
    flag(
      'Drain: send the end of event time through the job before its last savepoint. Acts only in the savepoint of a deletion, as a drained job is not to be resumed. Default: false. A change: nothing.',
    ),
  ),
});

const CheckpointPolicy = v.object({
  schedule: v.optional(
    text(
      'When extra checkpoints are taken: a duration or a cron line of five fields in UTC. Default: none, Flink takes its own. A change: nothing.',
    ),
  ),
  keepEpochs: v.optional(
    integer(
      0,
      100,
      'How many ended epochs keep their retained checkpoints once a newer epoch is stable and has its own. Default: 1. A change: nothing.',
    ),
  ),
});

const DeletionPolicy = v.object({
  trigger: v.optional(
    v.pipe(
      v.picklist(['None', 'Termination']),
      v.description(
        'What deletes this FlinkJob by itself: None, or Termination, the end of its job (needs a right that Flork has only when it is switched on; under GitOps the FlinkJob would be made again). Default: None. A change: nothing.',
      ),
    ),
  ),
  savepoint: v.optional(
    flag('Whether a deletion takes a savepoint first, and waits for it. Default: false. A change: nothing.'),
  ),
  timeout: v.optional(
    duration(
      'How long canceling and cleaning up may take before the pods go all the same. Default: 5m. A change: nothing.',
    ),
  ),
});

const RestartPolicy = v.object({
  failed: v.optional(
    v.pipe(
      v.picklist(['never', 'fromLastSnapshot']),
      v.description(
        'What follows when the job has failed for good: nothing, or a new epoch from its newest snapshot. Default: never. A change: nothing.',
      ),
    ),
  ),
  finished: v.optional(
    v.pipe(
      v.picklist(['never', 'onSpecChange']),
      v.description('Whether a finished job runs again when its spec changes. Default: never. A change: nothing.'),
    ),
  ),
});

const HealthPolicy = v.object({
  restarts: v.optional(
    integer(
      1,
      1000,
      'Deploy the job anew when Flink restarts it more often within the window. Default: off. A change: nothing.',
    ),
  ),
  window: v.optional(duration('The time in which restarts are counted. Default: 10m. A change: nothing.')),
  checkpointStall: v.optional(
    duration('Deploy the job anew when no checkpoint was completed for so long. Default: off. A change: nothing.'),
  ),
});

/** What Flork may do on its own. */
export const Policies = v.object({
  upgrade: v.optional(
    v.pipe(UpgradePolicy, v.description('How the job goes over to a changed spec. A change: nothing.')),
  ),
  stateLoss: v.optional(
    v.pipe(
      v.picklist(['never', 'ask', 'allow']),
      v.description(
        'What Flork does when it could go on only by losing state: never holds, ask holds and prints a token for approveStateLoss, allow goes on. ' +
          'Default: ask. A change: nothing, read when it matters.',
      ),
    ),
  ),
  savepoint: v.optional(v.pipe(SavepointPolicy, v.description('Savepoints that Flork takes.'))),
  checkpoint: v.optional(
    v.pipe(CheckpointPolicy, v.description('Checkpoints beside those of Flink’s own schedule. A change: nothing.')),
  ),
  deletion: v.optional(v.pipe(DeletionPolicy, v.description('Deletion of this FlinkJob. A change: nothing.'))),
  restart: v.optional(v.pipe(RestartPolicy, v.description('What follows the end of a job. A change: nothing.'))),
  health: v.optional(
    v.pipe(
      HealthPolicy,
      v.description(
        'When a job that runs is deployed anew from its newest snapshot. Default: never. A change: nothing.',
      ),
    ),
  ),
  scaleCooldown: v.optional(
    duration('Least time between two changes of scale that need a restart. Default: 5m. A change: nothing.'),
  ),
  ttlSecondsAfterFinished: v.optional(
    integer(
      0,
      2_147_483_647,
      'Seconds that the JobManager of an ended job stays, with its web interface. The FlinkJob itself stays. Default: 0. A change: nothing.',
    ),
  ),
});

export const FlinkJobSpec = v.object({
  flinkVersion: v.optional(
    v.pipe(
      v.picklist(FLINK_VERSIONS),
      v.description(
        'The Flink version in the image: it decides file names, option spellings and defaults. ' +
          'Default: read from the image tag when that is written x.y[.z][-scala…][-java…]; else it has to be given. A change: upgrade.',
      ),
    ),
  ),
  image: v.optional(
    text(
      'Image of the main containers of both roles. Default: the image of container flink-main-container in the pod specs, or configuration key kubernetes.container.image. A change: upgrade.',
    ),
  ),
  jarURI: v.optional(
    text(
      'The jar of the job: local:// names a file in the image, any other URI is fetched by Flink when the JobManager starts. ' +
        'Default: what lies in /opt/flink/usrlib of the image. Configuration key pipeline.jars with one entry says the same. A change: upgrade.',
    ),
  ),
  jobClassName: v.optional(
    text('The class whose main() is the job. Default: the one named in the manifest of the jar. A change: upgrade.'),
  ),
  jobArgs: v.optional(texts('Arguments of main(), passed on as they are. Default: none. A change: upgrade.')),
  python: v.optional(
    v.pipe(
      v.object({
        script: v.optional(text('The Python file that is the job; excludes module. A change: upgrade.')),
        module: v.optional(text('The Python module that is the job; excludes script. A change: upgrade.')),
        files: v.optional(texts('Files and folders put on the Python path. Default: none. A change: upgrade.')),
      }),
      v.description('A job written in Python; excludes jarURI and jobClassName. Default: none. A change: upgrade.'),
    ),
  ),
  flinkConf: v.optional(
    v.pipe(
      v.record(v.string(), v.unknown()),
      v.metadata({ shown: 'any-fields' satisfies Shown }),
      v.description(
        'Flink configuration, keys flat or nested; values are strings, numbers, booleans or lists; {{name}} and {{namespace}} in them are replaced. ' +
          'Default: what Flink has, but process memory from the container’s limit (else 1g), managed memory fraction 0.2, parallelism 1, one slot. ' +
          'Keys that Flork owns are refused. A change: upgrade, unless nothing reads the key.',
      ),
    ),
  ),
  florkConf: v.optional(
    v.pipe(
      v.looseObject({
        shadowConfigFiles: v.optional(
          flag(
            'Keep the image’s own conf folder: the files are mounted at /opt/flork/conf, FLINK_CONF_DIR points there and FLORK_DESIRED_FLINK_CONF_PATH names the usual place. Default: false. A change: upgrade.',
          ),
        ),
        cleanHighAvailability: v.optional(
          flag(
            'Remove the high-availability metadata of ended epochs (needs a right that Flork has only when it is switched on; else status.leftovers names it). Default: true. A change: nothing.',
          ),
        ),
        preferClusterInternalService: v.optional(
          flag('Speak to the JobManager by its cluster-internal Service. Default: true. A change: nothing.'),
        ),
      }),
      v.metadata({ shown: 'any-fields' satisfies Shown }),
      v.description(
        'Settings of Flork for this job. Fields that Flork does not know are kept. A change: as the field says.',
      ),
    ),
  ),
  jobManagerPodMeta: v.optional(
    v.pipe(PodMeta, v.description('Labels and annotations of the JobManager pod. Default: none. A change: upgrade.')),
  ),
  jobManagerPodSpec: v.optional(
    v.pipe(
      PodSpec,
      v.description(
        'Pod spec of the JobManager; Flink runs in container flink-main-container, which is added when it is not there. Default: what Flork needs. A change: upgrade.',
      ),
    ),
  ),
  taskManagerPodMeta: v.optional(
    v.pipe(
      PodMeta,
      v.description(
        'Labels and annotations of the TaskManager pods. Default: those of the JobManager. A change: upgrade.',
      ),
    ),
  ),
  taskManagerPodSpec: v.optional(
    v.pipe(
      PodSpec,
      v.description(
        'Pod spec of the TaskManagers, in place of the JobManager’s. Default: the JobManager’s. A change: upgrade.',
      ),
    ),
  ),
  jobManagerResources: v.optional(
    v.pipe(
      Resources,
      v.description(
        'Resources of the JobManager’s main container, where its pod spec gives none. Default: none. A change: upgrade.',
      ),
    ),
  ),
  taskManagerResources: v.optional(
    v.pipe(
      Resources,
      v.description(
        'Resources of the TaskManagers’ main container, where their pod spec gives none. Default: none. A change: upgrade.',
      ),
    ),
  ),
  additionalConfFiles: v.optional(
    map(
      'Files beside the Flink configuration, by name. Default: the log configuration that Flink ships. A change: upgrade.',
    ),
  ),
  parallelism: v.optional(
    integer(
      1,
      32_768,
      'Parallelism of the job; configuration key parallelism.default says the same. Default: taskManagerReplicas × slots when those are given, else 1. A change: scale, or upgrade where Flink cannot rescale.',
    ),
  ),
  taskManagerReplicas: v.optional(
    integer(
      0,
      32_768,
      'Number of TaskManagers and target of the scale subresource (kubectl scale, HPA, KEDA), which is served only when this is set. Default: parallelism ÷ slots, rounded up. A change: scale.',
    ),
  ),
  jobManagerReplicas: v.optional(
    integer(
      1,
      10,
      'Number of JobManagers: one leads, the others stand by; more than one needs Flink’s high availability. Default: 1. A change: upgrade.',
    ),
  ),
  state: v.optional(
    v.pipe(
      v.picklist(['running', 'suspended']),
      v.description(
        'Whether the job should run. suspended stops it with a snapshot, running goes on from there. Default: running. A change: the job is stopped or goes on.',
      ),
    ),
  ),
  restore: v.optional(
    v.pipe(
      v.object({
        from: v.optional(
          text('Snapshot that the first start restores. Default: none. A change: nothing, unless nonce changes too.'),
        ),
        nonce: v.optional(
          integer(
            0,
            Number.MAX_SAFE_INTEGER,
            'A new number deploys the job anew from restore.from. Default: none. A change: upgrade from that snapshot; removing it: nothing.',
          ),
        ),
        allowNonRestoredState: v.optional(
          flag(
            'Whether state in the snapshot that no operator claims may be left behind. Default: false. A change: nothing, read at the next start.',
          ),
        ),
      }),
      v.description(
        'Where the state of the job comes from. Default: the job starts empty, later from its own newest snapshot.',
      ),
    ),
  ),
  restartNonce: v.optional(
    nonce(
      'A new number deploys the job anew with the same spec, with its state. Default: none. A change: upgrade; removing it: nothing.',
    ),
  ),
  savepointNonce: v.optional(
    nonce(
      'A new number takes a savepoint; the job goes on. Default: none. A change: a savepoint; removing it: nothing.',
    ),
  ),
  checkpointNonce: v.optional(
    nonce('A new number takes a checkpoint. Default: none. A change: a checkpoint; removing it: nothing.'),
  ),
  approveStateLoss: v.optional(
    text(
      'The token that status.message prints when Flork holds rather than lose state; approves that once. Default: none. A change: Flork goes on.',
    ),
  ),
  ingress: v.optional(
    v.pipe(Ingress, v.description('An Ingress to Flink’s web interface. Default: none. A change: the Ingress alone.')),
  ),
  httpRoute: v.optional(
    v.pipe(
      HttpRoute,
      v.description('An HTTPRoute to Flink’s web interface. Default: none. A change: the HTTPRoute alone.'),
    ),
  ),
  podDisruptionBudget: v.optional(
    v.pipe(
      PodDisruptionBudget,
      v.description(
        'A PodDisruptionBudget over all pods of the job. Default: none. A change: the PodDisruptionBudget alone.',
      ),
    ),
  ),
  networkPolicy: v.optional(
    v.pipe(
      NetworkPolicy,
      v.description(
        'A NetworkPolicy by which only the job’s own pods and Flork reach its pods. Default: none. A change: the NetworkPolicy alone.',
      ),
    ),
  ),
  podMonitor: v.optional(
    v.pipe(
      PodMonitor,
      v.description(
        'A PodMonitor for the Prometheus operator, and Flink’s Prometheus reporter where flinkConf does not set it. Default: none. A change: the PodMonitor alone; reporter and port come with the next epoch.',
      ),
    ),
  ),
  policies: v.optional(
    v.pipe(
      Policies,
      v.description('What Flork may do on its own. Default: the careful choice of each. A change: as the field says.'),
    ),
  ),
});

export type FlinkJobSpec = Readonly<v.InferOutput<typeof FlinkJobSpec>>;
export type FlinkVersion = (typeof FLINK_VERSIONS)[number];
