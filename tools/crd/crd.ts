import { FlinkJobSpec, GROUP, KIND, VERSION } from '../../src/api/flinkjob.ts';
import { Status } from '../../src/api/status.ts';
import { structural } from './from-valibot.ts';
import type { JsonSchema } from './json-schema.ts';
import { podSpecSchema } from './pod-spec.ts';
import { STATUS_TEXTS } from './status.ts';
import { declareKeys } from './flink-conf.ts';
import { FIELD_FORMS, laid } from './forms.ts';
import { OBJECT_RULES, POD_META_RULES, SPEC_RULES } from './rules.ts';

const text = (name: string, jsonPath: string, wide?: 'wide') => column(name, 'string', jsonPath, wide);
const column = (name: string, type: string, jsonPath: string, wide?: 'wide') => ({
  name,
  type,
  jsonPath,
  ...(wide === 'wide' && { priority: 1 }),
});

/** What `kubectl get fj` prints. */
const COLUMNS = [
  text('State', '.status.state'),
  text('Ready', '.status.conditions[?(@.type=="Ready")].status'),
  text('Flink', '.status.job.flinkVersion'),
  column('Parallelism', 'integer', '.status.job.parallelism'),
  column('Restarts', 'integer', '.status.job.restarts'),
  column('Snapshot', 'date', ".status.snapshots['lastCheckpoint','lastSavepoint'].at"),
  column('Age', 'date', '.metadata.creationTimestamp'),
  column('Epoch', 'integer', '.status.epoch.number', 'wide'),
  text('Restored from', '.status.epoch.restoredFrom', 'wide'),
  text('Message', '.status.message', 'wide'),
];

/** The CustomResourceDefinition. */
export function crd(): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `flinkjobs.${GROUP}`, labels: { 'app.kubernetes.io/name': 'flork' } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: 'flinkjobs',
        singular: 'flinkjob',
        shortNames: ['fj'],
        categories: ['flink', 'all'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: objectSchema() },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.taskManagerReplicas',
              statusReplicasPath: '.status.taskManagerReplicas',
              labelSelectorPath: '.status.taskManagerSelector',
            },
          },
          additionalPrinterColumns: COLUMNS,
        },
      ],
    },
  };
}

/** The schema of a FlinkJob. */
export function objectSchema(): JsonSchema {
  const podSpec = podSpecSchema();
  const status = described(structural(Status, { podSpec, strict: false }), '');
  return {
    type: 'object',
    description: 'An Apache Flink job in a cluster of its own, run by Flork.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: specSchema(podSpec),
      status: {
        ...status,
        description: 'What is, written by Flork.',
        properties: { ...status.properties, conditions: conditions(status) },
        default: { observedGeneration: -1 },
      },
    },
    'x-kubernetes-validations': OBJECT_RULES,
  };
}

function specSchema(podSpec: JsonSchema): JsonSchema {
  const schema = laid(structural(FlinkJobSpec, { podSpec, strict: true }), FIELD_FORMS);
  const { flinkConf = {}, jobManagerPodMeta = {}, taskManagerPodMeta = {} } = schema.properties ?? {};
  return {
    ...schema,
    description: 'What is wanted.',
    properties: {
      ...schema.properties,
      flinkConf: declareKeys(flinkConf),
      jobManagerPodMeta: namedByKubernetes(jobManagerPodMeta),
      taskManagerPodMeta: namedByKubernetes(taskManagerPodMeta),
    },
    'x-kubernetes-validations': SPEC_RULES,
  };
}

/** Declares the fields that are refused, because the API server would prune unknown ones without a word. */
function namedByKubernetes(podMeta: JsonSchema): JsonSchema {
  const refused = (field: string): JsonSchema => ({
    type: 'string',
    description: `Refused: the ${field} of a pod is not yours to give.`,
  });
  const properties = { ...podMeta.properties, name: refused('name'), namespace: refused('namespace') };
  return { ...podMeta, properties, 'x-kubernetes-validations': POD_META_RULES };
}

/** Describes the parts of status that have no description of their own. */
function described(schema: JsonSchema, path: string): JsonSchema {
  const description = schema.description ?? STATUS_TEXTS[path];
  const fields = Object.entries(schema.properties ?? {});
  const properties = fields.map(([name, field]) => [name, described(field, path === '' ? name : `${path}.${name}`)]);
  return {
    ...(description !== undefined && { description }),
    ...schema,
    ...(fields.length > 0 && { properties: Object.fromEntries(properties) }),
  };
}

/** Conditions are known by their type, so that other writers may add theirs. */
function conditions(status: JsonSchema): JsonSchema {
  const list = status.properties?.['conditions'] ?? {};
  return {
    ...list,
    items: { ...list.items, required: ['type'] },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  };
}
