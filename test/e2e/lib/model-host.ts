import { createRandom } from '../../../src/sim/models/random.ts';
import type { HookClient } from '../../../src/sim/models/metacontroller/hook.ts';
import { startMetacontroller } from '../../../src/sim/models/metacontroller/metacontroller.ts';
import { scaledClock } from '../../../src/sim/scaled-clock.ts';
import type { Strategy } from './install.ts';
import { Cluster } from './kube.ts';
import { connectAs, realCluster } from './real-cluster.ts';

/** The simulator's Metacontroller on a real API server, under the shipped ServiceAccount; the hook is Flork in its pods. */
export async function startModelHost(strategy: Strategy): Promise<() => Promise<void>> {
  const cluster = await Cluster.connect();
  const hook: HookClient = async (call, body) => {
    try {
      const answer = await cluster.call(
        'POST',
        `/api/v1/namespaces/flork-system/services/flork:8080/proxy/${call}`,
        body,
      );
      return { kind: 'answered', status: answer.status, body: answer.text, retryAfter: answer.retryAfter };
    } catch {
      return { kind: 'unreachable' };
    }
  };
  const model = startMetacontroller({
    clock: scaledClock(Date.now(), 1),
    random: createRandom(Date.now()),
    cluster: realCluster(await connectAs('metacontroller', 'metacontroller')),
    hook,
    name: 'flork',
    strategy,
    resyncPeriodSeconds: 60,
  });
  return async () => {
    model.stop();
    await cluster[Symbol.asyncDispose]();
  };
}
