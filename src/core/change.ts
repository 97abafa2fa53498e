import type { FlinkJobSpec } from '../api/flinkjob.ts';
import { canonical, canonicalJson } from './build/canonical.ts';
import { CHANGE_TABLE, SAVEPOINT_DIRECTORY, type Effect } from './change-table.ts';
import { isIgnoredKey, newestSpelling } from './conf-effects.ts';
import { IMAGE_KEYS } from './flink-version.ts';
import { rememberedByObject, sameJson } from './memo.ts';

/** A field that differs between the accepted spec and the next one. */
export type Change = { readonly field: string; readonly effect: Effect };

/** Keys that are read through a row of the table. */
const READ_ELSEWHERE = new Set(['parallelism.default', 'pipeline.jars', SAVEPOINT_DIRECTORY, ...IMAGE_KEYS]);

/**
 * Compares two specs by what they say: key order, an empty value for none, spellings of quantities, a field for its
 * configuration key and an old key for its new one are no change. Nothing but the fields that differ is returned.
 */
export function changes(accepted: FlinkJobSpec, next: FlinkJobSpec): readonly Change[] {
  return comparedWith(accepted)(next);
}

/** Accepted and new spec of a job are the same two objects from sync to sync. */
const comparedWith = rememberedByObject((accepted: FlinkJobSpec) =>
  rememberedByObject((next: FlinkJobSpec) => compare(accepted, next)),
);

/** The keys of flinkConf whose change is ignored, as fields. */
export function ignoredKeys(accepted: FlinkJobSpec, next: FlinkJobSpec): readonly string[] {
  return changes(accepted, next)
    .filter(({ field, effect }) => effect === 'ignore' && field.startsWith('flinkConf['))
    .map(({ field }) => field);
}

function compare(accepted: FlinkJobSpec, next: FlinkJobSpec): Change[] {
  if (sameJson(accepted, next)) return [];
  const found: Change[] = [];
  for (const { field, effect, read } of CHANGE_TABLE) {
    if (!inherited(field, accepted, next) && !isSame(read(accepted), read(next))) found.push({ field, effect });
  }
  return [...found, ...confChanges(accepted, next)];
}

/** Whether the field is a TaskManager's that neither spec sets: its value is the JobManager's, whose own row reports the change. */
function inherited(field: string, accepted: FlinkJobSpec, next: FlinkJobSpec): boolean {
  if (field !== 'taskManagerPodSpec' && field !== 'taskManagerPodMeta') return false;
  return accepted[field] === undefined && next[field] === undefined;
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || canonicalJson(canonical({ it: one })) === canonicalJson(canonical({ it: other }));
}

function confChanges(accepted: FlinkJobSpec, next: FlinkJobSpec): Change[] {
  const before = newestSpelling(accepted);
  const after = newestSpelling(next);
  const keys = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return keys
    .filter((key) => !READ_ELSEWHERE.has(key) && before.get(key) !== after.get(key))
    .map((key) => ({ field: `flinkConf["${key}"]`, effect: isIgnoredKey(key) ? 'ignore' : 'upgrade' }));
}
