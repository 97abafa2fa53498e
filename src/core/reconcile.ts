import type { Operation } from '../api/status.ts';
import type { Answer } from './answer.ts';
import { childrenOf } from './children.ts';
import { dutiesOf, fulfilled, secondsToDuty } from './duties.ts';
import type { DutyResult } from './duty.ts';
import { epochProgress } from './epoch-progress.ts';
import { factsOf } from './facts/facts.ts';
import type { CommandResult } from './flink-view.ts';
import { decide } from './lifecycle/decide.ts';
import { restoreOf } from './restore-plan.ts';
import { epochOf, missingChildren, statusOf } from './status.ts';
import type { Input, Outcome } from './types.ts';

/**
 * One decision: classify what was observed, ask the rules in order, build children and status of the answer.
 * Pure: the same input gives the same bytes (S6). Throws only on a bug, and then nothing is answered.
 */
export function reconcile(input: Input): Outcome {
  const facts = factsOf(input);
  const answer = decide(facts);
  const epoch = epochOf(facts, answer, epochProgress(facts));
  const restore = restoreOf(facts, answer, epoch);
  const status = statusOf(facts, answer, epoch, missingChildren(facts), restore);
  return {
    children: childrenOf(facts, answer, restore, status.stableEpoch),
    status,
    commands: commandsOf(input, answer),
    duties: dutiesOf(facts, answer),
    resyncAfterSeconds: sooner(answer.resyncAfterSeconds, secondsToDuty(facts, answer)),
    finalized: answer.finalized ?? false,
    rule: answer.rule,
    ...(answer.retry429 ? { retryAfterSeconds: answer.resyncAfterSeconds } : {}),
    at: facts.at,
  };
}

/** A command is sent only in a sync whose observed status shows the intent (metacontroller reference, 9.5). */
function commandsOf(input: Input, answer: Answer): Outcome['commands'] {
  const observed = input.job.status?.operation;
  return observed ? (answer.commands ?? []) : [];
}

/** The sooner of two timers; 0 is none. */
function sooner(one: number, other: number): number {
  return one === 0 || other === 0 ? one + other : Math.min(one, other);
}

/**
 * Takes in how the commands ended. A definite refusal is the result of what was asked, told like a failure by the next sync (that
 * of a rescale makes it an upgrade), and a disposal is known by the trigger id that Flink gave it; anything else is asked of Flink
 * again. How the duties ended changes nothing but what status says of them.
 */
export function acknowledge(
  outcome: Outcome,
  results: readonly CommandResult[],
  duties: readonly DutyResult[] = [],
): Outcome {
  return fulfilled(commanded(outcome, results), duties);
}

function commanded(outcome: Outcome, results: readonly CommandResult[]): Outcome {
  const { operation } = outcome.status;
  const result = results.find(({ command }) => command.kind === operation?.kind);
  if (!operation || !result || operation.kind === 'cancel') return outcome;
  if (result.kind === 'refused') {
    const failure = result.text.slice(0, 300);
    return withOperation(outcome, { ...operation, result: { failure, at: outcome.at } });
  }
  const { triggerId, command } = result;
  if (triggerId !== undefined) return withOperation(outcome, { ...operation, triggerId });
  const known = result.kind === 'done' && 'triggerId' in command && command.triggerId === operation.triggerId;
  return known ? withOperation(outcome, { ...operation, known }) : outcome;
}

function withOperation(outcome: Outcome, operation: Operation): Outcome {
  return { ...outcome, status: { ...outcome.status, operation } };
}
