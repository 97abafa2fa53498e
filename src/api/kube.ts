import type { OptionalKind } from './optional-children.ts';

/**
 * The few Kubernetes wire shapes that Flork observes or emits, as the API server sends them (timestamps are strings).
 * Everything observed is parsed by a tolerant reader (src/api/observed.ts); everything emitted has passed src/core/build/canonical.ts.
 */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object; absent keys read as `undefined`. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/** Kubernetes ObjectMeta, the fields in use. */
export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** Kinds of children. */
export type ChildKind = 'ConfigMap' | 'Service' | 'Deployment' | OptionalKind;

/** A child as Flork returns it: a partial object that Metacontroller applies. */
export type Child = {
  readonly apiVersion: string;
  readonly kind: ChildKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
};

/** A ConfigMap as observed. */
export type ObservedConfigMap = {
  readonly metadata: ObjectMeta;
  readonly data: Readonly<Record<string, string>>;
  readonly binaryData: Readonly<Record<string, string>>;
};

/** A Service as observed. */
export type ObservedService = { readonly metadata: ObjectMeta };

/** A Deployment as observed; fields absent on the wire are `undefined`, which is unknown, never 0. */
export type ObservedDeployment = {
  readonly metadata: ObjectMeta;
  /** spec.replicas; the API server always fills it. */
  readonly replicas: number | undefined;
  readonly templateAnnotations: Readonly<Record<string, string>>;
  readonly status: {
    readonly observedGeneration: number | undefined;
    readonly replicas: number | undefined;
    readonly readyReplicas: number | undefined;
    readonly terminatingReplicas: number | undefined;
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
};

/** One container's state in a pod, flattened. `restartCount` numbers the process within the pod. */
export type ObservedContainer = {
  readonly name: string;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
};

/** A container's state: what it is doing and, once ended, how it ended. */
export type ContainerState =
  | { readonly kind: 'none' }
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running'; readonly startedAt: string }
  | {
      readonly kind: 'terminated';
      readonly reason: string;
      readonly message: string;
      readonly exitCode: number;
      readonly startedAt: string;
      readonly finishedAt: string;
    };

/** A pod as observed through `related`. */
export type ObservedPod = {
  readonly metadata: ObjectMeta;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly nodeName: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly containers: readonly ObservedContainer[];
};

/** What Metacontroller showed: children by name, and the related objects (`undefined`: the rule was not answered, so nothing is known). */
export type Observed = {
  readonly configMaps: ReadonlyMap<string, ObservedConfigMap>;
  readonly services: ReadonlyMap<string, ObservedService>;
  readonly deployments: ReadonlyMap<string, ObservedDeployment>;
  readonly pods: readonly ObservedPod[] | undefined;
  readonly namespace: { readonly metadata: ObjectMeta } | undefined;
  /** Optional kinds that the CompositeController lists, with the names of the children that are there. */
  readonly optional: ReadonlyMap<OptionalKind, ReadonlySet<string>>;
  /** The children as they are, stripped of what the server owns: what is answered when nothing better is known than to leave them. */
  readonly echo: readonly Child[];
};
