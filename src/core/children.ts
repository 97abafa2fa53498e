import type { Child } from '../api/kube.ts';
import type { Status } from '../api/status.ts';
import type { Answer } from './answer.ts';
import { epochChildren, type Replicas } from './build/children.ts';
import { epochNames, names } from './build/names.ts';
import { encodeRecord, readRecord, recordConfigMap } from './build/record.ts';
import { restoreConfigMap } from './build/restore.ts';
import { epochOfDeployment } from './facts/epoch.ts';
import type { Facts } from './facts/facts.ts';
import { withOptional } from './optional-children.ts';
import { firstRestore } from './restore-plan.ts';
import { closedRecord, openRecord, type EpochRecord, type RestoreContent } from './record.ts';
import { standingTaskManagers, wantedTaskManagers } from './task-managers.ts';

/**
 * JobManager replicas are raised only where its workload is at 0 or missing and both components are proven gone, or at the very first
 * start; else the answer is the smaller of wanted and observed: a stale answer must not revive a stopped JobManager, and a scale-up
 * by hand must not add a second one (lifecycle.md, Proof of absence). A workload deleted by hand comes back at 0.
 */
export function replicasFor(facts: Facts, answer: Answer, record: EpochRecord): Replicas {
  const { jobManager, taskManager, absent } = facts;
  const seen = { jobManager: jobManager?.replicas ?? 0, taskManager: taskManager?.replicas ?? 0 };
  const { scaledBy } = standingTaskManagers(facts, record);
  switch (answer.workloads) {
    case 'gone':
    case 'stop':
      return { jobManager: 0, taskManager: 0 };
    case 'keep':
      return {
        jobManager: Math.min(seen.jobManager, record.replicas.jobManager),
        taskManager: seen.taskManager,
        scaledBy,
      };
    case 'jobmanager-only':
      return { jobManager: Math.min(seen.jobManager, record.replicas.jobManager), taskManager: 0 };
    case 'run': {
      const neverStarted =
        (answer.epoch ?? facts.epoch)?.process === undefined &&
        record.number === 1 &&
        (facts.jobManagerPods ?? 0) === 0;
      if (jobManager === undefined) return neverStarted ? record.replicas : { jobManager: 0, taskManager: 0 };
      const wanted = wantedTaskManagers(facts, record);
      if (seen.jobManager > 0) {
        // Standbys that were scaled away come back: only where there is none may a second JobManager never be added.
        const kept = facts.standbys
          ? record.replicas.jobManager
          : Math.min(seen.jobManager, record.replicas.jobManager);
        return { jobManager: kept, ...wanted };
      }
      // TaskManagers of this epoch were started after the proof: they are no remnant of the one before it.
      const begun = facts.deployed === record.number || epochOfDeployment(taskManager) === record.number;
      // What was ended is never started again: the next epoch is.
      const over = facts.endedInStatus?.over === true && answer.ended !== null;
      const proven = !over && absent.jobManager === 'proven' && (absent.taskManager === 'proven' || begun);
      return proven
        ? { jobManager: record.replicas.jobManager, ...wanted }
        : { jobManager: 0, taskManager: begun ? seen.taskManager : 0, scaledBy };
    }
    default:
      return answer.workloads satisfies never;
  }
}

/** The record as it is to be stored: with its end once the changed hash has been observed in status (S7). */
function storedRecord(
  facts: Facts,
  answer: Answer,
): { readonly record: EpochRecord; readonly hash: string } | undefined {
  const { record, epoch, endedInStatus } = facts;
  if (!record || !epoch) return undefined;
  const open = openRecord(record);
  if (answer.ended === null || !endedInStatus) return { record: open, hash: encodeRecord(open).hash };
  const closed = closedRecord(open, endedInStatus);
  const { hash } = encodeRecord(closed);
  const announced = [facts.prior?.epoch?.nextRecordHash, facts.prior?.epoch?.recordHash].includes(hash);
  return announced ? { record: closed, hash } : { record: open, hash: encodeRecord(open).hash };
}

/**
 * The children of the answer, complete: what is not in it is deleted (metacontroller reference, 9.1). `restore` is what the next
 * process of the current epoch starts with. What belongs to this epoch or a later one, and is not known here yet, stays.
 */
export function childrenOf(
  facts: Facts,
  answer: Answer,
  restore: RestoreContent | undefined,
  stable: Status['stableEpoch'],
): readonly Child[] {
  if (answer.workloads === 'gone') return [];
  const wanted = wantedChildren(facts, answer, restore, stable);
  const known = new Set(wanted.map(keyOf));
  const lasting = lastingNames(facts, answer, stable);
  const { observed } = facts.input;
  const left = [...observed.configMaps.keys()].filter((name) => lasting.has(name) && !known.has(`ConfigMap/${name}`));
  const late = observed.echo.filter((child) => child.kind === 'ConfigMap' && left.includes(child.metadata.name));
  return withOptional(facts, answer, left.length === 0 ? wanted : [...wanted, ...late]);
}

