import { parseArgs } from 'node:util';
import { getDotPath, safeParse, type BaseIssue } from 'valibot';
import { stringify } from 'yaml';
import { isObject } from '../api/json.ts';
import type { FlinkJobSpec } from '../api/flinkjob.ts';
import { Parent } from '../api/hook.ts';
import type { Child } from '../api/kube.ts';
import { OPTIONAL_KINDS } from '../api/optional-children.ts';
import { readObserved } from '../api/observed.ts';
import { readJob } from '../core/observe-job.ts';
import { explain } from '../core/platform/explain.ts';
import { judgedByPlatform } from '../core/platform/judge.ts';
import { NO_PLATFORM, type Platform } from '../core/platform/platform.ts';
import { reconcile } from '../core/reconcile.ts';
import type { JobRef } from '../core/record.ts';
import type { Finding } from '../core/types.ts';
import { formatFinding } from '../core/validate/validate-spec.ts';
import { loadPlatform, type PlatformFiles } from '../plugins/platform.ts';
import { readFlinkJobs, type Job } from './flinkjobs.ts';

/** Stands for the uid that only an API server can give; names and ids are hashes of it. */
export const ZERO_UID = '00000000-0000-0000-0000-000000000000';

const USAGE = `usage: flork render FILE [--uid UID] [--defaults FILE] [--decorators DIR] [--explain]

Prints the objects that the FlinkJobs of a YAML file (- is standard input) become, in the order in which they are applied:
the hook's first answer to a FlinkJob that was created with this uid. Objects of other kinds are passed over.

  --defaults FILE     the platform's defaults.yaml
  --decorators DIR    the platform's decorators
  --explain           print in place of the objects where each key of the configuration and each field of the pods comes from

Exit status: 0 printed, 1 a FlinkJob is refused (FILE[document]: PATH: what is; want what (rule)), 2 the file could not be read.
`;

/** Kinds in the order in which Metacontroller applies them. */
const ORDER: readonly Child['kind'][] = [
  'ConfigMap',
  'Service',
  'Deployment',
  ...OPTIONAL_KINDS.map(({ kind }) => kind),
];

/** A CompositeController that lists every kind. */
const ALL_KINDS = Object.fromEntries(OPTIONAL_KINDS.map(({ kind, apiVersion }) => [`${kind}.${apiVersion}`, {}]));

/** What the hook answers first to a FlinkJob. */
export type Rendered =
  | {
      readonly kind: 'children';
      readonly children: readonly Child[];
      readonly message: string;
      readonly job: { readonly ref: JobRef; readonly spec: FlinkJobSpec };
    }
  | { readonly kind: 'invalid'; readonly findings: readonly Finding[] };

/** `flork render`; the result is the exit status. */
export async function render(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === 'help') return say(process.stdout, USAGE, 0);
  if (options === undefined) return say(process.stderr, USAGE, 2);
  const { file, uid, files, explained } = options;
  let jobs: readonly Job[];
  let platform: Platform;
  try {
    jobs = await readFlinkJobs(file);
  } catch (error) {
    return say(process.stderr, `${file}: ${error instanceof Error ? error.message : String(error)}\n`, 2);
  }
  try {
    platform = await loadPlatform(files);
  } catch (error) {
    return say(process.stderr, `${error instanceof Error ? error.message : String(error)}\n`, 2);
  }
  const rendered = jobs.map((job) => ({ document: job.document, ...renderJob(job.object, uid, platform) }));
  const refused = rendered.flatMap((one) =>
    one.kind === 'invalid'
      ? one.findings.map((finding) => `${file}[${one.document}]: ${formatFinding(finding)}\n`)
      : [],
  );
  if (refused.length > 0) return say(process.stderr, refused.join(''), 1);
  const shown = (one: Rendered): string =>
    one.kind === 'invalid' ? '' : explained ? printExplained(one, platform) : print(one, uid);
  return say(process.stdout, rendered.map(shown).join(''), 0);
}

/** The hook's first answer to a FlinkJob that was created with this uid: same code, nothing observed yet. */
export function renderJob(
  job: Readonly<Record<string, unknown>>,
  uid: string,
  platform: Platform = NO_PLATFORM,
): Rendered {
  const given = isObject(job['metadata']) ? job['metadata'] : {};
  const { name = '', namespace = 'default', labels, annotations } = given;
  const metadata = {
    name,
    namespace,
    uid,
    generation: 1,
    ...(isObject(labels) ? { labels } : {}),
    ...(isObject(annotations) ? { annotations } : {}),
  };
  const parent = safeParse(Parent, { ...job, status: undefined, metadata });
  if (!parent.success) return { kind: 'invalid', findings: parent.issues.map(findingOf) };
  const shown = readJob(parent.output);
  const input = judgedByPlatform({
    job: shown,
    observed: readObserved(ALL_KINDS, { 'Pod.v1': {} }, shown.ref),
    finalizing: false,
    flink: { kind: 'not-asked', why: 'rendering' },
    platform,
    now: 0,
  });
  const { spec, ref } = input.job;
  if (spec.kind === 'invalid') return spec;
  const outcome = reconcile(input);
  const { message } = outcome.status;
  return {
    kind: 'children',
    children: outcome.children.toSorted(inApplyOrder),
    message,
    job: { ref, spec: spec.spec },
  };
}

function findingOf(issue: BaseIssue<unknown>): Finding {
  const is = issue.input === undefined ? 'is absent' : `is ${JSON.stringify(issue.input)}`;
  return { rule: 'type', path: getDotPath(issue) ?? 'metadata', is, want: issue.expected ?? 'something else' };
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

/** A line for each key: what it is, and who says so. */
function printExplained({ job }: Extract<Rendered, { kind: 'children' }>, platform: Platform): string {
  const { flinkConf, jobmanager, taskmanager } = explain(platform, job.ref, job.spec);
  const parts = { 'Flink configuration': flinkConf, 'JobManager pod': jobmanager, 'TaskManager pods': taskmanager };
  const texts = Object.entries(parts).map(
    ([title, lines]) =>
      `# ${title} of FlinkJob ${job.ref.namespace}/${job.ref.name}\n${lines.map(({ path, value, source }) => `${path}: ${value.replaceAll('\n', '\\n')}  # ${source}\n`).join('')}`,
  );
  return texts.join('\n');
}

type Options = {
  readonly file: string;
  readonly uid: string;
  readonly files: PlatformFiles;
  readonly explained: boolean;
};

function readOptions(args: readonly string[]): Options | 'help' | undefined {
  const known = {
    uid: { type: 'string' },
    defaults: { type: 'string' },
    decorators: { type: 'string' },
    explain: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: known, allowPositionals: true });
    if (values.help === true) return 'help';
    const [file, ...more] = positionals;
    const uid = values.uid ?? ZERO_UID;
    const files = { defaultsFile: values.defaults, decoratorsDir: values.decorators };
    const explained = values.explain === true;
    return file === undefined || more.length > 0 || uid === '' ? undefined : { file, uid, files, explained };
  } catch {
    return undefined;
  }
}

function inApplyOrder(one: Child, other: Child): number {
  const byKind = ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind);
  if (byKind !== 0) return byKind;
  return one.metadata.name < other.metadata.name ? -1 : 1;
}

function say(stream: NodeJS.WriteStream, sentence: string, status: number): number {
  stream.write(sentence);
  return status;
}
