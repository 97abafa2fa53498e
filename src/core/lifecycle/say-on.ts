import type { Say } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { isReadinessOver, isStable, readinessMs } from '../stability.ts';
import { progress, ready, stalled } from './say.ts';

/** All tasks run, and something is done beside them. */
export function sayOn(facts: Facts, text: string): Say {
  if (isStable(facts)) return ready('Running', 'Running', `All tasks run. ${text}`);
  if (isReadinessOver(facts)) return stalled('Stalled', 'NotStable', `${notStableText(facts)} ${text}`);
  return progress('Running', 'Stabilizing', `All tasks run. ${text}`);
}

/** Why an epoch is not stable although its time is over, for people. */
export function notStableText(facts: Facts): string {
  const seconds = readinessMs(facts) / 1000;
  const what = facts.flink.allTasksRun ? 'completed no checkpoint' : 'did not get all its tasks to run';
  return `Epoch ${facts.epoch?.number ?? 0} ${what} within ${seconds} s (policies.upgrade.readiness).${why(facts)}`;
}

function why(facts: Facts): string {
  const { view, flink } = facts;
  const newest =
    view.kind === 'answered' && view.exceptions.kind === 'value' ? view.exceptions.value.newest?.text : undefined;
  const failure = flink.allTasksRun ? failedCheckpoint(facts) : newest;
  return failure === undefined ? '' : ` ${failure}.`;
}

/** Why the last checkpoint that was asked for failed. */
export function failedCheckpoint({ prior }: Facts): string | undefined {
  return prior?.retry?.kind === 'checkpoint' ? prior.retry.failure?.replace(/\.$/, '') : undefined;
}
