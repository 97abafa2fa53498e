import * as v from 'valibot';
import type { FlinkJobSpec } from '../../../src/api/flinkjob.ts';
import { OPTIONAL_KINDS } from '../../../src/api/optional-children.ts';
import { Status, type Status as StatusOf } from '../../../src/api/status.ts';
import { epochNames, names } from '../../../src/core/build/names.ts';
import { rememberedByObject } from '../../../src/core/memo.ts';
import type { FlinkRequest, FlinkResponse } from '../../../src/flink/transport.ts';
import type { HookReply, SyncAnswer, SyncRequest } from '../../../src/sim/models/metacontroller/hook.ts';
import { at, equal, numberAt, text, tree, type KubeObject } from '../../../src/sim/models/objects.ts';
import type { Ledger } from './ledger.ts';
import { checkTaskManagers } from './task-managers.ts';

/** One call to Flink that the hook made in a sync, and what it heard. */
export type Asked = { readonly request: FlinkRequest; readonly response: FlinkResponse };
export type Violation = { readonly invariant: string; readonly detail: string };
export type Report = (invariant: string, detail: string) => void;

/** What a sync may be judged by. */
export type SyncRecord = {
  readonly request: SyncRequest;
  readonly reply: HookReply;
  readonly answer: SyncAnswer | undefined;
  readonly asked: readonly Asked[];
  /** The pods were to be read, and that call was to fail: nothing else excuses a sync without an answer. */
  readonly podsFail: boolean;
};

/** The invariants of lifecycle.md that one sync by itself can break. */
export function checkSync(sync: SyncRecord, ledger: Ledger, report: Report): void {
  const { reply, answer } = sync;
  const excused = sync.podsFail && reply.kind === 'answered' && reply.status === 503;
  if (sync.podsFail && !excused && reply.kind === 'answered' && reply.status !== 429)
    report('S9', `the pods are not known, and the hook answered ${reply.status}`);
  if (reply.kind === 'answered' && reply.status !== 200 && reply.status !== 429 && !excused) {
    report('complete answer', `the hook answered ${reply.status}: ${reply.body.trim()}`);
  }
  if (reply.kind === 'answered' && reply.status === 200 && answer === undefined) {
    report('complete answer', `Metacontroller cannot decode ${reply.body.slice(0, 200)}`);
  }
  checkIntentObserved(statusOf(sync.request.parent), sync.asked, report);
  if (answer === undefined) return;
  const observed = statusOf(sync.request.parent);
  checkShape(sync.request, answer, report);
  checkFacts(observed, answer.status as Partial<StatusOf>, report);
  checkNames(sync.request, answer, report);
  checkChildrenKept(sync, observed, ledger, report);
  checkJobManagerKept(sync, observed, ledger, report);
  checkUnknownIsNotNo(sync, observed, report);
  const before = findDeployment(childrenOf(sync.request), sync.request.parent.metadata.name, 'taskmanager');
  const after = findDeployment(answer.children, sync.request.parent.metadata.name, 'taskmanager');
  checkTaskManagers(sync, { before, after }, observed, ledger, report);
}

export function statusOf(parent: KubeObject): Partial<StatusOf> {
  return tree(parent['status']) as Partial<StatusOf>;
}

/** Never 4: an effect whose intent has not been observed in status. */
export function checkIntentObserved(observed: Partial<StatusOf>, asked: readonly Asked[], report: Report): void {
  const { operation } = observed;
  for (const { request: call } of asked) {
    if (call.method === 'GET') continue;
    const why = call.method === 'PUT' ? unmeant(call, observed) : unintended(call, operation);
    if (why !== undefined)
      report(
        'intent observed',
        `${call.method} ${call.path} was sent, ${why}; the observed operation is ${JSON.stringify(operation)}`,
      );
  }
}

