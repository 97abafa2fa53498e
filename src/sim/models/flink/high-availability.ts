import type { ApiServer } from '../api-server.ts';
import type { Clock } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import type { JobState } from './job-state.ts';
import type { Storage } from './storage.ts';
import { at, text, texts } from '../objects.ts';
import { durationMs } from './entry-point.ts';
import type { Bounds } from './vertices.ts';

/**
 * Flink's high availability by Kubernetes (flink-kubernetes, package highavailability; 1.19 to 2.3), as one JobManager process uses it:
 *
 *   <cluster-id>-cluster-config-map         who leads (annotation), where the leader is, handle of the submitted job
 *   <cluster-id>-<job id>-config-map        `counter` and `checkpointID-<n>`, handles of the checkpoints that are kept
 *   <storageDir>/job-result-store/…         that the job came to its end
 *
 * Handles lead to files below the storage directory. Nothing here has an owner: it outlives the Deployments.
 */
export type HighAvailability = {
  readonly clusterId: string;
  /** Takes part in the election until it is left or the process ends. */
  readonly contend: (identity: string, listen: (event: Election) => void) => Contender;
  /** Identity of the process that the lease names, whether it lives or not. */
  readonly leader: () => string | undefined;
  readonly job: (jobId: string) => JobHa;
};
/** `gone`: the cluster ConfigMap was deleted under a leader, which is fatal to it. */
export type Election = 'granted' | 'revoked' | 'gone';
export type Contender = {
  /** A graceful end gives the lease back. */
  readonly leave: () => void;
  /** The process died: the lease stays until it expires. */
  readonly die: () => void;
  /** No API server is reached any more: the lease is lost at the renew deadline. */
  readonly cutOff: () => void;
};

/** What is kept of one job. */
export type JobHa = {
  /** The submitted job, as it was submitted. */
  readonly graph: () => StoredGraph | undefined;
  readonly submit: (graph: StoredGraph) => void;
  readonly checkpoints: CheckpointStore;
  /** The job came to a globally terminal state: that is noted, as a dirty result (JobResultStore). */
  readonly conclude: (state: JobState) => void;
  /** Its metadata goes, and its result is clean, or gone with it. */
  readonly cleanUp: () => void;
  /** How it came to its end, and whether that is all: what is dirty has to be cleaned up by the next leader. */
  readonly result: () => StoredResult | undefined;
};
export type StoredGraph = {
  readonly config: readonly (readonly [string, string])[];
  /** Bounds of its vertices, once they were changed. */
  readonly bounds?: readonly Bounds[];
};
export type StoredResult = { readonly state: JobState; readonly dirty: boolean };
export type StoredCheckpoint = { readonly id: number; readonly path: string };
export type CheckpointStore = {
  /** Makes the ConfigMap where there is none. */
  readonly open: () => void;
  readonly all: () => readonly StoredCheckpoint[];
  /** The next checkpoint id; `undefined` when the ConfigMap is gone. */
  readonly next: () => number | undefined;
  /** A job that restores a snapshot goes on counting from its id (CheckpointCoordinator.restoreSavepoint, setCount). */
  readonly goOnFrom: (id: number) => void;
  readonly add: (checkpoint: StoredCheckpoint) => boolean;
  readonly remove: (id: number) => void;
};

export type HighAvailabilityOptions = {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly config: ReadonlyMap<string, string>;
  readonly version: string;
};

const ACTOR = 'flink';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const LEASE_KEY = 'high-availability.kubernetes.leader-election';

/** The services that the configuration asks for; `undefined` without Kubernetes high availability. */
export function highAvailability(options: HighAvailabilityOptions): HighAvailability | undefined {
  const { config, api } = options;
  const type = config.get('high-availability.type') ?? config.get('high-availability');
  if (type !== 'kubernetes' && !(type ?? '').endsWith('KubernetesHaServicesFactory')) return undefined;
  const clusterId = config.get('high-availability.cluster-id') ?? '/default';
  const namespace = config.get('kubernetes.namespace') ?? 'default';
  const maps = configMaps(api, namespace, clusterId, options.version);
  const cluster = `${clusterId}-cluster-config-map`;
  return {
    clusterId,
    leader: () => leaseOf(api.get({ kind: 'ConfigMap', namespace, name: cluster }))?.holderIdentity,
    contend: (identity, listen) => contend(options, maps, cluster, identity, listen),
    job: (jobId) => jobHa(options, maps, clusterId, jobId),
  };
}

