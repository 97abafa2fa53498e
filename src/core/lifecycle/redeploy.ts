import type { Status } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { healthWindow, stallLimit, unwell } from '../health.ts';
import { hasRun } from '../stability.ts';
import { parseTime, rfc3339 } from '../time.ts';
import { failureText } from './job-ended.ts';
import { TRANSITION_SECONDS } from './pace.ts';
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

/** What status keeps of it: nothing once the job has run long enough. A decision about an epoch that runs stays as long as it stands. */
export function keptRedeploy(facts: Facts): Status['redeploy'] {
  const { prior, epoch, flink, now, healthWanted } = facts;
  const known = prior?.redeploy;
  if (known === undefined || healthWanted) return known;
  const since = parseTime(epoch?.stableAt);
  const enough = wanted(facts) ? longEnough(facts, known.attempts) : LONGEST_MS;
  return flink.allTasksRun && since !== undefined && now - since > enough ? undefined : known;
}

const wanted = (facts: Facts) => facts.wanted?.policies?.health !== undefined;

/** An epoch that is unwell is left alone for so long after its start: one minute, doubled each time, at most an hour. */
function restMs(attempts: number): number {
  return attempts === 0 ? 0 : Math.min(60 * 60_000, 60_000 * 2 ** Math.min(attempts - 1, 10));
}

/** Well for so long, it was not deployed anew in vain. */
function longEnough(facts: Facts, attempts: number): number {
  return LONGEST_MS + restMs(attempts) + Math.max(healthWindow(facts), stallLimit(facts) ?? 0);
}

/** A job that runs is unwell (policies.health): the decision to deploy it anew goes into status; how it is left is as for a change. */
export function unhealthy(facts: Facts): Answer | undefined {
  const { epoch, prior, now, operation, adopted } = facts;
  if (!wanted(facts) || adopted || facts.changeWanted || facts.healthWanted || operation) return undefined;
  if (facts.input.job.spec.kind !== 'valid' || !epoch || !hasRun(facts) || epoch.ended) return undefined;
  const attempts = prior?.redeploy?.attempts ?? 0;
  const rested = now - (parseTime(epoch.startedAt) ?? now) >= restMs(attempts);
  const why = rested ? unwell(facts) : undefined;
  if (why === undefined) return undefined;
  return {
    rule: 'unhealthy',
    say: progress('Upgrading', 'Unhealthy', `${why}. It is deployed anew (attempt ${attempts + 1} in a row).`),
    workloads: 'run',
    redeploy: { epoch: epoch.number, attempts: attempts + 1, notBefore: facts.at, why },
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
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
