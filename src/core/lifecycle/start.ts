import type { Epoch } from '../../api/status.ts';
import type { Reason } from '../../api/reasons.ts';
import type { Answer } from '../answer.ts';
import { renderEpoch } from '../build/epoch.ts';
import { approvalToken, epochNames, processJobId } from '../build/names.ts';
import { encodeRecord } from '../build/record.ts';
import { readRestore } from '../build/restore.ts';
import { epochOfDeployment } from '../facts/epoch.ts';
import type { Facts } from '../facts/facts.ts';
import { epochNonces, type EpochNonces } from '../handled.ts';
import type { EpochRecord } from '../record.ts';
import { CLUSTER_SECONDS, TRANSITION_SECONDS } from './pace.ts';
import { declaredMakesRoom, isBrokenOut, isRollbackDue, leavingState, standingRecord } from './rollback.ts';
import { progress, ready, stalled } from './say.ts';

/**
 *   nothing ──firstStart──► epoch 1, all children at once
 *   epoch n at 0, absence proven ──declareNext──► epoch n+1 in status and its record ──startDeclared──► its children
 */

/** Renders an epoch of the wanted spec and the status entry that declares it. */
function plan(
  facts: Facts,
  number: number,
  restoredFrom: string | undefined,
  handled: EpochNonces,
  unread?: string,
): { epoch: Epoch; record: EpochRecord } | undefined {
  const { input, wanted, at, prior } = facts;
  if (input.job.spec.kind !== 'valid' || !wanted) return undefined;
  const { ref, generation } = input.job;
  const standing = standingRecord(facts, number, restoredFrom, handled);
  if (standing === undefined && isRollbackDue(facts)) return undefined;
  const record =
    standing ??
    renderEpoch({
      ref,
      number,
      generation,
      spec: wanted,
      ...(restoredFrom === undefined ? {} : { restoredFrom }),
      handled,
      platform: input.platform,
    });
  const asked = prior?.epoch?.asked ?? facts.epoch?.asked;
  const epoch: Epoch = {
    number,
    incarnation: 0,
    jobId: processJobId(ref.uid, record, 1),
    generation: record.generation,
    recordHash: encodeRecord(record).hash,
    ...(restoredFrom === undefined ? {} : { restoredFrom }),
    // The operation that ended the old epoch is used up, also where a late view wrote its epoch without that.
    attempt: Math.max(prior?.epoch?.attempt ?? 0, facts.epoch?.attempt ?? 0, facts.operation?.attempt ?? 0),
    ...(asked === undefined ? {} : { asked }),
    ...(unread === undefined ? {} : { unread }),
    startedAt: at,
  };
  return { epoch, record };
}

/** The nonces that a new epoch acts on. */
function noncesOf({ wanted, handled }: Facts): EpochNonces {
  return epochNonces(wanted ?? {}, handled);
}

/** An epoch that is declared again keeps the snapshot it was declared with: a restore asked for since acts later. */
function restartOnly({ wanted, handled }: Facts): EpochNonces {
  return epochNonces(wanted?.restartNonce === undefined ? {} : { restartNonce: wanted.restartNonce }, handled);
}

/** Created suspended: a status at once, and nothing else. */
export function suspendedFromTheStart(facts: Facts): Answer | undefined {
  if (facts.epoch || facts.deployed > 0 || !facts.suspendWanted) return undefined;
  return {
    rule: 'suspendedFromTheStart',
    say: ready('Suspended', 'Suspended', 'Created suspended; set spec.state: running to start.'),
    workloads: 'keep',
    resyncAfterSeconds: 0,
  };
}

