import { configured, type Rule } from './rule.ts';

/** A job that needs more slots than its TaskManagers have would wait for them for ever. */
export const enoughSlots: Rule = {
  id: 'enough-slots',
  check: (subject) => {
    const replicas = subject.spec.taskManagerReplicas;
    const parallelism = subject.spec.parallelism ?? Number(configured(subject, 'parallelism.default')?.text);
    const slots = Number(configured(subject, 'taskmanager.numberOfTaskSlots')?.text ?? 1);
    if (replicas === undefined || !(parallelism > replicas * slots)) return [];
    const is = `is ${parallelism}, more than ${replicas} TaskManagers × ${slots} slots`;
    return [
      {
        path: 'spec.parallelism',
        is,
        want: `at most ${replicas * slots}, or more taskManagerReplicas; without it, it follows them`,
      },
    ];
  },
};
