import type { ObservedDeployment } from '../../api/kube.ts';
import type { Epoch, Handled, Operation, Status } from '../../api/status.ts';
import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { renderEpoch } from '../build/epoch.ts';
import { jobIdOf, names } from '../build/names.ts';
import { encodeRecord } from '../build/record.ts';
import { changes, type Change } from '../change.ts';
import type { FlinkView } from '../flink-view.ts';
import { recordedNonces } from '../handled.ts';
import { judgedByPlatform } from '../platform/judge.ts';
import { closedRecord, type EpochRecord, type RestoreContent } from '../record.ts';
import { parseTime, rfc3339 } from '../time.ts';
import type { Input } from '../types.ts';
import { absenceOf, stuckPod, type Absence } from './absence.ts';
import { epochFacts, type EpochFacts } from './epoch.ts';
import { flinkFacts, type FlinkFacts } from './flink.ts';
import { podsOf, processAmong, processOf, type Process } from './process.ts';
import { scaleFacts, type ScaleFacts } from './scale.ts';

/** Everything the rules look at, classified once. */
export type Facts = EpochFacts & {
  readonly input: Input;
  readonly now: number;
  /** `now` as it is written into status. */
  readonly at: string;
  readonly prior: Partial<Status> | undefined;
  readonly jobManager: ObservedDeployment | undefined;
  readonly taskManager: ObservedDeployment | undefined;
  readonly absent: { readonly jobManager: Absence; readonly taskManager: Absence; readonly both: boolean };
  readonly stuckPod: string | undefined;
  /** JobManager pods of whatever epoch or former owner are shown. */
  readonly jobManagerPods: number | undefined;
  readonly process: Process;
  /** There are several JobManagers, of which one leads (high availability): `process` stands for them all. */
  readonly standbys: boolean;
  readonly flink: FlinkFacts;
  readonly view: FlinkView;
  /** The intent in progress, as observed in status, if it belongs to the current epoch. */
  readonly operation: Operation | undefined;
  /**
   * What is asked of a job that goes on: a savepoint, a checkpoint, a disposal. Nothing waits for it: whatever else is to be done is
   * done as if it were not there, and it has numbers of its own (epoch.asked), so that the number of a stop never depends on it.
   */
  readonly aside: Operation | undefined;
  /** The pause before another attempt at the operation in progress; that of what is asked aside is of no concern to it. */
  readonly retry: Status['retry'];
  /** The spec to strive for: the new one if valid, else the accepted one. */
  readonly wanted: FlinkJobSpec | undefined;
  /** What differs between the accepted and the wanted spec and asks for another epoch. */
  readonly upgrades: readonly Change[];
  /** What is wanted of the scale of the running epoch; `undefined` without one. */
  readonly scale: ScaleFacts | undefined;
  readonly suspendWanted: boolean;
  /** Nonces and slots that have been acted on. */
  readonly handled: Handled;
  /** A new value of spec.restore.nonce that has not been acted on. */
  readonly restoreNonce: number | undefined;
  /** A new value of spec.restartNonce that has not been acted on. */
  readonly restartNonce: number | undefined;
  /** Something other than what runs is asked for: another spec, a suspension, a restore, a restart. */
  readonly changeWanted: boolean;
  /** Status has decided that the epoch is deployed anew because it is unwell (policies.health); it stands for as long as it may matter. */
  readonly healthWanted: boolean;
  /** The spec is still the one that was rolled back: what took its place stays. A change of scale alone is no other spec. */
  readonly heldBack: boolean;
};

function isHeldBack(record: EpochRecord | undefined, wanted: FlinkJobSpec | undefined): boolean {
  const failed = record?.failed;
  if (failed === undefined || wanted === undefined || wanted === record?.spec) return failed !== undefined;
  return !changes(failed.spec, wanted).some(({ effect }) => effect === 'upgrade');
}

/** Whether the running epoch is to be left: for something else, or to be deployed anew. */
export function leavingWanted(facts: Facts): boolean {
  return facts.changeWanted || facts.healthWanted;
}

/** A decision that could not be carried out for so long is made anew. */
const DECISION_MS = 15 * 60_000;

function isHealthWanted(prior: Partial<Status> | undefined, { epoch, adopted }: EpochFacts, input: Input): boolean {
  const decided = prior?.redeploy;
  if (adopted || decided?.why === undefined || decided.epoch !== epoch?.number || input.job.spec.kind !== 'valid')
    return false;
  if (input.job.spec.spec.policies?.health === undefined) return false;
  const age = input.now - (parseTime(decided.notBefore) ?? 0);
  const standing = epoch.ended !== undefined || prior?.operation?.purpose === 'health';
  return standing || (age >= 0 && age <= DECISION_MS);
}

/** Job ids that processes of an epoch may carry, most likely first; with Kubernetes HA there is but one. */
export function candidateJobIds(
  uid: string,
  epoch: Epoch | undefined,
  record: EpochRecord | undefined,
  restore: RestoreContent | undefined,
): readonly string[] {
  if (!epoch) return [];
  if (record?.highAvailability) return [jobIdOf(uid, epoch.number, 'ha')];
  const newest = Math.max(epoch.incarnation, restore?.incarnation ?? 1, 1) + 1;
  const oldest = Math.max(1, newest - 4);
  const numbers = Array.from({ length: newest - oldest + 1 }, (_, index) => newest - index);
  return numbers.map((incarnation) => jobIdOf(uid, epoch.number, incarnation));
}

const ASIDE = new Set<string>(['savepoint', 'checkpoint', 'dispose']);

/** Whether an operation is one that nothing waits for. */
function isAside(operation: { readonly kind?: string | undefined } | undefined): boolean {
  return operation?.kind !== undefined && ASIDE.has(operation.kind);
}

