import { GROUP } from '../api/flinkjob.ts';
import { isObject, parseJson } from '../api/json.ts';
import type { JsonObject } from '../api/kube.ts';
import type { KubeApi } from './api.ts';
import { messageOf } from './message.ts';
import { isName } from './requests.ts';

/** The pods of a FlinkJob as the API server has them, or why that is not known: then nothing is known of them, least of all that there are none. */
export type ReadPods = (
  job: { readonly namespace: string; readonly name: string },
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<Pods>;
export type Pods =
  | { readonly kind: 'read'; readonly pods: readonly JsonObject[] }
  | { readonly kind: 'unread'; readonly why: string };

/** Where the pods come from, and how many bytes of them: as many as Metacontroller may show in a request. */
export type PodsOptions = { readonly api: KubeApi; readonly maxBytes: number };

/** Pods nest less deeply (src/http/body.ts has the same bound for what Metacontroller shows). */
const MAX_DEPTH = 200;
/** Kubernetes API conventions: the longest value of a label. */
const LONGEST_VALUE = 63;

const JOB = `${GROUP}/job`;

/**
 * Reads the pods that carry the job's label, of whatever epoch or former owner. Without a resourceVersion the answer is the most recent
 * (Kubernetes API concepts, "Semantics for get and list"), so no pod that was there before the call is missing; without a limit it is
 * one answer, and no page of it can be.
 */
export function createReadPods({ api, maxBytes }: PodsOptions): ReadPods {
  return async ({ namespace, name }, timeoutMs, signal) => {
    if (!isName(namespace) || !isName(name)) return unread('not names of Kubernetes');
    // No object can carry such a label, and the API server takes no selector for it.
    if (name.length > LONGEST_VALUE) return { kind: 'read', pods: [] };
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(`${JOB}=${name}`)}`;
    const response = await api({ method: 'GET', path, maxBytes, timeoutMs }, signal);
    if (response.kind === 'error') return unread(response.text);
    const { status, text } = response;
    if (status !== 200) return unread(refusal(status, text, namespace));
    const pods = podsIn(text, namespace, name);
    return pods ? { kind: 'read', pods } : unread('the answer of the API server is no list of the pods of this job');
  };
}

function unread(why: string): Pods {
  return { kind: 'unread', why };
}

/** The API server itself names the ServiceAccount. */
function refusal(status: number, text: string, namespace: string): string {
  const said = `the API server answers ${status}: ${messageOf(text, 300)}`;
  return status === 403 ? `Flork has no right to list pods in namespace ${namespace}; ${said}` : said;
}

/** The pods of a list; `undefined` for anything that is not the whole list of this job's pods. */
function podsIn(text: string, namespace: string, name: string): readonly JsonObject[] | undefined {
  const list = parseJson(text, MAX_DEPTH);
  if (!isObject(list) || list['kind'] !== 'PodList' || list['apiVersion'] !== 'v1') return undefined;
  const { metadata, items } = list;
  // The API server writes an empty list as [], and a list that goes on elsewhere with a token for it.
  if (!isObject(metadata) || (metadata['continue'] ?? '') !== '' || !Array.isArray(items)) return undefined;
  const pods = items.filter((item): item is JsonObject => isObject(item) && isOf(item, namespace, name));
  return pods.length === items.length ? pods : undefined;
}

function isOf(pod: JsonObject, namespace: string, job: string): boolean {
  const { metadata } = pod;
  if (!isObject(metadata) || typeof metadata['name'] !== 'string' || metadata['name'] === '') return false;
  return metadata['namespace'] === namespace && isObject(metadata['labels']) && metadata['labels'][JOB] === job;
}
