import { names } from '../../../src/core/build/names.ts';
import type { FlinkEvent, ProcessInfo } from '../../../src/sim/models/flink/events.ts';
import { processName } from '../../../src/sim/models/flink/events.ts';
import type { Snapshot, Storage } from '../../../src/sim/models/flink/storage.ts';
import { at, text, tree, type KubeObject } from '../../../src/sim/models/objects.ts';
import type { Report } from './checker.ts';
import { createRollbacks } from './rollbacks.ts';

/** What truly happened in the modelled cluster, whatever Flork believes: the judge of S1, S2 and S4. */
export type Ledger = {
  readonly heard: (event: FlinkEvent) => void;
  /** An object as stored: the paths it names are known from now on. */
  readonly stored: (object: KubeObject) => void;
  /** The living JobManager process of a FlinkJob. */
  readonly alive: (owner: string) => ProcessInfo | undefined;
  /** A living process of a cluster with high availability. */
  readonly aliveIn: (cluster: string) => ProcessInfo | undefined;
  /** The metadata of that cluster is being removed: nothing of it may ever start again. */
  readonly retire: (cluster: string) => void;
  readonly ran: (owner: string) => boolean;
  /** TaskManagers that the job needs as it runs now; 0 when it does not. */
  readonly needs: (owner: string) => number;
  /** Its job is in Flink's state RUNNING: neither ended nor on its way up. */
  readonly running: (owner: string) => boolean;
  readonly progressed: (process: ProcessInfo) => boolean;
  readonly snapshot: (path: string) => Snapshot | undefined;
  /** Somebody took the status away, and with it the intents of what is under way. */
  readonly forgot: (owner: string) => void;
  /** The user gave leave to start from elsewhere or from nothing. */
  readonly permit: (owner: string) => void;
  /** A process on a lost node no longer counts as living. */
  readonly lost: (podUid: string) => void;
  readonly rewinds: readonly Rewind[];
  readonly counts: Readonly<Record<FlinkEvent['kind'], number>>;
  readonly savepoints: (owner: string) => number;
};
export type Rewind = { readonly at: number; readonly owner: string; readonly from: number; readonly to: number };

/** An operation that a process was asked for: a stop, or a savepoint or checkpoint of a job that goes on. */
type Asked = {
  readonly kind: 'stop' | 'savepoint' | 'checkpoint';
  readonly triggerId: string;
  readonly at: number;
  state: 'open' | 'failed' | 'done';
};
type Known = { readonly path: string; readonly at: number };
type Lineage = {
  known: Map<string, Known>;
  newest: number;
  permitted: boolean;
  ran: boolean;
  savepoints: number;
  /** Which process ran under a job id. */
  readonly jobIds: Map<string, string>;
  /** Since when the restore ConfigMap has told of a process. */
  readonly seen: Map<string, number>;
  /** The epoch of which status says that it finished. */
  finished: number;
  /** The epoch of the last process that restored. */
  epoch: number;
  /** When somebody last took the intents away. */
  forgottenAt: number;
  /** Where the last process began: what was further then is void. */
  began: { readonly at: number; readonly counter: number };
};

const OVER = new Set(['FINISHED', 'CANCELED', 'FAILED', 'SUSPENDED']);

/** Whether two processes are of one cluster with high availability. */
function together(one: ProcessInfo, other: ProcessInfo): boolean {
  return one.cluster !== '' && one.cluster === other.cluster;
}

/** A path that was stored a moment ago may not have reached the container that starts now. */
const GRACE_MS = 5_000;

export type LedgerOptions = {
  readonly storage: Storage;
  readonly now: () => number;
  readonly report: Report;
  /** Whether the spec as it is gives leave to start from elsewhere or from nothing. */
  readonly leave: (owner: string) => boolean;
  /** Whether anything that is stored names this path as what a start begins from. */
  readonly needed: (owner: string, path: string) => boolean;
};

