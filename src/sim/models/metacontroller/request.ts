import { OPTIONAL_KINDS, type OptionalKind } from '../../../api/optional-children.ts';
import type { KindName } from '../cluster.ts';
import type { KubeObject } from '../objects.ts';
import type { Groups, RelatedRule, SyncRequest } from './hook.ts';
import { jsonOf, matches } from '../objects.ts';

/** What a request of Metacontroller shows, and as which text. */

/** A cached view of the objects of a kind. */
export type Views = (kind: KindName) => ReadonlyMap<string, KubeObject>;

/** Kinds that the CompositeController of the manifests lists. */
const CHILD_KINDS = ['ConfigMap', 'Service', 'Deployment'] as const;
const API_VERSIONS: Readonly<Record<string, string>> = {
  ConfigMap: 'v1',
  Service: 'v1',
  Deployment: 'apps/v1',
  ...Object.fromEntries(OPTIONAL_KINDS.map(({ kind, apiVersion }) => [kind, apiVersion])),
};

/** Kinds of children, in the order in which they are applied: those that are always listed, and these. */
export function childKinds(optional: readonly OptionalKind[]): readonly KindName[] {
  return [...CHILD_KINDS, ...optional];
}
const RELATED_KINDS: Readonly<Record<string, { readonly kind: KindName; readonly group: string }>> = {
  pods: { kind: 'Pod', group: 'Pod.v1' },
  namespaces: { kind: 'Namespace', group: 'Namespace.v1' },
};

export function childGroups(kinds: readonly KindName[], children: readonly KubeObject[]): Groups {
  const groups: Record<string, Record<string, KubeObject>> = {};
  for (const kind of kinds) groups[`${kind}.${API_VERSIONS[kind]}`] = {};
  for (const child of children) {
    const group = groups[`${child.kind}.${child.apiVersion}`];
    if (group !== undefined) group[`${child.metadata.namespace}/${child.metadata.name}`] = child;
  }
  return groups;
}

export function relatedGroups(rules: readonly RelatedRule[], views: Views): Groups {
  const groups: Record<string, Record<string, KubeObject>> = {};
  for (const rule of rules) {
    const known = RELATED_KINDS[rule.resource];
    if (known === undefined) continue;
    const group = (groups[known.group] ??= {});
    for (const object of views(known.kind).values()) {
      if (!isRelated(rule, object)) continue;
      const { namespace, name } = object.metadata;
      group[namespace === undefined ? name : `${namespace}/${name}`] = object;
    }
  }
  return groups;
}

/** Whether a customize rule selects the object. */
export function isRelated(rule: RelatedRule, object: KubeObject): boolean {
  if (RELATED_KINDS[rule.resource]?.kind !== object.kind) return false;
  if (rule.namespace !== undefined && rule.namespace !== object.metadata.namespace) return false;
  if (rule.names !== undefined && !rule.names.includes(object.metadata.name)) return false;
  const wanted = rule.labelSelector?.matchLabels;
  return wanted === undefined || matches(wanted, object.metadata.labels ?? {});
}

/** The request as JSON, put together from what its objects were printed as before. */
export function bodyOf({ controller, parent, children, related, finalizing }: SyncRequest): string {
  const objects = (group: Groups[string]): string =>
    Object.entries(group)
      .map(([name, object]) => `"${name}":${jsonOf(object)}`)
      .join(',');
  const groups = (all: Groups): string =>
    Object.entries(all)
      .map(([name, group]) => `"${name}":{${objects(group)}}`)
      .join(',');
  return `{"controller":${jsonOf(controller)},"parent":${jsonOf(parent)},"children":{${groups(children)}},"related":{${groups(related)}},"finalizing":${finalizing}}`;
}
