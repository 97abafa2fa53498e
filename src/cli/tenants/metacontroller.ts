import { TENANT } from '../../core/observe-job.ts';
import { objectOf, shipped, withFields, type Manifest } from './manifests.ts';
import type { Tenant } from './read.ts';

const PLACE = 'metacontroller';
const FOLDER = 'kustomize/components';

type PolicyRule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

const READS = new Set(['get', 'list', 'watch']);

/**
 * The shipped rights of Metacontroller in two halves: what it may see, everywhere, since its caches know no other way, and what it may
 * write, which is bound where a tenant is at home.
 */
export async function rights(): Promise<{
  readonly read: readonly PolicyRule[];
  readonly write: readonly PolicyRule[];
}> {
  const role = objectOf(await shipped(`${FOLDER}/metacontroller-rbac/cluster-role.yaml`), 'ClusterRole');
  const rules = role['rules'] as readonly PolicyRule[];
  const half = (keep: (verb: string) => boolean): PolicyRule[] =>
    rules.map((rule) => ({ ...rule, verbs: rule.verbs.filter(keep) })).filter((rule) => rule.verbs.length > 0);
  return { read: half((verb) => READS.has(verb)), write: half((verb) => !READS.has(verb)) };
}

/** The two ClusterRoles that the bindings of all Metacontrollers share. */
export async function rolesOf(): Promise<readonly Manifest[]> {
  const { read, write } = await rights();
  return [role('metacontroller-flork-read', read), role('metacontroller-flork-write', write)];
}

/**
 * A Metacontroller with a ServiceAccount, a lease and a target selector of its own, whose writes are bound in the namespaces of these
 * tenants and nowhere else. With `id` undefined it is the one that all share, and serves every CompositeController with a tenant.
 */
export async function metacontrollerOf(
  id: string | undefined,
  tenants: readonly Tenant[],
): Promise<readonly Manifest[]> {
  const name = `metacontroller-${id ?? 'shared'}`;
  const labels = { 'app.kubernetes.io/name': 'metacontroller', 'app.kubernetes.io/instance': name };
  const own = { 'metadata/name': name, 'metadata/labels': labels };
  const account = objectOf(await shipped(`${FOLDER}/metacontroller-rbac/service-account.yaml`), 'ServiceAccount');
  const budget = objectOf(await shipped(`${FOLDER}/metacontroller/pod-disruption-budget.yaml`), 'PodDisruptionBudget');
  const everywhere = tenants.some(({ namespaces }) => namespaces === '*');
  const homes = tenants.flatMap(({ namespaces }) => (namespaces === '*' ? [] : namespaces));
  return [
    withFields(account, own),
    await statefulSetOf(name, labels, own, id),
    withFields(budget, { ...own, 'spec/selector/matchLabels': labels }),
    ...(await leaseOf(name)),
    clusterBinding(`${name}-read`, 'metacontroller-flork-read', name),
    ...(everywhere ? [clusterBinding(`${name}-write`, 'metacontroller-flork-write', name)] : []),
    ...homes.map((namespace) => binding(name, namespace, 'ClusterRole', 'metacontroller-flork-write', name)),
    // Events of a CompositeController, which has no namespace, go to `default` (client-go, tools/record).
    ...(everywhere ? [] : eventsInDefault(name)),
  ];
}

async function statefulSetOf(name: string, labels: object, own: object, id: string | undefined): Promise<Manifest> {
  const set = objectOf(await shipped(`${FOLDER}/metacontroller/stateful-set.yaml`), 'StatefulSet') as Manifest & {
    readonly spec: { readonly template: { readonly spec: PodSpec } };
  };
  const pod = set.spec.template.spec;
  const target = id === undefined ? TENANT : `${TENANT}=${id}`;
  const containers = pod.containers.map((container) => ({
    ...container,
    args: [...container.args, `--leader-election-id=${name}`, `--target-label-selector=${target}`],
  }));
  const spread = pod.topologySpreadConstraints.map((one) => ({ ...one, labelSelector: { matchLabels: labels } }));
  return withFields(set, {
    ...own,
    'spec/selector/matchLabels': labels,
    'spec/template/metadata/labels': labels,
    'spec/template/spec/serviceAccountName': name,
    'spec/template/spec/containers': containers,
    'spec/template/spec/topologySpreadConstraints': spread,
  });
}

type PodSpec = {
  readonly containers: readonly { readonly args: readonly string[] }[];
  readonly topologySpreadConstraints: readonly object[];
};

/** The lease of --leader-election: this one, after it was created. */
async function leaseOf(name: string): Promise<readonly Manifest[]> {
  const shippedRole = objectOf(await shipped(`${FOLDER}/metacontroller-rbac/role.yaml`), 'Role');
  const leases = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  const rules = [
    { ...leases, verbs: ['create'] },
    { ...leases, resourceNames: [name], verbs: ['get', 'update'] },
  ];
  const own = `${name}-leader-election`;
  return [withFields(shippedRole, { 'metadata/name': own, rules }), binding(own, PLACE, 'Role', own, name)];
}

function eventsInDefault(name: string): readonly Manifest[] {
  const own = `${name}-events`;
  const rules = [{ apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] }];
  const api = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' };
  return [
    { ...api, metadata: { name: own, namespace: 'default' }, rules } as Manifest,
    binding(own, 'default', 'Role', own, name),
  ];
}

function role(name: string, rules: readonly PolicyRule[]): Manifest {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
}

function clusterBinding(name: string, of: string, account: string): Manifest {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: of },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: PLACE }],
  };
}

function binding(name: string, namespace: string, kind: 'Role' | 'ClusterRole', of: string, account: string): Manifest {
  const metadata = { name, namespace };
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: of },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: PLACE }],
  };
}
