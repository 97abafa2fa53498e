import type { CheckName } from './checks.ts';
import { VOLUME_KINDS } from './profile.ts';

/**
 * What a pod may hold under a tenant profile: a list of fields that are allowed, so that one which Kubernetes gets later is refused
 * until it was thought about. The hook walks the final pods by it, and the ValidatingAdmissionPolicies are generated from it.
 */
export type Node =
  | 'any'
  /** A value that a check looks at. */
  | { readonly kind: 'value'; readonly check: CheckName }
  /** A map of these fields alone. `required` have to be there in a final pod; a user may be silent about them. */
  | { readonly kind: 'fields'; readonly fields: Readonly<Record<string, Node>>; readonly required: readonly string[] }
  | { readonly kind: 'items'; readonly item: Node }
  /** A map whose keys a check looks at. */
  | { readonly kind: 'keys'; readonly check: CheckName }
  /** Allowed where the profile lists this kind of volume. */
  | { readonly kind: 'volume'; readonly name: string; readonly node: Node };

const value = (check: CheckName): Node => ({ kind: 'value', check });
const fields = (known: Readonly<Record<string, Node>>, required: readonly string[] = []): Node => ({
  kind: 'fields',
  fields: known,
  required,
});
const items = (item: Node): Node => ({ kind: 'items', item });
const keys = (check: CheckName): Node => ({ kind: 'keys', check });
const any = (...names: readonly string[]): Readonly<Record<string, Node>> =>
  Object.fromEntries(names.map((name) => [name, 'any']));

const SECRET = value('secret');
const PROFILE = fields({ type: value('runtimeDefault') });

const HANDLER = {
  ...any('exec', 'sleep', 'grpc'),
  httpGet: fields(any('path', 'port', 'scheme', 'httpHeaders')), // no host: the kubelet would ask it from the node
  tcpSocket: fields(any('port')),
};
const PROBE = fields({
  ...HANDLER,
  ...any('initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'),
  ...any('terminationGracePeriodSeconds'),
});

const CONTAINER = fields(
  {
    ...any(
      'name',
      'imagePullPolicy',
      'command',
      'args',
      'workingDir',
      'resizePolicy',
      'restartPolicy',
      'restartPolicyRules',
    ),
    ...any('stdin', 'stdinOnce', 'tty', 'terminationMessagePath', 'terminationMessagePolicy'),
    image: value('image'),
    env: items(
      fields({
        ...any('name', 'value'),
        valueFrom: fields({
          ...any('fieldRef', 'resourceFieldRef', 'configMapKeyRef'),
          secretKeyRef: fields({ ...any('key', 'optional'), name: SECRET }),
        }),
      }),
    ),
    envFrom: items(
      fields({ ...any('prefix', 'configMapRef'), secretRef: fields({ ...any('optional'), name: SECRET }) }),
    ),
    ports: items(fields({ ...any('name', 'containerPort', 'protocol'), hostPort: value('noPort') })),
    resources: fields(any('requests', 'limits')),
    volumeMounts: items(
      fields({
        ...any('name', 'mountPath', 'readOnly', 'recursiveReadOnly'),
        subPath: value('subPath'),
        mountPropagation: value('noPropagation'),
      }),
    ),
    livenessProbe: PROBE,
    readinessProbe: PROBE,
    startupProbe: PROBE,
    lifecycle: fields({ ...any('stopSignal'), postStart: fields(HANDLER), preStop: fields(HANDLER) }),
    securityContext: fields(
      {
        ...any('readOnlyRootFilesystem'),
        allowPrivilegeEscalation: value('no'),
        privileged: value('no'),
        capabilities: fields({ add: items(value('capability')), drop: value('dropsAll') }, ['drop']),
        procMount: value('defaultProcMount'),
        runAsNonRoot: value('yes'),
        runAsUser: value('notRoot'),
        runAsGroup: value('notRoot'),
        seccompProfile: PROFILE,
        appArmorProfile: PROFILE,
      },
      ['allowPrivilegeEscalation', 'capabilities'],
    ),
  },
  ['securityContext'],
);