/** ConfigMaps of an epoch that started once are here, its status and Deployment are not: starting from nothing could lose its state. */
function traceOfThePast(facts: Facts): { readonly number: number; readonly path: string | undefined } | undefined {
  const { observed, job } = facts.input;
  const restores = [...observed.configMaps.values()].filter((configMap) =>
    configMap.metadata.name.startsWith(`${job.ref.name}-restore-`),
  );
  if (restores.length === 0) return undefined;
  for (let number = 1; number <= 1000; number += 1) {
    const configMap = observed.configMaps.get(epochNames(job.ref, number).restore);
    const content = configMap && readRestore(configMap);
    if (content && (content.lastProcess !== undefined || number > 1 || !content.startable))
      return { number, path: content.path };
  }
  return undefined;
}

/** Nothing is known and nothing runs: epoch 1, its ConfigMaps, Services and Deployments in one answer (ids and names are functions of the uid). */
export function firstStart(facts: Facts): Answer | undefined {
  if (facts.epoch || facts.deployed > 0) return undefined;
  const { job, observed } = facts.input;
  const former =
    observed.pods?.filter((pod) => pod.metadata.annotations?.['flork.itom.com/job-uid'] !== job.ref.uid).length ?? 0;
  if (former > 0) {
    return {
      rule: 'formerPods',
      say: progress(
        'Created',
        'WaitingForPods',
        `${former} pods of a former FlinkJob of this name still exist; the job starts when they are gone.`,
      ),
      workloads: 'keep',
      resyncAfterSeconds: CLUSTER_SECONDS,
    };
  }
  const past = traceOfThePast(facts);
  const restore = facts.wanted?.restore?.from;
  if (past) {
    const token = approvalToken(job.ref.uid, past.number);
    const allowed = facts.wanted?.policies?.stateLoss === 'allow' || facts.wanted?.approveStateLoss === token;
    if (restore === undefined && !allowed) {
      return {
        rule: 'pastWithoutStatus',
        say: stalled(
          'Stalled',
          'StateAtRisk',
          `Status and Deployment of epoch ${past.number} are gone, its ConfigMaps are not. Known snapshot: ${past.path ?? 'none'}. To go on from a snapshot: spec.restore {from: <path>}. To give the state up: spec.approveStateLoss: "${token}".`,
        ),
        workloads: 'keep',
        stateSafe: {
          status: 'False',
          reason: 'StateAtRisk',
          message: `The state of epoch ${past.number} could be lost.`,
        },
        resyncAfterSeconds: 0,
      };
    }
  }
  const planned = plan(facts, (past?.number ?? 0) + 1, restore, noncesOf(facts));
  if (!planned) return undefined;
  return {
    rule: 'firstStart',
    say: progress(
      'Deploying',
      'Starting',
      `Starting epoch ${planned.epoch.number}${restore ? ` from ${restore}` : ''}.`,
    ),
    workloads: 'run',
    epoch: planned.epoch,
    declared: planned.record,
    handled: { ...facts.handled, ...planned.record.handled },
    transition: { reason: 'FirstStart', ...(restore ? { snapshot: restore } : {}) },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The old epoch is at 0 and proven gone: the next one is written into status, beside its record. Its children follow when that is observed. */
export function declareNext(
  facts: Facts,
  from: { readonly path: string | undefined; readonly reason: Reason },
): Answer | undefined {
  if (!facts.epoch) return undefined;
  const planned = plan(facts, facts.epoch.number + 1, from.path, noncesOf(facts), stillUnread(facts, from));
  if (!planned) return undefined;
  return {
    rule: 'declareNext',
    say: progress(
      isRollbackDue(facts) ? 'RollingBack' : 'Upgrading',
      'Starting',
      `Starting epoch ${planned.epoch.number}${from.path ? ` from ${from.path}` : ', empty'}.`,
    ),
    workloads: 'stop',
    epoch: planned.epoch,
    declared: planned.record,
    operation: null,
    retry: null,
    handled: { ...facts.handled, ...planned.record.handled },
    transition: { reason: from.reason, ...(from.path ? { snapshot: from.path } : {}) },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** A savepoint whose path nobody read stays the newest until the job runs again, or a person says where to start from. */
function stillUnread(
  facts: Facts,
  from: { readonly path: string | undefined; readonly reason: Reason },
): string | undefined {
  const found = facts.endedInStatus?.how === 'stopped' || from.path === undefined || from.reason === 'RestoreRequested';
  return found ? undefined : facts.epoch?.unread;
}

/** The declared epoch has not been started: it makes room for a spec that changed, and nothing is raised before the old pods are proven gone. */
export function startDeclared(facts: Facts): Answer | undefined {
  const { epoch, deployed, record, restore } = facts;
  if (!epoch || facts.adopted || epoch.number <= deployed || epoch.number === 1 || epoch.ended) return undefined;
  // It was started before, and its workload was deleted by hand.
  if (restore !== undefined || epoch.process !== undefined) return undefined;
  if (facts.suspendWanted) {
    return {
      rule: 'suspendedBeforeStart',
      say: ready(
        'Suspended',
        'Suspended',
        `Suspended before epoch ${epoch.number} started${epoch.restoredFrom ? `; it will start from ${epoch.restoredFrom}` : ''}.`,
      ),
      workloads: 'stop',
      resyncAfterSeconds: 0,
    };
  }
  const standing = record?.failed !== undefined || facts.prior?.failedEpoch !== undefined;
  // A restart that is asked for while a rollback is declared acts later.
  const anew = !standing && record !== undefined && facts.restartNonce !== undefined;
  if (anew || isBrokenOut(facts)) return declaredMakesRoom(facts);
  // From the spec, what failed would be made again in the place of its rollback.
  if (!record) return standing ? undefined : declareAgain(facts);
  if (!facts.absent.both && !startedInPart(facts)) {
    const stopped = facts.jobManager?.replicas === 0 && facts.taskManager?.replicas === 0;
    return { ...waitForPods(facts, 'startWaitsForPods'), workloads: stopped ? 'keep' : 'stop' };
  }
  return {
    rule: 'startDeclared',
    say: progress(
      'Upgrading',
      'Starting',
      `Starting epoch ${epoch.number}${epoch.restoredFrom ? ` from ${epoch.restoredFrom}` : ', empty'}.`,
    ),
    workloads: 'run',
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/**
 * The record that status vouches for is not there, and the spec gives another one by now: it is written anew. One that is there never is:
 * the start made of it may be under way and not be shown yet, and would be left without a record.
 */
function declareAgain(facts: Facts): Answer | undefined {
  const { epoch } = facts;
  const planned = epoch && plan(facts, epoch.number, epoch.restoredFrom, restartOnly(facts), epoch.unread);
  if (!planned || planned.epoch.recordHash === epoch.recordHash) return undefined;
  return {
    rule: 'declareAgain',
    say: progress('Upgrading', 'Starting', `Starting epoch ${epoch.number} with the newest spec.`),
    workloads: 'keep',
    epoch: { ...planned.epoch, startedAt: epoch.startedAt, attempt: epoch.attempt },
    declared: planned.record,
    handled: { ...facts.handled, ...planned.record.handled },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The TaskManagers carry the declared epoch: they were started after the proof, and only the JobManager's write is not seen yet. */
function startedInPart(facts: Facts): boolean {
  return facts.absent.jobManager === 'proven' && epochOfDeployment(facts.taskManager) === facts.epoch?.number;
}

/** Both workloads are to be at 0 and their pods are still there; one that cannot end is named. */
export function waitForPods(facts: Facts, rule: string): Answer {
  const stuck = facts.stuckPod;
  return {
    rule,
    say: stuck
      ? stalled(
          'Stalled',
          'PodStuckTerminating',
          `Pod ${stuck} does not end (node lost?). Nothing is started beside it. If its node is really gone: kubectl delete pod ${stuck} --force.`,
        )
      : progress(leavingState(facts), 'StoppingPods', 'Waiting until the pods of the old epoch are gone.'),
    workloads: 'stop',
    resyncAfterSeconds: CLUSTER_SECONDS / 3,
  };
}
