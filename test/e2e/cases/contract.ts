import { CONTRACTS, type Contract } from '../../contract/flink.ts';
import { flinkClient } from '../../../src/flink/client.ts';
import type { Transport } from '../../../src/flink/transport.ts';
import { STATE } from '../flink/bare.ts';
import { until, type Cluster } from '../lib/kube.ts';
import { scenario, type Case } from './case.ts';
import type { Lane } from './lane.ts';

/** The contract of the Flink model told to real Flink: a job that Flork has started and, paused, leaves alone. */

/** Calls a JobManager through the API server. */
const through =
  (cluster: Cluster): Transport =>
  async ({ service, method, path, body }) => {
    const { namespace, name, port } = service;
    const proxied = `/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy${path}`;
    const { status, text } = await cluster.call(method, proxied, body);
    return { kind: 'response', status, text };
  };

async function tell({ conf, steps }: Contract, lane: Lane): Promise<string> {
  return lane.withOwn('contract', { flinkConf: conf }, async (subject) => {
    const { job } = subject;
    await subject.counts();
    await job.cluster.patch(job.path, { metadata: { annotations: { 'flork.itom.com/paused': 'true' } } });
    await job.status('paused', 60, ({ status }) => status.message.startsWith('Paused'));
    const forbidden = `${STATE}/${lane.namespace}/forbidden`;
    await lane.shell(`mkdir -p ${forbidden}; chmod 555 ${forbidden}`);
    const service = { name: `${job.name}-rest`, namespace: lane.namespace, port: 8081, scheme: 'http' as const };
    const { signal } = new AbortController();
    const client = flinkClient({ transport: through(lane.cluster), service, signal, timeoutMs: 5000 });
    const stage = {
      client,
      savepoints: `file://${STATE}/${lane.namespace}/savepoints/contract`,
      forbidden: `file://${forbidden}`,
      until,
      killJobManager: () => job.killJobManager(),
    };
    try {
      for (const [what, run] of steps) {
        await run(stage).catch((error: unknown) => {
          throw new Error(what, { cause: error });
        });
      }
    } finally {
      await job.cluster.patch(job.path, { metadata: { annotations: { 'flork.itom.com/paused': null } } });
    }
    return `${steps.length} steps`;
  });
}

export const contractCases: readonly Case[] = CONTRACTS.map((contract) => ({
  ...scenario(contract.name, `what the model of Flink promises: ${contract.name}`, (lane) => tell(contract, lane), {
    seconds: 110,
  }),
  name: `contract/${contract.name}`,
}));
