import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACTOR } from '../../../src/sim/world.ts';
import { statusOf } from './checker.ts';
import type { History } from './history.ts';

/** What all histories of a process hit together. */
export type Coverage = {
  histories: number;
  syncs: number;
  rules: Map<string, number>;
  effects: Map<string, number>;
  crashes: Map<string, number>;
  /** `From → To` of status.state, as stored. */
  steps: Map<string, number>;
};

export function createCoverage(): Coverage {
  return { histories: 0, syncs: 0, rules: new Map(), effects: new Map(), crashes: new Map(), steps: new Map() };
}

export const coverage = createCoverage();

/** Adds a history that ended well. */
export function conclude({ counts, world }: History): void {
  const { syncs, rules, effectKinds: effects, crashes } = counts;
  add(coverage, { histories: 1, syncs, rules, effects, crashes, steps: stepsOf(world) });
}

export function add(to: Coverage, more: Coverage): void {
  to.histories += more.histories;
  to.syncs += more.syncs;
  merge(to.rules, more.rules);
  merge(to.effects, more.effects);
  merge(to.crashes, more.crashes);
  merge(to.steps, more.steps);
}

/** Forgets all. */
export function reset(): void {
  Object.assign(coverage, createCoverage());
}

/** Each change of status.state that Metacontroller stored; a status that somebody else wrote begins anew. */
function stepsOf(world: History['world']): Map<string, number> {
  const steps = new Map<string, number>();
  const last = new Map<string, string | undefined>();
  for (const { object, actor, verb } of world.api.writes) {
    if (object.kind !== 'FlinkJob' || verb === 'delete') continue;
    const uid = object.metadata.uid ?? '';
    const to = statusOf(object).state;
    const from = last.get(uid);
    last.set(uid, to);
    if (actor !== ACTOR || from === undefined || to === undefined || from === to) continue;
    const step = `${from} → ${to}`;
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  return steps;
}

function merge(into: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, count] of from) into.set(name, (into.get(name) ?? 0) + count);
}

/** The names of all rules, as the sources of src/core spell them. */
export function ruleNames(): readonly string[] {
  const directory = join(import.meta.dirname, '../../../src/core/lifecycle');
  const sources = readdirSync(directory)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(directory, name), 'utf8'));
  const names = new Set<string>();
  for (const source of sources) for (const [, name = ''] of source.matchAll(/\brule: '([A-Za-z]+)'/g)) names.add(name);
  return [...names].sort();
}

export function report(of: Coverage = coverage): string {
  const table = (title: string, rows: ReadonlyMap<string, number>): string =>
    `${title}: ${[...rows]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`;
  return [
    `${of.histories} histories, ${of.syncs} syncs`,
    table('rules', of.rules),
    table('effects', of.effects),
    table('crashes', of.crashes),
  ].join('\n');
}
