import type { Conf, Context } from '../context.ts';
import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';

/** Ports of the processes; fixed, because Services, probes and network policies name them. */
export const PORTS = { rpc: 6123, blob: 6124, rest: 8081, taskRpc: 6122, taskData: 6121, metrics: 6126 } as const;

/** Environment variable with the pod's own address. */
const POD_IP = 'FLORK_POD_IP';

/**
 * Where the processes find each other. Without high availability through the internal Service, whose name outlives every pod;
 * with it the leader is told by its own address.
 */
export const addresses: Feature = {
  name: 'addresses',
  ownedConf: (context) => ({
    'jobmanager.rpc.address': `${context.names.internalService}.${context.ref.namespace}.svc`,
    'jobmanager.rpc.port': String(PORTS.rpc),
    'blob.server.port': String(PORTS.blob),
    'rest.port': String(PORTS.rest),
    'metrics.internal.query-service.port': String(PORTS.metrics),
    ...taskManagerPorts(context),
  }),
  pod: (_, role, conf) => {
    if (role === 'jobmanager')
      return main({ ports: [port('rpc', PORTS.rpc), port('blob', PORTS.blob), port('rest', PORTS.rest)] });
    const fixed = conf['taskmanager.rpc.port'] !== '0';
    return fixed ? main({ ports: [port('rpc', PORTS.taskRpc), port('data', PORTS.taskData)] }) : main({});
  },
  ownedPod: (context, role) =>
    announcesItself(context, role)
      ? main({ env: [{ name: POD_IP, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } }] })
      : main({}),
  options: (context, role) => (announcesItself(context, role) ? ['-D', `jobmanager.rpc.address=$(${POD_IP})`] : []),
};

function announcesItself(context: Context, role: 'jobmanager' | 'taskmanager'): boolean {
  return context.highAvailability !== 'none' && role === 'jobmanager';
}

/** Several TaskManagers may share a host's network, so there their ports cannot be fixed. */
function taskManagerPorts(context: Context): Conf {
  const shared =
    (context.spec.taskManagerPodSpec ?? context.spec.jobManagerPodSpec)?.['hostNetwork'] === true ||
    context.user['kubernetes.hostnetwork.enabled']?.trim().toLowerCase() === 'true';
  return {
    'taskmanager.rpc.port': shared ? '0' : String(PORTS.taskRpc),
    'taskmanager.data.port': shared ? '0' : String(PORTS.taskData),
  };
}

function port(name: string, containerPort: number): Readonly<Record<string, unknown>> {
  return { name, containerPort, protocol: 'TCP' };
}
