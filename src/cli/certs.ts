import { parseArgs } from 'node:util';
import { createAuthority, createLeaf, type Pair } from './certs/authority.ts';
import { authorityIn, daysOf, readable, writeAll, type File } from './certs/files.ts';
import { componentOf, namesOf, secretsOf, type Made, type Place } from './certs/manifests.ts';
import { yamlOf } from './yaml.ts';

const USAGE = `usage: flork certs [--out DIR] [--component DIR] [--without-secrets] [--secrets] [--client] [--ca DIR] [--previous-ca FILE]
                   [--namespace NAME] [--service NAME] [--days N] [--ca-days N]

Makes a CA and a certificate for the hook (EC P-256), for clusters without cert-manager. Give at least one of --out, --component, --secrets.

  --out DIR           write ca.crt, ca.key, tls.crt, tls.key, ca-bundle.crt there (keys readable by their owner alone)
  --component DIR     write a kustomize component: the Secrets, and the CA for Metacontroller and the API server. It holds keys:
                      keep it out of version control
  --without-secrets   but for the Secrets, so that the component may be committed; --secrets prints them
  --secrets           print the Secrets as YAML, to be piped into kubectl apply; the key of the CA is not among them,
                      so that without --out the next renewal needs a new CA
  --client            also a client certificate, for Metacontroller, where the hook wants one (TLS_CLIENT_CA_FILE)
  --ca DIR            sign with the CA in DIR (ca.crt, ca.key) in place of a new one: renews the certificate
  --previous-ca FILE  trust this CA, too (ca-bundle.crt): while a new CA takes the place of an old one
  --namespace NAME    where the hook runs (flork-system)
  --service NAME      its Service (flork)
  --days N            how long the certificates are valid (365), --ca-days N the CA (3650)

Exit status: 0 made, 2 something in the way: nothing is overwritten.
`;

const OPTIONS = {
  out: { type: 'string' },
  component: { type: 'string' },
  secrets: { type: 'boolean' },
  'without-secrets': { type: 'boolean' },
  client: { type: 'boolean' },
  ca: { type: 'string' },
  'previous-ca': { type: 'string' },
  namespace: { type: 'string' },
  service: { type: 'string' },
  days: { type: 'string' },
  'ca-days': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** `flork certs`; the result is the exit status. */
export async function certs(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    if (values.help === true) return said(process.stdout, USAGE, 0);
    const wanted = values.out !== undefined || values.component !== undefined || values.secrets === true;
    if (!wanted) return said(process.stderr, USAGE, 2);
    const place: Place = { namespace: nameOf('namespace', values), service: nameOf('service', values) };
    const authority = values.ca === undefined ? await newAuthority(values) : await authorityIn(values.ca);
    const made = await make(authority, place, values);
    if (values.out !== undefined) await write(values.out, made, values.ca === undefined ? authority : undefined);
    if (values.component !== undefined)
      await writeComponent(values.component, componentOf(made, place, values['without-secrets'] !== true));
    if (values.secrets === true) process.stdout.write(yamlOf(secretsOf(made, place)));
    return 0;
  } catch (error) {
    return said(process.stderr, `flork certs: ${error instanceof Error ? error.message : String(error)}\n`, 2);
  }
}

type Values = Readonly<Partial<Record<keyof typeof OPTIONS, string | boolean | undefined>>>;

async function make(authority: Pair, place: Place, values: Values): Promise<Made> {
  const days = daysOf('days', textOf(values.days), 365);
  const now = Date.now();
  const previous = values['previous-ca'];
  const older = typeof previous === 'string' ? await readable(previous) : '';
  const server = { name: namesOf(place)[0] ?? place.service, use: 'server', names: namesOf(place) } as const;
  const client = { name: 'metacontroller', use: 'client', names: [] } as const;
  return {
    bundle: `${authority.cert}${older}`,
    server: await createLeaf(authority, server, days, now),
    client: values.client === true ? await createLeaf(authority, client, days, now) : undefined,
  };
}

function newAuthority(values: Values): Promise<Pair> {
  return createAuthority('flork CA', daysOf('ca-days', textOf(values['ca-days']), 3650), Date.now());
}

function writeComponent(folder: string, files: ReadonlyMap<string, readonly object[]>): Promise<void> {
  const texts = [...files].map(([name, objects]): File => [name, yamlOf(objects), 0o600]);
  return writeAll('--component', folder, texts);
}

/** Files of keys are their owner's alone. */
async function write(folder: string, made: Made, authority: Pair | undefined): Promise<void> {
  const files: readonly File[] = [
    ['ca.crt', authority?.cert, 0o644],
    ['ca.key', authority?.key, 0o600],
    ['ca-bundle.crt', made.bundle, 0o644],
    ['tls.crt', made.server.cert, 0o644],
    ['tls.key', made.server.key, 0o600],
    ['client.crt', made.client?.cert, 0o644],
    ['client.key', made.client?.key, 0o600],
  ];
  await writeAll('--out', folder, files);
}

const textOf = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** A DNS label (RFC 1123), as namespaces and Services are named. */
function nameOf(option: 'namespace' | 'service', values: Values): string {
  const name = String(values[option] ?? (option === 'namespace' ? 'flork-system' : 'flork'));
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))
    throw new Error(`--${option}: is "${name}"; want a DNS label`);
  return name;
}

function said(stream: NodeJS.WriteStream, text: string, status: number): number {
  stream.write(text);
  return status;
}