/** What a call that changes something must find in the observed operation: its kind, its job and its very trigger, directory or path. */
function unintended(call: FlinkRequest, operation: StatusOf['operation']): string | undefined {
  const { body, path, method } = call;
  if (method === 'PATCH')
    return operation?.kind === 'cancel' || operation?.kind === 'delete' ? undefined : 'which no intent asks for';
  if (path === '/savepoint-disposal') {
    const given = text(at(body, 'savepoint-path'));
    return operation?.kind === 'dispose' && operation.path === given ? undefined : `to remove ${given}`;
  }
  const [, , jobId, resource = ''] = path.split('/');
  const kind = new Map<string, string>([
    ['stop', 'stop'],
    ['savepoints', 'savepoint'],
    ['checkpoints', 'checkpoint'],
  ]).get(resource);
  if (kind === undefined) return 'which Flork has no business with';
  if (operation?.kind !== kind || operation.jobId !== jobId) return `to take a ${kind} of ${jobId}`;
  if (operation.triggerId !== text(at(body, 'triggerId'))) return 'under another trigger id';
  if (at(body, 'drain') === true && operation.purpose !== 'delete') return 'drained, and the job is to be resumed';
  if (at(body, 'drain') === true && operation.purpose !== 'delete') return 'to drain a job that is to go on';
  const directory = text(at(body, resource === 'stop' ? 'targetDirectory' : 'target-directory'));
  return kind === 'checkpoint' || operation.directory === directory ? undefined : `to ${directory}`;
}

/** Bounds are sent only as the observed intent has them; a vertex with a parallelism of its own keeps it. */
function unmeant(call: FlinkRequest, { operation, epoch }: Partial<StatusOf>): string | undefined {
  const { scale } = epoch ?? {};
  const uppers = Object.entries(call.body ?? {})
    .filter(([id]) => scale?.fixed?.includes(id) !== true)
    .map(([, bounds]) => numberAt(bounds, 'parallelism', 'upperBound'));
  const meant = uppers.length > 0 && uppers.every((upper) => upper === scale?.parallelism);
  if (operation?.kind === 'rescale' && meant) return undefined;
  return `with bounds ${uppers.join(', ')} while ${JSON.stringify(scale)} is observed`;
}

/** The answer is what the CRD stores: nothing pruned, nothing null or empty, and the conditions never run ahead (S8). */
function checkShape(request: SyncRequest, answer: SyncAnswer, report: Report): void {
  const { conditions, wrong } = shapeOf(answer);
  for (const { invariant, detail } of wrong) report(invariant, detail);
  const generation = request.parent.metadata.generation ?? 0;
  for (const condition of conditions) {
    if (condition.observedGeneration > generation)
      report('S8', `${condition.type} runs ahead of generation ${generation}`);
  }
  if (answer.finalized && !request.finalizing) report('finalized', 'said to a sync');
}

type Shape = { readonly conditions: StatusOf['conditions']; readonly wrong: readonly Violation[] };