type ConfigMaps = {
  readonly get: (name: string) => KubeObject | undefined;
  readonly create: (name: string, data: Readonly<Record<string, string>>, lease?: Lease) => boolean;
  /** False when it does not exist. */
  readonly change: (name: string, change: (data: Record<string, string>) => void, lease?: Lease) => boolean;
  readonly remove: (name: string) => void;
};
type Lease = { readonly holderIdentity: string; readonly renewTime: string; readonly leaderTransitions: number };

/** Writes as the Flink client does: read, change, PUT. */
function configMaps(api: ApiServer, namespace: string, clusterId: string, version: string): ConfigMaps {
  const get = (name: string): KubeObject | undefined => api.get({ kind: 'ConfigMap', namespace, name });
  const labels = {
    app: clusterId,
    type: 'flink-native-kubernetes',
    ...(version.startsWith('1.') ? { 'configmap-type': 'high-availability' } : {}),
  };
  return {
    get,
    create: (name, data, lease) => {
      const annotations = lease === undefined ? {} : { annotations: { [LEADER]: JSON.stringify(lease) } };
      const metadata = { name, namespace, labels, ...annotations };
      return api.create(ACTOR, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }).kind === 'done';
    },
    change: (name, change, lease) => {
      const live = get(name);
      if (live === undefined) return false;
      const data = { ...texts(live['data']) };
      change(data);
      const annotations = {
        ...live.metadata.annotations,
        ...(lease === undefined ? {} : { [LEADER]: JSON.stringify(lease) }),
      };
      return api.update(ACTOR, { ...live, metadata: { ...live.metadata, annotations }, data }).kind === 'done';
    },
    remove: (name) => {
      api.remove(ACTOR, { kind: 'ConfigMap', namespace, name });
    },
  };
}

function leaseOf(configMap: KubeObject | undefined): Lease | undefined {
  const written = configMap?.metadata.annotations?.[LEADER];
  if (written === undefined) return undefined;
  const lease: unknown = JSON.parse(written);
  return {
    holderIdentity: text(at(lease, 'holderIdentity')),
    renewTime: text(at(lease, 'renewTime')),
    leaderTransitions: Number(at(lease, 'leaderTransitions') ?? 0),
  };
}

/** The elector of fabric8, which Flink uses: one lock for all components of a process. */
function contend(
  { api, clock, config, version }: HighAvailabilityOptions,
  maps: ConfigMaps,
  name: string,
  identity: string,
  listen: (event: Election) => void,
): Contender {
  const leaseMs = durationMs(config.get(`${LEASE_KEY}.lease-duration`)) ?? 15_000;
  const deadlineMs = durationMs(config.get(`${LEASE_KEY}.renew-deadline`)) ?? 15_000;
  const retryMs = durationMs(config.get(`${LEASE_KEY}.retry-period`)) ?? 5_000;
  let state: 'contending' | 'leading' | 'over' = 'contending';
  let reachable = true;
  let renewedAt = 0;

  const attempt = (): void => {
    if (state === 'over') return;
    if (reachable) take();
    if (state === 'leading' && clock.now() - renewedAt >= deadlineMs) {
      state = 'contending';
      listen('revoked');
    }
    clock.after(retryMs, attempt);
  };
  const take = (): void => {
    const lease = leaseOf(maps.get(name));
    const mine = lease?.holderIdentity === identity;
    const free =
      lease === undefined || lease.holderIdentity === '' || clock.now() - Date.parse(lease.renewTime) > leaseMs;
    if (!mine && !free) return;
    const leaderTransitions = (lease?.leaderTransitions ?? 0) + (mine ? 0 : 1);
    const next = { holderIdentity: identity, renewTime: new Date(clock.now()).toISOString(), leaderTransitions };
    const leads = leaderKeys(identity, version);
    const written =
      maps.get(name) === undefined
        ? maps.create(name, leads, next)
        : maps.change(name, (data) => void Object.assign(data, leads), next);
    if (!written) return;
    renewedAt = clock.now();
    if (state === 'leading') return;
    state = 'leading';
    listen('granted');
  };
  const unwatch = api.watch(({ kind, object }) => {
    if (kind !== 'removed' || object.kind !== 'ConfigMap' || object.metadata.name !== name) return;
    if (state === 'leading' && reachable && leaseOf(object)?.holderIdentity === identity) {
      clock.after(20, () => {
        if (state === 'leading') listen('gone');
      });
    }
  });
  const end = (): void => {
    state = 'over';
    unwatch();
  };
  clock.after(1, attempt);
  return {
    die: end,
    leave: () => {
      const lease = leaseOf(maps.get(name));
      if (state === 'leading' && reachable && lease?.holderIdentity === identity)
        maps.change(name, () => undefined, { ...lease, holderIdentity: '' });
      end();
    },
    cutOff: () => {
      reachable = false;
    },
  };
}

