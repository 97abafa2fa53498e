import type { Epoch } from '../api/status.ts';
import type { Facts } from './facts/facts.ts';
import { mayHaveRunBefore } from './facts/process.ts';
import { isUnknown } from './lifecycle/forgotten.ts';
import { parseTime } from './time.ts';

/**
 * Where a job went back behind what it had reached, within one epoch: what it wrote since may be written twice (the guarantees of
 * docs/lifecycle.md).
 */

/** Whether it did, as far as this sync is the one to tell; and the snapshot it went back to, if that is known. */
export function rewound(facts: Facts, progressed: Epoch | undefined): { readonly snapshot?: string } | undefined {
  const { epoch, record } = facts;
  if (!epoch || !progressed || !record || epoch.ended) return undefined;
  if (record.highAvailability) {
    const back = facts.standbys ? otherLeaderWentBack(facts) : stopWasLost(facts, epoch, progressed);
    return back ? snapshotOf(restoredOf(facts)?.path) : undefined;
  }
  return replacedAfterItRan(facts, epoch, progressed) ? snapshotOf(facts.restore?.path) : undefined;
}

const snapshotOf = (path: string | undefined): { readonly snapshot?: string } =>
  path === undefined ? {} : { snapshot: path };

/** A JobManager without high availability took the place of one that had run, or may have run unseen: it went back to what was recorded. */
function replacedAfterItRan({ process }: Facts, epoch: Epoch, progressed: Epoch): boolean {
  if (mayHaveRunBefore(epoch.process, epoch.idle, process)) return true;
  return epoch.process !== undefined && progressed.process !== epoch.process && epoch.ran === true;
}

/**
 * With high availability Flink goes on from its newest checkpoint, and a savepoint is none (CheckpointCoordinator keeps checkpoints
 * alone): output that was committed with the savepoint of a stop comes again, when the JobManager that was asked for it ended before
 * its result was read, and the job runs on.
 */
function stopWasLost({ operation, flink }: Facts, epoch: Epoch, progressed: Epoch): boolean {
  const lost =
    operation?.kind === 'stop' && operation.process !== undefined && operation.process !== progressed.process;
  return flink.allTasksRun && (lost || epoch.unread !== undefined);
}

/** The same with standbys, whose pods do not tell who leads: the one that does restored the job, and knows nothing of the stop. */
function otherLeaderWentBack(facts: Facts): boolean {
  const { operation, prior } = facts;
  const restored = restoredOf(facts);
  if (operation?.kind !== 'stop' || restored === undefined || !isUnknown(facts)) return false;
  const since = parseTime(operation.askedAt ?? operation.startedAt) ?? Infinity;
  const told = prior?.history?.some(({ reason, snapshot }) => reason === 'Rewound' && snapshot === restored.path);
  return restored.at > since && told !== true;
}

const restoredOf = ({ view }: Facts) =>
  view.kind === 'answered' && view.checkpoints.kind === 'value' ? view.checkpoints.value.latestRestored : undefined;
