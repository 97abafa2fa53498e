import type { Ended, Epoch, FlorkPhase, JobStatus, State, Status, Transition } from '../api/status.ts';
import type { Answer, Say } from './answer.ts';
import { epochNames, names } from './build/names.ts';
import { encodeRecord } from './build/record.ts';
import { conditionsOf } from './conditions.ts';
import { countedRestarts } from './health.ts';
import { trustedRecord } from './facts/epoch.ts';
import type { Facts } from './facts/facts.ts';
import { findingsText, refusalReason } from './lifecycle/gates.ts';
import { keptRedeploy } from './lifecycle/redeploy.ts';
import { rolledBackSay } from './lifecycle/rolled-back.ts';
import { stalled } from './lifecycle/say.ts';
import { isShadow } from './lifecycle/stop-unread.ts';
import { leftoversOf, mayClean, metadataOf, withLeftovers } from './metadata.ts';
import { missingOf } from './missing.ts';
import { missingOptional } from './optional-children.ts';
import { planOf } from './plan.ts';
import { closedRecord, openRecord, type RestoreContent } from './record.ts';
import { coveredBySavepoint, firstSeen } from './requests.ts';
import { rewound } from './rewound.ts';
import { lastSavepointOf, leftSnapshots, withSnapshots } from './snapshot-status.ts';
import { rfc3339 } from './time.ts';
import type { ObservedJob } from './types.ts';

/** Phase of the original Flork for each state (api.md, status). */
const PHASES: Readonly<Record<State, FlorkPhase>> = {
  Created: 'CREATED',
  Deploying: 'DEPLOYING',
  Upgrading: 'DEPLOYING',
  RollingBack: 'DEPLOYING',
  Running: 'DEPLOYED',
  Stopping: 'DEPLOYED',
  Rescaling: 'DEPLOYED',
  Deleting: 'DEPLOYED',
  Suspended: 'CREATED',
  Finished: 'COMPLETED',
  RolledBack: 'DEPLOYED',
  Stalled: 'FAILED',
  Failed: 'FAILED',
};

/** The whole status of an answer. Times move only with a transition, so that the same facts give the same bytes (S6). */
export function statusOf(
  facts: Facts,
  answer: Answer,
  epoch: Epoch | undefined,
  missing: readonly string[],
  restore: RestoreContent | undefined,
): Status {
  const { prior, input } = facts;
  const say = overlaid(facts, answer.say);
  const failed = failedEpochOf(facts, answer);
  const phase = say.state === 'Stalled' && facts.flink.allTasksRun ? 'DEPLOYED' : PHASES[say.state];
  const operation = answer.operation === null ? undefined : (answer.operation ?? standing(facts) ?? strange(input.job));
  const retry = answer.retry === null ? undefined : (answer.retry ?? prior?.retry);
  const handled = firstSeen(facts, handledOf(facts, answer));
  const lastSavepoint = lastSavepointOf(facts, answer);
  const redeploy = answer.redeploy ?? keptRedeploy(facts);
  const health = countedRestarts(facts);
  const gone = answer.missing ?? missingOf(facts);
  const stable = stableEpochOf(facts, epoch);
  const job = jobOf(facts, epoch);
  const plan = planOf(facts, answer);
  const scaledAt = scaledAtOf(facts, answer);
  const replicas = facts.taskManager?.status.replicas;
  const status: Status = {
    observedGeneration: input.job.generation,
    state: say.state,
    message: say.message.slice(0, 1024),
    conditions: conditionsOf(facts, answer, say, missing),
    florkPhase: phase,
    generationDuringLastTransition:
      prior?.florkPhase === phase && prior.generationDuringLastTransition !== undefined
        ? prior.generationDuringLastTransition
        : input.job.generation,
    ...(lastSavepoint ? { knownSavepointPath: lastSavepoint.path } : {}),
    ...(epoch ? { epoch } : {}),
    ...(stable ? { stableEpoch: stable } : {}),
    ...(operation ? { operation } : {}),
    ...(retry ? { retry } : {}),
    ...(failed ? { failedEpoch: failed } : {}),
    ...(gone ? { missing: gone } : {}),
    ...(redeploy ? { redeploy } : {}),
    ...(health ? { health } : {}),
    ...(Object.keys(handled).length > 0 ? { handled } : {}),
    ...(scaledAt ? { scaledAt } : {}),
    ...(job ? { job } : {}),
    ...historyOf(facts, answer, say, epoch),
    ...(plan.length > 0 ? { plan } : {}),
    ...(facts.taskManager
      ? {
          taskManagerReplicas: replicas ?? 0,
          taskManagerSelector: `flork.itom.com/job=${input.job.ref.name},flork.itom.com/component=taskmanager`,
        }
      : {}),
  };
  return withSnapshots(facts, answer, withMetadata(facts, answer, status), lastSavepoint, restore);
}

