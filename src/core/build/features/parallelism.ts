import type { FlinkJobSpec } from '../../../api/flinkjob.ts';
import { newestSpelling } from '../../conf-effects.ts';
import { rememberedByObject } from '../../memo.ts';
import type { Conf, Context } from '../context.ts';
import type { Feature } from '../feature.ts';

/** Slots of a TaskManager and parallelism of the job. */
export const parallelism: Feature = {
  name: 'parallelism',
  conf: (context) => ({
    'taskmanager.numberOfTaskSlots': '1',
    'parallelism.default': String(parallelismOf(context)),
  }),
};

/** How large a job is: its parallelism, and the TaskManagers whose slots it takes. */
export type Scale = { readonly parallelism: number; readonly taskManagers: number; readonly slots: number };

/** The scale that a spec asks for. */
export const scaleOfSpec = rememberedByObject((spec: FlinkJobSpec): Scale => {
  const context = { spec, user: Object.fromEntries(newestSpelling(spec)) };
  return {
    parallelism: parallelismOf(context),
    taskManagers: taskManagerReplicasOf(context),
    slots: slotsOf(context.user),
  };
});

/** The parallelism that a rendered configuration starts a job with. */
export function parallelismOfConf(conf: Conf): number {
  return wholeNumber(conf['parallelism.default']) ?? 1;
}

type Said = Pick<Context, 'spec' | 'user'>;

/** Parallelism of the job: said, else all slots of the TaskManagers, else 1. */
function parallelismOf({ spec, user }: Said): number {
  const configured = wholeNumber(user['parallelism.default']);
  if (spec.parallelism !== undefined) return spec.parallelism;
  if (configured !== undefined) return configured;
  return Math.max(1, (spec.taskManagerReplicas ?? 1) * slotsOf(user));
}

/** TaskManagers: said, else enough for the parallelism. */
export function taskManagerReplicasOf(context: Said): number {
  return context.spec.taskManagerReplicas ?? Math.ceil(parallelismOf(context) / slotsOf(context.user));
}

function slotsOf(user: Context['user']): number {
  return wholeNumber(user['taskmanager.numberOfTaskSlots']) ?? 1;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*[1-9]\d{0,8}\s*$/.test(text) ? Number(text) : undefined;
}
