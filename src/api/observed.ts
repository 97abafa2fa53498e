import { isObject } from './json.ts';
import { OPTIONAL_KINDS } from './optional-children.ts';
import type {
  Child,
  ChildKind,
  ContainerState,
  Json,
  JsonObject,
  ObjectMeta,
  Observed,
  ObservedConfigMap,
  ObservedContainer,
  ObservedDeployment,
  ObservedPod,
} from './kube.ts';

type Groups = Readonly<Record<string, unknown>> | null | undefined;

/**
 * Reads the children and the related objects of a hook request. It never throws: what is not as Kubernetes writes it reads as absent,
 * and an object outside the parent's namespace is none of the parent's. Objects are known by their own metadata, not by the keys
 * of the request, whose form depends on the hook's version.
 */
export function readObserved(children: Groups, related: Groups, ref: { readonly namespace: string }): Observed {
  const inNamespace = (groups: Groups, key: string) =>
    unique(objects(groups, key).filter(({ metadata }) => metadata.namespace === ref.namespace));
  const configMaps = inNamespace(children, 'ConfigMap.v1');
  const services = inNamespace(children, 'Service.v1');
  const deployments = inNamespace(children, 'Deployment.apps/v1');
  const optional = OPTIONAL_KINDS.flatMap(({ kind, apiVersion }) => {
    const key = `${kind}.${apiVersion}`;
    return isObject(children?.[key]) ? [{ kind, apiVersion, named: inNamespace(children, key) }] : [];
  });
  let echo: readonly Child[] | undefined;
  return {
    configMaps: byName(configMaps.map(readConfigMap)),
    services: byName(services.map(({ metadata }) => ({ metadata }))),
    deployments: byName(deployments.map(readDeployment)),
    pods: isObject(related?.['Pod.v1']) ? inNamespace(related, 'Pod.v1').map(readPod) : undefined,
    namespace: objects(related, 'Namespace.v1')
      .map(({ metadata }) => ({ metadata }))
      .find((namespace) => namespace.metadata.name === ref.namespace),
    optional: new Map(
      optional.map(({ kind, named }) => [kind, new Set(named.map(({ metadata }) => metadata.name))] as const),
    ),
    // Rarely asked for: made when it is.
    get echo() {
      echo ??= [
        ...configMaps.map((object) => echoOf('v1', 'ConfigMap', object)),
        ...services.map((object) => echoOf('v1', 'Service', object)),
        ...deployments.map((object) => echoOf('apps/v1', 'Deployment', object)),
        ...optional.flatMap(({ kind, apiVersion, named }) => named.map((object) => echoOf(apiVersion, kind, object))),
      ];
      return echo;
    },
  };
}

/** The same with these pods in place of what was shown of them. */
export function withPods(observed: Observed, pods: Observed['pods']): Observed {
  const { configMaps, services, deployments, namespace, optional } = observed;
  return {
    configMaps,
    services,
    deployments,
    pods,
    namespace,
    optional,
    get echo() {
      return observed.echo;
    },
  };
}

/** An object with its metadata read. */
type Named = { readonly object: JsonObject; readonly metadata: ObjectMeta };

/**
 * A child as it is, without what the API server and Metacontroller own (status, system metadata, `controller-uid`, last-applied):
 * answered as it stands, it changes nothing.
 */
function echoOf(apiVersion: string, kind: ChildKind, { object, metadata }: Named): Child {
  const { status: _, metadata: __, ...rest } = object;
  const { name, namespace = '', labels, annotations } = metadata;
  const own = (map: Readonly<Record<string, string>> | undefined) =>
    Object.fromEntries(
      Object.entries(map ?? {}).filter(
        ([key]) => !/^controller-uid$|^metacontroller\.k8s\.io\/|^deployment\.kubernetes\.io\//.test(key),
      ),
    );
  return {
    ...rest,
    apiVersion,
    kind,
    metadata: { name, namespace, labels: own(labels), annotations: own(annotations) },
  };
}

/** The objects of a group that have a name. */
function objects(groups: Groups, key: string): Named[] {
  const group = groups?.[key];
  if (!isObject(group)) return [];
  return Object.values(group)
    .filter((object) => isObject(object))
    .map((object) => ({ object, metadata: metaOf(object) }))
    .filter(({ metadata }) => metadata.name !== '');
}