export function createLedger({ storage, now, report, leave, needed }: LedgerOptions): Ledger {
  const alive = new Map<string, ProcessInfo>();
  /** Processes in which a job runs, that is: which may write checkpoints. */
  const writing = new Map<string, ProcessInfo>();
  const operations = new Map<string, Asked[]>();
  const progressed = new Set<string>();
  const startedAt = new Map<string, number>();
  const lineages = new Map<string, Lineage>();
  const jobStates = new Map<string, string>();
  const rewinds: Rewind[] = [];
  const needs = new Map<string, number>();
  const retired = new Set<string>();
  const counts: Record<string, number> = {};
  /** The operation that each directory of a savepoint belongs to. */
  const directories = new Map<string, string>();
  const rollbacks = createRollbacks(report);

  const lineage = (owner: string): Lineage => {
    const known = lineages.get(owner);
    if (known !== undefined) return known;
    const fresh = {
      known: new Map<string, Known>(),
      newest: 0,
      permitted: false,
      ran: false,
      savepoints: 0,
      jobIds: new Map<string, string>(),
      seen: new Map<string, number>(),
      finished: 0,
      epoch: 0,
      forgottenAt: Number.NEGATIVE_INFINITY,
      began: { at: 0, counter: 0 },
    };
    lineages.set(owner, fresh);
    return fresh;
  };

  const started = (process: ProcessInfo): void => {
    const line = lineage(process.owner);
    const former = process.cluster === '' ? line.jobIds.get(process.jobId) : undefined;
    const seenAt = former === undefined ? undefined : line.seen.get(former);
    // Two starts between two answers share an id; from an answer that has seen the first on, they do not.
    if (former !== undefined && former !== processName(process) && seenAt !== undefined && seenAt < now() - GRACE_MS)
      report('S2', `${process.podName} starts under the job id of ${former}, which was seen`);
    startedAt.set(processName(process), now());
    line.jobIds.set(process.jobId, processName(process));
    if (retired.has(process.cluster)) report('S3', `${process.podName} starts, and its metadata was removed`);
    const other = [...alive.values()].find((one) => one.owner === process.owner && !together(one, process));
    if (other !== undefined) report('S2', `${process.podName} starts while ${other.podName} lives`);
    alive.set(processName(process), process);
  };
  /** Of several JobManagers that elect a leader, but one may have the job. */
  const writes = (process: ProcessInfo): void => {
    if (lineage(process.owner).finished === process.epoch)
      report('S4', `${process.podName} runs epoch ${process.epoch} again, which had finished`);
    const other = [...writing.values()].find(
      (one) => one.owner === process.owner && processName(one) !== processName(process),
    );
    if (other !== undefined) report('S2', `${process.podName} runs the job while ${other.podName} does`);
    writing.set(processName(process), process);
  };
  /** S1: a stop ends all asking; beside one, and beside another of its kind that is under way, nothing is asked for. */
  const asked = (process: ProcessInfo, kind: Asked['kind'], triggerId: string): void => {
    const of = operations.get(processName(process)) ?? [];
    // Beside what somebody took the intent of, a checkpoint, which ends nothing, is another intent. A sync under way may still ask for what it saw.
    const forgottenTo = lineage(process.owner).forgottenAt + GRACE_MS;
    const open = of.find(
      (one) =>
        one.triggerId !== triggerId &&
        (one.kind === 'stop' ? one.state !== 'failed' : one.state === 'open') &&
        !(kind === 'checkpoint' && one.at < forgottenTo),
    );
    if (open !== undefined && (open.kind === 'stop' || open.kind === kind))
      report('S1', `${kind} ${triggerId} while ${open.kind} ${open.triggerId} is ${open.state}`);
    if (of.some((one) => one.triggerId === triggerId)) report('S1', `${kind} ${triggerId} started twice`);
    operations.set(processName(process), [...of, { kind, triggerId, at: now(), state: 'open' }]);
  };
  const settle = (process: ProcessInfo, triggerId: string, state: Asked['state']): void => {
    const operation = operations.get(processName(process))?.find((one) => one.triggerId === triggerId);
    if (operation !== undefined) operation.state = state;
  };
  /** S5: the number of an operation is never used again, so that a directory holds the savepoint of one alone. */
  const ownsDirectory = (triggerId: string, path: string): void => {
    const directory = path.replace(/\/[^/]*$/, '');
    const owner = directories.get(directory) ?? triggerId;
    if (owner !== triggerId) report('S5', `${triggerId} and ${owner} both wrote a savepoint to ${directory}`);
    directories.set(directory, owner);
  };
  /** S4: not older than the newest that is known, and not empty when one is, but for a rollback. */
  const restored = (process: ProcessInfo, path: string | undefined, counter: number): void => {
    const line = lineage(process.owner);
    const back = process.epoch > line.epoch && rollbacks.allows(process, path);
    if (!line.permitted && !back) {
      // A new epoch is made of what was known before it; a process that is restarted may have read an older ConfigMap.
      const since = process.epoch > line.epoch ? (startedAt.get(processName(process)) ?? now()) : now() - GRACE_MS;
      const usable = [...line.known.values()].filter((known) => known.at < since);
      let newest: Snapshot | undefined;
      for (const known of usable) {
        const snapshot = storage.read(known.path);
        if (snapshot === undefined || (snapshot.at < line.began.at && snapshot.counter > line.began.counter)) continue;
        // With high availability Flink itself resumes the same job, from its own checkpoints: savepoints are not among them.
        if (process.cluster !== '' && snapshot.kind === 'savepoint' && snapshot.jobId === process.jobId) continue;
        if (snapshot.counter > (newest?.counter ?? -1)) newest = snapshot;
      }
      if (newest !== undefined && newest.counter > counter) {
        report(
          'S4',
          `${process.podName} starts from ${path ?? 'nothing'} (${counter}), but ${newest.path} (${newest.counter}) is known`,
        );
      }
    }
    if (counter < line.newest) rewinds.push({ at: now(), owner: process.owner, from: line.newest, to: counter });
    if (line.permitted) {
      line.known = new Map();
      line.permitted = leave(process.owner);
    }
    line.newest = counter;
    line.epoch = process.epoch;
    line.began = { at: now(), counter };
  };
  const heard = (event: FlinkEvent): void => {
    counts[event.kind] = (counts[event.kind] ?? 0) + 1;
    const { process } = event;
    switch (event.kind) {
      case 'process-started':
        started(process);
        break;
      case 'process-ended':
        alive.delete(processName(process));
        writing.delete(processName(process));
        break;
      case 'restored':
        writes(process);
        restored(process, event.path, event.counter);
        break;
      case 'stop-asked':
        if (event.fresh) asked(process, 'stop', event.triggerId);
        break;
      case 'savepoint-asked':
        if (event.fresh) asked(process, 'savepoint', event.triggerId);
        break;
      case 'checkpoint-asked':
        if (event.fresh) asked(process, 'checkpoint', event.triggerId);
        break;
      case 'checkpoint-taken':
        settle(process, event.triggerId, event.done ? 'done' : 'failed');
        break;
      case 'disposed':
        if (needed(process.owner, event.path)) report('S4', `${event.path} is disposed of, and a start may need it`);
        break;
      case 'savepoint-failed':
        settle(process, event.triggerId, 'failed');
        break;
      case 'savepoint':
        settle(process, event.triggerId, 'done');
        ownsDirectory(event.triggerId, event.path);
        lineage(process.owner).savepoints++;
        lineage(process.owner).newest = event.counter;
        break;
      case 'checkpoint':
        lineage(process.owner).newest = event.counter;
        progressed.add(processName(process));
        break;
      case 'job-state':
        if (event.state === 'RUNNING') lineage(process.owner).ran = true;
        else needs.delete(process.owner);
        jobStates.set(processName(process), event.state);
        if (OVER.has(event.state)) writing.delete(processName(process));
        break;
      case 'executed':
        needs.set(process.owner, Math.ceil(event.parallelism / event.slotsOfEach));
        break;
      case 'rescaled':
      case 'bounds-told':
      case 'failed-over':
      case 'cancel-asked':
      case 'leadership':
      case 'checkpoint-failed':
        break;
      default:
        event satisfies never;
    }
  };
  const stored = (object: KubeObject): void => {
    rollbacks.stored(object);
    const owner = ownerOf(object);
    if (owner === undefined) return;
    const content = object.kind === 'FlinkJob' ? object['status'] : object['data'];
    const line = lineage(owner);
    const { known, seen } = line;
    const epoch = at(object['status'], 'epoch');
    if (at(epoch, 'ended', 'how') === 'finished') line.finished = Number(at(epoch, 'number'));
    const last = text(at(object['data'], 'last-process'));
    if (last !== '' && !seen.has(last)) seen.set(last, now());
    for (const [path] of JSON.stringify(content ?? {}).matchAll(/file:[^"\\\s,;)]+/g)) {
      const bare = path.replace(/[.:]$/, '');
      if (!known.has(bare) && storage.read(bare) !== undefined) known.set(bare, { path: bare, at: now() });
    }
  };
  return {
    heard,
    stored,
    alive: (owner) => [...writing.values(), ...alive.values()].find((process) => process.owner === owner),
    aliveIn: (cluster) => [...alive.values()].find((process) => process.cluster === cluster),
    retire: (cluster) => retired.add(cluster),
    ran: (owner) => lineage(owner).ran,
    needs: (owner) => needs.get(owner) ?? 0,
    running: (owner) =>
      [...alive.values()].some(
        (process) => process.owner === owner && jobStates.get(processName(process)) === 'RUNNING',
      ),
    progressed: (process) => progressed.has(processName(process)),
    snapshot: (path) => storage.read(path),
    forgot: (owner) => {
      lineage(owner).forgottenAt = now();
    },
    permit: (owner) => {
      lineage(owner).permitted = true;
    },
    lost: (podUid) => {
      for (const [name, process] of alive)
        if (process.podUid === podUid) {
          alive.delete(name);
          writing.delete(name);
        }
    },
    rewinds,
    counts: counts as Ledger['counts'],
    savepoints: (owner) => lineage(owner).savepoints,
  };
}

/** The FlinkJob whose status or restore ConfigMap this is. */
function ownerOf(object: KubeObject): string | undefined {
  if (object.kind === 'FlinkJob') return object.metadata.uid;
  if (object.kind !== 'ConfigMap' || !object.metadata.name.includes('-restore-')) return undefined;
  return text(at(tree(object.metadata.ownerReferences?.[0]), 'uid'));
}

/** The Deployment names of a FlinkJob. */
export function workloads(name: string): readonly string[] {
  const { jobManager, taskManager } = names({ name });
  return [jobManager, taskManager];
}
