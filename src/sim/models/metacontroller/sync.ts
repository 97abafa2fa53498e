import type { Clock } from '../clock.ts';
import type { Cluster, KindName, Result } from '../cluster.ts';
import type { KubeObject, Metadata } from '../objects.ts';
import type { Random } from '../random.ts';
import type { HookCall, HookClient, HookReply, RelatedRule, SyncAnswer, SyncRequest } from './hook.ts';
import type { SyncEnd } from './queue.ts';
import { dynamicApply, withLastApplied } from '../apply.ts';
import { equal, jsonOf, keyOf, refOf, tree } from '../objects.ts';
import { decodeRules } from './hook.ts';
import { bodyOf, childGroups, relatedGroups, type Views } from './request.ts';

/** One sync of one parent, in Metacontroller's order (4.17.2, composite/controller.go). */

export type ApplyStrategy = 'dynamic-apply' | 'server-side-apply';

export type SyncDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly cluster: Cluster;
  readonly hook: HookClient;
  readonly controller: KubeObject;
  /** Kinds that the controller lists, in the order in which they are applied. */
  readonly childKinds: readonly KindName[];
  readonly strategy: ApplyStrategy;
  readonly webhookTimeoutMs: number;
  /** `parentResource.labelSelector`. */
  readonly selects: (parent: KubeObject) => boolean;
  readonly arm: (key: string, seconds: number) => void;
  /** Related rules by parent uid and generation. */
  readonly rules: Map<string, { readonly at: number; readonly rules: readonly RelatedRule[] }>;
  /** What was last applied by server-side apply, by child. */
  readonly applied: Map<string, string>;
  readonly decode: (body: string) => SyncAnswer | string;
  readonly probe: Probe;
};

/** Observation points, and the places where a crash may strike: `true` kills this Metacontroller there. */
export type Probe = {
  readonly effect: (effect: Effect, when: 'before' | 'after') => boolean;
  /** What becomes of a write: `refused` has no effect, of `lost` only the answer is missing. Both are a server error to the caller. */
  readonly write: (effect: Effect) => WriteFate;
  readonly called: (call: HookCall, request: SyncRequest, reply: HookReply, answer: SyncAnswer | undefined) => void;
};
export type WriteFate = 'done' | 'refused' | 'lost';
export type Effect = { readonly kind: EffectKind; readonly on: string };
export type EffectKind =
  | 'finalizer'
  | 'hook'
  | 'finalizer-removal'
  | 'delete'
  | 'create'
  | 'update'
  | 'apply'
  | 'status';

/** Thrown where this Metacontroller dies. */
export class Crashed extends Error {}

const GC_FINALIZERS = ['foregroundDeletion', 'orphan'];
const CUSTOMIZE_CACHE_MS = 20 * 60_000;
const STATUS_ATTEMPTS = 4;

export async function syncParent(deps: SyncDeps, key: string, views: Views): Promise<SyncEnd> {
  const cached = views('FlinkJob').get(key);
  if (cached === undefined) return { kind: 'done' };
  if (!deps.selects(cached) && !shouldFinalize(deps, cached)) return { kind: 'done' };
  const parent = await addFinalizer(deps, cached);
  if (parent === undefined) return { kind: 'failed' };
  const owned = ownedChildren(deps, parent, views);
  const rules = await relatedRules(deps, parent);
  if (rules === undefined) return { kind: 'failed' };
  const finalizing = shouldFinalize(deps, parent);
  const call: HookCall = finalizing ? 'finalize' : 'sync';
  const request: SyncRequest = {
    controller: deps.controller,
    parent,
    children: childGroups(deps.childKinds, owned),
    related: relatedGroups(rules, views),
    finalizing,
  };
  const reply = await effect(deps, { kind: 'hook', on: call }, () => callHook(deps, call, bodyOf(request)));
  const decoded = reply.kind === 'answered' && reply.status === 200 ? deps.decode(reply.body) : undefined;
  const answer = typeof decoded === 'string' ? undefined : decoded;
  deps.probe.called(call, request, reply, answer);
  if (answer === undefined) return unanswered(reply);
  if (answer.resyncAfterSeconds > 0) deps.arm(key, answer.resyncAfterSeconds);
  return carryOut(deps, parent, owned, answer, finalizing);
}

function unanswered(reply: HookReply): SyncEnd {
  if (reply.kind === 'answered' && reply.status === 429) {
    const seconds = Number(reply.retryAfter);
    return { kind: 'later', ms: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0 };
  }
  return { kind: 'failed' };
}