/** A name is there once, whatever the keys of the request say: an answer with two of a name is none. */
function unique(named: readonly Named[]): Named[] {
  return [...new Map(named.map((one) => [one.metadata.name, one])).values()];
}

function byName<T extends { readonly metadata: ObjectMeta }>(list: readonly T[]): ReadonlyMap<string, T> {
  return new Map(list.map((object) => [object.metadata.name, object]));
}

function metaOf(object: JsonObject): ObjectMeta {
  const meta = record(object['metadata']);
  const { namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, generation } = meta;
  const finalizers = list(meta['finalizers']).filter((item) => typeof item === 'string');
  return {
    name: text(meta['name']),
    ...(isText(namespace) && { namespace }),
    ...(isText(uid) && { uid }),
    ...(isText(resourceVersion) && { resourceVersion }),
    ...(isText(creationTimestamp) && { creationTimestamp }),
    ...(isText(deletionTimestamp) && { deletionTimestamp }),
    ...(typeof generation === 'number' && { generation }),
    ...(finalizers.length > 0 && { finalizers }),
    labels: texts(meta['labels']),
    annotations: texts(meta['annotations']),
  };
}

function readConfigMap({ object, metadata }: Named): ObservedConfigMap {
  return { metadata, data: texts(object['data']), binaryData: texts(object['binaryData']) };
}

function readDeployment({ object, metadata }: Named): ObservedDeployment {
  const spec = record(object['spec']);
  const status = record(object['status']);
  return {
    metadata,
    replicas: count(spec['replicas']),
    templateAnnotations: texts(record(record(spec['template'])['metadata'])['annotations']),
    status: {
      observedGeneration: upTo(Number.MAX_SAFE_INTEGER, status['observedGeneration']),
      replicas: count(status['replicas']),
      readyReplicas: count(status['readyReplicas']),
      terminatingReplicas: count(status['terminatingReplicas']),
      conditions: conditions(status),
    },
  };
}

function readPod({ object, metadata }: Named): ObservedPod {
  const status = record(object['status']);
  return {
    metadata,
    phase: text(status['phase']),
    reason: text(status['reason']),
    message: text(status['message']),
    nodeName: text(record(object['spec'])['nodeName']),
    conditions: conditions(status),
    containers: [...list(status['initContainerStatuses']), ...list(status['containerStatuses'])].map(readContainer),
  };
}

function readContainer(value: Json | undefined): ObservedContainer {
  const container = record(value);
  return {
    name: text(container['name']),
    restartCount: count(container['restartCount']) ?? 0,
    ready: container['ready'] === true,
    state: readState(container['state']),
    lastState: readState(container['lastState']),
  };
}

function readState(value: Json | undefined): ContainerState {
  const { waiting, running, terminated } = record(value);
  if (isObject(terminated)) {
    return {
      kind: 'terminated',
      reason: text(terminated['reason']),
      message: text(terminated['message']),
      exitCode: typeof terminated['exitCode'] === 'number' ? terminated['exitCode'] : -1,
      startedAt: text(terminated['startedAt']),
      finishedAt: text(terminated['finishedAt']),
    };
  }
  if (isObject(running)) return { kind: 'running', startedAt: text(running['startedAt']) };
  if (isObject(waiting)) return { kind: 'waiting', reason: text(waiting['reason']), message: text(waiting['message']) };
  return { kind: 'none' };
}

function conditions(status: JsonObject): ObservedPod['conditions'] {
  return list(status['conditions'])
    .map((item) => record(item))
    .map((item) => ({
      type: text(item['type']),
      status: text(item['status']),
      reason: text(item['reason']),
      message: text(item['message']),
    }));
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** A count as Kubernetes has it (int32); what is none is not told. */
function count(value: Json | undefined): number | undefined {
  return upTo(2_147_483_647, value);
}

/** A whole number from 0 on. */
function upTo(most: number, value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : undefined;
}

/** A map from text to text. All but always it is one already, and is taken as it is. */
function texts(value: Json | undefined): Readonly<Record<string, string>> {
  const map = record(value);
  if (isTexts(map)) return map;
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isTexts(map: JsonObject): map is Readonly<Record<string, string>> {
  return Object.values(map).every((value) => typeof value === 'string');
}

function record(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
