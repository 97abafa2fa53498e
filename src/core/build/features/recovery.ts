import type { Feature } from '../feature.ts';

/**
 * Times after which processes miss each other. With Flink's own a job runs again 46 s after its JobManager was killed,
 * with these after some 10 s. Plain milliseconds: all versions read them.
 */
export const recovery: Feature = {
  name: 'recovery',
  conf: () => ({
    'heartbeat.interval': '2000',
    'heartbeat.timeout': '10000',
    'cluster.registration.error-delay': '1000',
    'cluster.registration.max-timeout': '2000',
    'cluster.registration.refused-registration-delay': '1000',
  }),
};
