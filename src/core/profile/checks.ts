import type { ListName, TenantProfile } from './profile.ts';

/** A check of one value; tools/policy/profile-checks.ts has the same in CEL, and one corpus of attacks is tried against both. */
export type Check = { readonly is: (value: unknown, profile: TenantProfile) => boolean; readonly want: string };

const listed = (list: ListName, want: string): Check => ({
  is: (value, profile) => has(profile, list, (item) => item === value),
  want,
});
const exactly = (wanted: unknown, want: string): Check => ({ is: (value) => value === wanted, want });

export const CHECKS = {
  serviceAccount: listed('serviceAccounts', 'a ServiceAccount that the tenant profile lists'),
  priorityClass: listed('priorityClasses', 'a PriorityClass that the tenant profile lists'),
  runtimeClass: listed('runtimeClasses', 'a RuntimeClass that the tenant profile lists'),
  tokenAudience: listed('tokenAudiences', 'no audience, or one that the tenant profile lists'),
  nodeLabel: listed('nodeLabels', 'a label of nodes that the tenant profile lists'),
  tolerationKey: listed('tolerationKeys', 'a key that the tenant profile lists'),
  serviceType: listed('serviceTypes', 'a type of Service that the tenant profile lists'),
  optionalChild: listed('optionalChildren', 'no such field, or one that the tenant profile lists'),
  secret: {
    is: (value, profile) => has(profile, 'secretPrefixes', (prefix) => String(value).startsWith(prefix)),
    want: 'a Secret whose name begins as the tenant profile says',
  },
  image: {
    is: (value, profile) => has(profile, 'imageRegistries', (registry) => isFrom(fullName(String(value)), registry)),
    want: 'an image of a registry that the tenant profile lists',
  },
  metadataKey: {
    is: (value, profile) =>
      !String(value).includes('/') ||
      has(profile, 'metadataPrefixes', (prefix) => String(value).startsWith(`${prefix}/`)),
    want: 'a key without a prefix, or with one that the tenant profile lists',
  },
  no: exactly(false, 'false or no such field'),
  yes: exactly(true, 'true'),
  noPort: exactly(0, 'no such field'),
  notRoot: { is: (value) => typeof value === 'number' && value >= 1, want: 'a number that is not that of root' },
  runtimeDefault: exactly('RuntimeDefault', 'RuntimeDefault'),
  defaultProcMount: exactly('Default', 'Default'),
  noPropagation: exactly('None', 'None'),
  defaultScheduler: exactly('default-scheduler', 'default-scheduler'),
  capability: exactly('NET_BIND_SERVICE', 'no capability but NET_BIND_SERVICE'),
  dropsAll: { is: (value) => Array.isArray(value) && value.includes('ALL'), want: 'a list with ALL in it' },
  subPath: {
    is: (value) => /^[^/]/.test(String(value)) && !/(^|\/)\.\.(\/|$)/.test(String(value)),
    want: 'a path within the volume',
  },
} as const satisfies Readonly<Record<string, Check>>;

export type CheckName = keyof typeof CHECKS;

function has(profile: TenantProfile, list: ListName, fits: (item: string) => boolean): boolean {
  return profile[list].some((item) => item === '*' || fits(item));
}

/** With the registry and folder that Docker fills in; only what looks like a host is one (distribution/reference). */
function fullName(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]|^localhost$/.test(first) ? image : `docker.io/${image}`;
}

/** Whether an image lies in a registry or folder, or is that very image; never by a part of a name. */
function isFrom(image: string, registry: string): boolean {
  const whole = registry.replace(/\/$/, '');
  return image === whole || ['/', ':', '@'].some((next) => image.startsWith(whole + next));
}
