import type { Child } from '../../api/kube.ts';
import type { Conf, Context } from './context.ts';
import { deployment } from './deployment.ts';
import { FEATURES } from './features/list.ts';

/** Deployment `<name>-taskmanager`. */
export function taskManager(context: Context, conf: Conf): Child {
  const options = FEATURES.flatMap((feature) => feature.options?.(context, 'taskmanager') ?? []);
  return deployment(context, 'taskmanager', conf, ['taskmanager', ...options]);
}