const VOLUME_SOURCES: Readonly<Record<(typeof VOLUME_KINDS)[number], Node>> = {
  configMap: 'any',
  downwardAPI: 'any',
  emptyDir: 'any',
  ephemeral: 'any',
  persistentVolumeClaim: 'any',
  projected: fields({
    ...any('defaultMode'),
    sources: items(
      fields({
        ...any('configMap', 'downwardAPI'),
        secret: fields({ ...any('items', 'optional'), name: SECRET }),
        serviceAccountToken: fields({ ...any('path', 'expirationSeconds'), audience: value('tokenAudience') }),
      }),
    ),
  }),
  secret: fields({ ...any('items', 'optional', 'defaultMode'), secretName: SECRET }),
};
const VOLUME = fields({
  ...any('name'),
  ...Object.fromEntries(
    VOLUME_KINDS.map((name): [string, Node] => [name, { kind: 'volume', name, node: VOLUME_SOURCES[name] }]),
  ),
});

const NODE_TERM = fields({
  matchExpressions: items(fields({ ...any('operator', 'values'), key: value('nodeLabel') })),
}); // no matchFields: they name a node
const POD_TERM = fields(any('labelSelector', 'topologyKey', 'matchLabelKeys', 'mismatchLabelKeys')); // of the own namespace
const POD_AFFINITY = fields({
  requiredDuringSchedulingIgnoredDuringExecution: items(POD_TERM),
  preferredDuringSchedulingIgnoredDuringExecution: items(fields({ ...any('weight'), podAffinityTerm: POD_TERM })),
});
const AFFINITY = fields({
  nodeAffinity: fields({
    requiredDuringSchedulingIgnoredDuringExecution: fields({ nodeSelectorTerms: items(NODE_TERM) }),
    preferredDuringSchedulingIgnoredDuringExecution: items(fields({ ...any('weight'), preference: NODE_TERM })),
  }),
  podAffinity: POD_AFFINITY,
  podAntiAffinity: POD_AFFINITY,
});

/** The fields of a pod's spec; what is not here is refused: nodeName, sysctls, ephemeral containers, resource claims … */
export const POD: Readonly<Record<string, Node>> = {
  ...any('automountServiceAccountToken', 'topologySpreadConstraints', 'restartPolicy', 'terminationGracePeriodSeconds'),
  ...any('dnsPolicy', 'dnsConfig', 'hostAliases', 'hostname', 'subdomain', 'setHostnameAsFQDN', 'enableServiceLinks'),
  ...any('shareProcessNamespace', 'os', 'readinessGates', 'schedulingGates', 'resources'),
  containers: items(CONTAINER),
  initContainers: items(CONTAINER),
  volumes: items(VOLUME),
  serviceAccountName: value('serviceAccount'),
  serviceAccount: value('serviceAccount'),
  imagePullSecrets: items(fields({ name: SECRET })),
  nodeSelector: keys('nodeLabel'),
  affinity: AFFINITY,
  // A toleration needs a key: one without it tolerates every taint.
  tolerations: items(
    fields({ ...any('operator', 'value', 'effect', 'tolerationSeconds'), key: value('tolerationKey') }, ['key']),
  ),
  priorityClassName: value('priorityClass'),
  runtimeClassName: value('runtimeClass'),
  schedulerName: value('defaultScheduler'),
  hostNetwork: value('no'),
  hostPID: value('no'),
  hostIPC: value('no'),
  hostUsers: value('no'),
  securityContext: fields(
    {
      ...any('fsGroupChangePolicy', 'supplementalGroupsPolicy'),
      runAsNonRoot: value('yes'),
      runAsUser: value('notRoot'),
      runAsGroup: value('notRoot'),
      fsGroup: value('notRoot'),
      supplementalGroups: items(value('notRoot')),
      seccompProfile: PROFILE,
      appArmorProfile: PROFILE,
    },
    ['runAsNonRoot', 'seccompProfile'],
  ),
};

/** Labels and annotations, of pods and of Services. */
export const METADATA: Readonly<Record<string, Node>> = {
  labels: keys('metadataKey'),
  annotations: keys('metadataKey'),
};

/** What of the spec of a Service is looked at; the rest is Flork's. */
export const SERVICE_TYPE: Node = value('serviceType');
