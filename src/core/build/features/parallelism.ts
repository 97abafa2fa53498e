import type { Context } from '../context.ts';
import type { Feature } from '../feature.ts';

/** Slots of a TaskManager and parallelism of the job. */
export const parallelism: Feature = {
  name: 'parallelism',
  conf: (context) => ({
    'taskmanager.numberOfTaskSlots': '1',
    'parallelism.default': String(parallelismOf(context)),
  }),
};

/** Parallelism of the job: said, else all slots of the TaskManagers, else 1. */
export function parallelismOf({ spec, user }: Context): number {
  const configured = wholeNumber(user['parallelism.default']);
  if (spec.parallelism !== undefined) return spec.parallelism;
  if (configured !== undefined) return configured;
  return Math.max(1, (spec.taskManagerReplicas ?? 1) * slotsOf(user));
}

/** TaskManagers: said, else enough for the parallelism. */
export function taskManagerReplicasOf(context: Context): number {
  return context.spec.taskManagerReplicas ?? Math.ceil(parallelismOf(context) / slotsOf(context.user));
}

function slotsOf(user: Context['user']): number {
  return wholeNumber(user['taskmanager.numberOfTaskSlots']) ?? 1;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*[1-9]\d{0,8}\s*$/.test(text) ? Number(text) : undefined;
}
