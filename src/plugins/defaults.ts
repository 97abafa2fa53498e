import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { parseDocument } from 'yaml';
import { FLINK_VERSIONS, type FlinkJobSpec, type FlinkVersion } from '../api/flinkjob.ts';
import { isObject } from '../api/json.ts';
import { membersOf } from '../core/platform/defaults.ts';
import { JOBS_OWN_KEYS } from '../core/platform/effective.ts';
import { DEFAULT_FIELDS, type DefaultsEntry } from '../core/platform/platform.ts';
import { mainContainerOf, ROLES } from '../core/role.ts';
import { formatFinding, validateSpec } from '../core/validate/validate-spec.ts';

const NAMESPACE = /^[a-z0-9*](?:[-a-z0-9*]{0,61}[a-z0-9*])?$/;

const Entry = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 'a-z, 0-9 and -')),
  namespaces: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.regex(NAMESPACE, 'a namespace, or a pattern with *'))), v.minLength(1)),
  ),
  flinkVersions: v.optional(v.pipe(v.array(v.picklist(FLINK_VERSIONS)), v.minLength(1))),
  spec: v.record(v.picklist(DEFAULT_FIELDS), v.unknown()),
});

const File = v.strictObject({ defaults: v.array(Entry) });

/** Reads defaults.yaml. Throws with one sentence that says where it is wrong; nothing of a wrong file is used. */
export function loadDefaults(file: string): readonly DefaultsEntry[] {
  const document = parseDocument(readFileSync(file, 'utf8'));
  const [broken] = document.errors;
  if (broken !== undefined) throw new Error(broken.message.split('\n')[0]);
  const parsed = v.safeParse(File, document.toJS());
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new Error(`${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
  }
  const names = new Set<string>();
  return parsed.output.defaults.map((entry, index) => {
    const where = `defaults[${index}] (${entry.name})`;
    if (names.has(entry.name)) throw new Error(`${where}: has the name of an entry before it`);
    names.add(entry.name);
    const spec = specOf(where, entry.spec as FlinkJobSpec, entry.flinkVersions ?? FLINK_VERSIONS);
    const { namespaces, flinkVersions } = entry;
    return {
      name: entry.name,
      ...(namespaces === undefined ? {} : { namespaces }),
      ...(flinkVersions === undefined ? {} : { flinkVersions }),
      spec,
    };
  });
}

/** Judged by the rules for FlinkJobs, with each Flink version that the entry may meet. */
function specOf(where: string, given: FlinkJobSpec, versions: readonly FlinkVersion[]): DefaultsEntry['spec'] {
  const own = ownWords(given);
  if (own !== undefined) throw new Error(`${where}: ${own}`);
  let spec: FlinkJobSpec = {};
  for (const flinkVersion of versions) {
    const verdict = validateSpec({ image: 'flink', ...given, flinkVersion }, { name: 'any', namespace: 'any' });
    if (verdict.kind === 'invalid') {
      const [finding] = verdict.findings;
      throw new Error(`${where} with Flink ${flinkVersion}: ${finding === undefined ? '' : formatFinding(finding)}`);
    }
    spec = verdict.spec;
  }
  return Object.fromEntries(
    Object.entries(spec).filter(([field]) => (DEFAULT_FIELDS as readonly string[]).includes(field)),
  );
}

/** What is said by each FlinkJob itself, and never by a default. */
function ownWords(spec: FlinkJobSpec): string | undefined {
  const key = isObject(spec.flinkConf) ? JOBS_OWN_KEYS.find((one) => membersOf(spec.flinkConf).has(one)) : undefined;
  if (key !== undefined) return `spec.flinkConf[${JSON.stringify(key)}]: is said by each FlinkJob; want no such key`;
  for (const role of ROLES) {
    const field = role === 'jobmanager' ? 'jobManager' : 'taskManager';
    if (spec[`${field}PodSpec`]?.containers !== undefined && !Array.isArray(spec[`${field}PodSpec`]?.containers))
      continue;
    const main = mainContainerOf(spec, role);
    if (main?.['image'] !== undefined)
      return `spec.${field}PodSpec: names an image for Flink; want a decorator, or spec.image of each FlinkJob`;
    if (main?.['resources'] !== undefined)
      return `spec.${field}PodSpec: has resources of Flink's container; want spec.${field}Resources`;
  }
  return undefined;
}
