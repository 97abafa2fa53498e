import type { Status } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { parseTime, rfc3339 } from '../time.ts';
import { failureText } from './job-ended.ts';
import { progress } from './say.ts';

/**
 * Deploying a job anew by itself, with the same spec (policies.restart.failed):
 *
 *   FAILED for good ──► pause in status (10 s, doubled each time, at most 10 min) ──over──► pods to 0 ──► next epoch
 *
 * The pauses start anew when the job has run for as long as the longest of them.
 */
const LONGEST_MS = 10 * 60_000;

/** The next pause of this epoch. */
function nextRedeploy({ epoch, prior, now }: Facts): NonNullable<Status['redeploy']> {
  const attempts = (prior?.redeploy?.attempts ?? 0) + 1;
  const pause = Math.min(LONGEST_MS, 10_000 * 2 ** Math.min(attempts - 1, 10));
  return { epoch: epoch?.number ?? 0, attempts, notBefore: rfc3339(now + pause) };
}

/** What status keeps of it: nothing once the job has run long enough. */
export function keptRedeploy({ prior, epoch, flink, now }: Facts): Status['redeploy'] {
  const since = parseTime(epoch?.stableAt);
  const runsLong = flink.allTasksRun && since !== undefined && now - since > LONGEST_MS;
  return runsLong ? undefined : prior?.redeploy;
}

/** Whether a job that failed for good is deployed anew from its newest snapshot. */
export function restartsItself({ wanted, input }: Facts): boolean {
  return wanted?.policies?.restart?.failed === 'fromLastSnapshot' && input.job.spec.kind === 'valid';
}

/** The pause before a failed job is deployed anew, intended in status; `undefined` when it is over, or none is due. */
export function restartWaits(facts: Facts): Answer | undefined {
  if (!restartsItself(facts)) return undefined;
  const known = facts.prior?.redeploy;
  const intended = known !== undefined && known.epoch === facts.epoch?.number;
  const redeploy = intended ? known : nextRedeploy(facts);
  const left = (parseTime(redeploy.notBefore) ?? facts.now) - facts.now;
  if (intended && left <= 0) return undefined;
  const message = `${failureText(facts)} It is deployed anew from its newest snapshot at ${redeploy.notBefore} (attempt ${redeploy.attempts} in a row).`;
  return {
    rule: intended ? 'restartWaits' : 'restartIntended',
    say: progress('Upgrading', 'JobFailed', intended ? (facts.prior?.message ?? message) : message),
    workloads: 'jobmanager-only',
    redeploy,
    resyncAfterSeconds: Math.max(1, Math.ceil(left / 1000)),
  };
}
