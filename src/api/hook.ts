import * as v from 'valibot';

/**
 * Envelopes of Metacontroller's composite hooks, version v2 (Metacontroller pkg/controller/composite, 4.17).
 * Children and related objects arrive as {"<Kind>.<apiVersion>": {"<namespace>/<name>": object}}.
 */

const Group = v.record(v.string(), v.record(v.string(), v.looseObject({})));

/** The parent's envelope; its spec and status are parsed by their own schemas. */
export const Parent = v.looseObject({
  apiVersion: v.string(),
  kind: v.string(),
  metadata: v.looseObject({
    name: v.pipe(v.string(), v.minLength(1)),
    namespace: v.pipe(v.string(), v.minLength(1)),
    uid: v.string(),
    generation: v.optional(v.pipe(v.number(), v.safeInteger())),
    deletionTimestamp: v.optional(v.nullable(v.string())),
    finalizers: v.optional(v.array(v.string())),
    labels: v.optional(v.record(v.string(), v.string())),
    annotations: v.optional(v.record(v.string(), v.string())),
  }),
});

/** Body of POST /sync and /finalize. */
export const SyncRequest = v.looseObject({
  controller: v.looseObject({}),
  parent: Parent,
  children: Group,
  related: v.optional(v.nullable(Group)),
  finalizing: v.boolean(),
});

/** Body of POST /customize. */
export const CustomizeRequest = v.looseObject({ controller: v.looseObject({}), parent: Parent });

export type Parent = v.InferOutput<typeof Parent>;
export type SyncRequest = v.InferOutput<typeof SyncRequest>;
export type CustomizeRequest = v.InferOutput<typeof CustomizeRequest>;

/** The answer to /sync and /finalize: exactly these fields exist (strict decoding). */
export type SyncResponse = {
  readonly status: unknown;
  readonly children: readonly unknown[];
  readonly resyncAfterSeconds?: number;
  readonly finalized?: boolean;
};
