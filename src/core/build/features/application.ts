import type { Feature } from '../feature.ts';

/** What an application cluster needs so that its end can be seen and the result of a stop be read. */
export const application: Feature = {
  name: 'application',
  conf: () => ({ 'rest.async.store-duration': '1 h' }),
  ownedConf: () => ({
    // Otherwise the JobManager of an ended job exits, the kubelet starts it again and main() runs once more.
    'execution.shutdown-on-application-finish': 'false',
    // An exception in main() becomes a FAILED job that REST tells of. Needs the fixed job id.
    'execution.submit-failed-job-on-application-error': 'true',
  }),
};
