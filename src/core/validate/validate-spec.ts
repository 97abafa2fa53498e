import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { DEEPEST, flattenConf } from '../flink-conf-keys.ts';
import { flinkVersionOf } from '../flink-version.ts';
import { forbidden, type Guard } from '../profile/guard.ts';
import type { Finding } from '../types.ts';
import { RULES } from './rules.ts';
import type { Subject } from './rule.ts';
import { readShape } from './shape.ts';

/** What validation says: the parsed spec, or everything that is wrong with it. */
export type Validation =
  | { readonly kind: 'valid'; readonly spec: FlinkJobSpec }
  | { readonly kind: 'invalid'; readonly findings: readonly Finding[] };

/**
 * Parses a spec and asks every rule about it. All findings are returned, sorted by path and rule, so that one round of corrections is enough.
 * The hook, the admission route and the command line give the same answer, because they all call this. Where a tenant profile is given,
 * what a right spec would bring about is held against it.
 */
export function validateSpec(
  raw: unknown,
  meta: { readonly name: string; readonly namespace: string; readonly tenant?: string },
  guard?: Guard,
): Validation {
  if (isDeeperThan(raw, DEEPEST)) {
    const finding = {
      rule: 'depth',
      path: 'spec',
      is: `is nested deeper than ${DEEPEST} levels`,
      want: 'a flatter spec',
    };
    return { kind: 'invalid', findings: [finding] };
  }
  const { spec, unread, findings: shapeFindings } = readShape(raw);
  const { entries, duplicates } = flattenConf(spec.flinkConf);
  const subject: Subject = { meta, spec, unread, conf: entries, duplicates, version: flinkVersionOf(spec) };
  const rules = unread.has('spec') ? [] : RULES;
  const ruleFindings = rules.flatMap(({ id, check }) =>
    check(subject).map((problem): Finding => ({ rule: id, ...problem })),
  );
  const wrong = [...shapeFindings, ...ruleFindings];
  const isRight = wrong.length === 0 && guard !== undefined;
  const findings = (isRight ? [...forbidden(spec, meta, guard)] : wrong).sort(byPathAndRule);
  return findings.length === 0 ? { kind: 'valid', spec } : { kind: 'invalid', findings };
}

/** One line for people: `PATH: what is; want what (rule)`. */
export function formatFinding({ path, is, want, rule }: Finding): string {
  return `${path}: ${is}; want ${want} (${rule})`;
}

function byPathAndRule(a: Finding, b: Finding): number {
  return compare(a.path, b.path) || compare(a.rule, b.rule);
}

/** Order by code points, the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Walks without recursion: what comes from outside may be nested as deep as it likes. */
function isDeeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}
