import type { FlinkJobSpec, FlinkVersion } from '../../api/flinkjob.ts';
import { confText, flattenConf } from '../flink-conf-keys.ts';
import { flinkVersionOf } from '../flink-version.ts';
import type { Decorator } from '../platform/platform.ts';
import type { JobRef } from '../record.ts';
import { spelled } from './conf-spelling.ts';
import { epochNames, names, type EpochNames, type Names } from './names.ts';

/** Flink configuration: flat keys, values in Flink's text form. */
export type Conf = Readonly<Record<string, string>>;

/** A configuration value that a Secret or ConfigMap holds: `{valueFrom: {secretKeyRef: {name, key}}}`. */
export type ConfReference = {
  readonly key: string;
  readonly from: 'secretKeyRef' | 'configMapKeyRef';
  readonly name: string;
  readonly entry: string;
};

/** Everything a feature may look at. */
export type Context = {
  readonly ref: JobRef;
  readonly number: number;
  readonly spec: FlinkJobSpec;
  readonly version: FlinkVersion;
  readonly names: Names;
  readonly epochNames: EpochNames;
  /** The user's flinkConf: flat, spelled for this version, with {{name}} and {{namespace}} replaced. */
  readonly user: Conf;
  readonly references: readonly ConfReference[];
  readonly highAvailability: 'none' | 'kubernetes' | 'other';
  /** Of pod specs; those of the configuration have done their part in `spec`. */
  readonly decorators: readonly Decorator[];
};

const REFERENCE = /^(?<key>.+)\.valueFrom\.(?<from>secretKeyRef|configMapKeyRef)\.(?<field>name|key|optional)$/;

/** Reads the spec once for all features. The spec is valid, so its Flink version is known. */
export function contextOf(
  ref: JobRef,
  number: number,
  spec: FlinkJobSpec,
  decorators: readonly Decorator[] = [],
): Context {
  const version = flinkVersionOf(spec);
  if (version === undefined) throw new TypeError('render: the Flink version is unknown, the spec was not validated');
  const { user, references } = readConf(ref, spec, version);
  return {
    ref,
    number,
    spec,
    version,
    names: names(ref),
    epochNames: epochNames(ref, number),
    user,
    references,
    highAvailability: highAvailabilityOf(user['high-availability.type']),
    decorators,
  };
}

/** Whether a Flink option is switched on. */
export function isOn(value: string | undefined): boolean {
  return value?.trim().toLowerCase() === 'true';
}

function readConf(ref: JobRef, spec: FlinkJobSpec, version: FlinkVersion): Pick<Context, 'user' | 'references'> {
  const user: Record<string, string> = {};
  const references = new Map<string, Record<string, string>>();
  for (const [key, value] of flattenConf(spec.flinkConf).entries) {
    const text = replaced(confText(value), ref);
    const told = REFERENCE.exec(key)?.groups;
    if (told === undefined) {
      user[spelled(key, version)] = text;
    } else {
      const name = spelled(told['key'] ?? '', version);
      const known = references.get(name) ?? { from: told['from'] ?? '' };
      references.set(name, { ...known, [told['field'] ?? '']: text });
    }
  }
  return { user, references: [...references].map(([key, fields]) => referenceOf(key, fields)) };
}

function referenceOf(key: string, fields: Readonly<Record<string, string>>): ConfReference {
  const from = fields['from'] === 'configMapKeyRef' ? 'configMapKeyRef' : 'secretKeyRef';
  return { key, from, name: fields['name'] ?? '', entry: fields['key'] ?? '' };
}

/** A text of the user's with {{name}} and {{namespace}} replaced. */
export function replaced(text: string, ref: Pick<JobRef, 'name' | 'namespace'>): string {
  return text.replaceAll('{{name}}', ref.name).replaceAll('{{namespace}}', ref.namespace);
}

/** The kind of high availability, by the value of `high-availability.type`. */
export function highAvailabilityOf(value: string | undefined): Context['highAvailability'] {
  const type = value?.trim().toLowerCase() ?? '';
  if (type === '' || type === 'none') return 'none';
  return type === 'kubernetes' || type.endsWith('kuberneteshaservicesfactory') ? 'kubernetes' : 'other';
}
