import type { Ended } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import { leavingWanted, type Facts } from '../facts/facts.ts';
import { isTerminal } from '../facts/flink.ts';
import { isSaidMissing } from '../missing.ts';
import { parseTime } from '../time.ts';
import { lossAllowed, mayStartEmpty } from './contract.ts';
import { usedUp } from './intend.ts';
import { isSettled } from './job-ended.ts';
import { checkpointsLost, isProcessGone } from './leave.ts';
import { isGoneFor, listsNoJob } from './no-job.ts';
import { TRANSITION_SECONDS, unreachableSeconds } from './pace.ts';
import { rollbackWanted, rolledBackEnd } from './rollback.ts';
import { progress, stalled, toldRewound } from './say.ts';
import { restService } from './service.ts';
import { heritage } from './snapshots.ts';

/**
 *   intended ──observed──► PATCH cancel (repeated while the job lives) ──CANCELED, statistics settled──► newest checkpoint in status
 *            └──its process gone for good──► what is on record, told as rewound
 */

const stateOf = ({ operation }: Facts) => {
  if (operation?.purpose === 'rollback') return 'RollingBack' as const;
  return operation?.purpose === 'suspend' ? ('Stopping' as const) : ('Upgrading' as const);
};

/** Whether the canceled job's newest snapshot is what the next epoch starts from. */
function isKept(facts: Facts): boolean {
  const { operation } = facts;
  return operation?.startsEmpty !== true && operation?.purpose !== 'restore' && !rollbackStands(facts);
}

/** The epoch is being canceled to be rolled back, and nothing else has come to be wanted. */
function rollbackStands(facts: Facts): boolean {
  return facts.operation?.purpose === 'rollback' && rollbackWanted(facts);
}

/** How long a process with high availability, or a pod, may take to come back. */
const BACK_MS = 60_000;

/** A cancel that nobody wants any more, of a job that still runs. */
export function cancelWithdrawn(facts: Facts): Answer | undefined {
  const { operation, flink, epoch } = facts;
  if (operation?.kind !== 'cancel' || epoch?.ended || flink.job?.state !== 'RUNNING') return undefined;
  const lost = isKept(facts) && !lossAllowed(facts) && checkpointsLost(facts);
  const wanted = leavingWanted(facts) || rollbackStands(facts);
  if (wanted && (lost === 'unknown' || !lost)) return undefined;
  return {
    rule: 'cancelWithdrawn',
    say: progress(
      wanted ? stateOf(facts) : 'Running',
      'TasksStarting',
      wanted ? `Not canceled: ${lost}.` : 'The spec is again what runs; nothing was canceled.',
    ),
    workloads: 'run',
    operation: null,
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** A cancel is under way, or done: Flink says so, or the process that ran the job is gone. */
export function cancelUnderWay(facts: Facts): Answer | undefined {
  const { operation, flink, epoch } = facts;
  if (operation?.kind !== 'cancel' || epoch?.ended) return undefined;
  // It finished or failed before it could be canceled: that is an end of its own.
  if (isTerminal(flink.job) && flink.job?.state !== 'CANCELED') return undefined;
  if (flink.job?.state === 'CANCELED') return isTold(facts) ? canceled(facts) : endUntold(facts);
  return goneForGood(facts) ?? ask(facts);
}

/** The newest checkpoint of the canceled job can be read, or nobody needs it. */
function isTold(facts: Facts): boolean {
  const { view } = facts;
  if (!isKept(facts)) return true;
  const read = view.kind === 'answered' && (view.checkpoints.kind === 'value' || view.checkpoints.kind === 'absent');
  return read && isSettled(facts);
}

function endUntold(facts: Facts): Answer {
  return {
    rule: 'cancelUntold',
    say: progress(stateOf(facts), 'Canceling', 'The job is canceled; its newest checkpoint is being asked for.'),
    workloads: 'run',
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

function canceled(facts: Facts, rewound = false): Answer {
  const { operation, wanted } = facts;
  if (rollbackStands(facts)) {
    return {
      rule: 'canceledForRollback',
      say: progress('RollingBack', 'RollingBack', 'The job is canceled; its pods are being stopped.'),
      workloads: 'run',
      ...usedUp(facts),
      ended: rolledBackEnd(facts, 'canceled'),
      resyncAfterSeconds: TRANSITION_SECONDS,
    };
  }
  const given = operation?.purpose === 'restore' ? wanted?.restore?.from : undefined;
  const found = operation?.startsEmpty && operation.purpose !== 'suspend' ? {} : heritage(facts);
  const left: Pick<Ended, 'path' | 'kind'> = given === undefined ? found : { path: given };
  const empty = left.path === undefined && (operation?.startsEmpty === true || mayStartEmpty(facts));
  return {
    rule: rewound ? 'canceledByRecord' : 'canceled',
    say: progress(stateOf(facts), 'StoppingPods', 'The job is canceled; its pods are being stopped.'),
    workloads: 'run',
    ...usedUp(facts),
    ended: {
      how: 'canceled',
      ...left,
      ...(empty ? { startsEmpty: true } : {}),
      ...(rewound ? { rewound } : {}),
      byFlork: true,
      over: true,
      at: facts.at,
    },
    ...(rewound ? toldRewound({ path: left.path }) : {}),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/**
 * The process that ran the job is gone. Without high availability the next one would start with what is on record, so the next epoch
 * may as well; with it Flink may resume from a newer one, and is given time to. Nothing on record: what happens is decided anew.
 */
function goneForGood(facts: Facts): Answer | undefined {
  const { operation, now, record } = facts;
  const asked = now - (parseTime(operation?.startedAt) ?? now);
  if (!isKept(facts) && isGoneFor(facts, operation?.startedAt)) return canceled(facts);
  if (!isProcessGone(facts) && !listsNoJob(facts)) return undefined;
  if (!isKept(facts)) return canceled(facts);
  const patient = facts.process.kind === 'none' || record?.highAvailability === true;
  if (patient && asked < BACK_MS) return undefined;
  const { path } = heritage(facts);
  if (lossAllowed(facts) || (path !== undefined && !isSaidMissing(facts, path))) return canceled(facts, true);
  return {
    rule: 'cancelLostItsProcess',
    say: progress(stateOf(facts), 'ChangeWaits', 'The JobManager ended while the job was being canceled.'),
    workloads: 'run',
    operation: null,
    ...usedUp(facts),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

function ask(facts: Facts): Answer {
  const { flink } = facts;
  const safe = !isKept(facts) || lossAllowed(facts) || checkpointsLost(facts) === undefined;
  const asks = flink.job !== undefined && flink.job.state !== 'CANCELLING' && safe;
  return {
    rule: asks ? 'cancelAsked' : flink.heard === 'unreachable' ? 'cancelUnheard' : 'cancelUnderWay',
    say:
      flink.heard === 'unreachable'
        ? stalled(
            'Stalled',
            'JobManagerUnreachable',
            'The JobManager does not answer while the job is to be canceled; nothing is stopped on silence.',
          )
        : progress(stateOf(facts), 'Canceling', 'Canceling the job.'),
    workloads: 'run',
    ...(asks && flink.job
      ? { commands: [{ kind: 'cancel' as const, service: restService(facts), jobId: flink.job.id }] }
      : {}),
    resyncAfterSeconds: flink.heard === 'unreachable' ? unreachableSeconds(facts) : TRANSITION_SECONDS,
  };
}
