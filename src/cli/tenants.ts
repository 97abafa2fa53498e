import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { DUTIES, type DutyKind } from '../core/duty.ts';
import { TENANT } from '../core/observe-job.ts';
import type { Pair } from './certs/authority.ts';
import { authorityIn, daysOf, writeAll, type File } from './certs/files.ts';
import { bindingsOfDuties, dutiesOf, rolesOfDuties, withDuties } from './tenants/duties.ts';
import { hookOf, serviceOf } from './tenants/hook.ts';
import { shipped, shippedText, type Manifest } from './tenants/manifests.ts';
import { metacontrollerOf, rolesOf } from './tenants/metacontroller.ts';
import { tenantPolicy } from './tenants/policy.ts';
import { readTenants, type Tenant } from './tenants/read.ts';
import { clientSecret, newAuthority, serverSecret } from './tenants/tls.ts';
import { yamlOf } from './yaml.ts';

const USAGE = `usage: flork tenants FILE --out DIR [[--ca DIR] [--days N] [--client] | --plain-http] [--shared-metacontroller] [--duties LIST]

Writes a kustomization that runs Flork for several tenants (- is standard input). FILE says who they are:

  tenants:
    - id: first
      namespaces: [foo]
    - id: second
      namespaces: [bar, baz]

Each tenant gets a hook, a CompositeController and a Metacontroller of its own, which may write in its namespaces and nowhere else;
one tenant with namespaces ['*'] is for all. A ValidatingAdmissionPolicy ties the tenant of a FlinkJob to the label
${TENANT} of its namespace.

Metacontroller calls each hook by HTTPS and trusts a CA that stands in the CompositeController. The certificates of the hooks are in
secrets.yaml, which is no part of the kustomization: it and the key of the CA (ca) are kept out of version control, by .gitignore.

  --out DIR                 where to write; what is there is not overwritten
  --ca DIR                  sign with the CA in DIR (ca.crt, ca.key) in place of a new one: for all runs after the first
  --days N                  how long the certificates are valid (365); run it again with --ca before they end
  --client                  also a client certificate, which all Metacontrollers show: for component mtls
  --plain-http              no certificates: whoever can listen to the network or answer in a hook's place is trusted
  --shared-metacontroller   one Metacontroller for all: tenants differ in their hooks, not in rights
  --duties LIST             which of ${DUTIES.join(',')} the hooks have: each its own right,
                            in the namespaces of its tenant (README, Duties)

Exit status: 0 written, 1 something is wrong with FILE, 2 it could not be read or written.
`;

/** The kind FlinkJob, which is written as it is shipped. */
const KIND = 'crd.yaml';

const OPTIONS = {
  out: { type: 'string' },
  ca: { type: 'string' },
  days: { type: 'string' },
  client: { type: 'boolean' },
  'plain-http': { type: 'boolean' },
  'shared-metacontroller': { type: 'boolean' },
  duties: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** `flork tenants`; the result is the exit status. */
export async function tenants(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return said(process.stdout, USAGE, 0);
    const [file] = positionals;
    if (file === undefined || positionals.length > 1 || values.out === undefined) return said(process.stderr, USAGE, 2);
    if (values['plain-http'] === true && values.client === true) return said(process.stderr, USAGE, 2);
    const read = readTenants(file === '-' ? await text(process.stdin) : await readFile(file, 'utf8'));
    if (read.kind === 'wrong') return said(process.stderr, read.lines.map((line) => `${file}: ${line}\n`).join(''), 1);
    const duties = dutiesOf(values.duties);
    const tls = values['plain-http'] === true ? undefined : await tlsOf(read.tenants, values);
    const shared = values['shared-metacontroller'] === true;
    await write(values.out, await filesOf({ list: read.tenants, shared, duties, bundle: tls?.authority.cert }));
    if (tls !== undefined) await writeSecrets(values.out, tls, values.ca === undefined);
    return said(process.stdout, afterwards(read.tenants, values.out, tls !== undefined), 0);
  } catch (error) {
    return said(process.stderr, `flork tenants: ${error instanceof Error ? error.message : String(error)}\n`, 2);
  }
}

