import { isAtLeast } from '../../flink-version.ts';
import type { Feature } from '../feature.ts';
import { PORTS } from './addresses.ts';

/** Flink's own high availability, when the user switches it on. Its metadata belongs to one epoch and is never shared with another. */
export const highAvailability: Feature = {
  name: 'high-availability',
  ownedConf: ({ highAvailability: kind, epochNames, ref, version }) => {
    if (kind === 'none') return {};
    const results = isAtLeast(version, '2.3')
      ? 'application-result-store.delete-on-commit'
      : 'job-result-store.delete-on-commit';
    return {
      'high-availability.cluster-id': epochNames.clusterId,
      // A JobManager that restarts after the end of its job must find that it ended. The store's path holds the cluster id.
      [results]: 'false',
      ...(kind === 'kubernetes'
        ? { 'kubernetes.cluster-id': epochNames.clusterId, 'kubernetes.namespace': ref.namespace }
        : { 'high-availability.jobmanager.port': String(PORTS.rpc) }),
    };
  },
};
