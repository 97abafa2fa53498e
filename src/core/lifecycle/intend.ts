import type { Epoch, Operation } from '../../api/status.ts';
import type { Answer, Say } from '../answer.ts';
import { triggerIdOf } from '../build/names.ts';
import type { Facts } from '../facts/facts.ts';
import { savepointDirectory } from './contract.ts';
import { TRANSITION_SECONDS } from './pace.ts';
import { ownDirectory } from './snapshots.ts';

/**
 * Writes an intent into status and does nothing else; it is acted on by a sync that observes it (S1, metacontroller rule 5).
 * Trigger id and directory are functions of (uid, epoch, kind, attempt): an intent that was lost and is formed again is the same one.
 * Its number is used up by its result alone (`usedUp`): an intent that was given up unsent, or overwritten by an older status, leaves
 * no other number behind under which the job could be asked a second time (S1).
 */
export function intend(
  facts: Facts,
  kind: 'stop' | 'cancel',
  purpose: Operation['purpose'],
  rule: string,
  say: Say,
  startsEmpty = false,
): Answer | undefined {
  const { epoch, process, flink } = facts;
  if (!epoch) return undefined;
  const attempt = epoch.attempt + 1;
  const { uid } = facts.input.job.ref;
  const directory = ownDirectory(facts) ?? directoryOfNewSpec(facts);
  if (kind === 'stop' && directory === undefined) return undefined;
  const operation: Operation = {
    kind,
    purpose,
    attempt,
    jobId: flink.job?.id ?? epoch.jobId,
    ...(process.kind === 'running' ? { process: process.id } : {}),
    ...(kind === 'stop' && directory !== undefined
      ? { triggerId: triggerIdOf(uid, epoch.number, kind, attempt), directory: `${directory}/${attempt}` }
      : {}),
    generation: facts.input.job.generation,
    startedAt: facts.at,
    ...(purpose === 'restart' && facts.restartNonce !== undefined ? { nonce: facts.restartNonce } : {}),
    ...(startsEmpty ? { startsEmpty } : {}),
  };
  return {
    rule,
    say,
    workloads: 'run',
    operation,
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The epoch once the operation in progress has a result. */
export function usedUp(facts: Facts): { readonly epoch?: Epoch } {
  const { epoch, operation } = facts;
  return epoch && operation ? { epoch: { ...epoch, attempt: Math.max(epoch.attempt, operation.attempt) } } : {};
}

/** Where the first savepoint goes when only the new spec names a directory. */
function directoryOfNewSpec(facts: Facts): string | undefined {
  const directory = savepointDirectory(facts);
  const { name, namespace, uid } = facts.input.job.ref;
  return directory === undefined ? undefined : `${directory}/${namespace}-${name}-${uid}`;
}
