import { OPTIONAL_KINDS } from '../../../src/api/optional-children.ts';
import { keyOf, refOf, type KubeObject } from '../../../src/sim/models/objects.ts';
import { NAMESPACE, jobRef } from '../../../src/sim/world.ts';
import { statusOf } from './checker.ts';
import { writesSince, type History } from './history.ts';
import { NAME, SPEC, suspended, type Spec } from './sample.ts';

/** The steps of a job's life, as a user sees them: what is done, and what must be reached. */

export const LIMIT_MS = 400_000;

export function condition(h: History, type: string, name: string = NAME): string | undefined {
  const job = h.job(name);
  const generation = job?.metadata.generation;
  const found = job === undefined ? undefined : statusOf(job).conditions?.find((one) => one.type === type);
  return found === undefined || found.observedGeneration !== generation ? undefined : found.status;
}

export function stateOf(h: History, name: string = NAME): string | undefined {
  const job = h.job(name);
  return job === undefined ? undefined : statusOf(job).state;
}

export function isReady(h: History, state = 'Running', name: string = NAME): boolean {
  return stateOf(h, name) === state && condition(h, 'Ready', name) === 'True';
}

/** Running on the newest spec with all tasks, and nothing in progress. */
export async function reachRunning(h: History, what = 'Running and Ready', limitMs = LIMIT_MS): Promise<void> {
  await h.until(() => isReady(h) && jobOf(h)?.state() === 'RUNNING' && runsNewest(h), limitMs, what);
}

/** Whether the newest spec is what the running epoch was made of, or an epoch that differs in nothing that matters. */
export function runsNewest(h: History): boolean {
  const status = statusOf(h.job() as KubeObject);
  return status.operation === undefined && status.epoch?.ended === undefined;
}

export async function start(h: History, spec: Spec = SPEC): Promise<void> {
  h.apply(spec);
  await reachRunning(h, 'started');
}

/** Started, and run until there are checkpoints. */
export async function aged(h: History, spec: Spec): Promise<void> {
  await start(h, spec);
  await h.run(25_000);
}

export async function upgrade(h: History, spec: Spec): Promise<void> {
  const before = epochOf(h);
  h.apply(spec);
  await h.until(() => epochOf(h) > before && isReady(h) && jobOf(h)?.state() === 'RUNNING', LIMIT_MS, 'upgraded');
}

export async function suspend(h: History, spec: Spec): Promise<void> {
  h.apply(suspended(spec));
  await h.until(() => isReady(h, 'Suspended') && podNames(h).length === 0, LIMIT_MS, 'suspended');
}

export async function remove(h: History): Promise<void> {
  h.remove();
  await h.until(() => h.job() === undefined && leftovers(h).length === 0, LIMIT_MS, 'deleted without a trace');
  await h.run(50);
}

export function epochOf(h: History): number {
  const job = h.job();
  return job === undefined ? 0 : (statusOf(job).epoch?.number ?? 0);
}

/** The job that truly runs. */
export function jobOf(h: History): ReturnType<ReturnType<History['world']['runtime']['jobManagers']>[number]['job']> {
  const uid = h.job()?.metadata.uid;
  return h.world.runtime
    .jobManagers()
    .filter((manager) => manager.info.owner === uid)
    .map((manager) => manager.job())
    .find((job) => job !== undefined);
}

export function podNames(h: History, role?: string): readonly string[] {
  return pods(h, role).map((pod) => pod.metadata.name);
}

export function pods(h: History, role?: string): readonly KubeObject[] {
  return h.world.api
    .list('Pod', NAMESPACE)
    .filter((pod) => role === undefined || pod.metadata.labels?.['flork.itom.com/component'] === role);
}

/** Whatever of a deleted FlinkJob is still there, but Flink's own metadata. */
export function leftovers(h: History): readonly string[] {
  return ['ConfigMap', 'Service', 'Deployment', ...OPTIONAL_KINDS.map(({ kind }) => kind), 'Pod']
    .flatMap((kind) => h.world.api.list(kind))
    .filter((object) => !isMetadata(object))
    .map((object) => keyOf(refOf(object)));
}

/** The ConfigMaps of Flink's high availability. */
export function haMetadata(h: History): readonly string[] {
  return h.world.api
    .list('ConfigMap', NAMESPACE)
    .filter(isMetadata)
    .map((object) => object.metadata.name);
}

