import { OWNED_KEYS, OWNED_PREFIXES } from '../owned-keys.ts';
import { confPath, type Problem, type Rule } from './rule.ts';

/** Keys of native mode that mean something for pods that Flork builds, and those that Flink's Kubernetes client reads for HA. */
export const HONOURED: readonly RegExp[] = [
  /^kubernetes\.container\.image(\.ref|\.pull-policy|\.pull-secrets)?$/,
  /^kubernetes\.((jobmanager|taskmanager)\.)?service-account$/,
  /^kubernetes\.(jobmanager|taskmanager)\.(cpu|cpu\.amount|cpu\.limit-factor|memory\.limit-factor)$/,
  /^kubernetes\.(jobmanager|taskmanager)\.(labels|annotations|node-selector|tolerations)$/,
  /^kubernetes\.(secrets|env\.secretKeyRef|hostnetwork\.enabled|flink\.conf\.dir)$/,
  /^kubernetes\.rest-service\.(annotations|labels|exposed\.type)$/,
  /^kubernetes\.(client|transactional-operation)\./,
];

/** Keys that only a client submitting to Kubernetes, or another operator, would read; what to say in their place. */
const REFUSED: readonly (readonly [key: RegExp, is: string, want: string])[] = [
  [/^kubernetes\.operator\./, 'is read by the Flink Kubernetes Operator alone', 'spec.policies in its place'],
  [/^kubernetes\.(config\.file|context)$/, 'is read by a client outside the cluster', 'no such key'],
  [/^kubernetes\.jobmanager\.replicas$/, 'is not supported', 'no such key: there is one JobManager'],
  [/^kubernetes\.taskmanager\.replicas$/, 'has a field', 'spec.taskManagerReplicas in its place'],
  [/^kubernetes\.jobmanager\.owner\.reference$/, 'would give the pods a second owner', 'no such key'],
  [/\.entrypoint\.args$/, 'is an argument of native mode’s entry point', 'spec.jobArgs in its place'],
  [
    /^kubernetes\.entry\.path$/,
    'is the entry point of native mode',
    'command of flink-main-container in the pod specs',
  ],
  [/^kubernetes\.flink\.log\.dir$/, 'is read by native mode alone', 'env.log.dir, or FLINK_LOG_DIR in the pod specs'],
  [/^kubernetes\.(hadoop|decorator|kerberos)\b/, 'is mounted by native mode alone', 'volumes in the pod specs'],
  [/^kubernetes\.artifacts\./, 'is read by a client that submits from outside', 'spec.jarURI'],
];

/** The original ran Flink's native mode; its keys are honoured where they still mean something and never ignored in silence. */
export const nativeKey: Rule = {
  id: 'native-key',
  check: ({ conf }) =>
    [...conf.keys()].flatMap((key): Problem[] => {
      if (!key.startsWith('kubernetes.') || isOwned(key) || HONOURED.some((pattern) => pattern.test(key))) return [];
      const refused = REFUSED.find(([pattern]) => pattern.test(key));
      const [, is, want] = refused ?? [
        key,
        'means nothing to pods that Flork builds',
        'no such key; shape the pods by the pod specs',
      ];
      return [{ path: confPath(key), is, want }];
    }),
};

function isOwned(key: string): boolean {
  return OWNED_KEYS.some((one) => one.key === key) || OWNED_PREFIXES.some((one) => key.startsWith(one.key));
}
