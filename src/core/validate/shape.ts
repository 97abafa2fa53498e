import * as v from 'valibot';
import { FlinkJobSpec } from '../../api/flinkjob.ts';
import { isObject } from '../../api/json.ts';
import type { Finding } from '../types.ts';
import { quoted } from './rule.ts';
import { unknownFields } from './unknown-fields.ts';

/** What could be read of a spec: the fields that parse, the names of those that do not, and why. */
export type Shape = {
  readonly spec: FlinkJobSpec;
  readonly unread: ReadonlySet<string>;
  readonly findings: readonly Finding[];
};

/** A field that does not parse does not hide what is wrong with the others. A null is a field not set. */
export function readShape(raw: unknown): Shape {
  if (!isObject(raw)) {
    const is = raw === undefined || raw === null ? 'is absent' : `is ${quoted(raw)}`;
    return {
      spec: {},
      unread: new Set(['spec']),
      findings: [{ rule: 'type', path: 'spec', is, want: 'a map of fields' }],
    };
  }
  const clean = withoutNulls(raw);
  const unknown = unknownFields(FlinkJobSpec, raw, 'spec');
  const whole = v.safeParse(FlinkJobSpec, clean);
  if (whole.success) return { spec: whole.output, unread: new Set(), findings: unknown };
  const unread = new Set(whole.issues.map((issue) => String(issue.path?.[0]?.key)));
  const rest = Object.fromEntries(Object.entries(raw).filter(([name]) => !unread.has(name)));
  const part = v.safeParse(FlinkJobSpec, withoutNulls(rest));
  const findings = [...unknown, ...whole.issues.map((issue) => findingOf(issue))];
  return { spec: part.success ? part.output : {}, unread, findings };
}

function findingOf(issue: v.BaseIssue<unknown>): Finding {
  const path = (issue.path ?? []).reduce((text, item) => text + step(item.key), 'spec');
  const isAbsent = issue.input === undefined;
  const is = isAbsent ? 'is absent' : `is ${quoted(issue.input)}`;
  return { rule: 'type', path, is, want: isAbsent ? 'a value' : wantOf(issue) };
}

function step(key: unknown): string {
  if (typeof key === 'number') return `[${key}]`;
  return typeof key === 'string' && /^[A-Za-z]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function wantOf(issue: v.BaseIssue<unknown>): string {
  switch (issue.type) {
    case 'picklist':
      return `one of ${(issue.expected ?? '').replace(/^\(|\)$/g, '').replaceAll(' | ', ', ')}`;
    case 'integer':
      return 'a whole number';
    case 'min_value':
      return `at least ${String(issue.requirement)}`;
    case 'max_value':
      return `at most ${String(issue.requirement)}`;
    case 'union':
      return 'a quantity such as 500m, 2 or 2Gi';
    default:
      return WORDS.get(issue.type) ?? String(issue.expected);
  }
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map of fields'],
  ['loose_object', 'a map of fields'],
  ['record', 'a map'],
]);

/** Members that are null are left out, at every depth; the items of lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item));
  if (!isObject(value)) return value ?? undefined;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}
