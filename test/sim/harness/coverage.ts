import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Counts, History } from './history.ts';

/** What all histories of a process hit together. */
export type Coverage = {
  histories: number;
  syncs: number;
  readonly rules: Map<string, number>;
  readonly effects: Map<string, number>;
  readonly crashes: Map<string, number>;
};

export function createCoverage(): Coverage {
  return { histories: 0, syncs: 0, rules: new Map(), effects: new Map(), crashes: new Map() };
}

export const coverage = createCoverage();

/** Adds a history that ended well. */
export function conclude(history: History): void {
  add(history.counts);
}

function add(counts: Counts): void {
  coverage.histories++;
  coverage.syncs += counts.syncs;
  merge(coverage.rules, counts.rules);
  merge(coverage.effects, counts.effectKinds);
  merge(coverage.crashes, counts.crashes);
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
