import { isObject } from '../api/json.ts';
import type { Child, ChildKind } from '../api/kube.ts';
import { OPTIONAL_KINDS, type OptionalKind } from '../api/optional-children.ts';
import type { Answer } from './answer.ts';
import { sealed } from './build/child.ts';
import { OPTIONAL_CHILDREN } from './build/optional.ts';
import type { Facts } from './facts/facts.ts';

/**
 * Children that no epoch has: they are made from the spec of the day, wherever their kind is let to Flork, and go when the spec no longer
 * asks for them. Where the spec of the day is not to act (paused, invalid, being deleted), they stay as they are.
 */
export function withOptional(facts: Facts, answer: Answer, children: readonly Child[]): readonly Child[] {
  const own = children.filter(({ kind }) => !isOptional(kind));
  if (own.length === 0) return children;
  const { echo, optional } = facts.input.observed;
  if (optional.size === 0) return children;
  if (isFrozen(facts)) return [...own, ...echo.filter(({ kind }) => isOptional(kind))];
  return [...own, ...wanted(facts, answer).filter(({ kind }) => optional.has(kind as OptionalKind))];
}

/** Fields of the spec that ask for a kind which the CompositeController does not list, with the component that would. */
export function notEnabled(facts: Facts): readonly { readonly field: string; readonly component: string }[] {
  const spec = asked(facts);
  if (spec === undefined) return [];
  return OPTIONAL_KINDS.filter(({ kind, field }) => isObject(spec[field]) && !facts.input.observed.optional.has(kind));
}

/** Optional children that an earlier answer to this very spec had, and that are not there. */
export function missingOptional(facts: Facts): readonly string[] {
  const spec = asked(facts);
  const { job, observed } = facts.input;
  if (spec === undefined || isFrozen(facts) || facts.deployed === 0) return [];
  if (facts.prior?.observedGeneration !== job.generation) return [];
  return OPTIONAL_KINDS.filter(
    ({ kind, field }) => isObject(spec[field]) && observed.optional.get(kind)?.has(job.ref.name) === false,
  ).map(({ kind }) => `${kind} ${job.ref.name}`);
}

function isOptional(kind: ChildKind): boolean {
  return OPTIONAL_KINDS.some((one) => one.kind === kind);
}

function isFrozen({ input }: Facts): boolean {
  const { job, finalizing } = input;
  return finalizing || job.deletionTimestamp !== undefined || job.paused || job.spec.kind === 'invalid';
}

function asked({ input }: Facts) {
  return input.job.spec.kind === 'valid' ? input.job.spec.spec : undefined;
}

function wanted(facts: Facts, answer: Answer): readonly Child[] {
  const { job, platform } = facts.input;
  const spec = asked(facts);
  if (spec === undefined) return [];
  const callsApiServer = [facts.record, answer.declared].some((record) => record?.highAvailability === true);
  const input = { ref: job.ref, spec, callsApiServer, home: platform?.home };
  return OPTIONAL_KINDS.flatMap(({ kind }) => OPTIONAL_CHILDREN[kind](input) ?? []).map(sealed);
}
