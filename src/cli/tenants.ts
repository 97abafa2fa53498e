import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { TENANT } from '../core/observe-job.ts';
import { hookOf } from './tenants/hook.ts';
import { shipped, type Manifest } from './tenants/manifests.ts';
import { metacontrollerOf, rolesOf } from './tenants/metacontroller.ts';
import { tenantPolicy } from './tenants/policy.ts';
import { readTenants, type Tenant } from './tenants/read.ts';

const USAGE = `usage: flork tenants FILE --out DIR [--shared-metacontroller]

Writes a kustomization that runs Flork for several tenants (- is standard input). FILE says who they are:

  tenants:
    - id: first
      namespaces: [foo]
    - id: second
      namespaces: [bar, baz]

Each tenant gets a hook, a CompositeController and a Metacontroller of its own, which may write in its namespaces and nowhere else;
one tenant with namespaces ['*'] is for all. A ValidatingAdmissionPolicy ties the tenant of a FlinkJob to the label
${TENANT} of its namespace.

  --out DIR                 where to write; what is there is not overwritten
  --shared-metacontroller   one Metacontroller for all: tenants differ in their hooks, not in rights

Exit status: 0 written, 1 something is wrong with FILE, 2 it could not be read or written.
`;

const OPTIONS = {
  out: { type: 'string' },
  'shared-metacontroller': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** `flork tenants`; the result is the exit status. */
export async function tenants(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return said(process.stdout, USAGE, 0);
    const [file] = positionals;
    if (file === undefined || positionals.length > 1 || values.out === undefined) return said(process.stderr, USAGE, 2);
    const read = readTenants(file === '-' ? await text(process.stdin) : await readFile(file, 'utf8'));
    if (read.kind === 'wrong') return said(process.stderr, read.lines.map((line) => `${file}: ${line}\n`).join(''), 1);
    await write(values.out, await filesOf(read.tenants, values['shared-metacontroller'] === true));
    return said(process.stdout, afterwards(read.tenants, values.out), 0);
  } catch (error) {
    return said(process.stderr, `flork tenants: ${error instanceof Error ? error.message : String(error)}\n`, 2);
  }
}

/** The files of the kustomization by name. */
async function filesOf(list: readonly Tenant[], shared: boolean): Promise<ReadonlyMap<string, readonly object[]>> {
  const files = new Map<string, readonly object[]>([
    ['common.yaml', await common(list.every(({ namespaces }) => namespaces !== '*'))],
  ]);
  for (const tenant of list) {
    // oxlint-disable-next-line no-await-in-loop -- a handful of small files
    const own = shared ? [] : await metacontrollerOf(tenant.id, [tenant]);
    // oxlint-disable-next-line no-await-in-loop -- see above
    files.set(`tenant-${tenant.id}.yaml`, [...(await hookOf(tenant)), ...own]);
  }
  if (shared) files.set('metacontroller.yaml', await metacontrollerOf(undefined, list));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [...files.keys()],
    images: [{ name: 'flork', newName: 'flork' }],
  };
  return new Map([['kustomization.yaml', [kustomization]], ...files]);
}

/** What all tenants share: the namespaces of Flork and Metacontroller, the kind, the roles, and who may be whose. */
async function common(tied: boolean): Promise<readonly Manifest[]> {
  const [place] = await shipped('kustomize/components/metacontroller-rbac/service-account.yaml');
  const namespaces = [...(await shipped('manifests/namespace.yaml')), ...(place === undefined ? [] : [place])];
  return [
    ...namespaces,
    ...(await shipped('manifests/crd.yaml')),
    ...(await rolesOf()),
    ...(tied ? tenantPolicy() : []),
  ];
}

async function write(folder: string, files: ReadonlyMap<string, readonly object[]>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const present = [...files.keys()].map((name) => join(folder, name)).find((file) => existsSync(file));
  if (present !== undefined) throw new Error(`--out: ${present} is there already; want an empty folder`);
  const options = { lineWidth: 0, aliasDuplicateObjects: false } as const;
  const texts = [...files].map(
    ([name, objects]) => [name, objects.map((one) => stringify(one, options)).join('---\n')] as const,
  );
  await Promise.all(texts.map(([name, content]) => writeFile(join(folder, name), content, { flag: 'wx' })));
}

/** The labels are an administrator's to set, so they are told and not applied. */
function afterwards(list: readonly Tenant[], folder: string): string {
  const labels = list.flatMap(({ id, namespaces }) =>
    namespaces === '*' ? [] : namespaces.map((name) => `kubectl label namespace ${name} ${TENANT}=${id}`),
  );
  return `${labels.map((line) => `${line}\n`).join('')}kubectl apply --server-side -k ${folder}\n`;
}

function said(stream: NodeJS.WriteStream, content: string, status: number): number {
  stream.write(content);
  return status;
}
