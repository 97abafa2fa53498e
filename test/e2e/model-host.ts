/**
 * The simulator's Metacontroller on a real API server, as a process of its own that can be killed: under the shipped ServiceAccount, and
 * calling the URLs that the CompositeController names. Started by lib/model-host.ts; arguments: apply strategy, address of a kubectl proxy.
 */
import { createRandom } from '../../src/sim/models/random.ts';
import type { HookClient } from '../../src/sim/models/metacontroller/hook.ts';
import { startMetacontroller } from '../../src/sim/models/metacontroller/metacontroller.ts';
import { scaledClock } from '../../src/sim/scaled-clock.ts';
import type { Strategy } from './lib/install.ts';
import { Cluster } from './lib/kube.ts';
import { connectAs, realCluster } from './lib/real-cluster.ts';

const [strategy, proxy] = process.argv.slice(2) as [Strategy, string];
const cluster = Cluster.at(proxy);
const CONTROLLER = '/apis/metacontroller.k8s.io/v1alpha1/compositecontrollers/flork';

/** A URL as this machine reaches it: a Service of the cluster through the API server. */
function reachable(url: URL): string {
  const [service, namespace, kind] = url.hostname.split('.');
  if (kind !== 'svc') return url.href;
  return `${proxy}/api/v1/namespaces/${namespace}/services/${service}:${url.port}/proxy${url.pathname}${url.search}`;
}

const hook: HookClient = async (call, body) => {
  try {
    const controller = await cluster.find(CONTROLLER);
    const url = new URL(controller?.spec.hooks[call].webhook.url);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(reachable(url), { method: 'POST', headers, body });
    const retryAfter = response.headers.get('retry-after') ?? undefined;
    return { kind: 'answered', status: response.status, body: await response.text(), retryAfter };
  } catch {
    return { kind: 'unreachable' };
  }
};

startMetacontroller({
  clock: scaledClock(Date.now(), 1),
  random: createRandom(Date.now()),
  cluster: realCluster(await connectAs('metacontroller', 'metacontroller')),
  hook,
  name: 'flork',
  strategy,
  resyncPeriodSeconds: 60,
});
