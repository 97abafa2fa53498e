import { DEEDS, type DeedName } from './deeds.ts';
import type { Trace } from './reference.ts';

/** One disturbance of a flow, placed by number in the trace of the undisturbed flow. */
export type Plan =
  | { readonly kind: 'crash'; readonly when: 'before' | 'after'; readonly effect: number; readonly on: string }
  | { readonly kind: 'write'; readonly fate: 'refused' | 'lost'; readonly effect: number; readonly on: string }
  | { readonly kind: 'answer lost'; readonly call: number; readonly on: string }
  | {
      readonly kind: 'duplicate';
      readonly call: number;
      readonly fate: 'first' | 'second' | 'late';
      readonly on: string;
    }
  | {
      readonly kind: 'stale';
      readonly sync: number;
      readonly behind: number;
      readonly of: 'parent' | 'children' | 'related' | 'both';
      readonly on: string;
    }
  | {
      readonly kind: 'flink';
      readonly call: number;
      readonly fate: 'unreachable' | 'answer-lost' | 'timeout';
      readonly on: string;
    }
  /** After the so-many-th effect, a write of the status, the user or the cluster does something else. */
  | { readonly kind: 'deed'; readonly effect: number; readonly deed: DeedName; readonly on: string };

export function nameOf(plan: Plan): string {
  switch (plan.kind) {
    case 'crash':
      return `Metacontroller dies ${plan.when} effect ${plan.effect} (${plan.on})`;
    case 'write':
      return `effect ${plan.effect} (${plan.on}) is ${plan.fate === 'lost' ? 'done and its answer lost' : 'refused'}`;
    case 'answer lost':
      return `the answer of hook call ${plan.call} (${plan.on}) is lost`;
    case 'duplicate':
      return `hook call ${plan.call} (${plan.on}) reaches two replicas: ${plan.fate}`;
    case 'stale':
      return `sync ${plan.sync} (${plan.on}) sees ${plan.of === 'both' ? 'parent and children' : plan.of} ${plan.behind} behind`;
    case 'flink':
      return `Flink call ${plan.call} (${plan.on}): ${plan.fate}`;
    case 'deed':
      return `after effect ${plan.effect}: ${plan.deed}`;
    default:
      return plan satisfies never;
  }
}

/** What a plan is one of: a share of all plans takes some of each. */
export function stratumOf(plan: Plan): string {
  const fate = 'fate' in plan ? plan.fate : plan.kind === 'stale' ? `${plan.of} ${plan.behind}` : '';
  return `${plan.kind} ${fate} ${plan.kind === 'deed' ? plan.deed : plan.on}`;
}

/** Crashes, lost answers and stale views: the plans that every core flow runs in every `npm test`. */
export function isElementary(plan: Plan): boolean {
  return plan.kind === 'crash' || plan.kind === 'answer lost' || (plan.kind === 'stale' && plan.behind === 1);
}

/**
 * Every disturbance of a flow, but for those that are the same as another by construction:
 * - between two effects of one sync nothing happens, so that dying after one is dying before the next;
 * - of polls that were shown and answered the same, the first and the last stand for all;
 * - a view is never made older by more events than there were;
 * - an answer that asks for nothing cannot be lost, or given twice, to any harm;
 * - a question to Flink whose answer is lost, and one that was never heard, differ only in the time it takes.
 */
export function plansOf(trace: Trace, { staleChildren }: { readonly staleChildren: boolean }): readonly Plan[] {
  const calls = trace.calls.filter((call) => !call.repeated);
  const byCall = new Map(calls.map((call) => [call.call, call]));
  const of = (call: number): string => byCall.get(call)?.rule ?? '';
  return [
    ...effectPlans(trace, byCall),
    ...calls
      .filter((call) => call.busy)
      .flatMap(({ call, rule: on }): readonly Plan[] => [
        { kind: 'answer lost', call, on },
        ...(['first', 'second', 'late'] as const).map((fate): Plan => ({ kind: 'duplicate', call, fate, on })),
      ]),
    ...calls.flatMap((call) => stalePlans(call, staleChildren)),
    ...trace.flinkCalls
      .filter(({ call }) => byCall.has(call))
      .flatMap(({ index, method, path, call }): readonly Plan[] => {
        const on = `${of(call)}: ${method} ${path}`;
        const fates = method === 'GET' ? (['timeout'] as const) : (['unreachable', 'answer-lost'] as const);
        return fates.map((fate) => ({ kind: 'flink', call: index, fate, on }));
      }),
  ];
}

function effectPlans(trace: Trace, byCall: ReadonlyMap<number, { readonly busy: boolean }>): readonly Plan[] {
  return trace.effects.flatMap(({ index, effect, call }, place): readonly Plan[] => {
    const on = `${effect.kind} ${effect.on}`;
    const crash = (when: 'before' | 'after'): Plan => ({ kind: 'crash', when, effect: index, on });
    const first = place === 0 ? [crash('before')] : [];
    if (effect.kind === 'hook') return [...first, ...(byCall.has(call) ? [crash('after')] : [])];
    const writes = (['refused', 'lost'] as const).map((fate): Plan => ({ kind: 'write', fate, effect: index, on }));
    const deeds =
      effect.kind === 'status' ? DEEDS.map((deed): Plan => ({ kind: 'deed', effect: index, deed, on })) : [];
    return [...first, crash('after'), ...writes, ...deeds];
  });
}

function stalePlans({ sync, rule: on, depth }: Trace['calls'][number], staleChildren: boolean): readonly Plan[] {
  const plans: Plan[] = [];
  for (const behind of [1, 2, 3]) {
    const show = (of: 'parent' | 'children' | 'related' | 'both'): void => {
      plans.push({ kind: 'stale', sync, behind, of, on });
    };
    if (depth.parent >= behind) show('parent');
    if (depth.related >= behind) show('related');
    if (!staleChildren) continue;
    if (depth.children >= behind) show('children');
    if (depth.parent >= behind && depth.children >= behind) show('both');
  }
  return plans;
}
