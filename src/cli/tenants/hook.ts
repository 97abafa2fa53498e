import { TENANT } from '../../core/observe-job.ts';
import { objectOf, shipped, withFields, type Manifest } from './manifests.ts';
import type { Tenant } from './read.ts';
import { callingTls, servingTls } from './tls.ts';

/** The Service of a tenant's hook. */
export const serviceOf = ({ id }: Tenant): string => `flork-${id}`;

/** The hook of one tenant and what points to it: the shipped objects under the name `flork-<id>`. With a CA it is called by HTTPS. */
export async function hookOf(tenant: Tenant, bundle: string | undefined): Promise<readonly Manifest[]> {
  const { id, namespaces } = tenant;
  const name = serviceOf(tenant);
  const labels = { 'app.kubernetes.io/name': 'flork', 'app.kubernetes.io/instance': name };
  const own = { 'metadata/name': name, 'metadata/labels': labels };
  const named = async (file: string, kind: string, fields: object): Promise<Manifest> =>
    withFields(objectOf(await shipped(`manifests/${file}`), kind), { ...own, ...fields });
  const deployment = await deploymentOf(name, labels, own, id, namespaces);
  return [
    await named('service-account.yaml', 'ServiceAccount', {}),
    bundle === undefined ? deployment : await servingTls(deployment, name),
    await named('service.yaml', 'Service', { 'spec/selector': labels }),
    await named('pod-disruption-budget.yaml', 'PodDisruptionBudget', { 'spec/selector/matchLabels': labels }),
    await networkPolicyOf(id, labels, own),
    callingTls(await controllerOf(name, own, id, namespaces === '*'), name, bundle),
  ];
}

async function deploymentOf(
  name: string,
  labels: object,
  own: object,
  id: string,
  namespaces: Tenant['namespaces'],
): Promise<Manifest> {
  const deployment = objectOf(await shipped('manifests/deployment.yaml'), 'Deployment') as Manifest & {
    readonly spec: { readonly template: { readonly spec: PodSpec } };
  };
  const pod = deployment.spec.template.spec;
  const values: Readonly<Record<string, string>> =
    namespaces === '*' ? { FLORK_NAMESPACES: '*' } : { FLORK_NAMESPACES: namespaces.join(','), FLORK_TENANT: id };
  const containers = pod.containers.map((container) => {
    const kept = container.env.filter((entry) => !(entry.name in values));
    return { ...container, env: [...kept, ...Object.entries(values).map(([key, value]) => ({ name: key, value }))] };
  });
  const spread = pod.topologySpreadConstraints.map((one) => ({ ...one, labelSelector: { matchLabels: labels } }));
  return withFields(deployment, {
    ...own,
    'spec/selector/matchLabels': labels,
    'spec/template/metadata/labels': labels,
    'spec/template/spec/serviceAccountName': name,
    'spec/template/spec/containers': containers,
    'spec/template/spec/topologySpreadConstraints': spread,
  });
}

type PodSpec = {
  readonly containers: readonly { readonly env: readonly { readonly name: string; readonly value: string }[] }[];
  readonly topologySpreadConstraints: readonly object[];
};

/** Only this tenant's Metacontroller (or the one that all share) may call its hook. */
async function networkPolicyOf(id: string, labels: object, own: object): Promise<Manifest> {
  const policy = objectOf(await shipped('manifests/network-policy.yaml'), 'NetworkPolicy') as Manifest & {
    readonly spec: { readonly ingress: readonly [{ readonly from: readonly [object, ...object[]] }] };
  };
  const [ingress] = policy.spec.ingress;
  const [first, ...others] = ingress.from;
  const caller = withFields(first, {
    podSelector: {
      matchExpressions: [
        { key: 'app.kubernetes.io/name', operator: 'In', values: ['metacontroller'] },
        {
          key: 'app.kubernetes.io/instance',
          operator: 'In',
          values: [`metacontroller-${id}`, 'metacontroller-shared'],
        },
      ],
    },
  });
  return withFields(policy, {
    ...own,
    'spec/podSelector/matchLabels': labels,
    'spec/ingress': [{ ...ingress, from: [caller, ...others] }],
  });
}

/** The CompositeController takes the FlinkJobs of its tenant alone, or all; its own label lets that tenant's Metacontroller find it. */
async function controllerOf(name: string, own: object, id: string, forAll: boolean): Promise<Manifest> {
  const controller = objectOf(await shipped('metacontroller/composite-controller.yaml'), 'CompositeController');
  const hooks = JSON.parse(
    JSON.stringify((controller as { spec?: { hooks?: unknown } }).spec?.hooks).replaceAll('://flork.', `://${name}.`),
  ) as unknown;
  return withFields(controller, {
    ...own,
    'metadata/labels': { 'app.kubernetes.io/name': 'flork', [TENANT]: id },
    ...(forAll ? {} : { 'spec/parentResource/labelSelector': { matchLabels: { [TENANT]: id } } }),
    'spec/hooks': hooks,
  });
}
