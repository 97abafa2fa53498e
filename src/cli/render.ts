import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { isObject } from '../api/json.ts';
import { KIND } from '../api/flinkjob.ts';
import type { Child } from '../api/kube.ts';
import { readObserved } from '../api/observed.ts';
import { readJob } from '../core/observe-job.ts';
import { reconcile } from '../core/reconcile.ts';
import type { Finding, Outcome } from '../core/types.ts';
import { formatFinding } from '../core/validate/validate-spec.ts';

/** Stands for the uid that only an API server can give; names and ids are hashes of it. */
export const ZERO_UID = '00000000-0000-0000-0000-000000000000';

const USAGE = 'usage: flork render FILE [--uid UID]   (FILE - is standard input)';

/** Kinds in the order in which Metacontroller applies them. */
const ORDER: readonly Child['kind'][] = ['ConfigMap', 'Service', 'Deployment'];

/** What the hook answers first to a FlinkJob. */
export type Rendered =
  | { readonly kind: 'children'; readonly children: readonly Child[]; readonly message: string }
  | { readonly kind: 'invalid'; readonly findings: readonly Finding[] };

/** `flork render`: the children that a FlinkJob gets, as YAML. Exit status: 0 printed, 1 the spec is refused, 2 nothing could be read. */
export async function render(args: readonly string[]): Promise<number> {
  const options = readArgs(args);
  if (options === undefined) return complain(USAGE);
  const { file, uid } = options;
  let jobs: readonly unknown[];
  try {
    jobs = readJobs(file === '-' ? await text(process.stdin) : await readFile(file, 'utf8'));
  } catch (error) {
    return complain(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const rendered = jobs.map((job) => renderJob(job, uid));
  const findings = rendered.flatMap((one, index) =>
    one.kind === 'invalid' ? one.findings.map((finding) => `${file}[${index}]: ${formatFinding(finding)}\n`) : [],
  );
  if (findings.length > 0) {
    process.stderr.write(findings.join(''));
    return 1;
  }
  process.stdout.write(rendered.map((one) => (one.kind === 'children' ? print(one, uid) : '')).join(''));
  return 0;
}

/** The hook's first answer to a FlinkJob that was created with this uid: same code, nothing observed yet. */
export function renderJob(job: unknown, uid: string): Rendered {
  const { metadata, spec } = job as { readonly metadata: Readonly<Record<string, unknown>>; readonly spec: unknown };
  const { name, namespace = 'default', labels, annotations } = metadata as Parameters<typeof readJob>[0]['metadata'];
  const observedJob = readJob({
    apiVersion: 'flork.itom.com/v1',
    kind: KIND,
    metadata: {
      name,
      namespace,
      uid,
      generation: 1,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec,
  });
  if (observedJob.spec.kind === 'invalid') return observedJob.spec;
  const outcome: Outcome = reconcile({
    job: observedJob,
    observed: readObserved({}, { 'Pod.v1': {} }, observedJob.ref),
    finalizing: false,
    flink: { kind: 'not-asked', why: 'rendering' },
    now: 0,
  });
  return { kind: 'children', children: outcome.children.toSorted(inApplyOrder), message: outcome.status.message };
}

/** Children as YAML documents below a line that says which uid they are for. */
export function print({ children, message }: Extract<Rendered, { kind: 'children' }>, uid: string): string {
  const note =
    uid === ZERO_UID ? ', which stands for the one that the API server gives; names and ids depend on it' : '';
  const header = `# Children of a FlinkJob with uid ${uid}${note}.\n`;
  if (children.length === 0) return `${header}# None: ${message}\n`;
  // kubectl reads YAML 1.1, in which more words are not texts.
  const documents = children.map((child) =>
    stringify(child, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false }),
  );
  return header + documents.map((document) => `---\n${document}`).join('');
}

function readArgs(args: readonly string[]): { readonly file: string; readonly uid: string } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { uid: { type: 'string' } },
      allowPositionals: true,
    });
    const [file, ...more] = positionals;
    const uid = values.uid ?? ZERO_UID;
    return file === undefined || more.length > 0 || uid === '' ? undefined : { file, uid };
  } catch {
    return undefined;
  }
}

function readJobs(content: string): readonly unknown[] {
  const jobs = parseAllDocuments(content)
    .map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as unknown;
    })
    .filter((job) => job !== null && job !== undefined);
  if (jobs.length === 0) throw new Error('no FlinkJob in it');
  for (const job of jobs) {
    const isJob =
      isObject(job) && job['kind'] === KIND && isObject(job['metadata']) && typeof job['metadata']['name'] === 'string';
    if (!isJob) throw new Error(`a document that is no ${KIND} with a name`);
  }
  return jobs;
}

function inApplyOrder(one: Child, other: Child): number {
  const byKind = ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind);
  if (byKind !== 0) return byKind;
  return one.metadata.name < other.metadata.name ? -1 : 1;
}

function complain(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return 2;
}
