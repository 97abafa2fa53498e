import type { Pair } from './authority.ts';

/** What was made: the hook's certificate, Metacontroller's where asked for, and the CAs that vouch for them. */
export type Made = {
  /** All CAs to trust, the newest first; more than one while the CA itself is rotated. */
  readonly bundle: string;
  readonly server: Pair;
  readonly client: Pair | undefined;
};

export type Place = { readonly namespace: string; readonly service: string };

/** The Secrets that the Deployment of the hook and, with mutual TLS, Metacontroller read. */
export function secretsOf({ bundle, server, client }: Made, { namespace, service }: Place): readonly object[] {
  const secret = (name: string, pair: Pair): object => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'flork' } },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': pair.cert, 'tls.key': pair.key, 'ca.crt': bundle },
  });
  return [secret(`${service}-tls`, server), ...(client === undefined ? [] : [secret(`${service}-client-tls`, client)])];
}

/**
 * The names under which the hook is called: Metacontroller by `<service>.<namespace>` (its `service` form) or the URL's host, the API
 * server by `<service>.<namespace>.svc`.
 */
export function namesOf({ namespace, service }: Place): readonly string[] {
  const name = `${service}.${namespace}`;
  return [`${name}.svc`, name, `${name}.svc.cluster.local`];
}
