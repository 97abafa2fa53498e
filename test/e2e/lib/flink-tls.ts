import { readFileSync } from 'node:fs';
import { makeCertificates, makeStores, restTls, STORE_PASSWORD, type Certificates } from '../../unit/tls-fixture.ts';
import { kubectl } from './kube.ts';
import { scratch } from '../../scratch.ts';

/** Trust and identity between Flork and the REST API of Flink, with RSA keys, as Flink's default ciphers want them. */
export function flinkCertificates(...names: readonly string[]): Certificates {
  const made = makeCertificates('rsa', names);
  if (made === undefined) throw new Error('openssl is needed to make certificates');
  return made;
}

async function applySecret(namespace: string, name: string, data: Readonly<Record<string, string | Buffer>>) {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data: Object.fromEntries(encoded) };
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(secret));
}

/** Secret `flork-flink-tls` of component flink-tls: whom Flork trusts and what it shows. */
export async function giveFlork({ ca, client }: Certificates): Promise<void> {
  await applySecret('flork-system', 'flork-flink-tls', {
    'ca.crt': ca,
    'tls.crt': client.cert,
    'tls.key': client.key,
  });
}

const FOLDER = '/etc/flink-tls';
const SECRET = 'flink-tls';

/** A Secret with Flink's stores in the namespace of a job. */
export async function giveFlink(namespace: string, certificates: Certificates): Promise<void> {
  const { keystore, truststore } = makeStores(scratch('flink-tls'), certificates);
  await applySecret(namespace, SECRET, {
    'keystore.p12': readFileSync(keystore),
    'truststore.p12': readFileSync(truststore),
    password: STORE_PASSWORD,
  });
}

const password = { valueFrom: { secretKeyRef: { name: SECRET, key: 'password' } } };

/** What a FlinkJob says so that its REST wants mutual TLS (docs/tls.md): configuration, volume and mount. */
export const MUTUAL_TLS = {
  flinkConf: restTls({ keystore: `${FOLDER}/keystore.p12`, truststore: `${FOLDER}/truststore.p12` }, password),
  volume: { name: 'tls', secret: { secretName: SECRET } },
  mount: { name: 'tls', mountPath: FOLDER, readOnly: true },
} as const;
