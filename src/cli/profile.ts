import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { isObject } from '../api/json.ts';
import { LISTS, readProfile, variableOf, type TenantProfile } from '../core/profile/profile.ts';
import { yamlOf } from './yaml.ts';

const USAGE = `usage: flork profile FILE --out DIR

Writes the component tenant-profile with lists of one's own (- is standard input). FILE is a copy of
kustomize/components/tenant-profile/profile.yaml, edited: the ConfigMap that the hook reads. The ValidatingAdmissionPolicies get the
same lists. DIR takes the place of that component in a kustomization.

  --out DIR   where to write kustomization.yaml, profile.yaml and policy.yaml; they are overwritten

Exit status: 0 written, 1 something is wrong with FILE, 2 it could not be read or written.
`;

const SHIPPED = new URL('../../kustomize/components/tenant-profile/', import.meta.url);
const NAME = 'flork-tenant-profile';

/** `flork profile`; the result is the exit status. */
export async function profile(args: readonly string[]): Promise<number> {
  try {
    const options = { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help === true) return said(process.stdout, USAGE, 0);
    const [file] = positionals;
    if (file === undefined || positionals.length > 1 || values.out === undefined) return said(process.stderr, USAGE, 2);
    const given = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
    const read = readLists(given);
    if (read.kind === 'wrong') return said(process.stderr, `${file}: ${read.line}\n`, 1);
    await write(values.out, given, read.profile);
    return said(process.stdout, `components: [${values.out}]\n`, 0);
  } catch (error) {
    return said(process.stderr, `flork profile: ${error instanceof Error ? error.message : String(error)}\n`, 2);
  }
}

function readLists(yaml: string): ReturnType<typeof readProfile> {
  const object: unknown = parse(yaml);
  const metadata = isObject(object) ? object['metadata'] : undefined;
  const data = isObject(object) ? object['data'] : undefined;
  const isNamed = isObject(metadata) && metadata['name'] === NAME && isObject(object) && object['kind'] === 'ConfigMap';
  if (!isNamed || !isObject(data)) return { kind: 'wrong', line: `is not ConfigMap ${NAME} with data` };
  const texts = Object.entries(data);
  const other = texts.find(([, value]) => typeof value !== 'string');
  if (other !== undefined)
    return { kind: 'wrong', line: `data.${other[0]}: is no text; want items separated by commas` };
  return readProfile(new Map(texts as [string, string][]));
}

async function write(folder: string, given: string, lists: TenantProfile): Promise<void> {
  const kustomization = await readFile(new URL('kustomization.yaml', SHIPPED), 'utf8');
  const policies = await readFile(new URL('policy.yaml', SHIPPED), 'utf8');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'kustomization.yaml'), kustomization);
  await writeFile(join(folder, 'profile.yaml'), given);
  await writeFile(join(folder, 'policy.yaml'), withLists(policies, lists));
}

type Policy = { readonly kind: string; readonly spec: { readonly variables?: readonly Variable[] } };
type Variable = { readonly name: string; readonly expression: string };

/** The shipped policies with other lists in their variables; throws where a policy does not have them. */
function withLists(yaml: string, lists: TenantProfile): string {
  const objects = parseAllDocuments(yaml).map((document) => document.toJS() as Policy);
  const changed = objects.map((object) =>
    object.kind === 'ValidatingAdmissionPolicy' ? withVariables(object, lists) : object,
  );
  return yamlOf(changed);
}

function withVariables(object: Policy, lists: TenantProfile): Policy {
  const expressions = new Map(LISTS.map((list) => [variableOf(list), JSON.stringify(lists[list])]));
  const { variables = [] } = object.spec;
  const absent = [...expressions.keys()].find((name) => !variables.some((variable) => variable.name === name));
  if (absent !== undefined) throw new Error(`the shipped policies have no variable ${absent}`);
  const own = variables.map(({ name, expression }) => ({ name, expression: expressions.get(name) ?? expression }));
  return { ...object, spec: { ...object.spec, variables: own } };
}

function said(stream: NodeJS.WriteStream, content: string, status: number): number {
  stream.write(content);
  return status;
}
