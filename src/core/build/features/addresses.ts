import { podSpecOf, ROLES, type Role } from '../../role.ts';
import { isOn, type Conf, type Context } from '../context.ts';
import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';

/** Ports of the processes; fixed, because Services, probes and network policies name them. */
export const PORTS = { rpc: 6123, blob: 6124, rest: 8081, taskRpc: 6122, taskData: 6121, metrics: 6126 } as const;

/** Environment variable with the pod's own address. */
const POD_IP = 'FLORK_POD_IP';

/**
 * Where the processes find each other: without high availability through the internal Service, whose name outlives every pod;
 * with it the JobManager announces its own address. Bind addresses are left unsaid: every interface.
 */
export const addresses: Feature = {
  name: 'addresses',
  conf: (context) => ({
    'taskmanager.data.port': onHostNetwork(context) ? '0' : String(PORTS.taskData),
    'metrics.internal.query-service.port': onHostNetwork(context) ? '0' : String(PORTS.metrics),
  }),
  ownedConf: (context) => ({
    'jobmanager.rpc.address': `${context.names.internalService}.${context.ref.namespace}.svc`,
    'jobmanager.rpc.port': String(PORTS.rpc),
    'blob.server.port': String(PORTS.blob),
    'rest.port': String(PORTS.rest),
    'taskmanager.rpc.port': onHostNetwork(context) ? '0' : String(PORTS.taskRpc),
  }),
  pod: (context, role, conf) => {
    // On the host's network a pod knows no Service by name, unless told to.
    const spec =
      podSpecOf(context.spec, role)?.['hostNetwork'] === true ? { dnsPolicy: 'ClusterFirstWithHostNet' } : {};
    return main({ ports: portsOf(role, conf) }, spec);
  },
  ownedPod: (context, role) => {
    if (!announcesItself(context, role)) return {};
    return main({ env: [{ name: POD_IP, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } }] });
  },
  options: (context, role) => (announcesItself(context, role) ? ['-D', `jobmanager.rpc.address=$(${POD_IP})`] : []),
};

function portsOf(role: Role, conf: Conf): readonly Readonly<Record<string, unknown>>[] {
  if (role === 'jobmanager') return [port('rpc', PORTS.rpc), port('blob', PORTS.blob), port('rest', PORTS.rest)];
  const rpc = Number(conf['taskmanager.rpc.port']);
  const data = Number(conf['taskmanager.data.port']);
  return [...(rpc > 0 ? [port('rpc', rpc)] : []), ...(data > 0 ? [port('data', data)] : [])];
}

function announcesItself(context: Context, role: Role): boolean {
  return context.highAvailability !== 'none' && role === 'jobmanager';
}

/** Several TaskManagers may share a host's network, so there their ports cannot be fixed. */
function onHostNetwork({ spec, user }: Context): boolean {
  return (
    isOn(user['kubernetes.hostnetwork.enabled']) ||
    ROLES.some((role) => podSpecOf(spec, role)?.['hostNetwork'] === true)
  );
}

function port(name: string, containerPort: number): Readonly<Record<string, unknown>> {
  return { name, containerPort, protocol: 'TCP' };
}
