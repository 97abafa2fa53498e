import { parseTime } from '../time.ts';
import type { Facts } from '../facts/facts.ts';

/** Polls while an operation is under way or the job starts: Flink's own answers are what is waited for. */
export const TRANSITION_SECONDS = 1.5;
/** A bounded job of which tasks have finished already. */
export const ENDING_SECONDS = 3;
/** While the cluster is waited for: pod and child events bring a sync at once, so the timer is only a net. */
export const CLUSTER_SECONDS = 15;

/** Settled: 15-25 s, the same for one job, spread over jobs by their uid. */
export function settledSeconds(uid: string): number {
  let sum = 0;
  for (const character of uid) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1000;
  return 15 + sum / 100;
}

/** A JobManager that does not answer is asked less and less often: half of how long it has been silent, 5 to 60 s. */
export function unreachableSeconds(facts: Facts): number {
  const ready = facts.prior?.conditions?.find((condition) => condition.type === 'Ready');
  const since = ready?.reason === 'JobManagerUnreachable' ? parseTime(ready.lastTransitionTime) : undefined;
  const silentSeconds = since === undefined ? 0 : (facts.now - since) / 1000;
  return Math.min(60, Math.max(5, silentSeconds / 2));
}
