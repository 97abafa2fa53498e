import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import type { Child } from '../../api/kube.ts';
import type { OptionalKind } from '../../api/optional-children.ts';
import type { JobRef } from '../record.ts';
import { child } from './child.ts';
import { replaced } from './context.ts';
import { PORTS } from './features/addresses.ts';
import { METRICS_PORT_NAME } from './features/reporter.ts';
import { labels, selector } from './labels.ts';
import { names } from './names.ts';

/** Where Flork's own pods are, unless it is told otherwise (manifests/namespace.yaml). */
const HOME = 'flork-system';

/** Namespace of Prometheus, as Flork's own NetworkPolicy knows it (manifests/network-policy.yaml). */
const MONITORING = 'monitoring';

/** What an optional child is made from. */
export type OptionalInput = {
  readonly ref: JobRef;
  /** A valid spec. */
  readonly spec: FlinkJobSpec;
  /** Whether the epoch that runs has Flink's high availability by Kubernetes. */
  readonly callsApiServer: boolean;
  /** Namespace of Flork's own pods. */
  readonly home?: string | undefined;
};

type Build = (input: OptionalInput) => Child | undefined;

/** How each optional child is made; `undefined` where the spec does not ask for it. They are no part of an epoch. */
export const OPTIONAL_CHILDREN: Readonly<Record<OptionalKind, Build>> = {
  Ingress: ({ ref, spec: { ingress } }) => {
    if (ingress === undefined) return undefined;
    const { path = '/', className, annotations = {}, tlsSecretName } = ingress;
    const host = replaced(ingress.host, ref);
    const service = { name: names(ref).restService, port: { number: PORTS.rest } };
    return child(ref, 'Ingress', ref.name, 'job', {
      metadata: { labels: { ...ingress.labels, ...labels(ref, 'job') }, annotations },
      spec: {
        ingressClassName: className,
        rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend: { service } }] } }],
        tls: tlsSecretName === undefined ? undefined : [{ hosts: [host], secretName: tlsSecretName }],
      },
    });
  },

  HTTPRoute: ({ ref, spec: { httpRoute } }) => {
    if (httpRoute === undefined) return undefined;
    const { parentRefs, hostnames = [], path = '/' } = httpRoute;
    // With the defaults of its CRD: inside a list that cannot be merged by key they would be written for ever.
    const gateway = { group: 'gateway.networking.k8s.io', kind: 'Gateway' };
    const backend = { group: '', kind: 'Service', name: names(ref).restService, port: PORTS.rest, weight: 1 };
    return child(ref, 'HTTPRoute', ref.name, 'job', {
      spec: {
        parentRefs: parentRefs.map((parent) => ({ ...gateway, ...parent })),
        hostnames: hostnames.map((hostname) => replaced(hostname, ref)),
        rules: [{ matches: [{ path: { type: 'PathPrefix', value: path } }], backendRefs: [backend] }],
      },
    });
  },

  PodDisruptionBudget: ({ ref, spec: { podDisruptionBudget } }) =>
    podDisruptionBudget &&
    child(ref, 'PodDisruptionBudget', ref.name, 'job', {
      spec: { maxUnavailable: podDisruptionBudget.maxUnavailable ?? 1, selector: { matchLabels: allPods(ref) } },
    }),

  NetworkPolicy: (input) => {
    const { ref, spec } = input;
    const { networkPolicy } = spec;
    if (networkPolicy === undefined) return undefined;
    const { ingress = [], egress } = networkPolicy;
    return child(ref, 'NetworkPolicy', ref.name, 'job', {
      spec: {
        podSelector: { matchLabels: allPods(ref) },
        policyTypes: ['Ingress', ...(egress === undefined ? [] : ['Egress'])],
        ingress: [...callers(input), ...ingress],
        egress: egress === undefined ? undefined : [...called(input), ...egress],
      },
    });
  },

  PodMonitor: ({ ref, spec: { podMonitor } }) => {
    if (podMonitor === undefined) return undefined;
    const { interval } = podMonitor;
    return child(ref, 'PodMonitor', ref.name, 'job', {
      metadata: { labels: { ...podMonitor.labels, ...labels(ref, 'job') } },
      spec: {
        selector: { matchLabels: allPods(ref) },
        podMetricsEndpoints: [{ port: METRICS_PORT_NAME, interval }],
        podTargetLabels: Object.keys(selector(ref, 'jobmanager')),
      },
    });
  },
};

function allPods(ref: JobRef): Readonly<Record<string, string>> {
  const { 'flork.itom.com/job': job = ref.name } = selector(ref, 'jobmanager');
  return { 'flork.itom.com/job': job };
}

/** Who calls the pods of a job: each other, on any port; Flork, for Flink's REST; monitoring, for metrics. */
function callers({ ref, spec, home = HOME }: OptionalInput): readonly object[] {
  const own = { from: [{ podSelector: { matchLabels: allPods(ref) } }] };
  const flork = {
    from: [
      { namespaceSelector: inNamespace(home), podSelector: { matchLabels: { 'app.kubernetes.io/name': 'flork' } } },
    ],
    ports: [{ port: PORTS.rest }],
  };
  const metrics = { from: [{ namespaceSelector: inNamespace(MONITORING) }], ports: [{ port: METRICS_PORT_NAME }] };
  return [own, flork, ...(spec.podMonitor === undefined ? [] : [metrics])];
}

/** Whom the pods of a job call: each other, DNS, and the API server where high availability needs it (its Service's port, and its own). */
function called({ ref, callsApiServer }: OptionalInput): readonly object[] {
  const own = { to: [{ podSelector: { matchLabels: allPods(ref) } }] };
  const dns = {
    ports: [
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ],
  };
  return [own, dns, ...(callsApiServer ? [{ ports: [{ port: 443 }, { port: 6443 }] }] : [])];
}

function inNamespace(name: string): object {
  return { matchLabels: { 'kubernetes.io/metadata.name': name } };
}
