import type { OptionalKind } from '../../../api/optional-children.ts';
import type { Clock } from '../clock.ts';
import type { Cluster, ClusterEvent, KindName } from '../cluster.ts';
import type { KubeObject } from '../objects.ts';
import type { Random } from '../random.ts';
import { answerDecoder, type HookClient, type RelatedRule } from './hook.ts';
import type { Queue, SyncEnd } from './queue.ts';
import { childKinds, isRelated, type Views } from './request.ts';
import type { ApplyStrategy, Probe, SyncDeps } from './sync.ts';
import { keyOf, refOf } from '../objects.ts';
import { createInformer, type Informer } from './informer.ts';
import { createQueue } from './queue.ts';
import { Crashed, syncParent } from './sync.ts';

/**
 * Metacontroller 4.17 for one CompositeController: informers fill caches, their events queue parents, one sync of a parent
 * runs at a time. It drives any Cluster: the modelled one or, in the e2e tests, a real API server.
 */
export type Metacontroller = {
  /** Ends it; nothing it had begun goes on. */
  readonly stop: () => void;
  readonly running: () => boolean;
};

export type MetacontrollerOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly cluster: Cluster;
  readonly hook: HookClient;
  readonly name: string;
  readonly strategy: ApplyStrategy;
  readonly resyncPeriodSeconds: number;
  /** Kinds beyond those of the manifests that the CompositeController lists. */
  readonly optionalKinds?: readonly OptionalKind[];
  readonly webhookTimeoutMs?: number;
  /** Decodes answers; default: `decodeAnswer`, with memory of the last one. */
  readonly decode?: SyncDeps['decode'];
  /** `parentResource.labelSelector`; every parent when absent. */
  readonly selects?: (parent: KubeObject) => boolean;
  readonly probe?: Partial<Probe> & {
    /** How many events the caches lag behind in the sync that begins; `depth` says by how many they can. */
    readonly staleness?: (depth: Staleness) => Staleness;
    readonly crashed?: () => void;
  };
};
export type Staleness = { readonly parent: number; readonly children: number; readonly related: number };

const FRESH: Staleness = { parent: 0, children: 0, related: 0 };

export function startMetacontroller(options: MetacontrollerOptions): Metacontroller {
  const { clock, cluster, probe = {} } = options;
  const kinds = childKinds(options.optionalKinds ?? []);
  const watched: readonly KindName[] = ['FlinkJob', ...kinds, 'Pod', 'Namespace'];
  const informers = new Map<KindName, Informer>(watched.map((kind) => [kind, createInformer(clock.now)]));
  const rules: SyncDeps['rules'] = new Map();
  const stops: (() => void)[] = [];
  let running = true;

  const stop = (): void => {
    running = false;
    queue.stop();
    for (const close of stops) close();
  };
  const deps: SyncDeps = {
    clock,
    random: options.random,
    cluster: mortal(cluster, () => running),
    hook: options.hook,
    controller: controllerObject(options),
    childKinds: kinds,
    strategy: options.strategy,
    webhookTimeoutMs: options.webhookTimeoutMs ?? 10_000,
    selects: options.selects ?? (() => true),
    arm: (key, seconds) => queue.addAfter(key, seconds * 1000),
    rules,
    applied: new Map(),
    decode: options.decode ?? answerDecoder(),
    probe: {
      effect: (effect, when) => probe.effect?.(effect, when) ?? false,
      write: (effect) => probe.write?.(effect) ?? 'done',
      called: (call, request, reply, answer) => probe.called?.(call, request, reply, answer),
    },
  };
  const view = (staleness: Staleness, key: string): Views => {
    const snapshot = new Map(watched.map((kind) => [kind, viewOf(informers, kind, staleness, key)]));
    return (kind) => snapshot.get(kind) ?? new Map();
  };
  const sync = async (key: string): Promise<SyncEnd> => {
    try {
      return await syncParent(deps, key, view(probe.staleness?.(depthOf(informers, key)) ?? FRESH, key));
    } catch (error) {
      if (!(error instanceof Crashed)) throw error;
      if (running) {
        stop();
        probe.crashed?.();
      }
      return { kind: 'done' };
    }
  };
  const queue: Queue = createQueue(clock, sync);
  const parents = (): readonly KubeObject[] => [...(informers.get('FlinkJob')?.view(0).values() ?? [])];
  const heard = (event: ClusterEvent): void => {
    informers.get(event.object.kind as KindName)?.accept(event);
    for (const key of concerned(event.object, parents(), rules)) queue.add(key);
  };
  const resync = (): void => {
    for (const parent of parents()) queue.add(keyOf(refOf(parent)));
    if (running) stops.push(clock.after(options.resyncPeriodSeconds * 1000, resync));
  };
  clock.spawn(async () => {
    // Nothing is synced before every cache is filled.
    const early: ClusterEvent[] = [];
    let ready = false;
    const listen = (event: ClusterEvent): void => {
      if (ready) heard(event);
      else early.push(event);
    };
    for (const kind of watched) {
      const close = await cluster.watch(kind, listen);
      stops.push(close);
      if (!running) close();
    }
    ready = true;
    for (const event of early) heard(event);
    stops.push(clock.after(options.resyncPeriodSeconds * 1000, resync));
  });
  return { stop, running: () => running };
}

