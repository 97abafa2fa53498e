import { replaced } from '../build/context.ts';
import { quoted, type Problem, type Rule } from './rule.ts';

/** A host name (RFC 1123), or `*.` and one. */
const HOST = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Host names and paths of what leads to Flink's web interface. */
export const webAddress: Rule = {
  id: 'web-address',
  check: ({ spec: { ingress, httpRoute }, meta }) => {
    const hosts = [
      ...(ingress === undefined ? [] : [['spec.ingress.host', ingress.host] as const]),
      ...(httpRoute?.hostnames ?? []).map((host, index) => [`spec.httpRoute.hostnames[${index}]`, host] as const),
    ];
    const paths = [
      ['spec.ingress.path', ingress?.path],
      ['spec.httpRoute.path', httpRoute?.path],
    ] as const;
    return [
      ...hosts
        .filter(([, host]) => !HOST.test(replaced(host, meta)) || host.length > 253)
        .map(([path, host]): Problem => ({
          path,
          is: `is ${quoted(host)}`,
          want: 'a host name, such as jobs.example.com',
        })),
      ...paths
        .filter(([, path]) => path !== undefined && !path.startsWith('/'))
        .map(([path, value]): Problem => ({ path, is: `is ${quoted(value)}`, want: 'a path from /' })),
    ];
  },
};

/** An HTTPRoute hangs on a Gateway. */
export const routeParent: Rule = {
  id: 'route-parent',
  check: ({ spec: { httpRoute } }) =>
    httpRoute === undefined || httpRoute.parentRefs.length > 0
      ? []
      : [{ path: 'spec.httpRoute.parentRefs', is: 'is empty', want: 'the Gateway to hang on' }],
};

/** A number of pods, or a share of them. */
export const maxUnavailable: Rule = {
  id: 'max-unavailable',
  check: ({ spec: { podDisruptionBudget } }) => {
    const value = podDisruptionBudget?.maxUnavailable;
    if (value === undefined || /^(\d{1,6}|\d{1,3}%)$/.test(String(value))) return [];
    const want = 'a number of pods, or a percentage such as 25%';
    return [{ path: 'spec.podDisruptionBudget.maxUnavailable', is: `is ${quoted(value)}`, want }];
  },
};

/** Durations of the Prometheus operator. */
export const scrapeInterval: Rule = {
  id: 'scrape-interval',
  check: ({ spec: { podMonitor } }) => {
    const interval = podMonitor?.interval;
    if (interval === undefined || /^[1-9]\d{0,5}(ms|s|m|h)$/.test(interval)) return [];
    return [{ path: 'spec.podMonitor.interval', is: `is ${quoted(interval)}`, want: 'a duration such as 30s' }];
  },
};
