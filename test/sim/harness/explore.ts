import type { ApplyStrategy } from '../../../src/sim/models/metacontroller/sync.ts';
import { createRandom } from '../../../src/sim/models/random.ts';
import { changesSpec, checkFree, costOf, isFree, reachSpec, type Cost } from './break-out.ts';
import { conclude } from './coverage.ts';
import { disturb } from './disturb.ts';
import { FLOWS, type Flow } from './catalogue.ts';
import { endWell, reachSettled } from './flows.ts';
import type { DeedName } from './deeds.ts';
import { createHistory, Interrupted, type History, type HistoryOptions } from './history.ts';
import { isElementary, nameOf, plansOf, stratumOf, type Plan } from './plans.ts';
import { reference } from './reference.ts';

/** A flow under one apply strategy, on a seed of its own. */
export type Subject = {
  readonly flow: Flow;
  readonly options: HistoryOptions & { readonly strategy: ApplyStrategy };
};
export type Explored = { readonly plans: number; readonly known: number; readonly failures: readonly string[] };

/** Which of all plans to run: `elementary` ones and, of each stratum of the others, so many by the seed; those of some deeds; or all. */
export type Share =
  | { readonly kind: 'all'; readonly part: number; readonly parts: number }
  | { readonly kind: 'deeds'; readonly deeds: readonly DeedName[] }
  | { readonly kind: 'some'; readonly seed: number; readonly elementary: boolean; readonly ofEach: number };

export function subjects(flows: readonly Flow[], strategies: 'one' | 'both'): readonly Subject[] {
  return flows.flatMap((flow, index) => {
    const seed = 101 + index;
    const own: ApplyStrategy = index % 2 === 0 ? 'dynamic-apply' : 'server-side-apply';
    const chosen: readonly ApplyStrategy[] = strategies === 'one' ? [own] : ['dynamic-apply', 'server-side-apply'];
    return chosen.map((strategy) => ({ flow, options: { seed, strategy } }));
  });
}

/** The flow of this name, on the seed that it always has. */
export function subjectOf(name: string, strategy: ApplyStrategy): Subject {
  const found = subjects(FLOWS, 'both').find(
    ({ flow, options }) => flow.name === name && options.strategy === strategy,
  );
  if (found === undefined) throw new Error(`no flow "${name}"`);
  return found;
}

/** Records the flow, derives its plans and runs the share of them. The flow must reach what it promised, and then settle. */
export async function explore({ flow, options }: Subject, share: Share): Promise<Explored> {
  const { trace, history } = await reference(flow, options);
  conclude(history);
  const undisturbed = costOf(history);
  const all = plansOf(trace, { staleChildren: options.strategy === 'dynamic-apply' });
  const plans = all.filter(isOf(share, all));
  const failures: string[] = [];
  for (const [number, plan] of plans.entries()) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- each in a world of its own, one after the other
      conclude(await disturbed(flow, plan, options, { undisturbed, settles: number % 6 === 0 }));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      failures.push(`${flow.name}, ${options.strategy}: ${nameOf(plan)}: ${message}`);
      if (failures.length >= 3) break;
    }
  }
  return { plans: plans.length, known: all.length, failures };
}

function isOf(share: Share, all: readonly Plan[]): (plan: Plan, index: number) => boolean {
  if (share.kind === 'all') return (_, index) => index % share.parts === share.part;
  if (share.kind === 'deeds') return (plan) => plan.kind === 'deed' && share.deeds.includes(plan.deed);
  const picked = chosen(all, share);
  return (plan) => picked.has(plan);
}

function chosen(all: readonly Plan[], share: Extract<Share, { kind: 'some' }>): ReadonlySet<Plan> {
  const random = createRandom(share.seed);
  const strata = new Map<string, Plan[]>();
  const picked = new Set<Plan>();
  for (const plan of all) {
    if (share.elementary && isElementary(plan)) picked.add(plan);
    else strata.set(stratumOf(plan), [...(strata.get(stratumOf(plan)) ?? []), plan]);
  }
  for (const [stratum, plans] of strata) {
    const draw = random.fork(stratum);
    const ordered = plans.map((plan) => ({ plan, order: draw.next() })).sort((a, b) => a.order - b.order);
    // A number below 1 takes so many strata.
    const number = share.ofEach >= 1 ? share.ofEach : Number(draw.chance(share.ofEach));
    for (const { plan } of ordered.slice(0, number)) picked.add(plan);
  }
  return picked;
}

/** What it is held to: at which cost the flow goes undisturbed, and whether it must settle. */
type Held = { readonly undisturbed: Cost; readonly settles: boolean };

/**
 * Runs the flow with the disturbance. What somebody does in between changes what is promised: then it must only end well, and do first
 * what a new spec says.
 */
export async function disturbed(flow: Flow, plan: Plan, options: HistoryOptions, held: Held): Promise<History> {
  const history = createHistory(options);
  disturb(history, plan);
  try {
    await flow.prelude(history);
    await flow.body(history);
    if (plan.kind === 'deed' && isFree(plan.deed)) checkFree(history, held.undisturbed);
    // The last status of a flow may be written after what it promises is reached.
    if (plan.kind === 'deed') await history.run(5_000);
    else if (held.settles) await reachSettled(history);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    if (plan.kind === 'deed' && changesSpec(plan.deed)) await reachSpec(history);
    await endWell(history);
  }
  return history;
}
