/**
 * What a platform lets the writers of FlinkJobs have in their pods, beyond which "may create a FlinkJob" would mean "may create any pod
 * here" (SECURITY.md). Each is a list; `*` in it allows everything of its kind, an empty one allows none.
 */
export const LISTS = [
  'serviceAccounts', //  ServiceAccounts that a pod may name
  'secretPrefixes', //   how names of Secrets have to begin
  'imageRegistries', //  registries, or folders of them, that images come from
  'volumeKinds', //      kinds of volumes
  'nodeLabels', //       labels by which a node may be chosen
  'tolerationKeys', //   taints that may be tolerated
  'priorityClasses',
  'runtimeClasses',
  'tokenAudiences', //   audiences that a projected token may be for, beside the API server's
  'metadataPrefixes', // prefixes of labels and annotations; those without a prefix are always allowed
  'serviceTypes', //     how Flink's REST may be exposed
  'optionalChildren', // fields of the spec that ask for an Ingress and the like
] as const;

/** Name of a list, which is the name of its file in the mounted folder, and its key in the ConfigMap. */
export type ListName = (typeof LISTS)[number];
export type TenantProfile = Readonly<Record<ListName, readonly string[]>>;

/** The variable of the ValidatingAdmissionPolicies that holds a list. */
export const variableOf = (list: ListName): string => `list_${list}`;

/** Volumes whose content is the tenant's own; hostPath and the like are never among them. */
export const VOLUME_KINDS = [
  'configMap',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const;

/** Reads a profile from its lists as texts: items separated by commas, blanks and line ends. `undefined` with the line that says why not. */
export function readProfile(
  texts: ReadonlyMap<string, string>,
): { readonly kind: 'profile'; readonly profile: TenantProfile } | { readonly kind: 'wrong'; readonly line: string } {
  const unknown = [...texts.keys()].find((name) => !LISTS.some((list) => list === name));
  if (unknown !== undefined) return { kind: 'wrong', line: `${unknown}: is no list; want one of ${LISTS.join(', ')}` };
  const lists = LISTS.map((name) => [name, itemsOf(texts.get(name) ?? '')] as const);
  const profile = Object.fromEntries(lists) as Record<ListName, readonly string[]>;
  const kind = profile.volumeKinds.find((one) => one !== '*' && !VOLUME_KINDS.some((known) => known === one));
  if (kind !== undefined) return { kind: 'wrong', line: `volumeKinds: has ${kind}; want ${VOLUME_KINDS.join(', ')}` };
  return { kind: 'profile', profile: Object.freeze(profile) };
}

function itemsOf(text: string): readonly string[] {
  return Object.freeze(text.split(/[\s,]+/).filter((item) => item !== ''));
}
