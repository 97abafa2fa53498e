import type { FlinkJobSpec, FlinkVersion } from '../../api/flinkjob.ts';
import { spelled } from '../build/conf-spelling.ts';
import { confText, type ConfValue } from '../flink-conf-keys.ts';
import { rememberedByObject } from '../memo.ts';
import type { Role } from '../role.ts';

/** What a rule looks at. */
export type Subject = {
  readonly meta: { readonly name: string; readonly namespace: string };
  /** The spec without the fields that do not even parse; those are named in `unread`. */
  readonly spec: FlinkJobSpec;
  readonly unread: ReadonlySet<string>;
  /** flinkConf by flat keys, as the user spelled them. */
  readonly conf: ReadonlyMap<string, ConfValue>;
  readonly duplicates: readonly string[];
  /** `undefined` when it is not known, which a rule of its own reports. */
  readonly version: FlinkVersion | undefined;
};

/** What a rule found: where, what is there, and what is wanted. */
export type Problem = { readonly path: string; readonly is: string; readonly want: string };

/** A rule; `id` is stable, it is printed with every finding. */
export type Rule = { readonly id: string; readonly check: (subject: Subject) => readonly Problem[] };

/** The path of a configuration key. */
export function confPath(key: string): string {
  return `spec.flinkConf[${JSON.stringify(key)}]`;
}

type Configured = { readonly key: string; readonly text: string };

/** A configuration by the newest spelling of its keys: of two spellings of one key the first counts. */
const bySpelling = rememberedByObject((conf: Subject['conf']): ReadonlyMap<string, Configured> => {
  const found = new Map<string, Configured>();
  for (const [key, value] of conf) {
    const newest = spelled(key, '2.3');
    if (!found.has(newest)) found.set(newest, { key, text: confText(value) });
  }
  return found;
});

/** A configuration value under any spelling of its key, with the key as it was spelled. */
export function configured({ conf }: Subject, key: string): Configured | undefined {
  return bySpelling(conf).get(spelled(key, '2.3'));
}

/** A value for people: quoted, and not longer than a line. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}

/** The field of a role's pod spec as the user wrote it, and its containers with their paths. */
export function containersOf(
  spec: FlinkJobSpec,
  role: Role,
): readonly { readonly path: string; readonly container: PodContainer }[] {
  const field = role === 'jobmanager' ? 'jobManagerPodSpec' : 'taskManagerPodSpec';
  return (spec[field]?.containers ?? []).map((container, index) => ({
    path: `spec.${field}.containers[${index}]`,
    container,
  }));
}

type PodContainer = NonNullable<NonNullable<FlinkJobSpec['jobManagerPodSpec']>['containers']>[number];
