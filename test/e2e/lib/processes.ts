import { strict as assert } from 'node:assert';
import { killModelHost } from './model-host.ts';
import { kubectl, type Cluster, type KubeObject } from './kube.ts';

/** Kills, as a crash would, the processes of these pods whose command line has this text; how many there were. Asks pod `killer`. */
export async function killProcesses(namespace: string, pods: readonly KubeObject[], text: string): Promise<number> {
  const uids = pods.flatMap((pod) => [pod.metadata.uid!, pod.metadata.uid!.replaceAll('-', '_')]).join('|');
  const script = `n=0; for p in /proc/[0-9]*; do if grep -qE '${uids}' $p/cgroup 2>/dev/null && tr '\\0' ' ' <$p/cmdline | grep -q '${text}'; then kill -9 \${p#/proc/} && n=$((n+1)); fi; done; echo killed $n`;
  const said = await kubectl(['-n', namespace, 'exec', 'killer', '--', 'bash', '-c', script]);
  return Number(/killed (\d+)/.exec(said)?.[1] ?? 'NaN');
}

export const JOB_MANAGER = 'StandaloneApplicationClusterEntryPoint';
export const TASK_MANAGER = 'TaskManagerRunner';

/** Kills every process of Flork and of Metacontroller (or of its model), and takes their pods away, so that no back-off delays the next ones. */
export async function killOperator(cluster: Cluster, namespace: string): Promise<string> {
  const flork = await cluster.pods('flork-system', 'app.kubernetes.io/name=flork');
  const host = await cluster.pods('metacontroller', 'app.kubernetes.io/name=metacontroller');
  assert.ok(flork.length > 0, 'Flork has pods');
  const hooks = await killProcesses(namespace, flork, '/app/dist/main.js');
  const hosts = host.length === 0 ? await killModelHost() : await killProcesses(namespace, host, 'metacontroller');
  assert.ok(hooks > 0 && hosts > 0, `killed ${hooks} processes of Flork, ${hosts} of Metacontroller`);
  for (const pod of [...flork, ...host]) {
    const { namespace: where, name } = pod.metadata;
    await cluster.call('DELETE', `/api/v1/namespaces/${where}/pods/${name}`, { gracePeriodSeconds: 0 });
  }
  return `${hooks} of Flork, ${hosts} of Metacontroller`;
}
