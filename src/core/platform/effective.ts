import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { isObject } from '../../api/json.ts';
import { SAVEPOINT_DIRECTORY } from '../change-table.ts';
import { confText } from '../flink-conf-keys.ts';
import { flinkVersionOf, IMAGE_KEYS } from '../flink-version.ts';
import type { JobRef } from '../record.ts';
import { decorated, DecoratorFailure } from './decorate.ts';
import { entriesFor, membersOf, withDefaults } from './defaults.ts';
import type { DecoratedConf, DecoratedJob, Decorator, Platform } from './platform.ts';

/** Keys that neither defaults nor decorators say: what a job is, and how large, is said by its own spec. */
export const JOBS_OWN_KEYS: readonly string[] = [
  'parallelism.default',
  'taskmanager.numberOfTaskSlots',
  'pipeline.jars',
  ...IMAGE_KEYS,
];

/**
 * The spec that an epoch is rendered from: the user's, over the platform's defaults, its configuration decorated. Without a platform
 * it is the user's itself. Throws `DecoratorFailure`.
 */
export function effectiveSpec(
  { defaults, decorators }: Platform,
  ref: Pick<JobRef, 'name' | 'namespace' | 'tenant'>,
  spec: FlinkJobSpec,
): FlinkJobSpec {
  const filled = withDefaults(spec, entriesFor(defaults, ref.namespace, spec));
  return decorators.reduce((below, decorator) => withConf(below, decorator, ref), filled);
}

/** What decorators are told about a FlinkJob. The spec is valid, so its Flink version is known. */
export function decoratedJob(
  ref: Pick<JobRef, 'name' | 'namespace' | 'tenant'>,
  spec: FlinkJobSpec,
): DecoratedJob | undefined {
  const flinkVersion = flinkVersionOf(spec);
  if (flinkVersion === undefined) return undefined;
  const { name, namespace, tenant } = ref;
  return { name, namespace, ...(tenant === undefined ? {} : { tenant }), flinkVersion };
}

function withConf(spec: FlinkJobSpec, decorator: Decorator, ref: Parameters<typeof decoratedJob>[0]): FlinkJobSpec {
  const { flinkConf, name } = decorator;
  const job = decoratedJob(ref, spec);
  if (flinkConf === undefined || job === undefined) return spec;
  const before = confOf(spec);
  const after = decorated(decorator, before, (copy) => flinkConf(copy, copyOf(spec.florkConf), { ...job }));
  for (const [key, value] of Object.entries(after)) {
    if (!isValue(value))
      throw new DecoratorFailure(name, `gives ${JSON.stringify(key)} no value of Flink's`, 'texts, numbers, booleans');
  }
  for (const key of JOBS_OWN_KEYS) {
    if (JSON.stringify(before[key]) !== JSON.stringify(after[key]))
      throw new DecoratorFailure(name, `changes ${JSON.stringify(key)}`, "to leave it to the FlinkJob's spec");
  }
  return withPolicy({ ...spec, flinkConf: after });
}

/** The savepoint directory goes back to where the user says it. */
function withPolicy({ flinkConf = {}, ...spec }: FlinkJobSpec): FlinkJobSpec {
  const { savepoint } = spec.policies ?? {};
  if (savepoint?.directory === undefined) return { ...spec, flinkConf };
  const { [SAVEPOINT_DIRECTORY]: directory, ...rest } = flinkConf;
  const said = typeof directory === 'string' ? { directory } : {};
  return { ...spec, flinkConf: rest, policies: { ...spec.policies, savepoint: { ...savepoint, ...said } } };
}

/** The configuration as decorators see it: flat, newest spelling, values as texts, references as they are; policies.savepoint.directory is in it. */
function confOf(spec: FlinkJobSpec): DecoratedConf {
  const directory = spec.policies?.savepoint?.directory;
  const members = Object.fromEntries(
    [...membersOf(spec.flinkConf)].map(([key, entries]) => {
      const [first] = entries;
      const reference = entries.find(([name]) => name.includes('.valueFrom.'));
      return [key, reference === undefined && first !== undefined ? confText(first[1]) : referenceOf(entries)];
    }),
  );
  return directory === undefined ? members : { ...members, [SAVEPOINT_DIRECTORY]: directory };
}

function referenceOf(entries: readonly (readonly [string, unknown])[]): unknown {
  const fields = entries.map(([key, value]) => [key.split('.').at(-1) ?? '', value] as const);
  const kind = entries[0]?.[0].includes('.configMapKeyRef.') ? 'configMapKeyRef' : 'secretKeyRef';
  return { valueFrom: { [kind]: Object.fromEntries(fields) } };
}

function isValue(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value) || (isObject(value) && isObject(value['valueFrom']));
}

function copyOf(florkConf: FlinkJobSpec['florkConf']): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(florkConf ?? {})) as Readonly<Record<string, unknown>>;
}