/** Classifies an input. Pure and total. */
export function factsOf(given: Input): Facts {
  const input = judgedByPlatform(given);
  const { job, observed, now } = input;
  const children = names(job.ref);
  const jobManager = observed.deployments.get(children.jobManager);
  const taskManager = observed.deployments.get(children.taskManager);
  const prior = job.status;
  const current = rebuilt(input, epochFacts(job.ref, prior, observed, jobManager, now));
  const { epoch, record, restore } = current;
  const wanted = job.spec.kind === 'valid' ? job.spec.spec : record?.spec;
  const absent = {
    jobManager: absenceOf(jobManager, observed.pods, 'jobmanager'),
    taskManager: absenceOf(taskManager, observed.pods, 'taskmanager'),
  };
  const handled = handledOf(current, input);
  const heldBack = isHeldBack(record, wanted);
  const changed =
    record && wanted && !heldBack ? changes(record.spec, wanted).filter((change) => change.effect !== 'ignore') : [];
  const suspendWanted = wanted?.state === 'suspended';
  const asked = epoch && job.spec.kind === 'valid' ? job.spec.spec : undefined;
  const restoreNonce = asked?.restore?.from === undefined ? undefined : news(asked.restore.nonce, handled.restoreNonce);
  const restartNonce = current.adopted ? undefined : news(asked?.restartNonce, handled.restartNonce);
  const nonced = restoreNonce !== undefined || restartNonce !== undefined;
  const operation = current.adopted || isAside(prior?.operation) ? undefined : prior?.operation;
  const flink = flinkFacts(input.flink, candidateJobIds(job.ref.uid, epoch, record, restore));
  const scale = scaleFacts({
    record,
    wanted: heldBack ? record?.spec : wanted,
    changes: changed,
    epoch,
    deployed: current.deployed,
    otherwise: suspendWanted || nonced || job.spec.kind === 'invalid',
    operation,
    prior,
    taskManager,
    view: input.flink,
    flink,
    now,
  });
  // A change of scale alone asks for another epoch only where the running one cannot take it.
  const upgrades = changed.some(({ effect }) => effect === 'upgrade') || scale?.way === 'upgrade' ? changed : [];
  const standbys = (record?.replicas.jobManager ?? 1) > 1;
  return {
    ...current,
    input,
    now,
    at: rfc3339(now),
    prior,
    jobManager,
    taskManager,
    absent: { ...absent, both: absent.jobManager === 'proven' && absent.taskManager === 'proven' },
    stuckPod: stuckPod(observed.pods, rfc3339, now)?.metadata.name,
    jobManagerPods: observed.pods && podsOf(observed.pods, 'jobmanager').length,
    process: processFacts(input, epoch, standbys),
    standbys,
    flink,
    view: input.flink,
    operation,
    aside: !current.adopted && isAside(prior?.operation) ? prior?.operation : undefined,
    retry: prior?.retry && isAside(prior.retry) ? undefined : prior?.retry,
    wanted,
    upgrades,
    scale,
    suspendWanted,
    handled,
    restoreNonce,
    restartNonce,
    changeWanted: suspendWanted || upgrades.length > 0 || nonced,
    healthWanted: isHealthWanted(prior, current, input),
    heldBack,
  };
}

/**
 * What was acted on, as status is to hold it. The record of an epoch that status does not know yet is newer than status. Where there
 * is no status at all, a restart may have been asked for before or after it was lost: it is recorded, and does not act.
 */
function handledOf({ adopted, epoch, record }: EpochFacts, { job }: Input): Handled {
  const before = job.status?.handled;
  if (!adopted) return { ...record?.handled, ...before };
  const asked = epoch && !job.status?.epoch && job.spec.kind === 'valid' ? job.spec.spec.restartNonce : undefined;
  return { ...before, ...record?.handled, ...(asked === undefined ? {} : { restartNonce: asked }) };
}

function news(asked: number | undefined, handled: number | undefined): number | undefined {
  return asked === handled ? undefined : asked;
}

function processFacts({ job, observed }: Input, epoch: Epoch | undefined, standbys: boolean): Process {
  if (!epoch) return { kind: 'none', pod: undefined };
  const { uid } = job.ref;
  return standbys
    ? processAmong(observed.pods, uid, epoch.number, epoch.process)
    : processOf(observed.pods, uid, epoch.number);
}

/** A record that was deleted or edited by hand is made again from the spec, if that gives the very hash that status vouches for. */
function rebuilt(input: Input, facts: EpochFacts): EpochFacts {
  const { epoch } = facts;
  const { job } = input;
  if (facts.record || !epoch || facts.adopted || job.spec.kind !== 'valid') return facts;
  const { spec } = job.spec;
  const { restoreNonce, restartNonce } = recordedNonces(job.status?.handled);
  const nonces = restoreNonce === undefined ? {} : { restoreNonce };
  // A nonce that was recorded and did not act stands in status alone.
  const variants = restartNonce === undefined ? [nonces] : [{ ...nonces, restartNonce }, nonces];
  for (const handled of variants) {
    const record = renderEpoch({
      ref: job.ref,
      number: epoch.number,
      generation: epoch.generation,
      spec,
      ...(epoch.restoredFrom === undefined ? {} : { restoredFrom: epoch.restoredFrom }),
      handled,
      platform: input.platform,
    });
    const closed = epoch.ended ? closedRecord(record, epoch.ended) : record;
    if (encodeRecord(record).hash === epoch.recordHash) return { ...facts, record };
    if (encodeRecord(closed).hash === epoch.recordHash) return { ...facts, record: closed };
  }
  return facts;
}
