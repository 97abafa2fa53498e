import { parse } from 'yaml';
import { DUTIES, type DutyKind } from '../../core/duty.ts';
import { objectOf, shipped, withFields, type Manifest } from './manifests.ts';
import type { Tenant } from './read.ts';

const NAMESPACE = 'flork-system';
const PORTS = [{ port: 443 }, { port: 6443 }];

/** Duties by name, separated by commas; throws a line for people at one that there is not. */
export function dutiesOf(given: string | undefined): readonly DutyKind[] {
  const names = (given ?? '').split(',').map((name) => name.trim());
  const asked = new Set(names.filter((name) => name !== ''));
  const unknown = [...asked].find((name) => !DUTIES.some((duty) => duty === name));
  if (unknown !== undefined) throw new Error(`--duties: has ${unknown}; want ${DUTIES.join(', ')}`);
  return DUTIES.filter((duty) => asked.has(duty));
}

/** The ClusterRole of each duty, as its component ships it, which the bindings of all hooks share. */
export async function rolesOfDuties(duties: readonly DutyKind[]): Promise<readonly Manifest[]> {
  return Promise.all(duties.map(async (duty) => objectOf(await shipped(`${folderOf(duty)}/rbac.yaml`), 'ClusterRole')));
}

/**
 * What the components of these duties add to a hook: the token of its ServiceAccount, the switch of each duty, and the way to the API
 * server through its NetworkPolicy.
 */
export async function withDuties(
  objects: readonly Manifest[],
  duties: readonly DutyKind[],
): Promise<readonly Manifest[]> {
  if (duties.length === 0) return objects;
  const switches = (await Promise.all(duties.map(switchesOf))).flat();
  return objects.map((object) => {
    if (object.kind === 'Deployment') return dutiful(object, switches);
    return object.kind === 'NetworkPolicy' ? reaching(object) : object;
  });
}

/** The right of one hook to each duty: in the namespaces of its tenant and nowhere else. */
export function bindingsOfDuties(account: string, { namespaces }: Tenant, duties: readonly DutyKind[]): Manifest[] {
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }];
  return duties.flatMap((duty) => {
    const of = `flork-duty-${duty}`;
    const name = `${account}-duty-${duty}`;
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: of };
    const bound = { apiVersion: 'rbac.authorization.k8s.io/v1', roleRef, subjects };
    if (namespaces === '*') return [{ ...bound, kind: 'ClusterRoleBinding', metadata: { name } }];
    return namespaces.map((namespace) => ({ ...bound, kind: 'RoleBinding', metadata: { name, namespace } }));
  });
}

const folderOf = (duty: DutyKind): string => `kustomize/components/duty-${duty}`;

type Variable = { readonly name: string; readonly value: string };
type Container = { readonly env: readonly Variable[] };
type Deployment = {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
};

/** The variables that the component of a duty sets. */
async function switchesOf(duty: DutyKind): Promise<readonly Variable[]> {
  const component = objectOf(await shipped(`${folderOf(duty)}/kustomization.yaml`), 'Component');
  const [{ patch }] = component['patches'] as readonly [{ readonly patch: string }];
  return (parse(patch) as Deployment).spec.template.spec.containers.flatMap(({ env }) => env);
}

function dutiful(object: Manifest, switches: readonly Variable[]): Manifest {
  const { containers } = (object as unknown as Deployment).spec.template.spec;
  return withFields(object, {
    'spec/template/spec/automountServiceAccountToken': true,
    'spec/template/spec/containers': containers.map((one) => ({ ...one, env: [...one.env, ...switches] })),
  });
}

function reaching(object: Manifest): Manifest {
  const { egress } = object['spec'] as { readonly egress: readonly object[] };
  return withFields(object, { 'spec/egress': [...egress, { ports: PORTS }] });
}
