import { OPTIONAL_KINDS } from '../../api/optional-children.ts';
import type { Clock } from './clock.ts';
import type { KubeObject, Metadata, ObjectRef } from './objects.ts';
import type { Random } from './random.ts';
import { merge } from './apply.ts';
import { withDefaults } from './defaults.ts';
import { at, equal, keyOf, refOf, timestamp } from './objects.ts';

/** The API server: versions, generations, the status subresource, finalizers, watches, and a record of every write. */
export type ApiServer = {
  readonly get: (ref: ObjectRef) => KubeObject | undefined;
  readonly list: (kind: string, namespace?: string) => readonly KubeObject[];
  readonly create: (actor: string, object: KubeObject) => Written;
  /** PUT of the main resource: status is ignored; a resourceVersion that is not the newest is a conflict. */
  readonly update: (actor: string, object: KubeObject) => Written;
  /** PUT of the status subresource. */
  readonly updateStatus: (actor: string, object: KubeObject) => Written;
  /** Server-side apply with force. */
  readonly apply: (actor: string, object: KubeObject) => Written;
  readonly remove: (actor: string, ref: ObjectRef, options?: RemoveOptions) => Written;
  /** Every change as it happens, to the controllers; caches lag behind by their own means. */
  readonly watch: (listen: (event: WatchEvent) => void) => () => void;
  readonly writes: readonly Write[];
};

export type Written =
  | { readonly kind: 'done'; readonly object: KubeObject; readonly changed: boolean }
  | { readonly kind: 'refused'; readonly code: number; readonly message: string };

export type RemoveOptions = {
  readonly uid?: string;
  readonly propagation?: 'background' | 'foreground' | 'orphan';
  readonly now?: boolean;
};
export type WatchEvent = {
  readonly kind: 'set' | 'removed';
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
};
export type Verb = 'create' | 'update' | 'status' | 'apply' | 'delete';
export type Write = {
  readonly at: number;
  readonly actor: string;
  readonly verb: Verb;
  readonly ref: ObjectRef;
  readonly version: number;
  readonly object: KubeObject;
};

export type ApiServerOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** Admission, quota, schema: a refusal, or the object to store (pruned). */
  readonly admit?: (verb: Verb, object: KubeObject, actor: string) => Admitted;
};
export type Admitted =
  | { readonly kind: 'store'; readonly object: KubeObject }
  | { readonly kind: 'refuse'; readonly code: number; readonly message: string };

