import type { OptionalKind } from '../../api/optional-children.ts';
import type { ApiServer } from './api-server.ts';
import type { Clock } from './clock.ts';
import type { KubeObject, ObjectRef } from './objects.ts';
import type { Random } from './random.ts';

/**
 * What the Metacontroller model needs of a cluster. There are two of them: the modelled API server (below) and, in test/e2e,
 * a real one. Nothing here waits for anything but the call itself.
 */
export type Cluster = {
  /** Lists, then watches: `listen` hears every object of the kind as it is, and every later change. Resolves when the list is in. */
  readonly watch: (kind: KindName, listen: (event: ClusterEvent) => void) => Promise<() => void>;
  readonly get: (ref: ObjectRef) => Promise<KubeObject | undefined>;
  readonly create: (object: KubeObject) => Promise<Result>;
  /** PUT with the resourceVersion it carries. */
  readonly update: (object: KubeObject) => Promise<Result>;
  /** PUT of the status subresource. */
  readonly updateStatus: (object: KubeObject) => Promise<Result>;
  /** Server-side apply, forced, as field manager `metacontroller`. */
  readonly apply: (object: KubeObject) => Promise<Result>;
  /** DELETE with background propagation and a UID precondition. */
  readonly remove: (ref: ObjectRef, uid: string) => Promise<Result>;
};

export type KindName = 'FlinkJob' | 'ConfigMap' | 'Service' | 'Deployment' | OptionalKind | 'Pod' | 'Namespace';
export type ClusterEvent = { readonly kind: 'set' | 'removed'; readonly object: KubeObject };
export type Result =
  | { readonly kind: 'done'; readonly object: KubeObject }
  | { readonly kind: 'refused'; readonly code: number; readonly message: string };

export type ModelClusterOptions = {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  /** Whom the writes are counted for. */
  readonly actor: string;
  /** How long a watch event of this kind takes, at most. */
  readonly watchLagMs: (kind: KindName) => number;
};

/** The modelled API server as a Cluster; calls and watches take a little time. */
export function modelCluster(options: ModelClusterOptions): Cluster {
  const { api, clock, random, actor } = options;
  const call = async <T>(run: () => T): Promise<T> => {
    await clock.sleep(random.between(1, 3));
    const result = run();
    await clock.sleep(random.between(0, 2));
    return result;
  };
  return {
    watch: async (kind, listen) => {
      // Events of one kind arrive in order, each a little late.
      let last = 0;
      let open = true;
      const deliver = (event: ClusterEvent): void => {
        last = Math.max(last, clock.now() + random.between(1, options.watchLagMs(kind)));
        clock.after(last - clock.now(), () => {
          if (open) listen(event);
        });
      };
      await clock.sleep(1);
      for (const object of api.list(kind)) listen({ kind: 'set', object });
      const stop = api.watch(({ kind: what, object }) => {
        if (object.kind === kind) deliver({ kind: what, object });
      });
      return () => {
        open = false;
        stop();
      };
    },
    get: (ref) => call(() => api.get(ref)),
    create: (object) => call(() => api.create(actor, object)),
    update: (object) => call(() => api.update(actor, object)),
    updateStatus: (object) => call(() => api.updateStatus(actor, object)),
    apply: (object) => call(() => api.apply(actor, object)),
    remove: (ref, uid) => call(() => api.remove(actor, ref, { uid })),
  };
}