async function carryOut(
  deps: SyncDeps,
  given: KubeObject,
  owned: readonly KubeObject[],
  answer: SyncAnswer,
  finalizing: boolean,
): Promise<SyncEnd> {
  let parent = given;
  if (answer.finalized) parent = await removeFinalizer(deps, given);
  const managed = parent.metadata.deletionTimestamp === undefined || shouldFinalize(deps, parent);
  const foreground = finalizing && (parent.metadata.finalizers ?? []).some((name) => GC_FINALIZERS.includes(name));
  let failed = false;
  if (managed && !foreground) failed = await manageChildren(deps, parent, owned, answer.children);
  const told = await writeStatus(deps, parent, answer.status);
  return { kind: failed || !told ? 'failed' : 'done' };
}

/** Runs an effect between its two crash points. */
async function effect<T>(deps: SyncDeps, what: Effect, run: () => Promise<T>): Promise<T> {
  if (deps.probe.effect(what, 'before')) throw new Crashed();
  const result = await run();
  if (deps.probe.effect(what, 'after')) throw new Crashed();
  return result;
}

const SERVER_ERROR: Result = { kind: 'refused', code: 500, message: 'etcdserver: request timed out' };

/** Runs a write between its two crash points. */
function write(deps: SyncDeps, what: Effect, run: () => Promise<Result>): Promise<Result> {
  return effect(deps, what, async () => {
    const fate = deps.probe.write(what);
    const result = fate === 'refused' ? SERVER_ERROR : await run();
    return fate === 'lost' ? SERVER_ERROR : result;
  });
}

function finalizerOf(deps: SyncDeps): string {
  return `metacontroller.io/compositecontroller-${deps.controller.metadata.name}`;
}

function shouldFinalize(deps: SyncDeps, parent: KubeObject): boolean {
  const { deletionTimestamp, finalizers } = parent.metadata;
  return (deletionTimestamp !== undefined || !deps.selects(parent)) && (finalizers ?? []).includes(finalizerOf(deps));
}

async function addFinalizer(deps: SyncDeps, parent: KubeObject): Promise<KubeObject | undefined> {
  const name = finalizerOf(deps);
  if (
    parent.metadata.deletionTimestamp !== undefined ||
    !deps.selects(parent) ||
    parent.metadata.finalizers?.includes(name) === true
  )
    return parent;
  const live = await deps.cluster.get(refOf(parent));
  if (live === undefined || live.metadata.uid !== parent.metadata.uid) return undefined;
  if (live.metadata.deletionTimestamp !== undefined || live.metadata.finalizers?.includes(name) === true) return live;
  const finalizers = [...(live.metadata.finalizers ?? []), name];
  const wanted = { ...live, metadata: { ...live.metadata, finalizers } };
  const written = await write(deps, { kind: 'finalizer', on: 'FlinkJob' }, () => deps.cluster.update(wanted));
  return written.kind === 'done' ? written.object : undefined;
}

async function removeFinalizer(deps: SyncDeps, parent: KubeObject): Promise<KubeObject> {
  const live = await deps.cluster.get(refOf(parent));
  if (live === undefined || live.metadata.uid !== parent.metadata.uid) return withoutFinalizer(deps, parent);
  const wanted = withoutFinalizer(deps, live);
  const remove = (): Promise<Result> => deps.cluster.update(wanted);
  const written = await write(deps, { kind: 'finalizer-removal', on: 'FlinkJob' }, remove);
  return written.kind === 'done' ? written.object : wanted;
}

function withoutFinalizer(deps: SyncDeps, parent: KubeObject): KubeObject {
  const finalizers = (parent.metadata.finalizers ?? []).filter((name) => name !== finalizerOf(deps));
  return { ...parent, metadata: { ...parent.metadata, finalizers } };
}

function ownedChildren({ childKinds }: SyncDeps, parent: KubeObject, views: Views): readonly KubeObject[] {
  return childKinds.flatMap((kind) =>
    [...views(kind).values()].filter((object) =>
      (object.metadata.ownerReferences ?? []).some(
        (owner) => owner.controller === true && owner.uid === parent.metadata.uid,
      ),
    ),
  );
}

async function relatedRules(deps: SyncDeps, parent: KubeObject): Promise<readonly RelatedRule[] | undefined> {
  const slot = `${parent.metadata.uid}/${parent.metadata.generation}`;
  const known = deps.rules.get(slot);
  if (known !== undefined && deps.clock.now() - known.at < CUSTOMIZE_CACHE_MS) return known.rules;
  const reply = await callHook(
    deps,
    'customize',
    `{"controller":${jsonOf(deps.controller)},"parent":${jsonOf(parent)}}`,
  );
  const rules = reply.kind === 'answered' && reply.status === 200 ? decodeRules(reply.body) : undefined;
  if (rules !== undefined) deps.rules.set(slot, { at: deps.clock.now(), rules });
  return rules;
}

async function callHook(deps: SyncDeps, call: HookCall, body: string): Promise<HookReply> {
  const { clock } = deps;
  const result = clock.signal<HookReply>();
  const cancel = clock.after(deps.webhookTimeoutMs, () => result.fire({ kind: 'unreachable' }));
  clock.spawn(async () => result.fire(await clock.outside(() => deps.hook(call, body))));
  const reply = await result.wait();
  cancel();
  return reply;
}

