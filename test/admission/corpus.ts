import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';

/** Who refuses a wrong spec first: the schema of the CRD, its CEL, a ValidatingAdmissionPolicy, or the hook when it is asked by the webhook. */
export const LAYERS = ['schema', 'cel', 'policy', 'webhook'] as const;
export type Layer = (typeof LAYERS)[number];

type Fields = Readonly<Record<string, unknown>>;
export type Job = { readonly name: string; readonly spec: Fields };

/** A wrong spec, where it is wrong, and a spec that differs in little and is right. */
type Pair = { readonly title: string; readonly at: string; readonly wrong: Job; readonly right: Job };
export type Case = Pair & { readonly by: Layer };
/** `only: children`: the policy on FlinkJobs does not see it; `only: flinkjobs`: nothing of it is in a Deployment or a Service. */
export type Attack = Pair & { readonly only?: 'children' | 'flinkjobs' };

/** A case as it is written: changes laid over BASE, of spec, of flinkConf, of the JobManager's pod spec or of its main container. */
type Written = {
  readonly name?: string;
  readonly at: string;
  readonly by: Layer;
  readonly only?: 'children' | 'flinkjobs';
  readonly wrong?: Fields;
  readonly conf?: Fields;
  readonly pod?: Fields;
  readonly main?: Fields;
  readonly right?: Fields;
  readonly rightConf?: Fields;
  readonly rightPod?: Fields;
  readonly rightMain?: Fields;
};

const BASE = { image: 'flink:2.3', jarURI: 'local:///opt/flink/usrlib/job.jar' };

/** Every case of test/admission/cases. */
export function corpus(): readonly Case[] {
  const folder = join(import.meta.dirname, 'cases');
  const files = globSync('*.yaml', { cwd: folder }).toSorted();
  return files.flatMap((file) =>
    read(join(folder, file)).map((written, index) => ({
      by: written.by,
      ...pairOf(basename(file, '.yaml'), index, written),
    })),
  );
}

/** Every attack of test/admission/attacks.yaml. */
export function attacks(): readonly Attack[] {
  return read(join(import.meta.dirname, 'attacks.yaml')).map((written, index) => ({
    ...(written.only !== undefined && { only: written.only }),
    ...pairOf('attack', index, written),
  }));
}

function read(file: string): readonly Written[] {
  return parse(readFileSync(file, 'utf8')) as readonly Written[];
}

function pairOf(prefix: string, index: number, written: Written): Pair {
  const { at, name } = written;
  const said = written.wrong ?? written.conf ?? written.pod ?? written.main;
  const right = laid(written.right, written.rightConf, written.rightPod, written.rightMain);
  const wrong = laid(written.wrong, written.conf, written.pod, written.main);
  return {
    at,
    title: `${prefix} ${index}: ${name ?? JSON.stringify(said).slice(0, 100)}`,
    wrong: { name: name ?? `${prefix}-${index}`, spec: wrong },
    right: { name: `${prefix}-${index}`, spec: right },
  };
}

/** A null takes a field away. */
function laid(spec: Fields = {}, conf?: Fields, pod?: Fields, main?: Fields): Fields {
  const container = main === undefined ? {} : { containers: [{ name: 'flink-main-container', ...main }] };
  const all = {
    ...BASE,
    ...spec,
    ...(conf !== undefined && { flinkConf: conf }),
    ...((pod ?? main) !== undefined && { jobManagerPodSpec: { ...pod, ...container } }),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

/** A FlinkJob of a case. */
export function flinkJob({ name, spec }: Job, namespace: string): Fields {
  return { apiVersion: 'flork.itom.com/v1', kind: 'FlinkJob', metadata: { name, namespace }, spec };
}

/**
 * Whether a text of an answer names a place: the path itself, something in it, or what it lies in below a field of spec. Keys in
 * brackets and behind dots are the same.
 */
export function names(text: string, at: string): boolean {
  const plain = (path: string): string => path.replaceAll(/\["([^"]*)"\]/g, '.$1').replace(/:$/, '');
  const wanted = plain(at);
  const found = plain(text).match(/\b(spec|metadata)\.[^\s",;:]+(?::(?=\S)[^\s",;:]+)*/g) ?? [];
  return found.some((path) => {
    const inside = (inner: string, outer: string): boolean =>
      inner === outer || (inner.startsWith(outer) && /^[.[]/.test(inner.slice(outer.length)));
    return (
      inside(path, wanted) ||
      inside(wanted, path) ||
      plain(text).includes(`${wanted} `) ||
      plain(text).includes(`${wanted}:`)
    );
  });
}
