import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { GROUP, VERSION } from '../api/flinkjob.ts';
import { isObject } from '../api/json.ts';
import type { Finding } from '../core/types.ts';
import { formatFinding, validateSpec } from '../core/validate/validate-spec.ts';
import { readFlinkJobs } from './flinkjobs.ts';
import { checkStructure, type Structure } from './structure.ts';

const USAGE = `usage: flork validate FILE... [--output text|json]

Checks every FlinkJob in YAML files (- is standard input) as the hook and the API server do. Objects of other kinds are passed over.
Prints one line per finding: FILE[document]: PATH: what is; want what (rule)
Exit status: 0 nothing found, 1 findings, 2 a file could not be read.
`;

/** A finding with the file and the document, counted from 0, it is about. */
type Located = Finding & { readonly file: string; readonly document: number };

/** `flork validate`; the result is the exit status. */
export async function validate(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === 'help') return print(process.stdout, USAGE, 0);
  if (options === undefined) return print(process.stderr, USAGE, 2);
  const schema = await podSpecSchema();
  const found: Located[] = [];
  let failed = false;
  for (const file of options.files) {
    try {
      found.push(...(await findingsOf(file, schema)));
    } catch (error) {
      process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`);
      failed = true;
    }
  }
  const lines = found.map((finding) => `${finding.file}[${finding.document}]: ${formatFinding(finding)}\n`);
  process.stdout.write(options.output === 'json' ? `${JSON.stringify(found, null, 2)}\n` : lines.join(''));
  if (failed) return 2;
  return found.length > 0 ? 1 : 0;
}

type Options = { readonly files: readonly string[]; readonly output: 'text' | 'json' };

function readOptions(args: readonly string[]): Options | 'help' | undefined {
  const known = { output: { type: 'string', short: 'o' }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: known, allowPositionals: true });
    if (values.help === true) return 'help';
    const output = values.output ?? 'text';
    if ((output !== 'text' && output !== 'json') || positionals.length === 0) return undefined;
    return { files: positionals, output };
  } catch {
    return undefined;
  }
}

/** The findings of a file in the order of its documents. */
async function findingsOf(file: string, schema: Structure): Promise<Located[]> {
  const jobs = await readFlinkJobs(file);
  return jobs.flatMap(({ object, document }) =>
    check(object, schema).map((finding) => ({ file, document, ...finding })),
  );
}

/** The rules of Flork, and the schema of pod specs, which the hook leaves to the API server. */
function check(object: Readonly<Record<string, unknown>>, schema: Structure): Finding[] {
  const { apiVersion, metadata, spec } = object;
  const meta = isObject(metadata) ? metadata : {};
  const name = typeof meta['name'] === 'string' ? meta['name'] : '';
  const namespace = typeof meta['namespace'] === 'string' ? meta['namespace'] : 'default';
  const result = validateSpec(spec, { name, namespace });
  const wanted = `${GROUP}/${VERSION}`;
  const version: Finding = {
    rule: 'type',
    path: 'apiVersion',
    is: `is ${JSON.stringify(apiVersion) ?? 'absent'}`,
    want: wanted,
  };
  const ofRules = [...(apiVersion === wanted ? [] : [version]), ...(result.kind === 'invalid' ? result.findings : [])];
  const known = new Set(ofRules.map((finding) => finding.path));
  return [...ofRules, ...podFindings(schema, spec).filter((finding) => !known.has(finding.path))].sort(byPath);
}

function podFindings(schema: Structure, spec: unknown): Finding[] {
  if (!isObject(spec)) return [];
  return (['jobManagerPodSpec', 'taskManagerPodSpec'] as const).flatMap((field) => {
    const podSpec = schema.properties?.['spec']?.properties?.[field];
    return podSpec === undefined ? [] : checkStructure(podSpec, spec[field], `spec.${field}`);
  });
}

/** The schema that the CRD carries, shipped beside the code; without it the pod specs are not looked into, and that is said. */
async function podSpecSchema(): Promise<Structure> {
  try {
    return JSON.parse(
      await readFile(new URL('../../manifests/schema/flinkjob.json', import.meta.url), 'utf8'),
    ) as Structure;
  } catch (error) {
    process.stderr.write(`pod specs are not checked: ${error instanceof Error ? error.message : String(error)}\n`);
    return {};
  }
}

function byPath(a: Finding, b: Finding): number {
  return a.path < b.path ? -1 : Number(a.path > b.path);
}

function print(stream: NodeJS.WriteStream, content: string, status: number): number {
  stream.write(content);
  return status;
}
