import type { KubeObject, Tree } from './objects.ts';
import type { Random } from './random.ts';
import { at, list, text, tree } from './objects.ts';

/** What the API server adds to an object that says nothing: enough of it that an apply strategy which fights defaults is seen. */
export function withDefaults(object: KubeObject, random: Random): KubeObject {
  switch (object.kind) {
    case 'Deployment':
      return { ...object, spec: deploymentSpec(tree(object['spec'])) };
    case 'Service':
      return { ...object, spec: serviceSpec(tree(object['spec']), random) };
    case 'Pod':
      return { ...object, spec: podSpec(tree(object['spec'])) };
    default:
      return object;
  }
}

function deploymentSpec(spec: Tree): Tree {
  const template = tree(spec['template']);
  return {
    replicas: 1,
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    ...spec,
    template: { ...template, spec: podSpec(tree(template['spec'])) },
  };
}

function podSpec(spec: Tree): Tree {
  const volumes = list(spec['volumes']).map((volume) => {
    const configMap = at(volume, 'configMap');
    return configMap === undefined ? volume : { ...tree(volume), configMap: { defaultMode: 420, ...tree(configMap) } };
  });
  return {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    ...spec,
    containers: list(spec['containers']).map((item) => container(tree(item))),
    ...(volumes.length > 0 ? { volumes } : {}),
  };
}

function container(given: Tree): Tree {
  const ports = list(given['ports']).map((port) => ({ protocol: 'TCP', ...tree(port) }));
  const latest = !text(given['image']).includes(':') || text(given['image']).endsWith(':latest');
  const probes: Record<string, unknown> = {};
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (given[name] !== undefined) probes[name] = probe(tree(given[name]));
  }
  return {
    imagePullPolicy: latest ? 'Always' : 'IfNotPresent',
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...given,
    ...(ports.length > 0 ? { ports } : {}),
    ...probes,
  };
}

function probe(given: Tree): Tree {
  const http = given['httpGet'];
  return {
    failureThreshold: 3,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 1,
    ...given,
    ...(http === undefined ? {} : { httpGet: { path: '/', scheme: 'HTTP', ...tree(http) } }),
  };
}

function serviceSpec(spec: Tree, random: Random): Tree {
  const ports = list(spec['ports']).map((port) => {
    const given = tree(port);
    return { protocol: 'TCP', targetPort: given['port'], ...given };
  });
  const clusterIP = spec['clusterIP'] ?? `10.96.${random.between(0, 255)}.${random.between(1, 254)}`;
  return {
    clusterIPs: [clusterIP],
    internalTrafficPolicy: 'Cluster',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    sessionAffinity: 'None',
    type: 'ClusterIP',
    ...spec,
    clusterIP,
    ...(ports.length > 0 ? { ports } : {}),
  };
}