const keyOf = (child: Child): string => `${child.kind}/${child.metadata.name}`;

function wantedChildren(
  facts: Facts,
  answer: Answer,
  restore: RestoreContent | undefined,
  stable: Status['stableEpoch'],
): readonly Child[] {
  const { ref } = facts.input.job;
  if (answer.rule === 'firstStart' && answer.declared) {
    const record = answer.declared;
    return [
      ...epochChildren(ref, record, encodeRecord(record).hash, replicasFor(facts, answer, record)),
      recordConfigMap(ref, record),
      restoreConfigMap(ref, record, firstRestore(ref.uid, record)),
    ];
  }
  const declared = answer.declared ? [recordConfigMap(ref, answer.declared)] : [];
  const stored = storedRecord(facts, answer);
  if (!stored || !restore) return replaced(stopped(facts, answer), declared);
  const current =
    answer.declared?.number === stored.record.number ? declared : [recordConfigMap(ref, stored.record), ...declared];
  // Until the epoch is started, its predecessor's children stay as they are, at 0.
  const started = facts.deployed === 0 || facts.deployed >= stored.record.number || answer.workloads === 'run';
  if (!started) return replaced(stopped(facts, answer), current);
  return [
    ...epochChildren(ref, stored.record, stored.hash, replicasFor(facts, answer, stored.record)),
    ...current,
    restoreConfigMap(ref, stored.record, restore),
    ...stableRecord(facts, stored.record.number, answer.declared?.number, stable),
  ];
}

/** The children as they are, Deployments at 0 if that is wanted. */
function stopped(facts: Facts, answer: Answer): readonly Child[] {
  const { echo } = facts.input.observed;
  if (answer.workloads !== 'stop') return echo;
  const at0 = echo.map((child) =>
    child.kind === 'Deployment' ? { ...child, spec: { ...(child['spec'] as object), replicas: 0 } } : child,
  );
  const lost = facts.taskManager === undefined ? lostTaskManagers(facts) : undefined;
  return lost === undefined ? at0 : [...at0, lost];
}

/** TaskManagers of the epoch that is being left, deleted by hand: back at 0, so that they can be proven gone (lifecycle.md, Proof of absence). */
function lostTaskManagers({ input, jobManager, deployed }: Facts): Child | undefined {
  const { ref } = input.job;
  const configMap = input.observed.configMaps.get(epochNames(ref, deployed).record);
  const read = configMap && readRecord(configMap);
  if (!read || read.record.uid !== ref.uid || read.record.number !== deployed) return undefined;
  const open = openRecord(read.record);
  const vouching = jobManager?.metadata.annotations?.['flork.itom.com/record-hash'];
  if (read.hash !== vouching && encodeRecord(open).hash !== vouching) return undefined;
  const { taskManager } = names(ref);
  return epochChildren(ref, open, read.hash, { jobManager: 0, taskManager: 0 }).find(
    (child) => child.kind === 'Deployment' && child.metadata.name === taskManager,
  );
}

/** A list of children with some of them in place of those of the same name. */
function replaced(list: readonly Child[], by: readonly Child[]): readonly Child[] {
  const given = new Set(by.map(keyOf));
  return [...list.filter((child) => !given.has(keyOf(child))), ...by];
}

/** Names that are never left out by an answer that knows no better: of the current epoch, of those after it, and the last stable record. */
function lastingNames(facts: Facts, answer: Answer, stable: Status['stableEpoch']): ReadonlySet<string> {
  const { ref } = facts.input.job;
  const current = answer.epoch?.number ?? facts.epoch?.number ?? 1;
  const lasting = [current, current + 1, current + 2].map((number) => epochNames(ref, number));
  const kept = stable === undefined ? [] : [epochNames(ref, stable.number).record];
  return new Set([...lasting.flatMap((of) => [of.configuration, of.restore, of.record]), ...kept]);
}

/** The record of the last stable epoch stays until a newer one is stable. */
function stableRecord(
  facts: Facts,
  current: number,
  declared: number | undefined,
  stable: Status['stableEpoch'],
): readonly Child[] {
  if (!stable || stable.number === current || stable.number === declared) return [];
  const { ref } = facts.input.job;
  const configMap = facts.input.observed.configMaps.get(epochNames(ref, stable.number).record);
  const read = configMap && readRecord(configMap);
  const vouched = read && [read.hash, encodeRecord(openRecord(read.record)).hash].includes(stable.recordHash);
  return vouched ? [recordConfigMap(ref, read.record)] : [];
}