function leaderKeys(identity: string, version: string): Readonly<Record<string, string>> {
  const key = 'org.apache.flink.k8s.leader';
  const components = ['dispatcher', 'resourcemanager', 'restserver'];
  const suffix = version.startsWith('1.') ? '' : '.2';
  return Object.fromEntries(components.map((name) => [`${key}.${name}`, `${identity},pekko.tcp://flink${suffix}`]));
}

function jobHa(options: HighAvailabilityOptions, maps: ConfigMaps, clusterId: string, jobId: string): JobHa {
  const { storage, config, version } = options;
  const directory = `${(config.get('high-availability.storageDir') ?? '').replace(/\/+$/, '')}`;
  const cluster = `${clusterId}-cluster-config-map`;
  const own = `${clusterId}-${jobId}-config-map`;
  const graphKey = `${version.startsWith('1.') ? 'jobGraph' : 'executionPlan'}-${jobId}`;
  const result = `${directory}/job-result-store/${clusterId}/${jobId}.json`;
  const data = (name: string): Readonly<Record<string, string>> => texts(maps.get(name)?.['data']);
  const deletes = (config.get('application-result-store.delete-on-commit') ??
    config.get('job-result-store.delete-on-commit')) as string | undefined;
  return {
    graph: () => {
      const handle = data(cluster)[graphKey];
      return handle === undefined ? undefined : (storage.file(handle) as StoredGraph | undefined);
    },
    submit: (graph) => {
      const handle = `${directory}/${clusterId}/submitted-${jobId}`;
      storage.keep(handle, graph);
      maps.change(cluster, (fields) => {
        fields[graphKey] = handle;
      });
    },
    result: () => storage.file(result) as StoredResult | undefined,
    conclude: (state) => storage.keep(result, { state, dirty: true }),
    cleanUp: () => {
      const concluded = storage.file(result) as StoredResult | undefined;
      storage.keep(result, deletes === 'false' && concluded ? { ...concluded, dirty: false } : undefined);
      maps.remove(own);
      maps.change(cluster, (fields) => {
        delete fields[graphKey];
      });
    },
    checkpoints: {
      open: () => {
        if (maps.get(own) === undefined) maps.create(own, { counter: '1' });
      },
      all: () =>
        Object.entries(data(own))
          .filter(([key]) => key.startsWith('checkpointID-'))
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([, handle]) => storage.file(handle) as StoredCheckpoint),
      next: () => {
        const id = Number(data(own)['counter'] ?? NaN);
        const counted = maps.change(own, (fields) => {
          fields['counter'] = String(id + 1);
        });
        return counted && Number.isFinite(id) ? id : undefined;
      },
      goOnFrom: (id) => {
        if (Number(data(own)['counter'] ?? NaN) <= id)
          maps.change(own, (fields) => {
            fields['counter'] = String(id + 1);
          });
      },
      add: (checkpoint) => {
        const handle = `${directory}/${clusterId}/completedCheckpoint${checkpoint.id}`;
        storage.keep(handle, checkpoint);
        return maps.change(own, (fields) => {
          fields[checkpointKey(checkpoint.id)] = handle;
        });
      },
      remove: (id) => {
        maps.change(own, (fields) => {
          delete fields[checkpointKey(id)];
        });
      },
    },
  };
}

function checkpointKey(id: number): string {
  return `checkpointID-${String(id).padStart(19, '0')}`;
}