function isMetadata(object: KubeObject): boolean {
  return object.metadata.labels?.['type'] === 'flink-native-kubernetes';
}

/** Kills the JobManager that has the job; of several with high availability that is the leader. */
export function killJobManager(h: History): void {
  const living = pods(h, 'jobmanager').filter((one) => one.metadata.deletionTimestamp === undefined);
  const leads = (uid: string | undefined): boolean => h.world.runtime.jobManager(uid ?? '')?.job() !== undefined;
  const pod = living.find((one) => leads(one.metadata.uid)) ?? living[0];
  if (pod === undefined) return;
  h.tell(`kill -9 of the JobManager in ${pod.metadata.name}`);
  h.world.kubelet.kill(pod);
}

/** Counter of the running job. */
export function counter(h: History): number {
  return jobOf(h)?.counter() ?? 0;
}

export function snapshots(h: History): readonly string[] {
  return h.world.storage.all().map((snapshot) => snapshot.path);
}

export function refersTo(name: string = NAME): ReturnType<typeof jobRef> {
  return jobRef(name);
}

/** The job runs with this parallelism of its largest vertex, on as many TaskManagers. */
export function hasScale(h: History, scale: number): boolean {
  return Math.max(0, ...(jobOf(h)?.vertices.current() ?? [])) === scale && podNames(h, 'taskmanager').length === scale;
}

/** The write of a newer checkpoint into the restore ConfigMap. */
export function isRecording(write: string): boolean {
  return /^(update|apply) ConfigMap\/[^/]+\/[^/]+-restore-/.test(write);
}

/**
 * Nothing more is written: the flow is over, whatever came of it. A snapshot that is no longer kept goes when the epoch has a checkpoint
 * of its own, however late that is: that takes four writes of status, and then it is looked at again.
 */
export async function reachSettled(h: History): Promise<void> {
  if (h.job() === undefined) return;
  await h.run(20_000);
  for (let windows = 0; windows < 4; windows++) {
    const before = h.ledger.counts.disposed ?? 0;
    const since = h.clock.now();
    // oxlint-disable-next-line no-await-in-loop -- one window after the other
    await h.run(70_000);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await h.until(() => h.job() === undefined || !disposes(h), 30_000, 'a snapshot is removed');
    const writes = writesSince(h, since).filter((write) => !isRecording(write));
    if (writes.length === 0) return;
    const removed = (h.ledger.counts.disposed ?? 0) - before;
    const explained =
      removed > 0 && writes.length <= 4 * removed && writes.every((write) => write.startsWith('status '));
    if (explained && windows < 3) continue;
    h.fail('settled', `writes although nothing changes: ${writes.slice(0, 8).join(', ')}`);
    return;
  }
}

/** A snapshot that is no longer kept is being removed. */
function disposes(h: History): boolean {
  return statusOf(h.job() as KubeObject).operation?.kind === 'dispose';
}

/** Faults over and spec stable: so long it may take (retries of a failed savepoint pause up to five minutes). */
export const BOUND_MS = 900_000;

/** The hook does not answer for so long; of several outages at once the last to end counts. */
export function outage({ clock, controls }: History, ms: number): void {
  controls.downUntil = Math.max(controls.downUntil, clock.now() + ms);
}

export function isUp({ clock, controls }: History): boolean {
  return clock.now() >= controls.downUntil && controls.hook(0) !== 'down';
}

/** Ready or Stalled (L1). */
export function converged(h: History): boolean {
  if (condition(h, 'Stalled') === 'True') return true;
  if (condition(h, 'Ready') !== 'True') return false;
  const state = stateOf(h);
  return state !== 'Running' || jobOf(h)?.state() === 'RUNNING';
}

/** Whatever was done to it, it comes to rest (L1), and then it can be deleted (L2). */
export async function endWell(h: History): Promise<void> {
  const leaves = (): boolean => h.job()?.metadata.deletionTimestamp !== undefined;
  await h.run(20_000);
  await h.until(() => h.job() === undefined || leaves() || (isUp(h) && converged(h)), BOUND_MS, 'Ready or Stalled');
  if (h.job() !== undefined && !leaves()) h.remove();
  await h.until(() => h.job() === undefined && leftovers(h).length === 0, BOUND_MS, 'deleted without a trace');
}
