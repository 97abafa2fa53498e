import { RENAMED } from '../../src/core/build/conf-spelling.ts';
import { OWNED_KEYS, OWNED_PREFIXES } from '../../src/core/owned-keys.ts';
import { EXPECTED } from '../../src/core/validate/conf-values.ts';
import { HONOURED } from '../../src/core/validate/native-keys.ts';
import { flattened, listOf, literal, map, matching } from './cel.ts';
import type { PolicyRule, Variable } from './policy.ts';

/**
 * Rules over flinkConf, whose fields the CRD leaves open, so that its CEL does not see them. Here they are seen, flat and nested: each
 * as a line `key<tab>value` (src/core/flink-conf-keys.ts does the same for the hook). Deeper than this nobody writes.
 */
const DEEPEST = 6;
/** Rules that compare each key with each other look at no more: the cost of a policy has a limit. */
const MOST_PAIRED = 60;
const MAP = '\\u0002';

function lines(of: string, prefix: string, depth: number): string {
  const key = `k${depth}`;
  const value = `${of}[${key}]`;
  const item = `type(x) == map ? '${MAP}' : string(x)`;
  const text = `(type(${value}) == list ? ${value}.map(x, ${item}).join(';') : type(${value}) == map ? '${MAP}' : string(${value}))`;
  const leaves = (is: string) =>
    `${of}.filter(${key}, ${value} != null && ${is}).map(${key}, ${prefix}${key} + '\\t' + ${text}.replace('\\n', '\\r'))`;
  if (depth === DEEPEST) return leaves('true');
  const deeper = `${of}.filter(${key}, type(${value}) == map).map(${key}, ${lines(value, `${prefix}${key} + '.' + `, depth + 1)})`;
  return `(${leaves(`type(${value}) != map`)} + ${flattened(deeper)})`;
}

export const CONF_VARIABLES: readonly Variable[] = [
  { name: 'conf', expression: map('object.spec', 'flinkConf') },
  { name: 'lines', expression: lines('variables.conf', '', 1) },
  { name: 'keys', expression: "variables.lines.map(l, l.split('\\t')[0])" },
];

/** Lines whose key is one of a few spellings. */
export const linesOf = (...keys: readonly string[]): string =>
  `variables.lines.filter(l, l.split('\\t')[0] in ${listOf(keys)})`;
/** Whether a key has a value, given or by reference. */
export const isSet = (...keys: readonly string[]): string =>
  `variables.keys.exists(k, ${listOf(keys)}.exists(w, k == w || k.startsWith(w + '.valueFrom.')))`;
/** The value of a line. */
export const valueOf = (line: string): string => `${line}.substring(${line}.indexOf('\\t') + 1).trim()`;
/** The text that names a key. */
export const pathOf = (key: string): string => `'spec.flinkConf["' + ${key} + '"]: '`;
const keyOf = (line: string): string => `${line}.split('\\t')[0]`;

export const SAVEPOINT_KEYS = ['execution.checkpointing.savepoint-dir', 'state.savepoints.dir'];

/** Lines that fit, as what was found. */
const found = (filter: string, is: string): string =>
  `variables.lines.filter(l, ${filter}).map(l, ${pathOf(keyOf('l'))} + ${is})`;
const foundKeys = (filter: string, is: string): string =>
  `variables.keys.filter(k, ${filter}).map(k, ${pathOf('k')} + ${literal(is)})`;
const shown = `'is "' + ${valueOf('l')} + '"'`;

const any = (patterns: readonly RegExp[]): string => patterns.map((pattern) => matching('k', pattern)).join(' || ');
const OWNED = `(k in ${listOf(OWNED_KEYS.map((one) => one.key))} || ${listOf(OWNED_PREFIXES.map((one) => one.key))}.exists(w, k.startsWith(w)))`;

