import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubectl } from './kube.ts';

/** What a failed case leaves to read. */

/**
 * Writes what the pods of a namespace have logged, the process before the present one of each container too, and what the FlinkJobs say,
 * into a new directory.
 * @returns the directory; what cannot be read is left out
 */
export async function keepPodLogs(namespace: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flork-e2e-failed-'));
  const keep = async (file: string, args: readonly string[]): Promise<void> => {
    const text = await kubectl(['-n', namespace, ...args]).catch(() => undefined);
    if (text !== undefined) await writeFile(join(directory, file), text);
  };
  await keep('flinkjobs.yaml', ['get', 'flinkjobs', '-o', 'yaml']);
  await keep('pods.yaml', ['get', 'pods', '-o', 'yaml']);
  const names = await kubectl(['-n', namespace, 'get', 'pods', '-o', 'name']).catch(() => '');
  const pods = names.split('\n').filter((name) => name !== '');
  await Promise.all(
    pods.flatMap((pod) => [
      keep(`${pod.replace('pod/', '')}.log`, ['logs', pod, '--all-containers']),
      keep(`${pod.replace('pod/', '')}.previous.log`, ['logs', pod, '--all-containers', '--previous']),
    ]),
  );
  return directory;
}
