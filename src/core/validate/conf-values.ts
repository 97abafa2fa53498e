import { confText } from '../flink-conf-keys.ts';
import { isAtLeast } from '../flink-version.ts';
import { parseDuration } from '../duration.ts';
import { parseMemory } from '../quantity.ts';
import { confPath, configured, quoted, type Problem, type Rule, type Subject } from './rule.ts';

/** What a value has to be, by key; a placeholder or reference is only known when the configuration is rendered. */
type Expectation = { readonly keys: RegExp; readonly is: (text: string) => boolean; readonly want: string };

const count = (text: string) => /^[1-9]\d{0,8}$/.test(text);

/** Values by what they have to be; the ValidatingAdmissionPolicy of the same rule has the same names (tools/policy). */
export const EXPECTED = {
  memory: {
    keys: /^(jobmanager|taskmanager)\.memory\.([a-z.-]+\.)?(size|min|max|segment-size|min-segment-size)$/,
    is: (text) => parseMemory(text) !== undefined,
    want: 'a memory size such as 1g, 1024m or 1Gi',
  },
  fraction: {
    keys: /^(jobmanager|taskmanager)\.memory\..+\.fraction$/,
    is: (text) => /^(0(\.\d+)?|1(\.0+)?|\.\d+)$/.test(text),
    want: 'a number from 0 to 1',
  },
  count: {
    keys: /^(taskmanager\.numberOfTaskSlots|parallelism\.default|(state\.checkpoints|execution\.checkpointing)\.num-retained)$/,
    is: count,
    want: 'a whole number of at least 1',
  },
  duration: {
    keys: /^execution\.checkpointing\.(interval|timeout|min-pause|interval-during-backlog)$/,
    is: (text) => parseDuration(text) !== undefined,
    want: 'a duration such as 30s, 10min or 1h',
  },
  shown: {
    keys: /^execution\.submit-failed-job-on-application-error$/,
    is: (text) => text === 'true',
    want: 'no such key or true, because a job whose main() fails has to be seen',
  },
  reached: {
    keys: /^(jobmanager\.bind-host|taskmanager\.bind-host|rest\.bind-address)$/,
    is: (text) => !/^(localhost|127\.|::1)/.test(text),
    want: 'no such key or 0.0.0.0, because pods reach each other by it',
  },
} as const satisfies Readonly<Record<string, Expectation>>;

/** Values that Flink would only refuse, or misread, in a starting JobManager. */
export const confValue: Rule = {
  id: 'conf-value',
  check: ({ conf }) =>
    [...conf].flatMap(([key, value]): Problem[] => {
      const text = confText(value).trim();
      const expected = text.includes('{{') ? undefined : Object.values(EXPECTED).find((one) => one.keys.test(key));
      return expected === undefined || expected.is(text)
        ? []
        : [{ path: confPath(key), is: `is ${quoted(value)}`, want: expected.want }];
    }),
};

/** Keys have to survive the configuration file. */
export const confKey: Rule = {
  id: 'conf-key',
  check: ({ conf }) =>
    [...conf.keys()]
      .filter((key) => !/^[^\s:#"'{}[\],&*!|>%@`]+$/.test(key) || /^\.|\.\.|\.$/.test(key))
      .map((key) => ({
        path: confPath(key),
        is: 'is not a key of Flink',
        want: 'names joined by dots, without blanks, colons and quotes',
      })),
};

/** flink-conf.yaml, which Flink reads before 2.0, is cut at # and at line ends and knows no lists of maps. */
export const legacyValue: Rule = {
  id: 'legacy-value',
  check: ({ conf, version }) => {
    if (version === undefined || isAtLeast(version, '2.0')) return [];
    return [...conf].flatMap(([key, value]): Problem[] => {
      const text = confText(value);
      const isText = !/[#\r\n]/.test(text);
      if (isText && !(Array.isArray(value) && value.some((item) => typeof item === 'object'))) return [];
      const is = isText ? `is a list of maps` : `is ${quoted(text)}`;
      return [
        {
          path: confPath(key),
          is,
          want: `a value without # and line ends, which Flink ${version} cannot read, or Flink 2.0 or newer`,
        },
      ];
    });
  },
};

/** A value from a Secret or ConfigMap names the object and its key. */
export const valueFrom: Rule = {
  id: 'value-from',
  check: ({ conf }) => {
    const references = new Map<string, string[]>();
    for (const key of conf.keys()) {
      const [of = '', rest] = key.split('.valueFrom.');
      if (rest !== undefined) references.set(of, [...(references.get(of) ?? []), rest]);
    }
    return [...references].flatMap(([key, parts]): Problem[] => {
      const known = ['secretKeyRef', 'configMapKeyRef'].filter((kind) =>
        parts.some((part) => part.startsWith(`${kind}.`)),
      );
      const isWhole = known.length === 1 && ['name', 'key'].every((field) => parts.includes(`${known[0]}.${field}`));
      const isAll = parts.every((part) => /^(secretKeyRef|configMapKeyRef)\.(name|key|optional)$/.test(part));
      if (isWhole && isAll && !conf.has(key)) return [];
      const want = 'either secretKeyRef or configMapKeyRef, with name and key, and no other value';
      return [{ path: confPath(`${key}.valueFrom`), is: `has ${parts.join(', ')}`, want }];
    });
  },
};

/** High availability without a place for its data ends in a JobManager that cannot start. */
export const haStorage: Rule = {
  id: 'ha-storage',
  check: (subject) => {
    const type = configured(subject, 'high-availability.type');
    if (type === undefined || type.text.toLowerCase() === 'none' || isSet(subject, 'high-availability.storageDir'))
      return [];
    const want = 'high-availability.storageDir, which all JobManagers and TaskManagers reach, beside it';
    return [{ path: confPath(type.key), is: `is ${quoted(type.text)} without a storage directory`, want }];
  },
};

/** Whether a key has a value, given here or by reference. */
export function isSet(subject: Subject, key: string): boolean {
  return (
    configured(subject, key) !== undefined ||
    [...subject.conf.keys()].some((other) => other.startsWith(`${key}.valueFrom.`))
  );
}
