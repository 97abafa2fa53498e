import * as v from 'valibot';

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
export type Shown = 'pod-spec' | 'quantity' | 'any-fields';

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

/** What Flork may do on its own. */
export const Policies = v.object({
  upgrade: v.optional(
    v.pipe(
      v.object({
        mode: v.optional(
          v.pipe(
            v.picklist(['savepoint', 'last-state', 'stateless']),
            v.description(
              'How the job goes over to a changed spec: savepoint stops it with a savepoint, stateless starts empty; last-state, from the newest checkpoint, is not there yet and holds. ' +
                'Default: found from the running job (savepoint when it keeps state and a savepoint directory is known). A change: nothing, read when an upgrade begins.',
            ),
          ),
        ),
      }),
      v.description('How the job goes over to a changed spec. A change: nothing.'),
    ),
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
  savepoint: v.optional(
    v.pipe(
      v.object({
        directory: v.optional(
          text(
            'Where savepoints are written, a URI or a path that both JobManager and TaskManagers reach. The configuration key execution.checkpointing.savepoint-dir says the same. ' +
              'Default: that key; without it no savepoint is taken. A change: upgrade.',
          ),
        ),
      }),
      v.description('Savepoints that Flork takes.'),
    ),
  ),
  deletion: v.optional(
    v.pipe(
      v.object({
        trigger: v.optional(
          v.pipe(
            v.picklist(['None']),
            v.description(
              'What deletes this FlinkJob by itself. Default and only value in this version: None. A change: nothing.',
            ),
          ),
        ),
      }),
      v.description('Deletion of this FlinkJob. A change: nothing.'),
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
  approveStateLoss: v.optional(
    text(
      'The token that status.message prints when Flork holds rather than lose state; approves that once. Default: none. A change: Flork goes on.',
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
