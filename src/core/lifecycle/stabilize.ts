import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { isReadinessOver, isStable, needsAsking, readinessMs } from '../stability.ts';
import { parseTime } from '../time.ts';
import { intendAside } from './aside.ts';
import { settledSeconds, TRANSITION_SECONDS } from './pace.ts';
import { failedCheckpoint, notStableText, sayOn } from './say-on.ts';
import { stalled } from './say.ts';

/**
 * From the first time that all tasks run to a stable epoch. Flork asks for the first checkpoint, as the job's own interval may be long:
 *
 *   all tasks run ──► checkpoint intended ──observed──► POST ──complete──► stable
 *                     ▲──────────a new attempt after a pause──────────failed
 *
 * Without one, and without all tasks, the time for it ends (policies.upgrade.readiness): a person is told.
 */

/** The first checkpoint of the epoch is asked for, before anything else that the spec asks of a job that runs. */
export function stabilityDue(facts: Facts): Answer | undefined {
  const { epoch, flink, aside, now } = facts;
  if (!epoch || epoch.ended || aside || !flink.allTasksRun || isStable(facts)) return undefined;
  if (!needsAsking(facts) || pauseOf(facts) > now) return undefined;
  const text = 'The first checkpoint of this epoch is being taken.';
  return intendAside(facts, { kind: 'checkpoint', purpose: 'stable' }, 'stabilityIntended', text);
}

/** Whatever failed beside the job last, savepoint or checkpoint, has the pause: they fail for the same reasons. */
function pauseOf({ prior }: Facts): number {
  const kind = prior?.retry?.kind;
  return kind === 'checkpoint' || kind === 'savepoint' ? (parseTime(prior?.retry?.notBefore) ?? 0) : 0;
}

/** All tasks run, and nothing is left to do but to wait. */
export function stabilizing(facts: Facts): Answer | undefined {
  const { epoch, flink, input } = facts;
  if (!epoch || !flink.allTasksRun || isStable(facts)) return undefined;
  const failure = failedCheckpoint(facts);
  const why = failure === undefined ? '' : ` The last attempt failed: ${failure}.`;
  return {
    rule: 'stabilizing',
    say: sayOn(facts, `The first checkpoint of this epoch is awaited.${isReadinessOver(facts) ? '' : why}`),
    workloads: 'run',
    resyncAfterSeconds: isReadinessOver(facts) ? settledSeconds(input.job.ref.uid) : TRANSITION_SECONDS,
  };
}

/** Not all tasks run, and the time to become stable is over. A JobManager that does not answer says nothing about that. */
export function notStable(facts: Facts): Answer | undefined {
  const { flink } = facts;
  if (flink.allTasksRun || flink.heard === 'unreachable' || flink.foreign || !isReadinessOver(facts)) return undefined;
  return {
    rule: 'notStable',
    say: stalled('Stalled', 'NotStable', notStableText(facts)),
    workloads: 'run',
    resyncAfterSeconds: Math.min(15, readinessMs(facts) / 1000),
  };
}
