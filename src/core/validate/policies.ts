import { parsePolicyDuration } from '../duration.ts';
import { configured, quoted, type Rule } from './rule.ts';

/** Durations of policies are written as Kubernetes users write them: 90s, 30m, 6h, 7d. */
export const policyDuration: Rule = {
  id: 'policy-duration',
  check: ({ spec: { policies } }) =>
    (
      [
        ['upgrade.maxCheckpointAge', policies?.upgrade?.maxCheckpointAge],
        ['upgrade.readiness', policies?.upgrade?.readiness],
        ['savepoint.history.age', policies?.savepoint?.history?.age],
        ['deletion.timeout', policies?.deletion?.timeout],
        ['health.window', policies?.health?.window],
        ['health.checkpointStall', policies?.health?.checkpointStall],
        ['scaleCooldown', policies?.scaleCooldown],
      ] as const
    )
      .filter(([, text]) => text !== undefined && parsePolicyDuration(text) === undefined)
      .map(([path, text]) => ({
        path: `spec.policies.${path}`,
        is: `is ${quoted(text)}`,
        want: 'a duration such as 90s, 30m, 6h or 7d',
      })),
};

/** JobManagers that stand by take over by Flink's high availability; without it each would run the job by itself. */
export const standbyNeedsHighAvailability: Rule = {
  id: 'standby-needs-high-availability',
  check: (subject) => {
    const replicas = subject.spec.jobManagerReplicas ?? 1;
    const type = configured(subject, 'high-availability.type')?.text.trim().toLowerCase() ?? '';
    if (replicas <= 1 || (type !== '' && type !== 'none') || subject.unread.has('flinkConf')) return [];
    return [
      {
        path: 'spec.jobManagerReplicas',
        is: `is ${replicas} without high availability`,
        want: '1, or spec.flinkConf["high-availability.type"]: kubernetes',
      },
    ];
  },
};
