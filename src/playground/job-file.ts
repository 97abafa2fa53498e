import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { formatFinding, validateSpec } from '../core/validate/validate-spec.ts';
import { text, tree, type KubeObject, type Tree } from '../sim/models/objects.ts';
import { NAMESPACE } from '../sim/world.ts';

/** The FlinkJob that the demo runs, or why it cannot. */
export type JobFile =
  | { readonly kind: 'job'; readonly job: KubeObject; readonly remarks: readonly string[] }
  | { readonly kind: 'refused'; readonly lines: readonly string[] };

/** What the playground's sample says; a file of the user's replaces it. */
const SAMPLE: Tree = {
  image: 'flink:2.3',
  flinkVersion: '2.3',
  jarURI: 'local:///opt/flink/usrlib/counter.jar',
  flinkConf: {
    'execution.checkpointing.interval': '2s',
    'execution.checkpointing.dir': 'file:///data/checkpoints',
  },
  policies: { savepoint: { directory: 'file:///data/savepoints' } },
};

export function sampleJob(): KubeObject {
  return jobOf('counter', SAMPLE);
}

/** Reads the first FlinkJob of a YAML file. */
export function readJobFile(path: string): JobFile {
  const documents = readDocuments(path);
  if (typeof documents === 'string') return { kind: 'refused', lines: [documents] };
  const found = documents.find((document) => document['kind'] === 'FlinkJob');
  if (found === undefined)
    return { kind: 'refused', lines: [`${path}: no FlinkJob in it; want a document with kind: FlinkJob`] };
  const name = text(tree(found['metadata'])['name']);
  const validation = validateSpec(found['spec'], { name, namespace: NAMESPACE });
  if (validation.kind === 'invalid') {
    return { kind: 'refused', lines: validation.findings.map((finding) => `${path}: ${formatFinding(finding)}`) };
  }
  const { spec, remarks } = completed(tree(found['spec']));
  return { kind: 'job', job: jobOf(name, spec), remarks };
}

function readDocuments(path: string): readonly Tree[] | string {
  try {
    const documents = parseAllDocuments(readFileSync(path, 'utf8'));
    const [error] = documents.flatMap((document) => document.errors);
    return error === undefined ? documents.map((document) => tree(document.toJS())) : `${path}: ${error.message}`;
  } catch (error) {
    return `${path}: ${error instanceof Error ? error.message : 'cannot be read'}`;
  }
}

/** What the story of the demo needs and the file does not say. */
function completed(given: Tree): { readonly spec: Tree; readonly remarks: readonly string[] } {
  const remarks: string[] = [];
  const conf: Record<string, unknown> = { ...tree(given['flinkConf']) };
  const policies: Record<string, unknown> = { ...tree(given['policies']) };
  const says = (...keys: readonly string[]): boolean => keys.some((key) => key in conf);
  if (!says('execution.checkpointing.interval', 'execution')) {
    conf['execution.checkpointing.interval'] = '2s';
    remarks.push('no checkpoint interval in the file: the demo takes 2s');
  }
  if (!says('execution.checkpointing.dir', 'state.checkpoints.dir', 'execution', 'state')) {
    conf['state.checkpoints.dir'] = 'file:///data/checkpoints';
    remarks.push('no checkpoint directory in the file: the demo takes file:///data/checkpoints');
  }
  const savepoints = tree(policies['savepoint']);
  if (savepoints['directory'] === undefined && !says('execution.checkpointing.savepoint-dir', 'state.savepoints.dir')) {
    policies['savepoint'] = { ...savepoints, directory: 'file:///data/savepoints' };
    remarks.push('no savepoint directory in the file: the demo takes file:///data/savepoints');
  }
  if (given['state'] === 'suspended') remarks.push('state: suspended is left out, so that there is something to see');
  const { state: _, ...rest } = given;
  return { spec: { ...rest, flinkConf: conf, policies }, remarks };
}

function jobOf(name: string, spec: Tree): KubeObject {
  return { apiVersion: 'flork.itom.com/v1', kind: 'FlinkJob', metadata: { name, namespace: NAMESPACE }, spec };
}