/** The intent of status, unless it has led to an epoch that this view of status does not know: then it is over. */
function standing({ prior, adopted, epoch }: Facts): Status['operation'] {
  const led = prior?.operation?.kind === 'stop' || prior?.operation?.kind === 'cancel';
  const over = led && adopted && (prior?.epoch?.number ?? 0) < (epoch?.number ?? 0);
  return over ? undefined : prior?.operation;
}

/** An intent of another version goes back as it came: that version reads it again. */
function strange(job: ObservedJob): Status['operation'] {
  return job.strange as Status['operation'];
}

/** What high availability has left, and of it what nobody but a person removes. */
function withMetadata(facts: Facts, answer: Answer, status: Status): Status {
  const entries = metadataOf(facts, answer);
  const others = leftSnapshots(facts, answer);
  const listed = {
    ...status,
    ...(entries.length > 0 ? { highAvailability: [...entries] } : {}),
    ...(others.length > 0 ? { leftovers: [...others] } : {}),
  };
  return withLeftovers(listed, leftoversOf(facts.input.job.ref, entries, mayClean(facts)));
}

/** What has been acted on. Whoever tells that a stop is done tells that its savepoint is what any request until then would have got. */
function handledOf(facts: Facts, answer: Answer): Status['handled'] {
  if (answer.handled) return answer.handled;
  return answer.ended?.how === 'stopped' ? coveredBySavepoint(facts) : facts.handled;
}

/** A wrong spec changes nothing that runs; it is what a person has to be told first. */
function overlaid(facts: Facts, say: Say): Say {
  if (facts.input.job.spec.kind === 'valid' || facts.input.finalizing || say.reason === refusalReason(facts))
    return rolledBackSay(facts, say);
  return stalled(
    'Stalled',
    refusalReason(facts),
    `${findingsText(facts)}. What runs is left as it was: ${say.message}`,
  );
}

/** The entry of the epoch: what was learned, what the answer declares, and the hash of the record as it is about to become. */
export function epochOf(facts: Facts, answer: Answer, progressed: Epoch | undefined): Epoch | undefined {
  if (answer.epoch && answer.epoch.number !== facts.epoch?.number) return answer.epoch;
  if (!progressed || !facts.epoch) return answer.epoch;
  const base = answer.epoch
    ? { ...progressed, ...withoutClock(answer.epoch), ...progressOnly(progressed) }
    : progressed;
  const ended = answer.ended === null ? undefined : (answer.ended ?? base.ended);
  const { ended: _, nextRecordHash: __, ...open } = base;
  const record = answer.declared?.number === open.number ? answer.declared : facts.record;
  if (!ended) return record ? { ...open, recordHash: encodeRecord(openRecord(record)).hash } : open;
  return { ...open, ended, ...hashes(facts, open.recordHash, ended) };
}

/** Whether the clock runs is learned anew in each sync. */
function withoutClock({ clock: _, ...epoch }: Epoch): Epoch {
  return epoch;
}

/** What this sync learned stands beside what the answer says of the same epoch. */
function progressOnly(progressed: Epoch): Partial<Epoch> {
  const { incarnation, jobId, process, ran, idle, runningAt, stableAt, clock } = progressed;
  return {
    incarnation,
    jobId,
    ...(process ? { process } : {}),
    ...(ran ? { ran } : {}),
    ...(idle ? { idle } : {}),
    ...(runningAt ? { runningAt } : {}),
    ...(stableAt ? { stableAt } : {}),
    ...(clock ? { clock } : {}),
  };
}

/** The record is about to hold the end: its new hash is announced first, and the old one dropped when the new content is observed. */
function hashes(facts: Facts, recordHash: string, ended: Ended): Partial<Epoch> {
  if (!facts.record) return { recordHash };
  const open = openRecord(facts.record);
  const next = encodeRecord(closedRecord(open, ended)).hash;
  if (next === recordHash) return { recordHash };
  const written = facts.record.ended !== undefined && encodeRecord(facts.record).hash === next;
  return written ? { recordHash: next } : { recordHash: encodeRecord(open).hash, nextRecordHash: next };
}

/** What the epoch of this status was rolled back from. A record that is not shown says nothing of that. */
function failedEpochOf(facts: Facts, answer: Answer): Status['failedEpoch'] {
  const record = answer.declared ?? facts.record;
  if (!record) return facts.prior?.failedEpoch;
  const { failed } = record;
  if (!failed) return undefined;
  const { spec: _, to: __, ...told } = failed;
  return told;
}

/**
 * The last stable epoch before one that is not stable: what status knew last when the newer one took its place, declared or found. Its
 * hash is that of the record without its end, which a late view may have written again.
 */
function stableEpochOf({ prior, input }: Facts, epoch: Epoch | undefined): Status['stableEpoch'] {
  if (epoch?.stableAt !== undefined) return undefined;
  const old = prior?.epoch;
  if (old?.stableAt === undefined || epoch === undefined || epoch.number <= old.number) return prior?.stableEpoch;
  const { number, recordHash, nextRecordHash, ended } = old;
  const read = trustedRecord(input.job.ref, input.observed, number, [recordHash, nextRecordHash], ended);
  return {
    number,
    recordHash: read ? encodeRecord(openRecord(read.record)).hash : (nextRecordHash ?? recordHash),
    ...(ended?.path ? { path: ended.path } : {}),
  };
}

