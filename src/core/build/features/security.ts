import type { Role } from '../../role.ts';
import { MAIN_CONTAINER, podSpecOf } from '../../role.ts';
import type { Context } from '../context.ts';
import type { Feature } from '../feature.ts';

type Fields = Readonly<Record<string, unknown>>;

/** User and group of the official images. */
const FLINK_USER = 9999;

/**
 * Pod Security level `restricted` where the user is silent, for all containers of the pod.
 * No read-only root file system: the entry point of the official images writes.
 */
export const security: Feature = {
  name: 'security',
  pod: (context, role) => {
    const spec = podSpecOf(context.spec, role) ?? {};
    const containers = listOf(spec['containers']).filter((container) => container['name'] !== MAIN_CONTAINER);
    const mainContainer = listOf(spec['containers']).find((container) => container['name'] === MAIN_CONTAINER);
    return {
      spec: {
        enableServiceLinks: false,
        ...(needsToken(context, role) ? {} : { automountServiceAccountToken: false }),
        securityContext: podContext(spec),
        containers: [withContext({ name: MAIN_CONTAINER, ...mainContainer }), ...containers.map(withContext)],
        initContainers: listOf(spec['initContainers']).map(withContext),
      },
    };
  },
};

/** The token of the service account is mounted only where something is known to need it. */
function needsToken(context: Context, role: Role): boolean {
  if (context.highAvailability === 'kubernetes') return true;
  const spec = podSpecOf(context.spec, role) ?? {};
  if (spec['serviceAccountName'] !== undefined || spec['serviceAccount'] !== undefined) return true;
  return ['kubernetes.service-account', `kubernetes.${role}.service-account`].some(
    (key) => context.user[key] !== undefined,
  );
}

function podContext(spec: Fields): Fields {
  const given = fieldsOf(spec['securityContext']);
  return {
    ...(given['runAsUser'] === 0 ? {} : { runAsNonRoot: true }),
    runAsUser: FLINK_USER,
    runAsGroup: FLINK_USER,
    fsGroup: FLINK_USER,
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

function withContext(container: Fields): Fields {
  return { name: container['name'], securityContext: containerContext(fieldsOf(container['securityContext'])) };
}

/** What the user gives a container is not contradicted: the API server refuses escalation denied to a privileged one. */
function containerContext(given: Fields): Fields {
  const added = listOf(fieldsOf(given['capabilities'])['add'] as unknown).length > 0;
  return {
    ...(given['privileged'] === true || added ? {} : { allowPrivilegeEscalation: false }),
    ...(given['privileged'] === true ? {} : { capabilities: { drop: ['ALL'] } }),
    ...(given['runAsUser'] === 0 && given['runAsNonRoot'] === undefined ? { runAsNonRoot: false } : {}),
  };
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
