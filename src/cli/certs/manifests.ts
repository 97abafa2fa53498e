import type { Pair } from './authority.ts';

/** What was made: the hook's certificate, Metacontroller's where asked for, and the CAs that vouch for them. */
export type Made = {
  /** All CAs to trust, the newest first; more than one while the CA itself is rotated. */
  readonly bundle: string;
  readonly server: Pair;
  readonly client: Pair | undefined;
};

/** Where a hook is called. The API server calls by a Service of its own, `<service>-admission` unless another is named. */
export type Place = { readonly namespace: string; readonly service: string; readonly admission?: string };

/** The Secrets that the Deployment of the hook and, with mutual TLS, Metacontroller read. */
export function secretsOf({ bundle, server, client }: Made, { namespace, service }: Place): readonly object[] {
  const secret = (name: string, pair: Pair): object => secretOf({ name, namespace }, pair, bundle);
  return [secret(`${service}-tls`, server), ...(client === undefined ? [] : [secret(`${service}-client-tls`, client)])];
}

/** A Secret with a certificate, its key and the CAs to trust. */
export function secretOf(
  name: { readonly name: string; readonly namespace: string },
  pair: Pair,
  bundle: string,
): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...name, labels: { 'app.kubernetes.io/name': 'flork' } },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': pair.cert, 'tls.key': pair.key, 'ca.crt': bundle },
  };
}

/** The host by which Metacontroller calls the hook; an entry of `spec.endpointConfigs` in the shipped CompositeController. */
const HOOK_PORT = 8080;

/**
 * A kustomize component: the Secrets, and who trusts the CA. Metacontroller gets it inline, so that it need not read a Secret; the API
 * server by `caBundle`, where the component `admission` is used, too. Without the Secrets it holds nothing that has to be kept.
 */
export function componentOf(made: Made, place: Place, withSecrets: boolean): ReadonlyMap<string, readonly object[]> {
  const names: readonly string[] = namesOf(place);
  const host = `${names[0]}:${HOOK_PORT}`;
  const bundle = Buffer.from(made.bundle).toString('base64');
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    ...(withSecrets ? { resources: ['secrets.yaml'] } : {}),
    patches: [
      {
        target: { kind: 'CompositeController', name: place.service },
        patch: JSON.stringify([
          { op: 'test', path: '/spec/endpointConfigs/0/host', value: host },
          { op: 'add', path: '/spec/endpointConfigs/0/caBundle', value: { inline: made.bundle } },
        ]),
      },
      {
        target: { kind: 'ValidatingWebhookConfiguration', name: place.service },
        patch: JSON.stringify([{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: bundle }]),
      },
    ],
  };
  const files = new Map<string, readonly object[]>([['kustomization.yaml', [kustomization]]]);
  if (withSecrets) files.set('secrets.yaml', secretsOf(made, place));
  return files;
}

/**
 * The names under which the hook is called: Metacontroller by `<service>.<namespace>` (its `service` form) or the URL's host, the API
 * server by `<admission>.<namespace>.svc`.
 */
export function namesOf({ namespace, service, admission = `${service}-admission` }: Place): readonly string[] {
  const name = `${service}.${namespace}`;
  return [`${name}.svc`, name, `${name}.svc.cluster.local`, `${admission}.${namespace}.svc`];
}