/** How the values look that src/core/validate/conf-values.ts expects. */
const FORMS: Readonly<Record<keyof typeof EXPECTED, string>> = {
  memory: matching(
    'v',
    /^([0-9]+\s*(?i:b|bytes|k|kb|kibibytes|m|mb|mebibytes|g|gb|gibibytes|t|tb|tebibytes)?|[+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?)$/,
  ),
  fraction: matching('v', /^(0([.][0-9]+)?|1([.]0+)?|[.][0-9]+)$/),
  count: matching('v', /^[1-9][0-9]{0,8}$/),
  duration: matching(
    'v',
    /^[0-9]+\s*(?i:d|days?|h|hours?|m|min|minutes?|s|secs?|seconds?|ms|millis?|milliseconds?|us|µs|micros?|microseconds?|ns|nanos?|nanoseconds?)?$/,
  ),
  shown: "v == 'true'",
  reached: `!${matching('v', /^(localhost|127[.]|::1)/)}`,
};

const valueRules = (Object.keys(EXPECTED) as (keyof typeof EXPECTED)[]).map((name): PolicyRule => {
  const { keys, want } = EXPECTED[name];
  const fits = FORMS[name].replaceAll(/\bv\b(?=[. ])/g, valueOf('l'));
  return {
    id: `conf-value-${name}`,
    found: found(`${matching(keyOf('l'), keys)} && !l.contains('{{') && !(${fits})`, shown),
    want,
  };
});

const pairs = `[${RENAMED.map(([older, newer]) => listOf([older, newer])).join(', ')}]`;
const one = (key: string): string => `variables.lines.filter(l, ${keyOf('l')} == ${key})`;
const references = "variables.keys.filter(k, k.contains('.valueFrom.')).map(k, k.split('.valueFrom.')[0])";
const whole = (kind: string): string =>
  `((b + '.valueFrom.${kind}.name') in variables.keys && (b + '.valueFrom.${kind}.key') in variables.keys)`;

export const CONF_RULES: readonly PolicyRule[] = [
  { id: 'owned-key', found: foundKeys(OWNED, 'is a key that Flork sets'), want: 'no such key' },
  {
    id: 'native-key',
    found: foundKeys(
      `k.startsWith('kubernetes.') && !${OWNED} && !(${any(HONOURED)})`,
      'means nothing to pods that Flork builds',
    ),
    want: 'no such key; shape the pods by the pod specs, and the job by the fields of spec',
  },
  {
    id: 'conf-dir',
    found: found(`${keyOf('l')} == 'kubernetes.flink.conf.dir' && ${valueOf('l')} != '/opt/flink/conf'`, shown),
    want: '/opt/flink/conf, or florkConf.shadowConfigFiles: true to keep the image’s own folder',
  },
  {
    id: 'key-twice',
    found: `variables.keys.size() > ${MOST_PAIRED} ? [] : variables.lines.filter(l, variables.lines.exists(m, m != l && ${keyOf('m')} == ${keyOf('l')})).map(l, ${pathOf(keyOf('l'))} + 'is written flat and nested with different values')`,
    want: 'one spelling',
  },
  {
    id: 'renamed-key',
    found: `${pairs}.filter(p, p[0] in variables.keys && p[1] in variables.keys && ${one('p[0]')}[0].split('\\t')[1] != ${one('p[1]')}[0].split('\\t')[1]).map(p, ${pathOf('p[0]')} + 'differs from its newer spelling ' + p[1])`,
    want: 'the newer spelling alone',
  },
  {
    id: 'removed-key',
    found: foundKeys("k == 'security.ssl.enabled' && variables.version.startsWith('2.')", 'is not read by Flink 2'),
    want: 'security.ssl.internal.enabled and security.ssl.rest.enabled',
  },
  {
    id: 'conf-key',
    found: foundKeys(
      `!${matching('k', /^[^\s:#"'{}[\],&*!|>%@`]+$/)} || ${matching('k', /^[.]|[.][.]|[.]$/)}`,
      'is not a key of Flink',
    ),
    want: 'names joined by dots, without blanks, colons and quotes',
  },
  ...valueRules,
  {
    id: 'legacy-value',
    found: found(
      `variables.version.startsWith('1.') && l.matches('\\t.*[#\\r${MAP}]')`,
      "'has a #, a line end or a list of maps, which Flink 1 cannot read'",
    ),
    want: 'a plain value, or Flink 2.0 or newer',
  },
  {
    id: 'value-from',
    found: `${references}.filter(b, ${whole('secretKeyRef')} == ${whole('configMapKeyRef')} || b in variables.keys || variables.keys.exists(k, k.startsWith(b + '.valueFrom.') && !k.matches('[.](secretKeyRef|configMapKeyRef)[.](name|key|optional)$'))).map(b, 'spec.flinkConf["' + b + '.valueFrom"]: is not one whole reference')`,
    want: 'either secretKeyRef or configMapKeyRef, with name and key, and no other value',
  },
  {
    id: 'ha-storage',
    found: `${isSet('high-availability.storageDir')} ? [] : variables.lines.filter(l, l.matches('^high-availability([.]type)?\\t') && ${valueOf('l')}.lowerAscii() != 'none').map(l, ${pathOf(keyOf('l'))} + 'is set without a storage directory')`,
    want: 'high-availability.storageDir, which all JobManagers and TaskManagers reach, beside it',
  },
];