/** When a change of scale made the last new epoch: the cooldown counts from there. */
function scaledAtOf(facts: Facts, answer: Answer): string | undefined {
  const next = answer.epoch !== undefined && facts.epoch !== undefined && answer.epoch.number > facts.epoch.number;
  return next && facts.operation?.purpose === 'scale' ? facts.at : facts.prior?.scaledAt;
}

function jobOf(facts: Facts, epoch: Epoch | undefined): JobStatus | undefined {
  const { flink, view, prior } = facts;
  const before = prior?.epoch?.number === epoch?.number ? prior?.job : undefined;
  const { job } = flink;
  if (!job) return before;
  const detail = view.kind === 'answered' && view.detail.kind === 'value' ? view.detail.value : undefined;
  const version =
    view.kind === 'answered' && view.flinkVersion.kind === 'value' ? view.flinkVersion.value : before?.flinkVersion;
  const parallelism = detail?.parallelism ?? before?.parallelism;
  const newest =
    view.kind === 'answered' && view.exceptions.kind === 'value' ? view.exceptions.value.newest?.text : undefined;
  const failure = ['RUNNING', 'FINISHED'].includes(job.state) ? undefined : (newest ?? before?.failure);
  // A job of which Flink knows nothing but how it ended (stop-unread.ts) is called "unknown".
  const known = isShadow(facts) ? before : undefined;
  const name = known?.name ?? job.name;
  const startedAt = known?.startedAt ?? (job.startTime === undefined ? undefined : rfc3339(job.startTime));
  return {
    ...(name ? { name } : {}),
    state: job.state,
    ...(parallelism === undefined ? {} : { parallelism }),
    restarts: Math.max(0, (epoch?.incarnation ?? 1) - 1),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(job.endTime === undefined ? {} : { endedAt: rfc3339(job.endTime) }),
    ...(version === undefined ? {} : { flinkVersion: version }),
    ...(failure === undefined ? {} : { failure }),
  };
}

function historyOf(
  facts: Facts,
  answer: Answer,
  say: Say,
  epoch: Epoch | undefined,
): { readonly history?: Transition[] } {
  const before = facts.prior?.history ?? [];
  const back = rewound(facts, epoch);
  const wentBack = back && { reason: 'Rewound' as const, ...back };
  const stable = becomesStable(facts, epoch) ? { reason: 'Running' as const } : undefined;
  const lines = [answer.transition ?? wentBack, stable].filter((line) => line !== undefined);
  let history: readonly Transition[] = before;
  for (const line of lines) history = withLine(history, lineOf(facts, line, say, history));
  return history.length > 0 ? { history: [...history] } : {};
}

/** From now on a newer epoch that fails may go back to this one. */
function becomesStable(facts: Facts, epoch: Epoch | undefined): boolean {
  const same = epoch !== undefined && epoch.number === facts.epoch?.number;
  return same && epoch.stableAt !== undefined && facts.epoch.stableAt === undefined;
}

function lineOf(
  facts: Facts,
  transition: NonNullable<Answer['transition']>,
  say: Say,
  before: readonly Transition[],
): Transition {
  return {
    at: facts.at,
    generation: facts.input.job.generation,
    from: before[0]?.to ?? facts.prior?.state ?? 'Created',
    to: say.state,
    reason: transition.reason,
    ...(transition.snapshot ? { snapshot: transition.snapshot } : {}),
  };
}

/** What was told last is not told again. */
function withLine(before: readonly Transition[], line: Transition): readonly Transition[] {
  const same = (other: Transition | undefined) =>
    other &&
    other.to === line.to &&
    other.reason === line.reason &&
    other.generation === line.generation &&
    other.snapshot === line.snapshot &&
    other.from === line.from;
  return same(before[0]) ? before : [line, ...before].slice(0, 10);
}

/** Names of the children that should be there by now and are not. */
export function missingChildren(facts: Facts): readonly string[] {
  const { epoch, deployed } = facts;
  const { observed, job } = facts.input;
  if (!epoch) return [];
  const own = names(job.ref);
  const of = epochNames(job.ref, epoch.number);
  const started = deployed === epoch.number;
  const absent = (kind: string, shown: ReadonlyMap<string, unknown>, wanted: readonly string[]) =>
    wanted.filter((name) => !shown.has(name)).map((name) => `${kind} ${name}`);
  return [
    ...absent('ConfigMap', observed.configMaps, started ? [of.configuration, of.restore, of.record] : [of.record]),
    ...absent('Service', observed.services, deployed > 0 ? [own.internalService, own.restService] : []),
    ...absent('Deployment', observed.deployments, [own.jobManager, own.taskManager]),
    ...missingOptional(facts),
  ];
}
