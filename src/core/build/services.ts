import type { Child } from '../../api/kube.ts';
import { child } from './child.ts';
import type { Context } from './context.ts';
import { PORTS } from './features/addresses.ts';
import { mapOf } from './flink-text.ts';
import { labels, selector } from './labels.ts';

/** `<name>-jobmanager`: how TaskManagers reach the JobManager, and the JobManager itself while it is not ready. */
export function internalService(context: Context): Child {
  return child(context.ref, 'Service', context.names.internalService, 'jobmanager', {
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selector(context.ref, 'jobmanager'),
      ports: [port('rpc', PORTS.rpc), port('blob', PORTS.blob)],
    },
  });
}

/** `<name>-rest`: Flink's REST API and web UI. Native mode's keys say whether it is seen from outside of the cluster. */
export function restService(context: Context): Child {
  const { user } = context;
  const exposed = user['kubernetes.rest-service.exposed.type']?.trim();
  return child(context.ref, 'Service', context.names.restService, 'jobmanager', {
    metadata: {
      labels: { ...mapOf(user['kubernetes.rest-service.labels']), ...labels(context.ref, 'jobmanager') },
      annotations: mapOf(user['kubernetes.rest-service.annotations']),
    },
    spec: {
      // A headless one would be the same to its callers, and a Service cannot change between the two.
      type: exposed === 'NodePort' || exposed === 'LoadBalancer' ? exposed : 'ClusterIP',
      selector: selector(context.ref, 'jobmanager'),
      ports: [port('rest', PORTS.rest)],
    },
  });
}

function port(name: string, number: number): Readonly<Record<string, unknown>> {
  return { name, port: number, protocol: 'TCP', targetPort: number };
}