/** Deletions first, then what is desired by kind, in random order within a kind; one failure stops nothing. */
async function manageChildren(
  deps: SyncDeps,
  parent: KubeObject,
  owned: readonly KubeObject[],
  given: readonly KubeObject[],
): Promise<boolean> {
  const desired = new Map(given.map((child) => withOwner(parent, child)).map((child) => [keyOf(refOf(child)), child]));
  const observed = new Map(owned.map((child) => [keyOf(refOf(child)), child]));
  let failed = false;
  for (const [key, child] of observed) {
    if (desired.has(key) || child.metadata.deletionTimestamp !== undefined) continue;
    const result = await write(deps, { kind: 'delete', on: child.kind }, () =>
      deps.cluster.remove(refOf(child), child.metadata.uid ?? ''),
    );
    if (result.kind === 'refused' && result.code !== 404 && result.code !== 409) failed = true;
  }
  for (const kind of deps.childKinds) {
    for (const child of shuffled(
      deps.random,
      [...desired.values()].filter((item) => item.kind === kind),
    )) {
      const result = await applyChild(deps, observed.get(keyOf(refOf(child))), child);
      if (result?.kind === 'refused') failed = true;
    }
  }
  return failed;
}

async function applyChild(
  deps: SyncDeps,
  observed: KubeObject | undefined,
  desired: KubeObject,
): Promise<Result | undefined> {
  if (observed?.metadata.deletionTimestamp !== undefined) return undefined;
  if (deps.strategy === 'server-side-apply') return serverSideApply(deps, observed, desired);
  if (observed === undefined) {
    const created = await write(deps, { kind: 'create', on: desired.kind }, () =>
      deps.cluster.create(withLastApplied(desired)),
    );
    return created.kind === 'refused' && created.code === 409 ? undefined : created;
  }
  const wanted = dynamicApply(observed, desired);
  if (wanted === observed) return undefined;
  const updated = await write(deps, { kind: 'update', on: desired.kind }, () => deps.cluster.update(wanted));
  return updated.kind === 'refused' && (updated.code === 404 || updated.code === 409) ? undefined : updated;
}

async function serverSideApply(
  deps: SyncDeps,
  observed: KubeObject | undefined,
  desired: KubeObject,
): Promise<Result | undefined> {
  const key = keyOf(refOf(desired));
  const mark = (object: KubeObject): string =>
    `${object.metadata.uid} ${object.metadata.generation ?? object.metadata.resourceVersion} ${jsonOf(desired)}`;
  if (observed !== undefined && deps.applied.get(key) === mark(observed)) return undefined;
  const what: Effect = { kind: observed === undefined ? 'create' : 'apply', on: desired.kind };
  const result = await write(deps, what, () => deps.cluster.apply(desired));
  if (result.kind === 'done') deps.applied.set(key, mark(result.object));
  return result;
}

const owned = new WeakMap<KubeObject, { readonly by: string | undefined; readonly object: KubeObject }>();

/** The child as it is applied, the same object for the same answer. */
function withOwner(parent: KubeObject, child: KubeObject): KubeObject {
  const known = owned.get(child);
  if (known !== undefined && known.by === parent.metadata.uid) return known.object;
  const object = ownedBy(parent, child);
  owned.set(child, { by: parent.metadata.uid, object });
  return object;
}

function ownedBy(parent: KubeObject, child: KubeObject): KubeObject {
  const uid = parent.metadata.uid ?? '';
  const { apiVersion, kind } = parent;
  const owner = { apiVersion, kind, name: parent.metadata.name, uid, controller: true, blockOwnerDeletion: true };
  const metadata: Metadata = {
    ...child.metadata,
    namespace: child.metadata.namespace ?? parent.metadata.namespace ?? '',
    labels: { ...child.metadata.labels, 'controller-uid': uid },
    ownerReferences: [owner],
  };
  return { ...child, metadata };
}

/** Live GET, PUT when different, last writer wins. A conflict that stays is swallowed; false on any other failure. */
async function writeStatus(deps: SyncDeps, parent: KubeObject, answered: unknown): Promise<boolean> {
  const status = { ...tree(answered), observedGeneration: parent.metadata.generation };
  for (let attempt = 0; attempt < STATUS_ATTEMPTS; attempt++) {
    const live = await deps.cluster.get(refOf(parent));
    if (live === undefined || live.metadata.uid !== parent.metadata.uid || equal(live['status'], status)) return true;
    const result = await write(deps, { kind: 'status', on: 'FlinkJob' }, () =>
      deps.cluster.updateStatus({ ...live, status }),
    );
    if (result.kind === 'done' || result.code === 404) return true;
    if (result.code !== 409) return false;
  }
  return true;
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
