import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { isObject } from '../../api/json.ts';
import { canonical } from '../build/canonical.ts';
import { contextOf } from '../build/context.ts';
import { renderEpoch } from '../build/epoch.ts';
import { FEATURES } from '../build/features/list.ts';
import { effectiveConf, readConfFile } from '../build/flink-conf.ts';
import { decoratedSpec, plainTemplate } from '../build/pod.ts';
import { spelled } from '../build/conf-spelling.ts';
import { flinkVersionOf } from '../flink-version.ts';
import type { JobRef } from '../record.ts';
import { ROLES, type Role } from '../role.ts';
import { entriesFor, membersOf, withDefaults } from './defaults.ts';
import { effectiveSpec } from './effective.ts';
import type { DefaultsEntry, Platform } from './platform.ts';

/** One key of the configuration or one field of a pod, and who says it. */
export type Line = { readonly path: string; readonly value: string; readonly source: string };

/** What an epoch is rendered with: the configuration, and the pods of both roles. */
export type Explained = { readonly flinkConf: readonly Line[] } & { readonly [role in Role]: readonly Line[] };

/** A spec as far as it is known after one layer. */
type Stage = {
  readonly source: string;
  readonly said?: FlinkJobSpec;
  readonly spec: FlinkJobSpec;
  readonly pods: number;
};

type Leaves = ReadonlyMap<string, string>;

/**
 * Where each value comes from: the layer since which it is what it is, and of two that say the same, the upper one. The spec is
 * valid, and so is what the platform makes of it.
 */
export function explain(platform: Platform, ref: JobRef, spec: FlinkJobSpec): Explained {
  const version = flinkVersionOf(spec);
  if (version === undefined) throw new TypeError('explain: the Flink version is unknown, the spec was not validated');
  const stages = stagesOf(platform, ref, spec, { flinkVersion: version });
  const { children } = renderEpoch({ ref, number: 1, generation: 1, spec, handled: {}, platform });
  const final = readConfFile((children.configuration['data'] ?? {}) as Readonly<Record<string, string>>);
  const said = (stage: Stage, key: string) => membersOf(stage.said?.flinkConf).has(spelled(key, '2.3'));
  const flinkConf = linesOf(
    new Map(Object.entries(final)),
    stages.map((stage) => ({
      source: stage.source,
      leaves: new Map(Object.entries(effectiveConf(contextOf(ref, 1, stage.spec), FEATURES))),
      said: (key: string) => said(stage, key),
    })),
  );
  const [jobmanager = [], taskmanager = []] = ROLES.map((role) => {
    const { [role === 'jobmanager' ? 'jobManager' : 'taskManager']: deployment } = children;
    const trees = stages.map((stage) => ({
      source: stage.source,
      leaves: leavesOf(podOf(platform, ref, stage, role)),
      said: () => false,
    }));
    const template = (deployment['spec'] as { readonly template?: { readonly spec?: unknown } }).template?.spec;
    return linesOf(leavesOf(template), trees);
  });
  return { flinkConf, jobmanager, taskmanager };
}

function stagesOf(
  platform: Platform,
  ref: JobRef,
  spec: FlinkJobSpec,
  bare: Pick<FlinkJobSpec, 'flinkVersion'>,
): readonly Stage[] {
  const entries = entriesFor(platform.defaults, ref.namespace, spec);
  const upTo = (count: number): readonly DefaultsEntry[] => entries.slice(0, count);
  const filled = withDefaults(spec, entries);
  const { decorators } = platform;
  const decoratedUpTo = (count: number) =>
    effectiveSpec({ defaults: [], decorators: decorators.slice(0, count) }, ref, filled);
  return [
    { source: 'Flork', spec: bare, pods: 0 },
    ...entries.map(({ name, spec: said }, index) => ({
      source: `defaults ${name}`,
      said,
      spec: withDefaults(bare, upTo(index + 1)),
      pods: 0,
    })),
    { source: 'spec', said: spec, spec: filled, pods: 0 },
    ...decorators.map(({ name }, index) => ({
      source: `decorator ${name}`,
      spec: decoratedUpTo(index + 1),
      pods: index + 1,
    })),
  ];
}

function podOf(platform: Platform, ref: JobRef, { spec, pods }: Stage, role: Role): unknown {
  const context = contextOf(ref, 1, spec, platform.decorators.slice(0, pods));
  return decoratedSpec(context, role, plainTemplate(context, role, effectiveConf(context, FEATURES), FEATURES));
}

type Layer = { readonly source: string; readonly leaves: Leaves; readonly said: (key: string) => boolean };

function linesOf(final: Leaves, layers: readonly Layer[]): readonly Line[] {
  return [...final].map(([path, value]) => {
    const unequal = layers.findLastIndex(({ leaves }) => leaves.get(path) !== value);
    const said = layers.findLastIndex((layer) => layer.said(path));
    const source = layers[Math.max(unequal + 1, said)]?.source ?? 'Flork, always';
    return { path, value, source };
  });
}

/** Every value that is no map and no list, by its path; items that have a name are known by it. */
function leavesOf(value: unknown): Leaves {
  const leaves = new Map<string, string>();
  const walk = (at: unknown, path: string): void => {
    const members = Array.isArray(at)
      ? at.map((item: unknown, index) => [`${path}[${nameOf(item) ?? index}]`, item] as const)
      : isObject(at)
        ? Object.entries(at).map(([key, member]) => [path === '' ? key : `${path}.${key}`, member] as const)
        : [];
    if (members.length === 0) leaves.set(path, typeof at === 'string' ? at : JSON.stringify(at));
    for (const [below, member] of members) walk(member, below);
  };
  walk(canonical(value ?? {}), '');
  leaves.delete('');
  return leaves;
}

function nameOf(item: unknown): string | undefined {
  const key = isObject(item) ? (item['name'] ?? item['mountPath']) : undefined;
  return typeof key === 'string' ? key : undefined;
}
