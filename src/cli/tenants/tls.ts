import { parse } from 'yaml';
import { createAuthority, createLeaf, type Pair } from '../certs/authority.ts';
import { namesOf, secretOf } from '../certs/manifests.ts';
import { objectOf, shipped, withFields, type Manifest } from './manifests.ts';

const NAMESPACE = 'flork-system';
const PORT = 8080;
const YEARS_10 = 3650;

/** A CA for the hooks of all tenants, of ten years. */
export function newAuthority(now: number): Promise<Pair> {
  return createAuthority('flork CA', YEARS_10, now);
}

/** The Secret of a tenant's hook: a certificate of the CA. The API server finds the hooks of all tenants behind one Service. */
export async function serverSecret(service: string, authority: Pair, days: number, now: number): Promise<object> {
  const names = namesOf({ namespace: NAMESPACE, service, admission: 'flork-admission' });
  const server = await createLeaf(authority, { name: names[0] ?? service, use: 'server', names }, days, now);
  return secretOf({ name: `${service}-tls`, namespace: NAMESPACE }, server, authority.cert);
}

/** The Secret of component `mtls`, which the Metacontrollers of all tenants show: with it, each may read Secrets anyway. */
export async function clientSecret(authority: Pair, days: number, now: number): Promise<object> {
  const client = await createLeaf(authority, { name: 'metacontroller', use: 'client', names: [] }, days, now);
  return secretOf({ name: 'flork-client-tls', namespace: NAMESPACE }, client, authority.cert);
}

type Container = { readonly env: readonly object[]; readonly volumeMounts: readonly object[] };
type Spec = { readonly containers: readonly [Container]; readonly volumes: readonly { readonly secret?: object }[] };
type Pod = { readonly spec: { readonly template: { readonly spec: Spec } } };

/** A hook's Deployment as component `tls` makes it of the shipped one, with the Secret of this Service. */
export async function servingTls(deployment: Manifest, service: string): Promise<Manifest> {
  const component = objectOf(await shipped('kustomize/components/tls/kustomization.yaml'), 'Component');
  const [first] = component['patches'] as readonly [{ readonly patch: string }];
  const added = (parse(first.patch) as Pod).spec.template.spec;
  const own = (deployment as unknown as Pod).spec.template.spec;
  const [{ env, volumeMounts, ...probes }] = added.containers;
  const [container] = own.containers;
  const volumes = added.volumes.map((volume) => withFields(volume, { 'secret/secretName': `${service}-tls` }));
  return withFields(deployment, {
    'spec/template/spec/containers': [
      {
        ...withProbes(container, probes),
        env: [...container.env, ...env],
        volumeMounts: [...container.volumeMounts, ...volumeMounts],
      },
    ],
    'spec/template/spec/volumes': [...own.volumes, ...volumes],
  });
}

/** The probes ask by HTTPS. */
function withProbes(container: Container, patch: object): Container {
  const schemes = Object.entries(patch).filter(([, probe]) => typeof probe === 'object');
  return withFields(
    container,
    Object.fromEntries(
      schemes.map(([name, probe]) => [
        `${name}/httpGet/scheme`,
        (probe as { readonly httpGet: { readonly scheme: string } }).httpGet.scheme,
      ]),
    ),
  );
}

/** The CompositeController calls by HTTPS and trusts the CA, which stands in it: Metacontroller reads no Secret. */
export function callingTls(controller: Manifest, service: string, bundle: string | undefined): Manifest {
  const { hooks } = (controller as unknown as { readonly spec: { readonly hooks: object } }).spec;
  const host = `${service}.${NAMESPACE}.svc:${PORT}`;
  if (bundle === undefined) return withFields(controller, { 'spec/endpointConfigs': [{ host }] });
  return withFields(controller, {
    'spec/hooks': JSON.parse(JSON.stringify(hooks).replaceAll('"http://', '"https://')) as unknown,
    'spec/endpointConfigs': [{ host, caBundle: { inline: bundle } }],
  });
}
