import { LARGEST_FILE } from '../../src/core/validate/files.ts';
import type { CelRule, JsonSchema } from './json-schema.ts';

/** What single fields of a spec have to look like: rules of src/core/validate that a schema or CEL can tell by the field alone. */

const invalid = (rule: string, message: string): CelRule => ({ rule, message, reason: 'FieldValueInvalid' });
const matches = (pattern: string, most: number, message: string): JsonSchema => ({
  maxLength: most,
  'x-kubernetes-validations': [invalid(`self.matches(${literal(pattern)})`, message)],
});

/** A text as a CEL literal. */
export const literal = (text: string): string => JSON.stringify(text);

/** As long as a URI may get. */
const LONGEST_URI = 4096;
const DURATION = (path: string): JsonSchema =>
  matches('^[1-9][0-9]*[smhd]$', 16, `${path} is no duration; want one such as 90s, 30m, 6h or 7d`);
const PLACE = (path: string): JsonSchema =>
  matches(
    '^([A-Za-z][A-Za-z0-9+.-]*:)?/[^ \\t\\r\\n]*$',
    LONGEST_URI,
    `${path} is no place that all processes can name; want a URI such as s3://bucket/path, or a path from /`,
  );

/** A field of a cron line (src/core/cron.ts): numbers or names, ranges, `*`, and steps behind a range or `*`. */
function cronField(number: string, names: readonly string[] = []): string {
  const one = [number, ...names].join('|');
  const part = `([*]|(${one})-(${one})|(${one}))`;
  const stepped = `([*]|(${one})-(${one}))/[0-9]{1,2}`;
  return `(${part}|${stepped})(,(${part}|${stepped}))*`;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const CRON = [
  cronField('[0-5]?[0-9]'),
  cronField('[01]?[0-9]|2[0-3]'),
  cronField('0?[1-9]|[12][0-9]|3[01]'),
  cronField('0?[1-9]|1[0-2]', MONTHS),
  cronField('0?[0-7]', WEEKDAYS),
].join('[ \\t]+');
const EVERY = '[1-9][0-9]*[mhd]|[6-9][0-9]s|[1-9][0-9]{2,}s';
const SCHEDULE = (path: string): JsonSchema =>
  matches(
    `^(?i)(${EVERY}|[ \\t]*${CRON}[ \\t]*)$`,
    256,
    `${path} comes at no time; want a duration of at least 1m, such as 6h, or a cron line of five fields in UTC, such as 0 3 * * *`,
  );

const NAME = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const KEY = `^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?${NAME}$`;
/** More than any pod has; the cost of a rule over a map is that of its largest. */
const MOST_KEYS = 64;

/** A rule over the keys of a map that names the first key it is about. */
function keys(path: string, good: string, said: string, reason: CelRule['reason']): CelRule {
  const first = `self.filter(k, !(${good}))[0]`;
  return {
    rule: `self.all(k, ${good})`,
    message: `${path}: ${said}`,
    messageExpression: `${literal(`${path}["`)} + ${first} + ${literal(`"] ${said}`)}`,
    ...(reason !== undefined && { reason }),
  };
}

function podKeys(path: string): CelRule[] {
  return [
    keys(
      path,
      `k.matches(${literal(KEY)})`,
      'is not a key of Kubernetes; want one such as example.com/name',
      'FieldValueInvalid',
    ),
    keys(path, "!k.startsWith('flork.itom.com/')", 'is set by Flork; want no such key', 'FieldValueForbidden'),
  ];
}

function podAnnotations(path: string): JsonSchema {
  return { maxProperties: MOST_KEYS, 'x-kubernetes-validations': podKeys(path) };
}

function podLabels(path: string): JsonSchema {
  return {
    maxProperties: MOST_KEYS,
    additionalProperties: { type: 'string', maxLength: 63 },
    'x-kubernetes-validations': [
      ...podKeys(path),
      keys(
        path,
        `self[k].matches(${literal(`^(${NAME})?$`)})`,
        'has no value of a label; want at most 63 characters, letters, digits, -, _ and ., beginning and ending with a letter or digit',
        'FieldValueInvalid',
      ),
    ],
  };
}

/** A container cannot be promised more than it may use. */
function resources(path: string): JsonSchema {
  const amount = (of: string): string => `quantity(string(${of}))`;
  const amounts: JsonSchema = { maxProperties: 16, additionalProperties: { maxLength: 32 } };
  const pair = `!has(self.limits) || !(k in self.limits) || ${amount('self.requests[k]')}.compareTo(${amount('self.limits[k]')}) <= 0`;
  return {
    properties: { requests: amounts, limits: amounts },
    'x-kubernetes-validations': [
      {
        rule: `!has(self.requests) || self.requests.all(k, ${pair})`,
        message: `${path}.requests asks for more than ${path}.limits; want at most the limit`,
        reason: 'FieldValueInvalid',
        fieldPath: '.requests',
      },
    ],
  };
}

/** Names of containers are DNS labels. */
const NAMED: JsonSchema = {
  items: { properties: { name: { maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' } } },
};

/** Pods of a Deployment live for ever and are always restarted. */
function lastingPod(): JsonSchema {
  return {
    properties: { restartPolicy: { enum: ['Always'] }, containers: NAMED, initContainers: NAMED },
    'x-kubernetes-validations': [
      {
        rule: '!has(self.activeDeadlineSeconds)',
        message: 'activeDeadlineSeconds ends the pods of a Deployment, which are to last; want no such field',
        reason: 'FieldValueForbidden',
        fieldPath: '.activeDeadlineSeconds',
      },
    ],
  };
}

/** Names of files are keys of a ConfigMap, beside that of the Flink configuration, which has one writer. */
function files(): JsonSchema {
  const path = 'spec.additionalConfFiles';
  return {
    maxProperties: MOST_KEYS,
    additionalProperties: { type: 'string', maxLength: LARGEST_FILE },
    'x-kubernetes-validations': [
      keys(
        path,
        "k != 'config.yaml' && k != 'flink-conf.yaml'",
        'is the Flink configuration itself; want spec.flinkConf in its place',
        'FieldValueForbidden',
      ),
      keys(
        path,
        "k.matches('^[-._a-zA-Z0-9]{1,253}$') && k != '.' && !k.startsWith('..')",
        'is not a plain file name; want letters, digits, -, _ and . without a folder',
        'FieldValueInvalid',
      ),
    ],
  };
}

/** Fields by their path below spec, and what is laid over their schemas. */
export const FIELD_FORMS: Readonly<Record<string, JsonSchema>> = {
  jarURI: matches(
    '^[A-Za-z][A-Za-z0-9+.-]*://[^ \\t\\r\\n]+$',
    LONGEST_URI,
    'spec.jarURI is no URI; want one such as local:///opt/flink/usrlib/job.jar, https://… or s3://…',
  ),
  image: { maxLength: 1024 },
  'restore.from': PLACE('spec.restore.from'),
  'policies.savepoint.directory': PLACE('spec.policies.savepoint.directory'),
  'policies.savepoint.schedule': SCHEDULE('spec.policies.savepoint.schedule'),
  'policies.checkpoint.schedule': SCHEDULE('spec.policies.checkpoint.schedule'),
  ...Object.fromEntries(
    [
      'upgrade.maxCheckpointAge',
      'upgrade.readiness',
      'savepoint.history.age',
      'deletion.timeout',
      'health.window',
      'health.checkpointStall',
      'scaleCooldown',
    ].map((name) => [`policies.${name}`, DURATION(`spec.policies.${name}`)]),
  ),
  ...Object.fromEntries(
    ['jobManagerPodMeta', 'taskManagerPodMeta'].flatMap((field) => [
      [`${field}.labels`, podLabels(`spec.${field}.labels`)],
      [`${field}.annotations`, podAnnotations(`spec.${field}.annotations`)],
    ]),
  ),
  ...Object.fromEntries(
    ['jobManagerResources', 'taskManagerResources'].map((field) => [field, resources(`spec.${field}`)]),
  ),
  ...Object.fromEntries(['jobManagerPodSpec', 'taskManagerPodSpec'].map((field) => [field, lastingPod()])),
  additionalConfFiles: files(),
  'ingress.host': matches(
    '^([*][.])?([-a-z0-9.]|[{][{](name|namespace)[}][}])+$',
    253,
    'spec.ingress.host is no host name; want one such as jobs.example.com',
  ),
  ...Object.fromEntries(
    ['ingress', 'httpRoute'].map((field) => [
      `${field}.path`,
      matches('^/', LONGEST_URI, `spec.${field}.path does not begin with /; want a path from /`),
    ]),
  ),
  'httpRoute.parentRefs': {
    'x-kubernetes-validations': [
      invalid('self.size() > 0', 'spec.httpRoute.parentRefs is empty; want the Gateway to hang on'),
    ],
  },
  'podMonitor.interval': matches(
    '^[1-9][0-9]{0,5}(ms|s|m|h)$',
    16,
    'spec.podMonitor.interval is no duration; want one such as 30s',
  ),
};

/** A schema with others laid over those of its fields, by path. */
export function laid(schema: JsonSchema, forms: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return Object.entries(forms).reduce((whole, [path, form]) => over(whole, nested(path.split('.'), form)), schema);
}

function nested([first, ...rest]: readonly string[], form: JsonSchema): JsonSchema {
  return first === undefined ? form : { properties: { [first]: nested(rest, form) } };
}

function over(lower: JsonSchema, upper: JsonSchema): JsonSchema {
  const properties = { ...lower.properties };
  for (const [name, field] of Object.entries(upper.properties ?? {})) {
    const known = properties[name];
    if (known === undefined) throw new Error(`the CRD has no field ${name}`);
    properties[name] = over(known, field);
  }
  return {
    ...lower,
    ...upper,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(lower.items !== undefined && { items: over(lower.items, upper.items ?? {}) }),
    ...(lower.additionalProperties !== undefined && {
      additionalProperties: { ...lower.additionalProperties, ...upper.additionalProperties },
    }),
  };
}
