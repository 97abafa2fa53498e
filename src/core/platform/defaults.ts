import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { spelled } from '../build/conf-spelling.ts';
import { flattenConf, type ConfValue } from '../flink-conf-keys.ts';
import { flinkVersionOf } from '../flink-version.ts';
import { merge } from '../merge.ts';
import { mainContainerOf, podMetaOf, podSpecOf, type Role } from '../role.ts';
import type { DefaultsEntry } from './platform.ts';

/** The entries that speak of a FlinkJob, in their order. */
export function entriesFor(
  defaults: readonly DefaultsEntry[],
  namespace: string,
  spec: FlinkJobSpec,
): readonly DefaultsEntry[] {
  const version = flinkVersionOf(spec);
  return defaults.filter(
    ({ namespaces, flinkVersions }) =>
      (namespaces?.some((pattern) => matches(pattern, namespace)) ?? true) &&
      (flinkVersions === undefined || (version !== undefined && flinkVersions.includes(version))),
  );
}

/** A spec over the defaults: whatever the user says, in whichever spelling and place, wins over them. */
export function withDefaults(spec: FlinkJobSpec, entries: readonly DefaultsEntry[]): FlinkJobSpec {
  if (entries.length === 0) return spec;
  const given = entries.reduce<FlinkJobSpec>((below, entry) => over(below, entry.spec), {});
  return over(given, spec);
}

/** The members of flinkConf by flat key in its newest spelling; a reference to a Secret or ConfigMap is one member. */
export function membersOf(
  conf: FlinkJobSpec['flinkConf'],
): ReadonlyMap<string, readonly (readonly [string, ConfValue])[]> {
  const members = new Map<string, (readonly [string, ConfValue])[]>();
  for (const [key, value] of flattenConf(conf).entries) {
    const name = spelled(key.replace(/\.valueFrom\..*$/, ''), '2.3');
    members.set(name, [...(members.get(name) ?? []), [key, value]]);
  }
  return members;
}

function over(below: FlinkJobSpec, above: FlinkJobSpec): FlinkJobSpec {
  const pods = (['jobmanager', 'taskmanager'] as const).map((role) => podOf(below, above, role));
  const [jobManager = {}, taskManager = {}] = pods;
  const fields = {
    flinkConf: confOver(below, above),
    florkConf: both(below.florkConf, above.florkConf),
    additionalConfFiles: both(below.additionalConfFiles, above.additionalConfFiles),
    jobManagerPodMeta: jobManager.meta,
    jobManagerPodSpec: jobManager.spec,
    taskManagerPodMeta: taskManager.meta,
    taskManagerPodSpec: taskManager.spec,
    jobManagerResources: resourcesOf(below, above, 'jobmanager'),
    taskManagerResources: resourcesOf(below, above, 'taskmanager'),
  };
  const said = Object.entries(fields).filter(([, value]) => value !== undefined && Object.keys(value).length > 0);
  return { ...above, ...Object.fromEntries(said) };
}

function confOver(below: FlinkJobSpec, above: FlinkJobSpec): FlinkJobSpec['flinkConf'] {
  if (below.flinkConf === undefined) return above.flinkConf;
  const upper = membersOf(above.flinkConf);
  const elsewhere = new Set([
    ...(above.jarURI === undefined ? [] : ['pipeline.jars']),
    ...(above.policies?.savepoint?.directory === undefined ? [] : ['execution.checkpointing.savepoint-dir']),
  ]);
  const lower = [...membersOf(below.flinkConf)].filter(([key]) => !upper.has(key) && !elsewhere.has(key));
  return Object.fromEntries([...lower, ...upper].flatMap(([, entries]) => entries));
}

/** Each role by itself: a TaskManager's own pod spec replaces the JobManager's within one layer, never across two. */
function podOf(
  below: FlinkJobSpec,
  above: FlinkJobSpec,
  role: Role,
): { readonly meta?: FlinkJobSpec['jobManagerPodMeta']; readonly spec?: FlinkJobSpec['jobManagerPodSpec'] } {
  const meta = [podMetaOf(below, role), podMetaOf(above, role)] as const;
  const spec = [podSpecOf(below, role), podSpecOf(above, role)] as const;
  return {
    meta: meta[0] === undefined ? own(above, role, 'PodMeta') : merge(...meta),
    spec: spec[0] === undefined ? own(above, role, 'PodSpec') : (merge(...spec) as FlinkJobSpec['jobManagerPodSpec']),
  } as ReturnType<typeof podOf>;
}

function own(spec: FlinkJobSpec, role: Role, field: 'PodMeta' | 'PodSpec'): unknown {
  return spec[`${role === 'jobmanager' ? 'jobManager' : 'taskManager'}${field}`];
}

/** Resources of the main container: a user's pod spec that gives any is taken at its word. */
function resourcesOf(below: FlinkJobSpec, above: FlinkJobSpec, role: Role): FlinkJobSpec['jobManagerResources'] {
  const field = role === 'jobmanager' ? 'jobManagerResources' : 'taskManagerResources';
  if (below[field] === undefined || mainContainerOf(above, role)?.['resources'] !== undefined) return above[field];
  return merge(below[field], above[field]);
}

function both<T extends object>(below: T | undefined, above: T | undefined): T | undefined {
  return below === undefined ? above : { ...below, ...above };
}

/** `*` stands for any characters. */
function matches(pattern: string, namespace: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return pattern === namespace;
  if (!namespace.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = namespace.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return namespace.length - last.length >= at && namespace.endsWith(last);
}
