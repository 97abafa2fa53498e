import { RENAMED } from '../build/conf-spelling.ts';
import { confText } from '../flink-conf-keys.ts';
import { isAtLeast } from '../flink-version.ts';
import { OWNED_KEYS, OWNED_PREFIXES } from '../owned-keys.ts';
import { confPath, configured, quoted, type Problem, type Rule } from './rule.ts';

/** Keys that Flork owns are refused in every spelling. */
export const ownedKey: Rule = {
  id: 'owned-key',
  check: ({ conf }) =>
    [...conf].flatMap(([key, value]): Problem[] => {
      const owned = OWNED_KEYS.find((one) => one.key === key) ?? OWNED_PREFIXES.find((one) => key.startsWith(one.key));
      return owned === undefined
        ? []
        : [{ path: confPath(key), is: `is ${quoted(value)}, a key that Flork sets`, want: owned.want }];
    }),
};

/** The configuration folder is where the image expects it, or beside it with florkConf.shadowConfigFiles. */
export const confDir: Rule = {
  id: 'conf-dir',
  check: ({ conf }) => {
    const key = 'kubernetes.flink.conf.dir';
    const value = conf.get(key);
    if (value === undefined || value === '/opt/flink/conf') return [];
    const want = '/opt/flink/conf, or florkConf.shadowConfigFiles: true to keep the image’s own folder';
    return [{ path: confPath(key), is: `is ${quoted(value)}`, want }];
  },
};

/** A key written flat and nested says one thing. */
export const keyTwice: Rule = {
  id: 'key-twice',
  check: ({ duplicates }) =>
    duplicates.map((key) => ({
      path: confPath(key),
      is: 'is written flat and nested with different values',
      want: 'one spelling',
    })),
};

/** A renamed key and its old spelling say one thing. */
export const renamedKey: Rule = {
  id: 'renamed-key',
  check: ({ conf }) => {
    const pekko = [...conf.keys()]
      .filter((key) => key.startsWith('akka.'))
      .map((key) => [key, key.replace(/^akka/, 'pekko')] as const);
    return [...RENAMED, ...pekko].flatMap(([older, newer]): Problem[] => {
      const old = conf.get(older);
      const now = conf.get(newer);
      if (old === undefined || now === undefined || confText(old) === confText(now)) return [];
      const is = `is ${quoted(old)} while its newer spelling ${newer} is ${quoted(now)}`;
      return [{ path: confPath(older), is, want: `${newer} alone` }];
    });
  },
};

/** Keys that Flink no longer reads would be ignored without a word. */
export const removedKey: Rule = {
  id: 'removed-key',
  check: ({ conf, version }) => {
    const key = 'security.ssl.enabled';
    if (version === undefined || !isAtLeast(version, '2.0') || !conf.has(key)) return [];
    const want = 'security.ssl.internal.enabled and security.ssl.rest.enabled';
    return [{ path: confPath(key), is: `is not read by Flink ${version}`, want }];
  },
};

/** Fields that have a configuration key: the field and the key say one thing. */
export const fieldAndKey: Rule = {
  id: 'field-and-key',
  check: (subject) => {
    const { spec } = subject;
    const pairs: readonly (readonly [path: string, value: string | number | undefined, key: string])[] = [
      ['spec.parallelism', spec.parallelism, 'parallelism.default'],
      [
        'spec.policies.savepoint.directory',
        spec.policies?.savepoint?.directory,
        'execution.checkpointing.savepoint-dir',
      ],
      ...(['jobManager', 'taskManager'] as const).flatMap((role) => {
        const path = `spec.${role}PodSpec.serviceAccountName`;
        const name = serviceAccount(spec[`${role}PodSpec`]);
        const keys = [`kubernetes.${role.toLowerCase()}.service-account`, 'kubernetes.service-account'];
        return keys.map((key) => [path, name, key] as const);
      }),
    ];
    return pairs.flatMap(([path, value, key]): Problem[] => {
      const other = configured(subject, key);
      if (value === undefined || other === undefined || String(value) === other.text) return [];
      return [
        {
          path,
          is: `is ${quoted(value)} while ${confPath(other.key)} is ${quoted(other.text)}`,
          want: 'one of the two',
        },
      ];
    });
  },
};

function serviceAccount(podSpec: { readonly [field: string]: unknown } | undefined): string | undefined {
  const name = podSpec?.['serviceAccountName'];
  return typeof name === 'string' ? name : undefined;
}
