import type { Conf } from '../context.ts';
import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';

/** Name of the container port with the metrics, by which a PodMonitor finds it. */
export const METRICS_PORT_NAME = 'metrics';

const PORT = 'metrics.reporter.prom.port';

/** Flink's Prometheus reporter where spec.podMonitor asks for it: the official images have it among their plug-ins. */
export const reporter: Feature = {
  name: 'reporter',
  conf: ({ spec }) =>
    spec.podMonitor === undefined
      ? {}
      : {
          'metrics.reporter.prom.factory.class': 'org.apache.flink.metrics.prometheus.PrometheusReporterFactory',
          [PORT]: '9249',
        },
  pod: ({ spec }, _role, conf) => {
    const port = portOf(conf);
    if (spec.podMonitor === undefined || port === undefined) return {};
    return main({ ports: [{ name: METRICS_PORT_NAME, containerPort: port }] });
  },
};

/** The first port of what may be a range. */
function portOf(conf: Conf): number | undefined {
  const first = /^\s*(\d{1,5})\b/.exec(conf[PORT] ?? '')?.[1];
  return first === undefined ? undefined : Number(first);
}
