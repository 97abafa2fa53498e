import * as v from 'valibot';

/**
 * The spec of a FlinkJob (flork.itom.com/v1). The CRD is generated from this schema (tools/generate-crd.ts).
 * Pod specs are only looked at loosely here: the API server has checked them against the official schema in the CRD.
 */

export const GROUP = 'flork.itom.com';
export const VERSION = 'v1';
export const KIND = 'FlinkJob';
export const FLINK_VERSIONS = ['1.19', '1.20', '2.0', '2.1', '2.2', '2.3'] as const;

const integer = (least: number) => v.pipe(v.number(), v.integer(), v.minValue(least));
const strings = v.record(v.string(), v.string());

export const PodMeta = v.object({ labels: v.optional(strings), annotations: v.optional(strings) });
export const PodSpec = v.looseObject({ containers: v.optional(v.array(v.looseObject({ name: v.string() }))) });
export const Resources = v.looseObject({
  requests: v.optional(v.record(v.string(), v.union([v.string(), v.number()]))),
  limits: v.optional(v.record(v.string(), v.union([v.string(), v.number()]))),
});

export const Policies = v.object({
  upgrade: v.optional(v.object({ mode: v.optional(v.picklist(['savepoint', 'last-state', 'stateless'])) })),
  stateLoss: v.optional(v.picklist(['never', 'ask', 'allow'])),
  savepoint: v.optional(v.object({ directory: v.optional(v.string()) })),
  deletion: v.optional(v.object({ trigger: v.optional(v.picklist(['None'])) })),
});

export const FlinkJobSpec = v.object({
  flinkVersion: v.optional(v.picklist(FLINK_VERSIONS)),
  image: v.optional(v.string()),
  jarURI: v.optional(v.string()),
  jobClassName: v.optional(v.string()),
  jobArgs: v.optional(v.array(v.string())),
  python: v.optional(v.object({ script: v.optional(v.string()), module: v.optional(v.string()), files: v.optional(v.array(v.string())) })),
  flinkConf: v.optional(v.record(v.string(), v.unknown())),
  florkConf: v.optional(v.looseObject({
    shadowConfigFiles: v.optional(v.boolean()),
    preferClusterInternalService: v.optional(v.boolean()),
  })),
  jobManagerPodMeta: v.optional(PodMeta),
  jobManagerPodSpec: v.optional(PodSpec),
  taskManagerPodMeta: v.optional(PodMeta),
  taskManagerPodSpec: v.optional(PodSpec),
  jobManagerResources: v.optional(Resources),
  taskManagerResources: v.optional(Resources),
  additionalConfFiles: v.optional(strings),
  parallelism: v.optional(integer(1)),
  taskManagerReplicas: v.optional(integer(0)),
  state: v.optional(v.picklist(['running', 'suspended'])),
  restore: v.optional(v.object({
    from: v.optional(v.string()),
    nonce: v.optional(integer(0)),
    allowNonRestoredState: v.optional(v.boolean()),
  })),
  approveStateLoss: v.optional(v.string()),
  policies: v.optional(Policies),
});

export type FlinkJobSpec = Readonly<v.InferOutput<typeof FlinkJobSpec>>;
export type FlinkVersion = (typeof FLINK_VERSIONS)[number];
