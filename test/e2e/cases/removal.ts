import { kubectl, until } from '../lib/kube.ts';
import type { Lane, Subject } from './lane.ts';

/** Objects of a job that are still there, but its FlinkJob. */
async function leftovers({ cluster, namespace }: Lane, name: string): Promise<readonly string[]> {
  const core = ['pods', 'services', 'configmaps'].map((kind) => `/api/v1/namespaces/${namespace}/${kind}`);
  const lists = await Promise.all(
    [...core, `/apis/apps/v1/namespaces/${namespace}/deployments`].map((path) => cluster.list(path)),
  );
  return lists
    .flat()
    .map(({ metadata }) => metadata.name)
    .filter((found) => found.startsWith(`${name}-`));
}

/** Waits until nothing is left of a job. */
export async function gone(lane: Lane, { job }: Pick<Subject, 'job'>, seconds = 180): Promise<void> {
  const why = async (): Promise<string> => `${(await leftovers(lane, job.name)).join(' ')} ${await job.explain('')}`;
  await until(
    `${job.name} is gone without a trace`,
    seconds,
    async () =>
      (await lane.cluster.find(job.path)) === undefined && (await leftovers(lane, job.name)).length === 0
        ? true
        : undefined,
    why,
  );
}

/** Deletes a FlinkJob, and does not wait. */
export const remove = (
  { namespace }: Lane,
  name: string,
  cascade: 'background' | 'foreground' = 'background',
): Promise<string> => kubectl(['-n', namespace, 'delete', 'flinkjob', name, '--wait=false', `--cascade=${cascade}`]);
