import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { asideUnderWay, snapshotDue } from './aside.ts';
import { change } from './change.ts';
import { deletionSavepoint } from './delete-savepoint.ts';
import { deleted, deletedByOthers, deleting, deletionIntended, handedOver } from './delete.ts';
import { endUnrecorded, failedEnd, replacementWithdrawn, retire, settledEnd } from './end.ts';
import { jobEnded } from './job-ended.ts';
import { jobForgotten } from './no-job.ts';
import { invalidFromTheStart, leaving, operationUnknown, paused, recordMissing } from './gates.ts';
import {
  foreignJob,
  jobManagerStarting,
  jobStarting,
  podTrouble,
  restarting,
  running,
  tasksStarting,
  unreachable,
} from './observe.ts';
import { unhealthy } from './redeploy.ts';
import { rollBack } from './rollback.ts';
import { rescale, rescaleWaits, scaleWaits } from './rescale.ts';
import { deploymentLagsPod, deploymentLagsStatus, recordLagsDeployment, statusLagsSnapshot } from './lagging.ts';
import { disposalDue, disposalWithdrawn } from './retention.ts';
import { notStable, stabilityDue, stabilizing } from './stabilize.ts';
import { snapshotMissing } from './snapshot-missing.ts';
import { firstStart, startDeclared, suspendedFromTheStart } from './start.ts';
import { cancelUnderWay, cancelWithdrawn } from './cancel.ts';
import {
  operationOrphaned,
  stopCompleted,
  stopFailed,
  stopForgotten,
  stopUnderWay,
  stopUnsent,
  stopWithdrawn,
} from './stop.ts';

/** A rule answers, or stays silent. */
export type Rule = (facts: Facts) => Answer | undefined;

/** The whole life of a job: the first rule that answers decides. */
export const RULES: readonly Rule[] = [
  // Views that contradict themselves
  deploymentLagsPod, //     a young pod, and its Deployment is shown as if there were none
  recordLagsDeployment, //  a young Deployment whose record is not shown
  deploymentLagsStatus, //  a young first epoch whose Deployment is not shown
  statusLagsSnapshot, //    a young savepoint or checkpoint that this status has not asked for

  // The end of the FlinkJob
  handedOver, //            another controller takes it over: leave everything
  deleted, //               nothing is left: let it go
  deletedByOthers, //       the garbage collector is at work
  deletionSavepoint, //     a savepoint first, where one is asked for
  deletionIntended, //      write the intent
  deleting, //              cancel, stop the pods, remove the children
  leaving, //               deleted, and not ours to finalize
  paused, //                an annotation freezes every decision
  operationUnknown, //      another version has begun something

  // The start
  invalidFromTheStart, //   nothing ran yet and the spec is wrong
  suspendedFromTheStart, // nothing ran yet and nothing shall
  firstStart, //            epoch 1, all at once
  startDeclared, //         epoch n+1 is in status: its children follow when the old pods are proven gone
  recordMissing, //         what runs cannot be known: leave it

  // The end of an epoch
  endUnrecorded, //         known from the children, not yet in status
  replacementWithdrawn, //  it was to make room, but began to run
  settledEnd, //            finished, or canceled by someone: for good
  failedEnd, //             failed: hold, or make room for a corrected spec
  retire, //                stopped by Flork: pods to 0, then suspended or the next epoch

  snapshotMissing, //       what the next process restores is not there: try again, one step back, or hold

  // An operation under way
  stopCompleted, //         the savepoint is there: record its path
  operationOrphaned, //     its JobManager is gone
  stopFailed, //            the job goes on; try again later
  stopWithdrawn, //         not wanted any more, never sent
  stopForgotten, //         Flink may have done it, and forgotten
  stopUnsent, //            not known to Flink, and cannot be asked for now
  cancelWithdrawn, //       not wanted any more, or not safe
  cancelUnderWay, //        ask, wait, record
  stopUnderWay, //          ask, wait

  // What is, and what is wanted
  jobEnded, //              Flink says it is over
  change, //                the spec, a restore or a suspension asks for another epoch: form the intent, or hold
  rollBack, //              its time to become stable is over: decide that the last stable epoch takes its place
  unhealthy, //             it restarts too often, or its checkpoints stall: decide that it is deployed anew
  rescale, //               another scale of the same epoch: TaskManagers first up and last down
  podTrouble, //            pods say what is wrong
  notStable, //             the time to become stable is over, and not all tasks run
  jobManagerStarting, //    nobody to ask yet
  unreachable, //           nobody answers
  foreignJob, //            somebody else answers
  jobForgotten, //          Flink knows nothing of a job that ran: hold
  jobStarting, //           main() runs, tasks are being scheduled
  restarting, //            Flink restarts the job
  tasksStarting, //         not all tasks run
  disposalWithdrawn, //     a snapshot that was to be removed is needed again
  asideUnderWay, //         a savepoint, a checkpoint or a disposal beside it: ask, wait, record
  stabilityDue, //          the first checkpoint of an epoch, which makes it stable
  snapshotDue, //           the spec asks for a snapshot, by a nonce or a schedule
  disposalDue, //           a snapshot is no longer kept
  rescaleWaits, //          another scale waits for its TaskManagers
  scaleWaits, //            another scale that cannot be had, or not yet
  stabilizing, //           all tasks run; the first checkpoint is awaited
  running, //               all tasks run, and the epoch is stable
];

/** Asks the rules in order. Running off the end is a bug: the last group covers everything Flink can say. */
export function decide(facts: Facts): Answer {
  for (const rule of RULES) {
    const answer = rule(facts);
    if (answer) return answer;
  }
  throw new Error(`no rule answers for job state ${facts.flink.job?.state ?? 'none'}`);
}
