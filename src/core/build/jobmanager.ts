import type { Child } from '../../api/kube.ts';
import type { Conf, Context } from './context.ts';
import { deployment } from './deployment.ts';
import { FEATURES } from './features/list.ts';
import { programOptions } from './features/program.ts';
import { START_ENV } from './features/start.ts';

/** Deployment `<name>-jobmanager`. */
export function jobManager(context: Context, conf: Conf): Child {
  return deployment(context, 'jobmanager', conf, [
    'standalone-job',
    ...FEATURES.flatMap((feature) => feature.options?.(context, 'jobmanager') ?? []),
    '--job-id',
    `$(${START_ENV.jobId})`,
    `$(${START_ENV.restore})`,
    `$(${START_ENV.flag})`,
    ...programOptions(context),
  ]);
}
