import * as v from 'valibot';
import type { Shown } from './flinkjob.ts';

/**
 * Objects that a FlinkJob has only where its spec asks for them, each called like the FlinkJob. Their kinds need not be in a cluster, or
 * not be let to Flork: a request of Metacontroller shows which kinds the CompositeController lists.
 */
export const OPTIONAL_KINDS = [
  { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', field: 'ingress', component: 'child-ingress' },
  { kind: 'HTTPRoute', apiVersion: 'gateway.networking.k8s.io/v1', field: 'httpRoute', component: 'child-http-route' },
  {
    kind: 'PodDisruptionBudget',
    apiVersion: 'policy/v1',
    field: 'podDisruptionBudget',
    component: 'child-pod-disruption-budget',
  },
  {
    kind: 'NetworkPolicy',
    apiVersion: 'networking.k8s.io/v1',
    field: 'networkPolicy',
    component: 'child-network-policy',
  },
  { kind: 'PodMonitor', apiVersion: 'monitoring.coreos.com/v1', field: 'podMonitor', component: 'child-pod-monitor' },
] as const;

/** A kind of child that is there only where it is asked for. */
export type OptionalKind = (typeof OPTIONAL_KINDS)[number]['kind'];

const text = (description: string) => v.pipe(v.string(), v.description(description));
const texts = (description: string) => v.pipe(v.record(v.string(), v.string()), v.description(description));
const integer = (least: number, most: number, description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most), v.description(description));
const intOrText = (description: string) =>
  v.pipe(
    v.union([v.string(), v.number()]),
    v.metadata({ shown: 'int-or-string' satisfies Shown }),
    v.description(description),
  );

export const Ingress = v.object({
  host: text('Host name of the web interface; {{name}} and {{namespace}} are replaced. A change: the Ingress alone.'),
  path: v.optional(text('Path below which it answers. Default: /. A change: the Ingress alone.')),
  className: v.optional(text('The IngressClass. Default: the one of the cluster. A change: the Ingress alone.')),
  annotations: v.optional(texts('Annotations of the Ingress. Default: none. A change: the Ingress alone.')),
  labels: v.optional(texts('Labels of the Ingress beside those of Flork. Default: none. A change: the Ingress alone.')),
  tlsSecretName: v.optional(
    text('Secret with certificate and key of the host. Default: none, plain HTTP. A change: the Ingress alone.'),
  ),
});

const ParentRef = v.object({
  name: text('Name of the Gateway.'),
  namespace: v.optional(text('Its namespace. Default: that of the FlinkJob.')),
  sectionName: v.optional(text('One of its listeners. Default: all.')),
  port: v.optional(integer(1, 65_535, 'The port of a listener. Default: all.')),
  group: v.optional(text('API group of the parent. Default: gateway.networking.k8s.io.')),
  kind: v.optional(text('Kind of the parent. Default: Gateway.')),
});

export const HttpRoute = v.object({
  parentRefs: v.pipe(
    v.array(ParentRef),
    v.description('The Gateways that serve the web interface. A change: the HTTPRoute alone.'),
  ),
  hostnames: v.optional(
    v.pipe(
      v.array(v.string()),
      v.description(
        'Host names; {{name}} and {{namespace}} are replaced. Default: those of the Gateway. A change: the HTTPRoute alone.',
      ),
    ),
  ),
  path: v.optional(text('Path prefix. Default: /. A change: the HTTPRoute alone.')),
});

export const PodDisruptionBudget = v.object({
  maxUnavailable: v.optional(
    intOrText(
      'How many pods of the job may be evicted at a time, a number or a percentage; 0 holds up every drain of their nodes. Default: 1. A change: the PodDisruptionBudget alone.',
    ),
  ),
});

const LabelSelector = v.object({
  matchLabels: v.optional(texts('Labels that are to be there.')),
  matchExpressions: v.optional(
    v.array(
      v.object({
        key: text('The label.'),
        operator: v.pipe(
          v.picklist(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          v.description('How its value is compared.'),
        ),
        values: v.optional(v.pipe(v.array(v.string()), v.description('With what, for In and NotIn.'))),
      }),
    ),
  ),
});

const Peers = v.array(
  v.object({
    podSelector: v.optional(
      v.pipe(
        LabelSelector,
        v.description('Pods, of the namespace of the FlinkJob alone unless namespaceSelector is given.'),
      ),
    ),
    namespaceSelector: v.optional(v.pipe(LabelSelector, v.description('Namespaces.'))),
    ipBlock: v.optional(
      v.pipe(
        v.object({
          cidr: text('Addresses, such as 10.0.0.0/8.'),
          except: v.optional(v.pipe(v.array(v.string()), v.description('Of these, those that are left out.'))),
        }),
        v.description('Addresses in place of pods.'),
      ),
    ),
  }),
);

const Ports = v.array(
  v.object({
    port: v.optional(intOrText('A port, or its name. Default: all.')),
    endPort: v.optional(integer(1, 65_535, 'The last one of a range.')),
    protocol: v.optional(v.pipe(v.picklist(['TCP', 'UDP', 'SCTP']), v.description('Default: TCP.'))),
  }),
);

export const NetworkPolicy = v.object({
  ingress: v.optional(
    v.pipe(
      v.array(
        v.object({
          from: v.optional(v.pipe(Peers, v.description('Who. Default: everybody.'))),
          ports: v.optional(v.pipe(Ports, v.description('Which ports. Default: all.'))),
        }),
      ),
      v.description(
        'Who may call the pods beside themselves, Flork and, with podMonitor, monitoring: an ingress controller, say. Default: nobody. A change: the NetworkPolicy alone.',
      ),
    ),
  ),
  egress: v.optional(
    v.pipe(
      v.array(
        v.object({
          to: v.optional(v.pipe(Peers, v.description('Whom. Default: everybody.'))),
          ports: v.optional(v.pipe(Ports, v.description('Which ports. Default: all.'))),
        }),
      ),
      v.description(
        'Whom the pods may call beside each other, DNS and, with high availability, the API server; an empty list: nobody else. Default: everybody. A change: the NetworkPolicy alone.',
      ),
    ),
  ),
});

export const PodMonitor = v.object({
  labels: v.optional(
    texts('Labels of the PodMonitor by which Prometheus selects it. Default: none. A change: the PodMonitor alone.'),
  ),
  interval: v.optional(
    text('How often metrics are scraped. Default: as Prometheus does. A change: the PodMonitor alone.'),
  ),
});
