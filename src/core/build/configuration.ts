import type { Child } from '../../api/kube.ts';
import { child } from './child.ts';
import type { Conf, Context } from './context.ts';
import { confFile } from './flink-conf.ts';
import { LOG_FILES } from './log-files.ts';

/** ConfigMap `<name>-conf-<h>`: Flink's configuration folder for one epoch. */
export function configurationConfigMap(context: Context, conf: Conf): Child {
  const { name, text } = confFile(context.version, conf);
  const data = { ...LOG_FILES, ...context.spec.additionalConfFiles, [name]: text };
  return child(context.ref, 'ConfigMap', context.epochNames.configuration, 'job', { data });
}
