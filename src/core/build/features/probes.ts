import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';
import { PORTS } from './addresses.ts';

/**
 * Whether a process is up, never what its job does. The JobManager is ready when its REST port answers: that alone gates `<name>-rest`;
 * the internal Service publishes addresses that are not ready, as a JobManager calls itself by it while it submits its job.
 * Before the ports open a jar may be fetched, hence ten minutes.
 */
export const probes: Feature = {
  name: 'probes',
  pod: (_, role, conf) => {
    if (role === 'taskmanager' && conf['taskmanager.rpc.port'] === '0')
      return main({ terminationMessagePolicy: 'FallbackToLogsOnError' });
    const port = role === 'jobmanager' ? PORTS.rpc : PORTS.taskRpc;
    return main({
      terminationMessagePolicy: 'FallbackToLogsOnError',
      startupProbe: { tcpSocket: { port }, periodSeconds: 1, failureThreshold: 600 },
      livenessProbe: { tcpSocket: { port }, periodSeconds: 30, timeoutSeconds: 5 },
      ...(role === 'jobmanager' ? { readinessProbe: { tcpSocket: { port: PORTS.rest }, periodSeconds: 2 } } : {}),
    });
  },
};
