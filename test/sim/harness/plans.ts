import { createHistory, type History, type HistoryOptions } from './history.ts';
import { reachSettled, type Flow } from './flows.ts';

/** One disturbance of a flow, placed by number in the trace of the undisturbed flow. */
export type Plan =
  | { readonly kind: 'crash'; readonly when: 'before' | 'after'; readonly effect: number }
  | { readonly kind: 'answer lost'; readonly call: number }
  | {
      readonly kind: 'stale';
      readonly sync: number;
      readonly behind: number;
      readonly of: 'parent' | 'children' | 'related';
    }
  | { readonly kind: 'command'; readonly call: number; readonly fate: 'unreachable' | 'answer-lost' };

export type Trace = {
  readonly effects: readonly [number, number];
  /** Effects that were hook calls whose answer led to no write, but every fourth: dying there is a mere restart. */
  readonly idleHooks: ReadonlySet<number>;
  /** Numbers of the hook calls whose answer led to a write or that sent a command. */
  readonly busyCalls: readonly number[];
  readonly syncs: readonly [number, number];
  /** Numbers of the Flink calls that were commands. */
  readonly commands: readonly number[];
};

export function nameOf(plan: Plan): string {
  switch (plan.kind) {
    case 'crash':
      return `Metacontroller dies ${plan.when} effect ${plan.effect}`;
    case 'answer lost':
      return `the answer of hook call ${plan.call} is lost`;
    case 'stale':
      return `sync ${plan.sync} sees ${plan.of} ${plan.behind} behind`;
    case 'command':
      return `Flink call ${plan.call}: ${plan.fate}`;
    default:
      return plan satisfies never;
  }
}

/** Runs the flow undisturbed and notes what may be disturbed. */
export async function reference(
  flow: Flow,
  options: HistoryOptions,
): Promise<{ readonly trace: Trace; readonly history: History }> {
  const history = createHistory(options);
  const { counts, controls } = history;
  await flow.prelude(history);
  const from = { ...counts };
  const commands: number[] = [];
  const busy = new Set<number>();
  const idle: number[] = [];
  let lastHook: number | undefined;
  controls.crash = (effect, when, index) => {
    if (when === 'before') {
      if (effect.kind === 'hook' && lastHook !== undefined) idle.push(lastHook);
      lastHook = effect.kind === 'hook' ? index : undefined;
    }
    if (effect.kind !== 'hook') busy.add(counts.calls - 1);
    return false;
  };
  controls.flink = (index, method) => {
    if (method !== 'GET') {
      commands.push(index);
      busy.add(counts.calls - 1);
    }
    return 'none';
  };
  await flow.body(history);
  return {
    trace: {
      effects: [from.effects, counts.effects],
      idleHooks: new Set(idle.filter((index) => index % 4 !== 0)),
      busyCalls: [...busy],
      syncs: [from.syncs, counts.syncs],
      commands,
    },
    history,
  };
}

/**
 * Every disturbance of a flow. Between two effects of one sync nothing happens, so that dying after one is dying before the next;
 * an answer that asks for nothing cannot be lost to any harm.
 */
export function plansOf(trace: Trace): readonly Plan[] {
  const plans: Plan[] = [];
  for (let effect = trace.effects[0]; effect < trace.effects[1]; effect++) {
    if (effect === trace.effects[0]) plans.push({ kind: 'crash', when: 'before', effect });
    if (!trace.idleHooks.has(effect)) plans.push({ kind: 'crash', when: 'after', effect });
  }
  for (const call of trace.busyCalls) plans.push({ kind: 'answer lost', call });
  for (let sync = trace.syncs[0]; sync < trace.syncs[1]; sync++) {
    plans.push({ kind: 'stale', sync, behind: 1, of: 'parent' }, { kind: 'stale', sync, behind: 2, of: 'parent' });
    if (sync % 3 === 0) plans.push({ kind: 'stale', sync, behind: 1, of: sync % 2 === 0 ? 'children' : 'related' });
  }
  for (const call of trace.commands) {
    plans.push({ kind: 'command', call, fate: 'unreachable' }, { kind: 'command', call, fate: 'answer-lost' });
  }
  return plans;
}

/** Runs the flow with the disturbance; it must reach what it promised, and then (when asked) settle. */
export async function disturbed(flow: Flow, plan: Plan, options: HistoryOptions, settles = true): Promise<History> {
  const history = createHistory(options);
  disturb(history, plan);
  await flow.prelude(history);
  await flow.body(history);
  if (settles) await reachSettled(history);
  return history;
}

function disturb({ controls, tell }: History, plan: Plan): void {
  let shown = false;
  switch (plan.kind) {
    case 'crash':
      controls.crash = (_effect, when, index) => when === plan.when && index === plan.effect;
      break;
    case 'answer lost':
      controls.hook = (index) => (index === plan.call ? 'answer-lost' : 'up');
      break;
    case 'stale':
      controls.staleness = (index) => {
        // Once: a sync that does not even see the parent does not count.
        const now = index === plan.sync && !shown;
        shown ||= now;
        if (now) tell(`the next sync sees ${plan.of} ${plan.behind} behind`);
        return { parent: 0, children: 0, related: 0, ...(now ? { [plan.of]: plan.behind } : {}) };
      };
      break;
    case 'command':
      controls.flink = (index) => (index === plan.call ? plan.fate : 'none');
      break;
    default:
      plan satisfies never;
  }
}