/** Who the tenants are, and what they get. */
type Wanted = {
  readonly list: readonly Tenant[];
  readonly shared: boolean;
  readonly duties: readonly DutyKind[];
  readonly bundle: string | undefined;
};

/** The files of the kustomization by name. */
async function filesOf({ list, shared, duties, bundle }: Wanted): Promise<ReadonlyMap<string, readonly object[]>> {
  const tied = list.every(({ namespaces }) => namespaces !== '*');
  const files = new Map<string, readonly object[]>([
    ['common.yaml', [...(await common(tied)), ...(await rolesOfDuties(duties))]],
  ]);
  for (const tenant of list) {
    // oxlint-disable-next-line no-await-in-loop -- a handful of small files
    const own = shared ? [] : await metacontrollerOf(tenant.id, [tenant]);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const hook = await withDuties(await hookOf(tenant, bundle), duties);
    files.set(`tenant-${tenant.id}.yaml`, [...hook, ...bindingsOfDuties(serviceOf(tenant), tenant, duties), ...own]);
  }
  if (shared) files.set('metacontroller.yaml', await metacontrollerOf(undefined, list));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [KIND, ...files.keys()],
    images: [{ name: 'flork', newName: 'flork' }],
  };
  return new Map([['kustomization.yaml', [kustomization]], ...files]);
}

/** What all tenants share: the namespaces of Flork and Metacontroller, the roles, and who may be whose. */
async function common(tied: boolean): Promise<readonly Manifest[]> {
  const [place] = await shipped('kustomize/components/metacontroller-rbac/service-account.yaml');
  const namespaces = [...(await shipped('manifests/namespace.yaml')), ...(place === undefined ? [] : [place])];
  return [...namespaces, ...(await rolesOf()), ...(tied ? tenantPolicy() : [])];
}

/** The CA, and what each hook needs to be known by it. */
type Tls = { readonly authority: Pair; readonly secrets: readonly object[] };

async function tlsOf(
  list: readonly Tenant[],
  { ca, days, client }: { readonly ca?: string; readonly days?: string; readonly client?: boolean },
): Promise<Tls> {
  const now = Date.now();
  const valid = daysOf('days', days, 365);
  const authority = ca === undefined ? await newAuthority(now) : await authorityIn(ca);
  const servers = list.map((tenant) => serverSecret(serviceOf(tenant), authority, valid, now));
  const clients = client === true ? [clientSecret(authority, valid, now)] : [];
  return { authority, secrets: await Promise.all([...servers, ...clients]) };
}

/** Beside the kustomization, not in it: a folder that is committed holds no key. */
async function writeSecrets(folder: string, { authority, secrets }: Tls, isNew: boolean): Promise<void> {
  await writeAll('--out', folder, [
    ['.gitignore', '/ca/\n/secrets.yaml\n', 0o644],
    ['secrets.yaml', yamlOf(secrets), 0o600],
  ]);
  if (!isNew) return;
  await writeAll('--out', join(folder, 'ca'), [
    ['ca.crt', authority.cert, 0o644],
    ['ca.key', authority.key, 0o600],
  ]);
}

async function write(folder: string, files: ReadonlyMap<string, readonly object[]>): Promise<void> {
  const texts = [...files].map(([name, objects]): File => [name, yamlOf(objects), 0o644]);
  await writeAll('--out', folder, [[KIND, await shippedText(`manifests/${KIND}`), 0o644], ...texts]);
}

/** The labels are an administrator's to set, so they are told and not applied. */
function afterwards(list: readonly Tenant[], folder: string, tls: boolean): string {
  const labels = list.flatMap(({ id, namespaces }) =>
    namespaces === '*' ? [] : namespaces.map((name) => `kubectl label namespace ${name} ${TENANT}=${id}`),
  );
  const secrets = tls ? [`kubectl apply --server-side -f ${join(folder, 'secrets.yaml')}`] : [];
  return [...labels, `kubectl apply --server-side -k ${folder}`, ...secrets].map((line) => `${line}\n`).join('');
}

function said(stream: NodeJS.WriteStream, content: string, status: number): number {
  stream.write(content);
  return status;
}
