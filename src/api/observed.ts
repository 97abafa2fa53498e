import { isObject } from './json.ts';
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
    objects(groups, key).filter((object) => metaOf(object).namespace === ref.namespace);
  return {
    configMaps: byName(inNamespace(children, 'ConfigMap.v1').map((object) => readConfigMap(object))),
    services: byName(inNamespace(children, 'Service.v1').map((object) => ({ metadata: metaOf(object) }))),
    deployments: byName(inNamespace(children, 'Deployment.apps/v1').map((object) => readDeployment(object))),
    pods: isObject(related?.['Pod.v1']) ? inNamespace(related, 'Pod.v1').map((object) => readPod(object)) : undefined,
    namespace: objects(related, 'Namespace.v1')
      .map((object) => ({ metadata: metaOf(object) }))
      .find((namespace) => namespace.metadata.name === ref.namespace),
    echo: [
      ...inNamespace(children, 'ConfigMap.v1').map((object) => echoOf('v1', 'ConfigMap', object)),
      ...inNamespace(children, 'Service.v1').map((object) => echoOf('v1', 'Service', object)),
      ...inNamespace(children, 'Deployment.apps/v1').map((object) => echoOf('apps/v1', 'Deployment', object)),
    ],
  };
}

/**
 * A child as it is, without what the API server and Metacontroller own (status, system metadata, `controller-uid`, last-applied):
 * answered as it stands, it changes nothing.
 */
function echoOf(apiVersion: string, kind: ChildKind, object: JsonObject): Child {
  const { status: _, metadata: __, ...rest } = object;
  const { name, labels, annotations } = metaOf(object);
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
    metadata: { name, namespace: metaOf(object).namespace ?? '', labels: own(labels), annotations: own(annotations) },
  };
}

/** The objects of a group that have a name. */
function objects(groups: Groups, key: string): JsonObject[] {
  const group = groups?.[key];
  if (!isObject(group)) return [];
  return Object.values(group)
    .filter((object) => isObject(object))
    .filter((object) => metaOf(object).name !== '');
}

function byName<T extends { readonly metadata: ObjectMeta }>(list: readonly T[]): ReadonlyMap<string, T> {
  return new Map(list.map((object) => [object.metadata.name, object]));
}

function metaOf(object: JsonObject): ObjectMeta {
  const meta = record(object['metadata']);
  const finalizers = list(meta['finalizers']).filter((item) => typeof item === 'string');
  return {
    name: text(meta['name']),
    ...optionalText(meta, 'namespace'),
    ...optionalText(meta, 'uid'),
    ...optionalText(meta, 'resourceVersion'),
    ...optionalText(meta, 'creationTimestamp'),
    ...optionalText(meta, 'deletionTimestamp'),
    ...(typeof meta['generation'] === 'number' && { generation: meta['generation'] }),
    ...(finalizers.length > 0 && { finalizers }),
    labels: texts(meta['labels']),
    annotations: texts(meta['annotations']),
  };
}

function readConfigMap(object: JsonObject): ObservedConfigMap {
  return { metadata: metaOf(object), data: texts(object['data']), binaryData: texts(object['binaryData']) };
}

function readDeployment(object: JsonObject): ObservedDeployment {
  const spec = record(object['spec']);
  const status = record(object['status']);
  return {
    metadata: metaOf(object),
    replicas: count(spec['replicas']),
    templateAnnotations: texts(record(record(spec['template'])['metadata'])['annotations']),
    status: {
      observedGeneration: count(status['observedGeneration']),
      replicas: count(status['replicas']),
      readyReplicas: count(status['readyReplicas']),
      terminatingReplicas: count(status['terminatingReplicas']),
      conditions: conditions(status),
    },
  };
}

function readPod(object: JsonObject): ObservedPod {
  const status = record(object['status']);
  return {
    metadata: metaOf(object),
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

function optionalText<K extends string>(from: JsonObject, key: K): { readonly [key in K]?: string } {
  const value = from[key];
  return typeof value === 'string' && value !== '' ? ({ [key]: value } as { [key in K]: string }) : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function texts(value: Json | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(record(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function record(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
