import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlinkFiles } from '../../src/flink/identity.ts';
import { scratch } from '../scratch.ts';

/** A CA with certificates of a server and a client, made by openssl; `undefined` where there is none. */
export type Certificates = {
  readonly folder: string;
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  /** The client's certificate and key; its password is `changeit`. */
  readonly pkcs12: Buffer;
};

/** Neither trust nor identity towards Flink. */
export const NO_FILES: FlinkFiles = {
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
  pkcs12File: undefined,
  pkcs12PasswordFile: undefined,
};

/** Keys are EC P-256, or RSA as Flink's default `security.ssl.algorithms` wants them; `names` are those of this machine, and DNS names. */
export function makeCertificates(
  kind: 'ec' | 'rsa' = 'ec',
  names: readonly string[] = [],
  /** How long the certificates that the CA signs are valid; the CA itself two days. */
  days = 2,
): Certificates | undefined {
  const folder = scratch('tls');
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const algorithm = kind === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const key = ['-newkey', ...algorithm, '-nodes'];
  try {
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=ca');
    const known = ['DNS:localhost', 'IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)];
    writeFileSync(join(folder, 'names'), `subjectAltName=${known.join(',')}`);
    for (const name of ['server', 'client']) {
      openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      const signed = [
        '-CA',
        'ca.crt',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-days',
        String(days),
        '-extfile',
        'names',
      ];
      openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signed);
    }
    const pair = ['-inkey', 'client.key', '-in', 'client.crt'];
    openssl('pkcs12', '-export', ...pair, '-out', 'client.p12', '-passout', 'pass:changeit');
  } catch {
    return undefined;
  }
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const pair = (name: string): { cert: string; key: string } => ({
    cert: read(`${name}.crt`),
    key: read(`${name}.key`),
  });
  return {
    folder,
    ca: read('ca.crt'),
    server: pair('server'),
    client: pair('client'),
    pkcs12: readFileSync(join(folder, 'client.p12')),
  };
}

/** What opens the stores below. */
export const STORE_PASSWORD = 'changeit';

/** The stores that Flink reads (`security.ssl.rest.*`, PKCS#12): its certificate and key, and the CA of those whom it lets in. */
export function makeStores(
  folder: string,
  certificates: Certificates,
): { readonly keystore: string; readonly truststore: string } {
  const [keystore, truststore] = [join(folder, 'keystore.p12'), join(folder, 'truststore.p12')];
  const from = { cwd: certificates.folder, stdio: 'ignore' } as const;
  const pair = ['-inkey', 'server.key', '-in', 'server.crt', '-name', 'server'];
  execFileSync('openssl', ['pkcs12', '-export', ...pair, '-out', keystore, '-passout', `pass:${STORE_PASSWORD}`], from);
  // Java trusts an entry of PKCS#12 only where keytool has marked it.
  const store = ['-keystore', truststore, '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD];
  execFileSync('keytool', ['-importcert', '-noprompt', '-alias', 'ca', '-file', 'ca.crt', ...store], from);
  return { keystore, truststore };
}

/** The configuration by which Flink's REST wants mutual TLS, with these stores and what opens them. */
export function restTls<T>(stores: { readonly keystore: string; readonly truststore: string }, password: T) {
  return {
    'security.ssl.rest.enabled': true,
    'security.ssl.rest.authentication-enabled': true,
    'security.ssl.rest.keystore': stores.keystore,
    'security.ssl.rest.keystore-password': password,
    'security.ssl.rest.key-password': password,
    'security.ssl.rest.truststore': stores.truststore,
    'security.ssl.rest.truststore-password': password,
  };
}