function viewOf(
  informers: ReadonlyMap<KindName, Informer>,
  kind: KindName,
  staleness: Staleness,
  key: string,
): ReadonlyMap<string, KubeObject> {
  const informer = informers.get(kind);
  if (informer === undefined) return new Map();
  if (kind === 'FlinkJob') return informer.view(staleness.parent, key);
  return informer.view(kind === 'Pod' || kind === 'Namespace' ? staleness.related : staleness.children);
}

/** By how many events each view can be made older. */
function depthOf(informers: ReadonlyMap<KindName, Informer>, key: string): Staleness {
  const most = (kinds: readonly KindName[]): number =>
    Math.max(0, ...kinds.map((kind) => informers.get(kind)?.depth() ?? 0));
  return {
    parent: informers.get('FlinkJob')?.depth(key) ?? 0,
    children: most([...informers.keys()].filter((kind) => !['FlinkJob', 'Pod', 'Namespace'].includes(kind))),
    related: most(['Pod', 'Namespace']),
  };
}

/** Keys of the parents that an object's event queues. */
function concerned(object: KubeObject, parents: readonly KubeObject[], rules: SyncDeps['rules']): readonly string[] {
  if (object.kind === 'FlinkJob') return [keyOf(refOf(object))];
  const keys: string[] = [];
  for (const parent of parents) {
    const { uid, generation } = parent.metadata;
    const owns = (object.metadata.ownerReferences ?? []).some(
      (owner) => owner.uid === uid && owner.controller === true,
    );
    const related = relates(rules.get(`${uid}/${generation}`)?.rules ?? [], object);
    if (owns || related) keys.push(keyOf(refOf(parent)));
  }
  return keys;
}

function relates(rules: readonly RelatedRule[], object: KubeObject): boolean {
  return rules.some((rule) => isRelated(rule, object));
}

/** A cluster for one that may die: afterwards none of its calls begins. */
function mortal(cluster: Cluster, alive: () => boolean): Cluster {
  const guard = <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>): ((...args: A) => Promise<T>) => {
    return (...args) => {
      if (!alive()) throw new Crashed();
      return call(...args);
    };
  };
  return {
    watch: cluster.watch,
    get: guard(cluster.get),
    create: guard(cluster.create),
    update: guard(cluster.update),
    updateStatus: guard(cluster.updateStatus),
    apply: guard(cluster.apply),
    remove: guard(cluster.remove),
  };
}

function controllerObject(options: MetacontrollerOptions): KubeObject {
  return {
    apiVersion: 'metacontroller.k8s.io/v1alpha1',
    kind: 'CompositeController',
    metadata: { name: options.name },
    spec: { generateSelector: true, resyncPeriodSeconds: options.resyncPeriodSeconds },
  };
}
