import type { FlinkRequest, FlinkResponse, Transport } from '../../../flink/transport.ts';
import type { ApiServer } from '../api-server.ts';
import type { Clock } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import type { Random } from '../random.ts';
import type { JobManager } from './job-manager.ts';
import type { FlinkRuntime } from './runtime.ts';
import { isReady } from '../deployments.ts';
import { at, matches, text, texts, tree } from '../objects.ts';
import { processName } from './events.ts';
import { restCall } from './rest.ts';

/** What may happen to one call: nothing, or a fault before or after it took effect. */
export type CallFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'timeout' }
  /** It took effect; the answer never came. */
  | { readonly kind: 'answer-lost' }
  /** Something else answers: HTML, half a JSON, another status. */
  | { readonly kind: 'reply'; readonly status: number; readonly text: string }
  | { readonly kind: 'error'; readonly error: 'unexpected-reply' | 'tls' }
  /** This JobManager answers, whatever the Service selects. */
  | { readonly kind: 'other'; readonly jobManager: JobManager };

export type FlinkTransportOptions = {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly runtime: FlinkRuntime;
  readonly fault: (request: FlinkRequest) => CallFault;
};

/** The hook's way to the modelled JobManagers: by Service, through the pods that are its endpoints. */
export function createFlinkTransport(options: FlinkTransportOptions): Transport {
  const { clock, random } = options;
  return async (request) => {
    const fault = options.fault(request);
    if (fault.kind === 'timeout') return timeout(clock, request);
    await clock.pause(random.between(1, 6));
    if (fault.kind === 'unreachable') return unreachable('connect ECONNREFUSED');
    if (fault.kind === 'reply') return { kind: 'response', status: fault.status, text: fault.text };
    if (fault.kind === 'error')
      return { kind: 'error', error: fault.error, text: 'the reply is longer than 2097152 bytes' };
    const jobManager = fault.kind === 'other' ? fault.jobManager : endpoint(options, request);
    if (jobManager === undefined || jobManager.phase() === 'refused') return unreachable('connect ECONNREFUSED');
    if (jobManager.phase() === 'gone') return unreachable('socket hang up');
    const reply = restCall(
      leading(options.runtime, jobManager),
      clock,
      request.method,
      request.path,
      tree(request.body),
    );
    if (fault.kind === 'answer-lost') return timeout(clock, request);
    return { kind: 'response', ...reply };
  };
}

async function timeout(clock: Clock, request: FlinkRequest): Promise<FlinkResponse> {
  await clock.pause(request.timeoutMs);
  return { kind: 'error', error: 'timeout', text: `no answer within ${request.timeoutMs} ms` };
}

function unreachable(why: string): FlinkResponse {
  return { kind: 'error', error: 'unreachable', text: why };
}

/** A JobManager that does not lead passes a request on to the one that does; one that has died since leaves 503. */
function leading(runtime: FlinkRuntime, jobManager: JobManager): JobManager {
  const leader = jobManager.follows();
  if (leader === undefined) return jobManager;
  return runtime.jobManagers().find((one) => processName(one.info) === leader) ?? jobManager;
}

/** The JobManager behind a Service, as kube-proxy would choose it. */
export function endpoint(
  options: Pick<FlinkTransportOptions, 'api' | 'runtime'>,
  request: { readonly service: Pick<FlinkRequest['service'], 'name' | 'namespace'> },
): JobManager | undefined {
  const { name, namespace } = request.service;
  const service = options.api.get({ kind: 'Service', namespace, name });
  if (service === undefined) return undefined;
  const selector = texts(at(service, 'spec', 'selector'));
  const notReady = at(service, 'spec', 'publishNotReadyAddresses') === true;
  const serves = (pod: KubeObject): boolean =>
    matches(selector, pod.metadata.labels ?? {}) &&
    (notReady || (isReady(pod) && pod.metadata.deletionTimestamp === undefined)) &&
    text(at(pod, 'status', 'podIP')) !== '';
  const pod = options.api.list('Pod', namespace).find(serves);
  return pod === undefined ? undefined : options.runtime.jobManager(pod.metadata.uid ?? '');
}
