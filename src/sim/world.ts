import type { OptionalKind } from '../api/optional-children.ts';
import type { FlinkRequest, Transport } from '../flink/transport.ts';
import type { ApiServer, Admitted, Verb } from './models/api-server.ts';
import type { Clock } from './models/clock.ts';
import type { KindName } from './models/cluster.ts';
import type { FlinkEvent } from './models/flink/events.ts';
import type { JobFaults } from './models/flink/job.ts';
import type { FlinkRuntime } from './models/flink/runtime.ts';
import type { Storage } from './models/flink/storage.ts';
import type { CallFault } from './models/flink/transport.ts';
import type { Kubelet } from './models/kubelet.ts';
import type { HookClient } from './models/metacontroller/hook.ts';
import type { Metacontroller, MetacontrollerOptions } from './models/metacontroller/metacontroller.ts';
import type { ApplyStrategy } from './models/metacontroller/sync.ts';
import type { KubeApi } from '../kube/api.ts';
import type { KubeFault } from './models/kube-api.ts';
import type { KubeObject, ObjectRef } from './models/objects.ts';
import type { Random } from './models/random.ts';
import { admitFlinkJob } from './admission.ts';
import { createApiServer } from './models/api-server.ts';
import { modelCluster } from './models/cluster.ts';
import { startDeploymentController } from './models/deployments.ts';
import { createFlinkRuntime } from './models/flink/runtime.ts';
import { createStorage } from './models/flink/storage.ts';
import { createFlinkTransport } from './models/flink/transport.ts';
import { startGarbageCollector } from './models/garbage-collector.ts';
import { modelKubeApi } from './models/kube-api.ts';
import { startKubelet } from './models/kubelet.ts';
import { startMetacontroller } from './models/metacontroller/metacontroller.ts';
import { NAMESPACE_FINALIZER, startNamespaceController } from './models/namespaces.ts';
import { createRandom } from './models/random.ts';

/** A whole cluster in one process: the models, wired; the hook is the real one and comes from outside. */
export type World = {
  readonly clock: Clock;
  readonly random: Random;
  readonly api: ApiServer;
  readonly storage: Storage;
  readonly runtime: FlinkRuntime;
  readonly kubelet: Kubelet;
  /** The hook's way to the JobManagers. */
  readonly transport: Transport;
  /** The hook's way to the API server, for its duties and to read pods. */
  readonly kube: KubeApi;
  readonly faults: Faults;
  /** Starts a Metacontroller; a world may have two at once. */
  readonly metacontroller: (
    hook: HookClient,
    probe?: MetacontrollerOptions['probe'],
    decode?: MetacontrollerOptions['decode'],
  ) => Metacontroller;
};

/** Switches of the world; tests turn them while it runs. */
export type Faults = {
  flink: (request: FlinkRequest) => CallFault;
  /** Fate of a call that Flork itself makes to the API server for a duty. */
  kube: (method: string, path: string) => KubeFault;
  /** Fate of reading the pods, which Flork does itself or not at all. */
  pods: () => KubeFault;
  /** Refuses writes: quota, admission. */
  refuse: (verb: Verb, object: KubeObject, actor: string) => string | undefined;
  pulls: (image: string) => boolean;
  schedulable: (pod: KubeObject) => boolean;
  watchLagMs: (kind: KindName) => number;
  /** The CompositeController's label selector. */
  selects: (parent: KubeObject) => boolean;
  readonly job: JobFaults;
};

export type WorldOptions = {
  readonly clock: Clock;
  readonly seed: number;
  readonly strategy?: ApplyStrategy;
  readonly countsTerminating?: boolean;
  /** Kinds beyond those of the manifests that the CompositeController lists. */
  readonly optionalKinds?: readonly OptionalKind[];
  readonly onFlink?: (event: FlinkEvent) => void;
};

export const ACTOR = 'metacontroller';

export function createWorld(options: WorldOptions): World {
  const { clock, seed, strategy = 'dynamic-apply', countsTerminating = true } = options;
  const random = createRandom(seed);
  const faults: Faults = {
    flink: () => ({ kind: 'none' }),
    kube: () => 'none',
    pods: () => 'none',
    refuse: () => undefined,
    pulls: () => true,
    schedulable: () => true,
    watchLagMs: () => 15,
    selects: () => true,
    job: { stopFailsAfterSavepoint: false, savepointMs: 300, checkpointsFail: false },
  };
  const admit = (verb: Verb, object: KubeObject, actor: string): Admitted => {
    const refusal = faults.refuse(verb, object, actor);
    if (refusal !== undefined) return { kind: 'refuse', code: 403, message: refusal };
    return object.kind === 'FlinkJob' ? admitFlinkJob(object) : { kind: 'store', object };
  };
  const api = createApiServer({ clock, random: random.fork('api'), admit });
  const storage = createStorage();
  const emit = (event: FlinkEvent): void => options.onFlink?.(event);
  const runtime = createFlinkRuntime({ api, clock, random: random.fork('flink'), storage, faults: faults.job, emit });
  startNamespaceController({ api, clock });
  startGarbageCollector({ api, clock, random: random.fork('gc') });
  startDeploymentController({ api, clock, random: random.fork('deployments'), countsTerminating });
  const kubelet = startKubelet({
    api,
    clock,
    random: random.fork('kubelet'),
    runtime,
    pulls: (image) => faults.pulls(image),
    schedulable: (pod) => faults.schedulable(pod),
  });
  api.create('user', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE, finalizers: [NAMESPACE_FINALIZER] },
  });
  const transport = createFlinkTransport({
    api,
    clock,
    random: random.fork('transport'),
    runtime,
    fault: (request) => faults.flink(request),
  });
  const kube = modelKubeApi({
    api,
    clock,
    random: random.fork('kube'),
    fault: (method, path) => (method === 'GET' ? faults.pods() : faults.kube(method, path)),
  });
  let started = 0;
  return {
    clock,
    random,
    api,
    storage,
    runtime,
    kubelet,
    transport,
    kube,
    faults,
    metacontroller: (hook, probe, decode) => {
      const own = random.fork(`metacontroller-${started++}`);
      const watchLagMs = (kind: KindName): number => faults.watchLagMs(kind);
      const cluster = modelCluster({ api, clock, random: own, actor: ACTOR, watchLagMs });
      return startMetacontroller({
        clock,
        random: own,
        cluster,
        hook,
        name: 'flork',
        strategy,
        resyncPeriodSeconds: 60,
        optionalKinds: options.optionalKinds ?? [],
        selects: (parent) => faults.selects(parent),
        ...(probe === undefined ? {} : { probe }),
        ...(decode === undefined ? {} : { decode }),
      });
    },
  };
}

export const NAMESPACE = 'default';

export function jobRef(name: string): ObjectRef {
  return { kind: 'FlinkJob', namespace: NAMESPACE, name };
}
