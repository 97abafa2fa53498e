import { merge } from '../../merge.ts';
import { parseQuantity } from '../../quantity.ts';
import type { Role } from '../../role.ts';
import { isOn, type Conf } from '../context.ts';
import type { Feature } from '../feature.ts';
import { listOf, mapOf, tableOf } from '../flink-text.ts';
import { main } from '../pod.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The configuration keys by which Flink's native mode, which the original ran, shapes pods. They mean the same here,
 * below the user's pod specs. Keys without a meaning in standalone mode are left to validation.
 */
export const nativeMode: Feature = {
  name: 'native-mode',
  pod: ({ user }, role) => ({
    metadata: {
      labels: mapOf(user[`kubernetes.${role}.labels`]),
      annotations: mapOf(user[`kubernetes.${role}.annotations`]),
    },
    spec: merge(podOf(user, role), containerOf(user, role).spec, secretVolumes(user).spec),
  }),
};

function podOf(user: Conf, role: Role): Fields {
  return {
    serviceAccountName: user[`kubernetes.${role}.service-account`] ?? user['kubernetes.service-account'],
    nodeSelector: mapOf(user[`kubernetes.${role}.node-selector`]),
    tolerations: tableOf(user[`kubernetes.${role}.tolerations`]).map(toleration),
    imagePullSecrets: listOf(user['kubernetes.container.image.pull-secrets']).map((name) => ({ name })),
    ...(isOn(user['kubernetes.hostnetwork.enabled'])
      ? { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }
      : {}),
  };
}

function containerOf(user: Conf, role: Role): Fields & { readonly spec?: Fields } {
  return main({
    imagePullPolicy: user['kubernetes.container.image.pull-policy'],
    env: [...variables(user, role), ...tableOf(user['kubernetes.env.secretKeyRef']).map(secretVariable)],
    resources: cpu(user, role),
  });
}

function toleration({ tolerationSeconds, ...fields }: Readonly<Record<string, string>>): Fields {
  return tolerationSeconds === undefined ? fields : { ...fields, tolerationSeconds: Number(tolerationSeconds) };
}

/** `containerized.master.env.X` and `containerized.taskmanager.env.X`. */
function variables(user: Conf, role: Role): readonly Fields[] {
  const prefix = role === 'jobmanager' ? 'containerized.master.env.' : 'containerized.taskmanager.env.';
  return Object.entries(user)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => ({ name: key.slice(prefix.length), value }));
}

function secretVariable(row: Readonly<Record<string, string>>): Fields {
  return { name: row['env'], valueFrom: { secretKeyRef: { name: row['secret'], key: row['key'] } } };
}

/** `kubernetes.secrets`: Secrets by name, and where they are mounted in both kinds of pod. */
function secretVolumes(user: Conf): { readonly spec?: Fields } {
  const secrets = Object.entries(mapOf(user['kubernetes.secrets']));
  if (secrets.length === 0) return {};
  return main(
    { volumeMounts: secrets.map(([secretName, mountPath]) => ({ name: `${secretName}-volume`, mountPath })) },
    {
      volumes: secrets.map(([secretName]) => ({
        name: `${secretName}-volume`,
        secret: { secretName, defaultMode: 0o644 },
      })),
    },
  );
}

function cpu(user: Conf, role: Role): Fields | undefined {
  const amount = user[`kubernetes.${role}.cpu.amount`];
  const nano = amount === undefined ? undefined : parseQuantity(amount.trim());
  if (nano === undefined) return undefined;
  const factor = Number(user[`kubernetes.${role}.cpu.limit-factor`] ?? '1');
  const most = Number.isFinite(factor) && factor >= 1 ? Math.round((Number(nano) / 1e6) * factor) : Number(nano) / 1e6;
  return { requests: { cpu: `${Number(nano) / 1e6}m` }, limits: { cpu: `${most}m` } };
}
