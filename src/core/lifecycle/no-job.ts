import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { mainContainer } from '../facts/process.ts';
import { hasRun } from '../stability.ts';
import { parseTime } from '../time.ts';
import { restoreWay } from './contract.ts';
import { CLUSTER_SECONDS } from './pace.ts';
import { stalled } from './say.ts';
import { unreadHint } from './snapshots.ts';

/**
 * A JobManager that answers and lists no job. One that has just started runs main(). With high availability it may instead have found
 * that the job has ended and was cleaned up: it runs main() and ignores what that submits, for good (JobResultStore, a clean result;
 * Dispatcher.submitJob; seen on Flink 1.20.5). An ended job also leaves the list after jobstore.expiration-time, an hour by default.
 */

/** A process that answers runs main() until it lists a job; one that never does is not about to. */
const LISTED_MS = 5 * 60_000;
/** A job that ran is listed again as soon as the next leader has recovered it. */
const RECOVERED_MS = 60_000;

/** The JobManager answers and lists no job now. */
export function answersWithoutJob({ flink, process }: Facts): boolean {
  return flink.heard === 'answered' && flink.job === undefined && !flink.foreign && process.kind === 'running';
}

/** The JobManager answers, has had its time to list its job, and lists none. */
export function listsNoJob(facts: Facts): boolean {
  const { process, now } = facts;
  if (!answersWithoutJob(facts) || process.kind !== 'running') return false;
  const started = mainContainer(process.pod)?.state;
  const since = started?.kind === 'running' ? parseTime(started.startedAt) : undefined;
  return since !== undefined && now - since > LISTED_MS;
}

/** The job that is being stopped was not listed for so long that nothing can come of the stop any more, but its savepoint. */
export function hasStopLostItsJob(facts: Facts): boolean {
  return facts.operation?.kind === 'stop' && answersWithoutJob(facts) && awaitedMs(facts) >= RECOVERED_MS;
}

/** How long a job that was told to end is no longer listed, at the least. */
export function isGoneFor(facts: Facts, since: string | undefined): boolean {
  return answersWithoutJob(facts) && facts.now - (parseTime(since) ?? facts.now) >= RECOVERED_MS;
}

/** Since when people have been told that the job is awaited; milliseconds. */
function awaitedMs({ prior, now }: Facts): number {
  const ready = prior?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.reason === 'JobStarting' ? now - (parseTime(ready.lastTransitionTime) ?? now) : 0;
}

/** With high availability a job that ran is not run again once it has ended, and here nobody saw how: a person says what follows. */
export function jobForgotten(facts: Facts): Answer | undefined {
  if (!facts.record?.highAvailability || !hasRun(facts) || !answersWithoutJob(facts)) return undefined;
  const told = facts.prior?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'StateAtRisk');
  if (told !== true && awaitedMs(facts) < LISTED_MS) return undefined;
  const unread = unreadHint(facts);
  const what = unread ?? `${FORGOTTEN}. If it has finished, nothing is left to do.`;
  return {
    rule: 'jobForgotten',
    say: stalled('Stalled', 'StateAtRisk', `${what} ${restoreWay(facts)}`),
    workloads: 'run',
    stateSafe: { status: 'False', reason: 'StateAtRisk', message: unread ?? FORGOTTEN },
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}

/** Why nothing is concluded from a job that is not listed, with high availability. */
export const FORGOTTEN =
  'The JobManager lists no job: it has ended and Flink, with high availability, does not run it again, but how it ended was not seen';
