import type { FlinkJobSpec } from '../api/flinkjob.ts';
import { canonical, canonicalJson } from './build/canonical.ts';
import { spelled } from './build/conf-spelling.ts';
import { confText, flattenConf } from './flink-conf-keys.ts';
import { flinkVersionOf, IMAGE_KEYS, mainImageOf } from './flink-version.ts';
import { rememberedByObject, sameJson } from './memo.ts';
import { MAIN_CONTAINER, podMetaOf, podSpecOf } from './role.ts';

/**
 * What a change of a field does to a running job. `ignore`: the field is read when it is needed, nothing is restarted;
 * `scale`: another parallelism of the same epoch where Flink can rescale; `upgrade`: a new epoch.
 */
export type Effect = 'ignore' | 'scale' | 'upgrade';

/** A field that differs between the accepted spec and the next one. */
export type Change = { readonly field: string; readonly effect: Effect };

/** A thing that a spec says: the field it is named after, what a change does, and its value however it was spelled. */
type Row = { readonly field: string; readonly effect: Effect; readonly read: (spec: FlinkJobSpec) => unknown };

const SAVEPOINT_DIRECTORY = 'execution.checkpointing.savepoint-dir';

/** Every thing a spec says but flinkConf; a thing with two spellings (field and key, own and default) is read through both. */
const TABLE: readonly Row[] = [
  { field: 'flinkVersion', effect: 'upgrade', read: (spec) => flinkVersionOf(spec) },
  {
    field: 'image',
    effect: 'upgrade',
    read: (spec) => [mainImageOf(spec, 'jobmanager'), mainImageOf(spec, 'taskmanager')],
  },
  { field: 'jarURI', effect: 'upgrade', read: (spec) => spec.jarURI ?? configured(spec, 'pipeline.jars') },
  { field: 'jobClassName', effect: 'upgrade', read: (spec) => spec.jobClassName },
  { field: 'jobArgs', effect: 'upgrade', read: (spec) => JSON.stringify(spec.jobArgs ?? []) },
  { field: 'python', effect: 'upgrade', read: (spec) => spec.python },
  {
    field: 'florkConf.shadowConfigFiles',
    effect: 'upgrade',
    read: (spec) => spec.florkConf?.shadowConfigFiles ?? false,
  },
  { field: 'florkConf', effect: 'ignore', read: (spec) => ({ ...spec.florkConf, shadowConfigFiles: undefined }) },
  { field: 'jobManagerPodMeta', effect: 'upgrade', read: (spec) => spec.jobManagerPodMeta },
  { field: 'jobManagerPodSpec', effect: 'upgrade', read: (spec) => withoutImage(podSpecOf(spec, 'jobmanager')) },
  { field: 'taskManagerPodMeta', effect: 'upgrade', read: (spec) => podMetaOf(spec, 'taskmanager') },
  { field: 'taskManagerPodSpec', effect: 'upgrade', read: (spec) => withoutImage(podSpecOf(spec, 'taskmanager')) },
  { field: 'jobManagerResources', effect: 'upgrade', read: (spec) => spec.jobManagerResources },
  { field: 'taskManagerResources', effect: 'upgrade', read: (spec) => spec.taskManagerResources },
  {
    field: 'additionalConfFiles',
    effect: 'upgrade',
    read: (spec) => JSON.stringify(Object.entries(spec.additionalConfFiles ?? {}).toSorted()),
  },
  {
    field: 'parallelism',
    effect: 'scale',
    read: (spec) => text(spec.parallelism ?? configured(spec, 'parallelism.default')),
  },
  { field: 'taskManagerReplicas', effect: 'scale', read: (spec) => text(spec.taskManagerReplicas) },
  { field: 'state', effect: 'ignore', read: (spec) => spec.state ?? 'running' },
  { field: 'restore', effect: 'ignore', read: (spec) => spec.restore },
  { field: 'jobManagerReplicas', effect: 'upgrade', read: (spec) => spec.jobManagerReplicas ?? 1 },
  { field: 'restartNonce', effect: 'ignore', read: (spec) => spec.restartNonce },
  { field: 'savepointNonce', effect: 'ignore', read: (spec) => spec.savepointNonce },
  { field: 'checkpointNonce', effect: 'ignore', read: (spec) => spec.checkpointNonce },
  { field: 'approveStateLoss', effect: 'ignore', read: (spec) => spec.approveStateLoss },
  { field: 'policies.upgrade', effect: 'ignore', read: (spec) => spec.policies?.upgrade },
  { field: 'policies.stateLoss', effect: 'ignore', read: (spec) => spec.policies?.stateLoss },
  { field: 'policies.deletion', effect: 'ignore', read: (spec) => spec.policies?.deletion },
  { field: 'policies.restart', effect: 'ignore', read: (spec) => spec.policies?.restart },
  { field: 'policies.health', effect: 'ignore', read: (spec) => spec.policies?.health },
  { field: 'policies.checkpoint', effect: 'ignore', read: (spec) => spec.policies?.checkpoint },
  { field: 'policies.scaleCooldown', effect: 'ignore', read: (spec) => spec.policies?.scaleCooldown },
  {
    field: 'policies.ttlSecondsAfterFinished',
    effect: 'ignore',
    read: (spec) => spec.policies?.ttlSecondsAfterFinished,
  },
  {
    field: 'policies.savepoint',
    effect: 'ignore',
    read: (spec) => ({ ...spec.policies?.savepoint, directory: undefined }),
  },
  {
    field: 'policies.savepoint.directory',
    effect: 'upgrade',
    read: (spec) => (spec.policies?.savepoint?.directory ?? configured(spec, SAVEPOINT_DIRECTORY))?.replace(/\/+$/, ''),
  },
];

/** Keys that are read through a row of the table. */
const READ_ELSEWHERE = new Set(['parallelism.default', 'pipeline.jars', SAVEPOINT_DIRECTORY, ...IMAGE_KEYS]);

/** Keys that no process of an application cluster reads. */
const NOT_READ = /^(yarn|sql-client|sql-gateway|historyserver)\./;

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

function compare(accepted: FlinkJobSpec, next: FlinkJobSpec): Change[] {
  if (sameJson(accepted, next)) return [];
  const found: Change[] = [];
  for (const { field, effect, read } of TABLE) {
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
  const before = spelledNew(accepted);
  const after = spelledNew(next);
  const keys = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return keys
    .filter((key) => !READ_ELSEWHERE.has(key) && before.get(key) !== after.get(key))
    .map((key) => ({ field: `flinkConf["${key}"]`, effect: NOT_READ.test(key) ? 'ignore' : 'upgrade' }));
}

/** The configuration as text by newest spelling. */
function spelledNew(spec: FlinkJobSpec): ReadonlyMap<string, string> {
  const { entries } = flattenConf(spec.flinkConf);
  return new Map([...entries].map(([key, value]) => [spelled(key, '2.3'), confText(value)]));
}

function configured(spec: FlinkJobSpec, key: string): string | undefined {
  return spelledNew(spec).get(key);
}

function text(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** A pod spec without the main container's image, which is a thing of its own; a main container that says nothing else is none. */
function withoutImage(podSpec: ReturnType<typeof podSpecOf>): unknown {
  if (podSpec === undefined) return undefined;
  const containers = podSpec.containers?.flatMap((container) => {
    if (container.name !== MAIN_CONTAINER) return [container];
    const rest = canonical({ ...container, image: undefined });
    return Object.keys(rest).length > 1 ? [rest] : [];
  });
  return { ...podSpec, containers };
}
