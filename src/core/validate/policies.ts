import { parsePolicyDuration } from '../duration.ts';
import { parseSchedule } from '../schedule.ts';
import { isSet } from './conf-values.ts';
import { configured, quoted, type Problem, type Rule, type Subject } from './rule.ts';

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

/** A schedule has to come at some time, and savepoints need a place. */
export const schedule: Rule = {
  id: 'schedule',
  check: (subject) => {
    const { policies } = subject.spec;
    const unreadable = (
      [
        ['savepoint', policies?.savepoint?.schedule],
        ['checkpoint', policies?.checkpoint?.schedule],
      ] as const
    )
      .filter(([, text]) => text !== undefined && parseSchedule(text) === undefined)
      .map(([kind, text]) => ({
        path: `spec.policies.${kind}.schedule`,
        is: `is ${quoted(text)}`,
        want: 'a duration of at least 1m, such as 6h, or a cron line of five fields in UTC, such as 0 3 * * *',
      }));
    return [...unreadable, ...withoutDirectory(subject)];
  },
};

function withoutDirectory(subject: Subject): readonly Problem[] {
  const { policies } = subject.spec;
  if (subject.unread.has('policies') || subject.unread.has('flinkConf')) return [];
  if (policies?.savepoint?.directory !== undefined || isSet(subject, 'execution.checkpointing.savepoint-dir'))
    return [];
  const want = 'a directory in spec.policies.savepoint.directory';
  return [
    ...(policies?.savepoint?.schedule === undefined
      ? []
      : [{ path: 'spec.policies.savepoint.schedule', is: 'is set without a savepoint directory', want }]),
    ...(policies?.deletion?.savepoint === true
      ? [{ path: 'spec.policies.deletion.savepoint', is: 'is true without a savepoint directory', want }]
      : []),
  ];
}

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
