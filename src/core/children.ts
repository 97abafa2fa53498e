import type { Child } from '../api/kube.ts';
import type { Epoch, Status } from '../api/status.ts';
import type { Answer } from './answer.ts';
import { epochChildren } from './build/children.ts';
import { epochNames } from './build/names.ts';
import { encodeRecord, readRecord, recordConfigMap } from './build/record.ts';
import { restoreConfigMap } from './build/restore.ts';
import type { Facts } from './facts/facts.ts';
import { firstRestore, nextRestore } from './restore-plan.ts';
import { closedRecord, openRecord, type EpochRecord } from './record.ts';

/** How many processes of each kind are wanted now. */
type Replicas = { readonly jobManager: number; readonly taskManager: number };

/**
 * JobManager replicas are raised only where its workload is at 0 or missing and both components are proven gone, or at the very first
 * start; else the answer is the smaller of wanted and observed: a stale answer must not revive a stopped JobManager, and a scale-up
 * by hand must not add a second one (lifecycle.md, Proof of absence). A workload deleted by hand comes back at 0.
 */
export function replicasFor(facts: Facts, answer: Answer, record: EpochRecord): Replicas {
  const { jobManager, taskManager, absent } = facts;
  const seen = { jobManager: jobManager?.replicas ?? 0, taskManager: taskManager?.replicas ?? 0 };
  switch (answer.workloads) {
    case 'gone':
    case 'stop':
      return { jobManager: 0, taskManager: 0 };
    case 'keep':
      return { jobManager: Math.min(seen.jobManager, record.replicas.jobManager), taskManager: seen.taskManager };
    case 'jobmanager-only':
      return { jobManager: Math.min(seen.jobManager, record.replicas.jobManager), taskManager: 0 };
    case 'run': {
      const neverStarted =
        (answer.epoch ?? facts.epoch)?.process === undefined &&
        record.number === 1 &&
        (facts.jobManagerPods ?? 0) === 0;
      if (jobManager === undefined) return neverStarted ? record.replicas : { jobManager: 0, taskManager: 0 };
      if (seen.jobManager > 0)
        return {
          jobManager: Math.min(seen.jobManager, record.replicas.jobManager),
          taskManager: record.replicas.taskManager,
        };
      const proven =
        absent.jobManager === 'proven' && (absent.taskManager === 'proven' || facts.deployed === record.number);
      return proven
        ? record.replicas
        : {
            jobManager: 0,
            taskManager: absent.taskManager === 'proven' || facts.deployed !== record.number ? 0 : seen.taskManager,
          };
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

/** The children of the answer, complete: what is not in it is deleted (metacontroller reference, 9.1). */
export function childrenOf(
  facts: Facts,
  answer: Answer,
  epoch: Epoch | undefined,
  stable: Status['stableEpoch'],
): readonly Child[] {
  if (answer.workloads === 'gone') return [];
  const { ref } = facts.input.job;
  if (answer.rule === 'firstStart' && answer.declared) {
    const record = answer.declared;
    return [
      ...epochChildren(ref, record, encodeRecord(record).hash, replicasFor({ ...facts }, answer, record)),
      recordConfigMap(ref, record),
      restoreConfigMap(ref, record, firstRestore(ref.uid, record)),
    ];
  }
  const stored = storedRecord(facts, answer);
  if (!stored || !epoch || !facts.epoch) {
    const { echo } = facts.input.observed;
    if (!answer.declared) return echo;
    const declared = recordConfigMap(ref, answer.declared);
    return [
      ...echo.filter((child) => child.kind !== 'ConfigMap' || child.metadata.name !== declared.metadata.name),
      declared,
    ];
  }
  const current = facts.epoch.number === epoch.number ? epoch : facts.epoch;
  const ended = answer.ended === null ? undefined : (answer.ended ?? facts.epoch.ended);
  const restore =
    answer.workloads === 'keep' && facts.restore && answer.ended === undefined
      ? facts.restore
      : nextRestore(facts, current, stored.record, ended);
  const declaredAgain = answer.declared !== undefined && answer.declared.number === stored.record.number;
  return [
    ...workloadsOf(facts, answer, stored),
    ...(declaredAgain ? [] : [recordConfigMap(ref, stored.record)]),
    restoreConfigMap(ref, stored.record, restore),
    ...(answer.declared ? [recordConfigMap(ref, answer.declared)] : []),
    ...stableRecord(facts, stored.record.number, answer.declared?.number, stable),
  ];
}

/**
 * Configuration, Services and workloads of the current epoch. Its pod templates appear only with its start: until then the Deployments
 * of the epoch before it stay as they are, at 0.
 */
function workloadsOf(
  facts: Facts,
  answer: Answer,
  stored: { readonly record: EpochRecord; readonly hash: string },
): readonly Child[] {
  const { observed, job } = facts.input;
  const children = epochChildren(job.ref, stored.record, stored.hash, replicasFor(facts, answer, stored.record));
  const started = facts.deployed === 0 || facts.deployed === stored.record.number;
  if (started || answer.workloads === 'run') return children;
  const former = observed.echo.filter((child) => child.kind === 'Deployment');
  const kept =
    answer.workloads === 'keep'
      ? former
      : former.map((child) => ({ ...child, spec: { ...(child['spec'] as object), replicas: 0 } }));
  return [...children.filter((child) => child.kind !== 'Deployment'), ...kept];
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
  return read && read.hash === stable.recordHash ? [recordConfigMap(ref, read.record)] : [];
}
