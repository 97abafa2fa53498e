import type { Json } from '../api/kube.ts';

/** A Flink configuration value as a user writes it. A list's items may be maps (Flink reads them as YAML). */
export type ConfValue = string | number | boolean | readonly Json[];

/** flinkConf with every key in its flat spelling, in the order written. */
export type FlatConf = {
  readonly entries: ReadonlyMap<string, ConfValue>;
  /** Keys written in two spellings (flat and nested) with different values; `entries` holds the last one. */
  readonly duplicates: readonly string[];
};

type Pending = { readonly key: string; readonly value: unknown; readonly depth: number };

/** Levels of nesting that are read; validation refuses a spec that is deeper. */
export const DEEPEST = 64;

/**
 * Flattens flinkConf: `{ state: { backend: { type: x } } }` and `{ 'state.backend.type': x }` are the same.
 * A null is a key not set, as in Kubernetes. Neither depth nor breadth can exhaust the stack.
 */
export function flattenConf(conf: Readonly<Record<string, unknown>> | undefined): FlatConf {
  const entries = new Map<string, ConfValue>();
  const duplicates = new Set<string>();
  const pending: Pending[] = [{ key: '', value: conf ?? {}, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { key, value, depth } = next;
    if (isMap(value) && depth < DEEPEST) {
      const prefix = depth === 0 ? '' : `${key}.`;
      for (const [name, member] of Object.entries(value).toReversed()) {
        pending.push({ key: prefix + name, value: member, depth: depth + 1 });
      }
    } else if (isConfValue(value)) {
      const known = entries.get(key);
      if (known !== undefined && confText(known) !== confText(value)) duplicates.add(key);
      entries.set(key, value);
    }
  }
  return { entries, duplicates: [...duplicates] };
}

/** A value in Flink's legacy text form: lists as `a;b`, everything else as it prints. Two equal texts say the same to Flink. */
export function confText(value: ConfValue): string {
  if (!Array.isArray(value)) return String(value);
  return value.map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item))).join(';');
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isConfValue(value: unknown): value is ConfValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || Array.isArray(value);
}
