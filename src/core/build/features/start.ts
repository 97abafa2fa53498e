import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';
import { START_KEYS } from '../restore.ts';

/** Environment variables that say what the JobManager process starts with; each new process reads them anew. */
export const START_ENV = { jobId: 'FLORK_JOB_ID', restore: 'FLORK_RESTORE', flag: 'FLORK_RESTORE_FLAG' } as const;

/** The restore ConfigMap as environment of the JobManager. A missing key stops the start instead of emptying it. */
export const start: Feature = {
  name: 'start',
  ownedPod: (context, role) => {
    if (role === 'taskmanager') return main({});
    const from = (key: string) => ({ configMapKeyRef: { name: context.epochNames.restore, key, optional: false } });
    return main({
      env: [
        { name: START_ENV.jobId, valueFrom: from(START_KEYS.jobId) },
        { name: START_ENV.restore, valueFrom: from(START_KEYS.restore) },
        { name: START_ENV.flag, valueFrom: from(START_KEYS.flag) },
      ],
    });
  },
};
