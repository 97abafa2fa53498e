import type { ApiServer } from './api-server.ts';
import type { Clock } from './clock.ts';
import type { KubeObject, ObjectRef } from './objects.ts';
import type { Random } from './random.ts';
import { at, equal, keyOf, numberAt, refOf, text, texts, tree } from './objects.ts';
import { hashText } from './random.ts';

const ACTOR = 'deployment-controller';

export type DeploymentOptions = {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  /** Kubernetes 1.36 and later count terminating pods in status; older servers leave the field out. */
  readonly countsTerminating: boolean;
};

/** The Deployment controller (its ReplicaSets left out): pods by template and number, status by what is there. */
export function startDeploymentController(options: DeploymentOptions): void {
  const { api, clock, random } = options;
  const queued = new Set<string>();
  const enqueue = (ref: ObjectRef): void => {
    const key = keyOf(ref);
    if (queued.has(key)) return;
    queued.add(key);
    clock.after(random.between(3, 25), () => {
      queued.delete(key);
      const deployment = api.get(ref);
      if (deployment !== undefined) sync(options, deployment, () => enqueue(ref));
    });
  };
  api.watch(({ object }) => {
    if (object.kind === 'Deployment') enqueue(refOf(object));
    if (object.kind !== 'Pod') return;
    const owner = object.metadata.ownerReferences?.find((reference) => reference.kind === 'Deployment');
    if (owner !== undefined)
      enqueue({ kind: 'Deployment', namespace: object.metadata.namespace ?? '', name: owner.name });
  });
}

function sync(options: DeploymentOptions, deployment: KubeObject, again: () => void): void {
  const { api } = options;
  const spec = tree(deployment['spec']);
  const template = templateHash(spec['template']);
  const pods = podsOf(api, deployment);
  const living = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const current = living.filter((pod) => pod.metadata.labels?.['pod-template-hash'] === template);
  const old = living.filter((pod) => pod.metadata.labels?.['pod-template-hash'] !== template);
  const wanted = numberAt(spec, 'replicas') ?? 1;
  const recreate = at(spec, 'strategy', 'type') === 'Recreate';
  let refusal: string | undefined;

  if (deployment.metadata.deletionTimestamp === undefined) {
    for (const pod of old) api.remove(ACTOR, refOf(pod));
    const surplus = current.length - wanted;
    // Pods that are not ready go before those that are (kubernetes pkg/controller ActivePodsWithRanks).
    const order = current.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)));
    for (const pod of order.slice(0, Math.max(0, surplus))) api.remove(ACTOR, refOf(pod));
    // Recreate waits for the pods of the old template; a scale-up within one template does not wait for terminating ones.
    const oldLeft = pods.some((pod) => pod.metadata.labels?.['pod-template-hash'] !== template);
    const missing = recreate && oldLeft ? 0 : Math.max(0, -surplus);
    for (let count = 0; count < missing; count++) {
      const made = api.create(ACTOR, podFor(options.random, deployment, template));
      if (made.kind === 'refused') {
        refusal = made.message;
        options.clock.after(5_000, again);
        break;
      }
    }
  }
  writeStatus(options, deployment, template, refusal);
}

function writeStatus(
  options: DeploymentOptions,
  deployment: KubeObject,
  template: string,
  refusal: string | undefined,
): void {
  const { api } = options;
  const pods = podsOf(api, deployment);
  const living = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const ready = living.filter(isReady).length;
  const updated = living.filter((pod) => pod.metadata.labels?.['pod-template-hash'] === template).length;
  const wanted = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const live = api.get(refOf(deployment));
  if (live === undefined || live.metadata.uid !== deployment.metadata.uid) return;
  const some = (name: string, value: number): Record<string, number> => (value > 0 ? { [name]: value } : {});
  const status = {
    observedGeneration: deployment.metadata.generation,
    ...some('replicas', living.length),
    ...some('updatedReplicas', updated),
    ...some('readyReplicas', ready),
    ...some('availableReplicas', ready),
    ...some('unavailableReplicas', Math.max(0, wanted - ready)),
    ...(options.countsTerminating ? { terminatingReplicas: pods.length - living.length } : {}),
    conditions: [
      condition('Available', ready >= wanted, 'MinimumReplicasAvailable', 'MinimumReplicasUnavailable', ''),
      condition('Progressing', true, 'NewReplicaSetAvailable', '', ''),
      ...(refusal === undefined ? [] : [condition('ReplicaFailure', true, 'FailedCreate', '', refusal)]),
    ],
  };
  if (!equal(live['status'], status)) api.updateStatus(ACTOR, { ...live, status });
}

function condition(type: string, claim: boolean, yes: string, no: string, message: string): object {
  return { type, status: claim ? 'True' : 'False', reason: claim ? yes : no, message };
}

/** The pods a Deployment owns, terminating ones included. */
export function podsOf(api: ApiServer, deployment: KubeObject): readonly KubeObject[] {
  return api
    .list('Pod', deployment.metadata.namespace)
    .filter((pod) => pod.metadata.ownerReferences?.some((owner) => owner.uid === deployment.metadata.uid) === true);
}

export function isReady(pod: KubeObject): boolean {
  const conditions = at(pod, 'status', 'conditions');
  return (
    Array.isArray(conditions) &&
    conditions.some((item) => text(at(item, 'type')) === 'Ready' && text(at(item, 'status')) === 'True')
  );
}

function templateHash(template: unknown): string {
  return hashText(JSON.stringify(template)).toString(36);
}

function podFor(random: Random, deployment: KubeObject, template: string): KubeObject {
  const given = at(deployment, 'spec', 'template');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${deployment.metadata.name}-${template}-${random.hex(5)}`,
      namespace: deployment.metadata.namespace ?? '',
      labels: { ...texts(at(given, 'metadata', 'labels')), 'pod-template-hash': template },
      annotations: texts(at(given, 'metadata', 'annotations')),
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: deployment.metadata.name,
          uid: deployment.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: at(given, 'spec'),
  };
}