/** What an answer is by itself, whatever was asked: looked at once, as an answer that is given again is the same object. */
const shapeOf = rememberedByObject((answer: SyncAnswer): Shape => {
  const parsed = v.safeParse(AnsweredStatus, answer.status);
  if (!parsed.success) {
    const detail = parsed.issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`).join('; ');
    return { conditions: [], wrong: [{ invariant: 'status schema', detail }] };
  }
  const wrong: Violation[] = [];
  const report: Report = (invariant, detail) => wrong.push({ invariant, detail });
  const { conditions } = parsed.output;
  const { observedGeneration: _, ...given } = tree(answer.status);
  if (!equal(given, parsed.output)) report('status schema', 'the CRD would prune a field of the status');
  const size = JSON.stringify(answer.status).length;
  if (size > 16_384) report('status size', `${size} bytes`);
  const types = conditions.map((condition) => condition.type);
  if (new Set(types).size !== types.length) report('status schema', 'a condition is there twice');
  for (const child of answer.children) {
    const bad = emptyValue(child, '');
    if (bad !== undefined) report('canonical children', `${child.kind} ${child.metadata.name}: ${bad}`);
  }
  return { conditions, wrong };
});

const AnsweredStatus = v.omit(Status, ['observedGeneration']);

function emptyValue(value: unknown, path: string): string | undefined {
  if (value === null) return `${path} is null`;
  if (typeof value !== 'object') return undefined;
  for (const [name, field] of Object.entries(value)) {
    const bad = emptyValue(field, `${path}.${name}`);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

/** S5: facts never go back between what was observed and what is answered. */
function checkFacts(observed: Partial<StatusOf>, answered: Partial<StatusOf>, report: Report): void {
  const [before, after] = [observed.epoch, answered.epoch];
  if (before !== undefined && after === undefined) report('S5', `epoch ${before.number} is forgotten`);
  if (before === undefined || after === undefined) return;
  if (after.number < before.number) report('S5', `epoch ${before.number} → ${after.number}`);
  if (after.attempt < before.attempt) report('S5', `attempt ${before.attempt} → ${after.attempt}`);
  if (after.number === before.number) {
    if (after.incarnation < before.incarnation)
      report('S5', `incarnation ${before.incarnation} → ${after.incarnation}`);
    if (before.ended?.path !== undefined && after.ended?.path === undefined)
      report('S5', `the path of epoch ${before.number} is forgotten`);
    if (before.restoredFrom !== after.restoredFrom) report('S5', `restoredFrom of epoch ${before.number} changed`);
  }
  const nonce = observed.handled?.restoreNonce;
  if (nonce !== undefined && (answered.handled?.restoreNonce ?? -1) < nonce)
    report('S5', 'a handled nonce is forgotten');
}

/** S7: only this parent's kinds, namespace and names. */
function checkNames(request: SyncRequest, answer: SyncAnswer, report: Report): void {
  const { name, namespace } = request.parent.metadata;
  for (const child of answer.children) {
    const { metadata, kind } = child;
    const optional = OPTIONAL_KINDS.find((one) => one.kind === kind);
    const own = optional === undefined ? metadata.name.startsWith(`${name}-`) : metadata.name === name;
    // Of a kind that the controller does not list, a child would never be seen again, and never removed.
    const listed = Object.hasOwn(request.children, `${kind}.${child.apiVersion}`);
    if (!own || !listed || metadata.namespace !== namespace)
      report('S7', `${kind} ${metadata.namespace}/${metadata.name}`);
  }
}

/** No child lost: what is observed and not explicitly retired is in the answer. */
function checkChildrenKept(
  { request, answer }: SyncRecord,
  observed: Partial<StatusOf>,
  ledger: Ledger,
  report: Report,
): void {
  if (answer === undefined) return;
  const answered = new Set(answer.children.map((child) => `${child.kind}/${child.metadata.name}`));
  const lost = childrenOf(request).filter(
    (child) => child.metadata.deletionTimestamp === undefined && !answered.has(`${child.kind}/${child.metadata.name}`),
  );
  if (lost.length === 0) return;
  const { uid = '', name, finalizers } = request.parent.metadata;
  // In a foreground deletion Metacontroller does not manage children: whatever is answered, the garbage collector has them.
  if (finalizers?.includes('foregroundDeletion') === true || namespaceGoes(request)) return;
  const current = Math.max(observed.epoch?.number ?? 0, deployedEpoch(request, name));
  const kept = new Set([...keptNames(name, uid, current), ...optionalNames(request)]);
  const needed = lost.filter((child) => kept.has(`${child.kind}/${child.metadata.name}`));
  const named = needed.map((child) => child.metadata.name).join(', ');
  if (needed.length === 0) return;
  if (request.finalizing || request.parent.metadata.deletionTimestamp !== undefined) {
    const alive = ledger.alive(uid);
    if (alive === undefined) return;
    if (observed.operation?.kind === 'delete')
      report('S2', `${named} left out of a deletion while ${alive.podName} lives`);
    else report('no child lost', `${named} left out while ${alive.podName} lives and the deletion is not observed`);
    return;
  }
  report('no child lost', `${named} of epoch ${current} or later`);
}

/** The namespace controller deletes everything, JobManagers too, whatever is answered: the hook was shown that. */
function namespaceGoes({ related }: SyncRequest): boolean {
  return Object.values(related['Namespace.v1'] ?? {}).some((one) => one.metadata.deletionTimestamp !== undefined);
}

/** What belongs to the current epoch, or to a later one of which the status does not know yet. */
function keptNames(name: string, uid: string, current: number): ReadonlySet<string> {
  const lasting = names({ name });
  const kept = new Set([
    ...[lasting.internalService, lasting.restService].map((item) => `Service/${item}`),
    ...[lasting.jobManager, lasting.taskManager].map((item) => `Deployment/${item}`),
  ]);
  for (const number of [current, current + 1, current + 2]) {
    const own = epochNames({ name, uid }, number);
    for (const item of [own.configuration, own.restore, own.record]) kept.add(`ConfigMap/${item}`);
  }
  return kept;
}

/** Optional children that the spec asks for. */
function optionalNames({ parent }: SyncRequest): readonly string[] {
  const asked = OPTIONAL_KINDS.filter(({ field }) => at(parent['spec'], field) !== undefined);
  return asked.map(({ kind }) => `${kind}/${parent.metadata.name}`);
}

export function childrenOf(request: SyncRequest): readonly KubeObject[] {
  return Object.values(request.children).flatMap((group) => Object.values(group));
}

function deployedEpoch(request: SyncRequest, name: string): number {
  const jobManager = findDeployment(childrenOf(request), name, 'jobmanager');
  return Number(jobManager?.metadata.annotations?.['flork.itom.com/epoch'] ?? 0);
}

export function findDeployment(children: readonly KubeObject[], name: string, role: string): KubeObject | undefined {
  return children.find((child) => child.kind === 'Deployment' && child.metadata.name === `${name}-${role}`);
}

/** S3: no JobManager goes, and none is replaced, before the end of its epoch is in the observed status. */
function checkJobManagerKept(
  { request, answer }: SyncRecord,
  observed: Partial<StatusOf>,
  ledger: Ledger,
  report: Report,
): void {
  const { name, uid = '', finalizers } = request.parent.metadata;
  if (finalizers?.includes('foregroundDeletion') === true || namespaceGoes(request)) return;
  const before = findDeployment(childrenOf(request), name, 'jobmanager');
  const after = findDeployment(answer?.children ?? [], name, 'jobmanager');
  const running = numberAt(before, 'spec', 'replicas') ?? 0;
  const kept = numberAt(after, 'spec', 'replicas') ?? 0;
  const replaced =
    after !== undefined &&
    after.metadata.annotations?.['flork.itom.com/epoch'] !== before?.metadata.annotations?.['flork.itom.com/epoch'];
  if (before === undefined || running === 0 || (kept > 0 && !replaced)) return;
  const alive = ledger.alive(uid);
  if (request.finalizing) {
    if (observed.operation?.kind !== 'delete')
      report('S3', 'the JobManager goes before the deletion is observed in status');
    const { policies } = tree(request.parent['spec']) as Partial<FlinkJobSpec>;
    const asked = policies?.deletion?.savepoint === true && policies.stateLoss !== 'allow';
    const approved = text(at(request.parent['spec'], 'approveStateLoss')) !== '';
    const path = observed.epoch?.ended?.path;
    if (asked && !approved && alive !== undefined && ledger.running(uid))
      report('S3', `the JobManager of a running job goes, and the savepoint asked for is ${path ?? 'not there'}`);
    if (asked && path !== undefined && ledger.snapshot(path) === undefined)
      report('S3', `the JobManager goes, and ${path} is recorded, which is not there`);
    return;
  }
  const ended = observed.epoch?.ended;
  // A later epoch is declared only after the end of this one was observed.
  if ((observed.epoch?.number ?? 0) > deployedEpoch(request, name)) return;
  if (ended === undefined) {
    if (alive !== undefined || ledger.ran(uid))
      report('S3', 'the JobManager goes before the end of its epoch is observed in status');
  } else if (ended.how === 'stopped' && (ended.path === undefined || ledger.snapshot(ended.path) === undefined)) {
    report('S3', `the JobManager goes, and ${ended.path ?? 'no path'} is recorded`);
  } else if (ended.how === 'canceled' && ended.path !== undefined && ledger.snapshot(ended.path) === undefined) {
    report('S3', `the JobManager goes, and ${ended.path} is recorded, which is not there`);
  } else if (ended.how === 'replaced' && alive !== undefined && ledger.progressed(alive)) {
    report('S3', `epoch ${observed.epoch?.number} is replaced as never run, but it ran`);
  }
}

/** S9: a Flink that does not answer is no reason to stop or delete anything. */
function checkUnknownIsNotNo(
  { request, answer, asked }: SyncRecord,
  observed: Partial<StatusOf>,
  report: Report,
): void {
  const silent = asked.length > 0 && asked.every(({ response }) => response.kind === 'error' || response.status >= 500);
  if (!silent || answer === undefined || observed.epoch?.ended !== undefined || request.finalizing) return;
  const { name } = request.parent.metadata;
  for (const role of ['jobmanager', 'taskmanager']) {
    const before = numberAt(findDeployment(childrenOf(request), name, role), 'spec', 'replicas') ?? 0;
    const after = numberAt(findDeployment(answer.children, name, role), 'spec', 'replicas') ?? 0;
    if (after < before) report('S9', `${role} ${before} → ${after} although Flink did not answer`);
  }
  const next = (answer.status as Partial<StatusOf>).epoch?.ended;
  // The restore ConfigMap told of the end before the status did.
  const told =
    JSON.stringify(request.children['ConfigMap.v1']).includes(`"ended":"${next?.how}`) ||
    (next?.path !== undefined && JSON.stringify(request.children['ConfigMap.v1']).includes(next.path));
  if (next !== undefined && !told)
    report('S9', `the epoch is said to have ended (${next.how}) although Flink did not answer`);
}