/** Kinds whose spec has a generation. */
const GENERATED = new Set(['FlinkJob', 'Deployment', ...OPTIONAL_KINDS.map(({ kind }) => kind)]);
/** Kinds with a status subresource. */
const WITH_STATUS = new Set(['FlinkJob', 'Deployment', 'Pod', 'Service']);

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { clock, random } = options;
  const objects = new Map<string, KubeObject>();
  const applied = new Map<string, KubeObject>();
  const listeners = new Set<(event: WatchEvent) => void>();
  const writes: Write[] = [];
  let version = 1000;

  const notify = (event: WatchEvent): void => {
    for (const listen of listeners) listen(event);
  };
  const refused = (code: number, message: string): Written => ({ kind: 'refused', code, message });
  const record = (actor: string, verb: Verb, object: KubeObject): void => {
    writes.push({ at: clock.now(), actor, verb, ref: refOf(object), version, object });
  };
  const store = (actor: string, verb: Verb, next: KubeObject, before: KubeObject | undefined): Written => {
    version++;
    const metadata: Metadata = { ...next.metadata, resourceVersion: String(version) };
    const object: KubeObject = { ...next, metadata };
    if (metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0 && object.kind !== 'Pod') {
      return drop(actor, verb, object);
    }
    objects.set(keyOf(refOf(object)), object);
    record(actor, verb, object);
    notify({ kind: 'set', object, before });
    return { kind: 'done', object, changed: true };
  };
  const drop = (actor: string, verb: Verb, object: KubeObject): Written => {
    objects.delete(keyOf(refOf(object)));
    record(actor, verb, object);
    notify({ kind: 'removed', object, before: object });
    return { kind: 'done', object, changed: true };
  };
  const admit = (verb: Verb, object: KubeObject, actor: string): Admitted =>
    options.admit?.(verb, object, actor) ?? { kind: 'store', object };

  const isTerminating = (name: string): boolean =>
    objects.get(keyOf({ kind: 'Namespace', namespace: '', name }))?.metadata.deletionTimestamp !== undefined;

  const create = (actor: string, given: KubeObject, verb: Verb = 'create'): Written => {
    const ref = refOf(given);
    if (objects.has(keyOf(ref))) return refused(409, `${ref.kind} "${ref.name}" already exists`);
    if (isTerminating(ref.namespace))
      return refused(403, `unable to create new content in namespace ${ref.namespace} because it is being terminated`);
    const admitted = admit(verb, withDefaults(given, random), actor);
    if (admitted.kind === 'refuse') return refused(admitted.code, admitted.message);
    const { status, ...rest } = admitted.object;
    const metadata: Metadata = {
      ...rest.metadata,
      uid: random.uuid(),
      creationTimestamp: timestamp(clock.now()),
      ...(GENERATED.has(ref.kind) ? { generation: 1 } : {}),
    };
    const initial = initialStatus(ref.kind) ?? (WITH_STATUS.has(ref.kind) ? undefined : status);
    return store(actor, verb, { ...rest, metadata, ...(initial === undefined ? {} : { status: initial }) }, undefined);
  };

  /** Writes the main resource of an existing object. */
  const write = (actor: string, verb: Verb, given: KubeObject, before: KubeObject): Written => {
    const admitted = admit(verb, withDefaults(given, random), actor);
    if (admitted.kind === 'refuse') return refused(admitted.code, admitted.message);
    const { status: _, ...rest } = admitted.object;
    const status = WITH_STATUS.has(before.kind) ? before['status'] : admitted.object['status'];
    const metadata: Metadata = { ...rest.metadata, ...systemFields(before.metadata) };
    const next: KubeObject = { ...rest, metadata, ...(status === undefined ? {} : { status }) };
    if (equal(next, before)) return { kind: 'done', object: before, changed: false };
    const bumped = GENERATED.has(before.kind) && !equal(next['spec'], before['spec']);
    const generation = before.metadata.generation;
    const counted =
      bumped && generation !== undefined ? { ...next, metadata: { ...metadata, generation: generation + 1 } } : next;
    return store(actor, verb, counted, before);
  };

  const update = (actor: string, given: KubeObject): Written => {
    const before = objects.get(keyOf(refOf(given)));
    if (before === undefined) return refused(404, `${given.kind} "${given.metadata.name}" not found`);
    const expected = given.metadata.resourceVersion;
    if (expected !== undefined && expected !== before.metadata.resourceVersion)
      return refused(409, 'the object has been modified');
    return write(actor, 'update', given, before);
  };

  const updateStatus = (actor: string, given: KubeObject): Written => {
    const before = objects.get(keyOf(refOf(given)));
    if (before === undefined) return refused(404, `${given.kind} "${given.metadata.name}" not found`);
    const expected = given.metadata.resourceVersion;
    if (expected !== undefined && expected !== before.metadata.resourceVersion)
      return refused(409, 'the object has been modified');
    const admitted = admit('status', { ...before, status: given['status'] }, actor);
    if (admitted.kind === 'refuse') return refused(admitted.code, admitted.message);
    if (equal(admitted.object, before)) return { kind: 'done', object: before, changed: false };
    return store(actor, 'status', admitted.object, before);
  };

  const apply = (actor: string, given: KubeObject): Written => {
    const before = objects.get(keyOf(refOf(given)));
    if (before === undefined) {
      const made = create(actor, given, 'apply');
      if (made.kind === 'done') applied.set(`${made.object.metadata.uid}/${actor}`, given);
      return made;
    }
    const slot = `${before.metadata.uid}/${actor}`;
    const merged = merge(before, applied.get(slot) ?? {}, given) as KubeObject;
    const written = write(actor, 'apply', merged, before);
    if (written.kind === 'done') applied.set(slot, given);
    return written;
  };

  const remove = (actor: string, ref: ObjectRef, how: RemoveOptions = {}): Written => {
    const before = objects.get(keyOf(ref));
    if (before === undefined) return refused(404, `${ref.kind} "${ref.name}" not found`);
    if (how.uid !== undefined && how.uid !== before.metadata.uid)
      return refused(409, 'the UID in the precondition does not match');
    const extra =
      how.propagation === 'foreground' ? ['foregroundDeletion'] : how.propagation === 'orphan' ? ['orphan'] : [];
    const finalizers = [...(before.metadata.finalizers ?? []), ...extra];
    const held = finalizers.length > 0 || (before.kind === 'Pod' && how.now !== true);
    version++;
    if (!held) return drop(actor, 'delete', before);
    if (before.metadata.deletionTimestamp !== undefined) return { kind: 'done', object: before, changed: false };
    const { generation } = before.metadata;
    const metadata: Metadata = {
      ...before.metadata,
      deletionTimestamp: timestamp(clock.now()),
      ...(finalizers.length > 0 ? { finalizers } : {}),
      ...(generation === undefined ? {} : { generation: generation + 1 }),
    };
    return store(actor, 'delete', { ...before, metadata }, before);
  };

  return {
    get: (ref) => objects.get(keyOf(ref)),
    list: (kind, namespace) =>
      [...objects.values()].filter(
        (object) => object.kind === kind && (namespace === undefined || object.metadata.namespace === namespace),
      ),
    create: (actor, object) => create(actor, object),
    update,
    updateStatus,
    apply,
    remove,
    watch: (listen) => {
      listeners.add(listen);
      return () => listeners.delete(listen);
    },
    writes,
  };
}

/** The CRD's default of a FlinkJob's status (api.md). */
function initialStatus(kind: string): unknown {
  return kind === 'FlinkJob' ? { observedGeneration: -1 } : kind === 'Deployment' ? {} : undefined;
}

/** Metadata that a PUT cannot change. */
function systemFields(metadata: Metadata): Partial<Metadata> {
  const fields: Record<string, unknown> = {};
  for (const name of ['uid', 'creationTimestamp', 'generation', 'deletionTimestamp', 'resourceVersion'] as const) {
    const value = at(metadata, name);
    if (value !== undefined) fields[name] = value;
  }
  return fields as Partial<Metadata>;
}
