import type { JsonObject } from '../../api/kube.ts';
import type { KubeApi, KubeResponse } from '../../kube/api.ts';
import type { ApiServer, Written } from './api-server.ts';
import type { Clock } from './clock.ts';
import type { KubeObject } from './objects.ts';
import type { Random } from './random.ts';
import { at, jsonOf, text } from './objects.ts';

/** What may happen to one call of Flork to the API server. */
export type KubeFault = 'none' | 'unreachable' | 'timeout' | 'answer-lost' | 'forbidden';

export type KubeApiOptions = {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly fault: (method: string, path: string) => KubeFault;
};

/** Whom Flork's own writes are counted for. */
export const FLORK = 'flork';

const PATH =
  /^\/(?:api\/v1|apis\/flork\.itom\.com\/v1)\/namespaces\/(?<namespace>[^/]+)\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?$/;
const KINDS: Readonly<Record<string, string>> = { configmaps: 'ConfigMap', flinkjobs: 'FlinkJob', events: 'Event' };

/** The modelled API server as Flork's client sees it: the list of pods, the calls of the duties, and no others. */
export function modelKubeApi({ api, clock, random, fault }: KubeApiOptions): KubeApi {
  return async (request) => {
    const { method, path, timeoutMs } = request;
    const fate = fault(method, path);
    if (fate === 'timeout') return late(clock, timeoutMs);
    await clock.pause(random.between(1, 6));
    if (fate === 'unreachable') return { kind: 'error', text: 'the API server was not reached (ECONNREFUSED)' };
    if (request.method === 'GET') return list(api, path, fate, () => late(clock, timeoutMs));
    const { body } = request;
    const found = PATH.exec(path)?.groups;
    const kind = KINDS[found?.['plural'] ?? ''];
    const namespace = found?.['namespace'];
    if (kind === undefined || namespace === undefined) return answered(404, 'the server could not find the resource');
    if (fate === 'forbidden') return answered(403, `${kind} is forbidden: User "flork" cannot do this`);
    const written =
      method === 'POST'
        ? api.create(FLORK, body as unknown as KubeObject)
        : remove(api, { kind, namespace, name: found?.['name'] ?? '' }, body);
    if (fate === 'answer-lost') return late(clock, timeoutMs);
    return written.kind === 'done' ? answered(200, '') : answered(written.code, written.message);
  };
}

const PODS = /^\/api\/v1\/namespaces\/(?<namespace>[^/?]+)\/pods\?labelSelector=(?<selector>[^&]+)$/;

/** The most recent pods of a namespace with one label, as they are when the call gets there. */
async function list(
  api: ApiServer,
  path: string,
  fate: KubeFault,
  late: () => Promise<KubeResponse>,
): Promise<KubeResponse> {
  const { namespace, selector = '' } = PODS.exec(path)?.groups ?? {};
  const [label = '', value] = decodeURIComponent(selector).split('=');
  if (namespace === undefined || value === undefined) return answered(404, 'the server could not find the resource');
  if (fate === 'forbidden')
    return answered(403, 'pods is forbidden: User "flork" cannot list resource "pods" in API group ""');
  const items = api.list('Pod', namespace).filter((pod) => pod.metadata.labels?.[label] === value);
  if (fate === 'answer-lost') return late();
  const text = `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[${items.map((pod) => jsonOf(pod)).join(',')}]}`;
  return { kind: 'response', status: 200, text };
}

function remove(api: ApiServer, ref: { kind: string; namespace: string; name: string }, body: JsonObject): Written {
  const uid = text(at(body, 'preconditions', 'uid'));
  return api.remove(FLORK, ref, { propagation: 'background', ...(uid === '' ? {} : { uid }) });
}

async function late(clock: Clock, timeoutMs: number): Promise<KubeResponse> {
  await clock.pause(timeoutMs);
  return { kind: 'error', text: 'no answer of the API server in time' };
}

function answered(status: number, message: string): KubeResponse {
  return { kind: 'response', status, text: JSON.stringify({ kind: 'Status', message }) };
}
