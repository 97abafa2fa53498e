import { readFile } from 'node:fs/promises';
import { KubeConfig, Watch } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { OPTIONAL_KINDS, type OptionalKind } from '../../../src/api/optional-children.ts';
import type { Cluster, ClusterEvent, KindName, Result } from '../../../src/sim/models/cluster.ts';
import type { KubeObject, ObjectRef } from '../../../src/sim/models/objects.ts';
import { kubectl, sleep } from './kube.ts';

/** A real API server as the Cluster that the Metacontroller model drives, under a ServiceAccount's token. */

const RESOURCES: Record<
  KindName,
  { readonly apiVersion: string; readonly base: string; readonly plural: string; readonly namespaced: boolean }
> = {
  FlinkJob: { apiVersion: 'flork.itom.com/v1', base: '/apis/flork.itom.com/v1', plural: 'flinkjobs', namespaced: true },
  ConfigMap: { apiVersion: 'v1', base: '/api/v1', plural: 'configmaps', namespaced: true },
  Service: { apiVersion: 'v1', base: '/api/v1', plural: 'services', namespaced: true },
  Deployment: { apiVersion: 'apps/v1', base: '/apis/apps/v1', plural: 'deployments', namespaced: true },
  ...optionalResources(),
  Pod: { apiVersion: 'v1', base: '/api/v1', plural: 'pods', namespaced: true },
  Namespace: { apiVersion: 'v1', base: '/api/v1', plural: 'namespaces', namespaced: false },
};

type Resource = (typeof RESOURCES)[KindName];

function optionalResources(): Record<OptionalKind, Resource> {
  const plurals: Readonly<Record<string, string>> = { Ingress: 'ingresses', NetworkPolicy: 'networkpolicies' };
  const entries = OPTIONAL_KINDS.map(({ kind, apiVersion }): [string, Resource] => [
    kind,
    { apiVersion, base: `/apis/${apiVersion}`, plural: plurals[kind] ?? `${kind.toLowerCase()}s`, namespaced: true },
  ]);
  return Object.fromEntries(entries) as Record<OptionalKind, Resource>;
}

type Connection = {
  readonly config: KubeConfig;
  readonly server: string;
  readonly token: string;
  readonly agent: Agent;
};

/** The API server of KUBECONFIG, as this ServiceAccount. */
export async function connectAs(namespace: string, account: string): Promise<Connection> {
  const own = new KubeConfig();
  own.loadFromDefault();
  const cluster = own.getCurrentCluster();
  if (cluster === null) throw new Error('KUBECONFIG names no cluster');
  const token = (await kubectl(['-n', namespace, 'create', 'token', account, '--duration=6h'])).trim();
  const config = new KubeConfig();
  config.loadFromClusterAndUser(cluster, { name: account, token });
  const authority = cluster.caData === undefined ? undefined : Buffer.from(cluster.caData, 'base64');
  const ca = authority ?? (cluster.caFile === undefined ? undefined : await readFile(cluster.caFile));
  const agent = new Agent({
    connect: { rejectUnauthorized: cluster.skipTLSVerify !== true, ...(ca === undefined ? {} : { ca }) },
  });
  return { config, server: cluster.server, token, agent };
}

function pathOf(ref: ObjectRef, collection = false): string {
  const { base, plural, namespaced } = RESOURCES[ref.kind as KindName];
  return `${base}${namespaced ? `/namespaces/${ref.namespace}` : ''}/${plural}${collection ? '' : `/${ref.name}`}`;
}

const refOf = (object: KubeObject): ObjectRef => ({
  kind: object.kind,
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name,
});

export function realCluster(connection: Connection): Cluster {
  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    type = 'application/json',
  ): Promise<{ code: number; json: unknown }> => {
    const response = await request(connection.server + path, {
      method,
      dispatcher: connection.agent,
      headers: { authorization: `Bearer ${connection.token}`, accept: 'application/json', 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    try {
      return { code: response.statusCode, json: JSON.parse(text) };
    } catch {
      return { code: response.statusCode, json: { message: text } };
    }
  };
  const result = ({ code, json }: { code: number; json: unknown }): Result =>
    code < 300
      ? { kind: 'done', object: json as KubeObject }
      : { kind: 'refused', code, message: String((json as { message?: string }).message) };

  const watch: Cluster['watch'] = async (kind, listen) => {
    const { apiVersion, base, plural } = RESOURCES[kind];
    const known = new Map<string, KubeObject>();
    const closing = new AbortController();
    let current: AbortController | undefined;
    const keyed = (object: KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const tell = (event: ClusterEvent): void => {
      if (event.kind === 'set') known.set(keyed(event.object), event.object);
      else known.delete(keyed(event.object));
      listen(event);
    };
    const list = async (): Promise<string> => {
      const { code, json } = await call('GET', `${base}/${plural}`);
      if (code !== 200) throw new Error(`list ${plural}: ${code} ${JSON.stringify(json).slice(0, 300)}`);
      const { items, metadata } = json as { items: KubeObject[]; metadata: { resourceVersion: string } };
      const objects = items.map((item) => ({ ...item, apiVersion, kind }));
      const names = new Set(objects.map(keyed));
      for (const [name, object] of known) if (!names.has(name)) tell({ kind: 'removed', object });
      for (const object of objects) tell({ kind: 'set', object });
      return metadata.resourceVersion;
    };
    /** Watches until the server ends it; the version to go on from, or '' when that is too old. */
    const follow = async (from: string): Promise<string> => {
      let last = from;
      const ended = Promise.withResolvers<unknown>();
      const query = { allowWatchBookmarks: true, resourceVersion: from };
      const heard = (type: string, object: KubeObject): void => {
        last = type === 'ERROR' ? '' : (object.metadata.resourceVersion ?? last);
        if (type === 'BOOKMARK' || type === 'ERROR') return;
        tell({ kind: type === 'DELETED' ? 'removed' : 'set', object: { ...object, apiVersion, kind } });
      };
      current = await new Watch(connection.config).watch(`${base}/${plural}`, query, heard, ended.resolve);
      const error = await ended.promise;
      if (error instanceof Error && error.name !== 'TimeoutError') throw error;
      return last;
    };
    let version = await list();
    const loop = async (): Promise<void> => {
      while (!closing.signal.aborted) {
        try {
          version = await follow(version === '' ? await list() : version);
        } catch (error) {
          if (closing.signal.aborted) return;
          console.error(`# watch of ${plural}: ${String(error)}`);
          version = '';
          await sleep(1000);
        }
      }
    };
    void loop();
    return () => {
      closing.abort();
      current?.abort();
    };
  };

  return {
    watch,
    get: async (ref) => {
      const answer = result(await call('GET', pathOf(ref)));
      return answer.kind === 'done' ? answer.object : undefined;
    },
    create: async (object) => result(await call('POST', pathOf(refOf(object), true), object)),
    update: async (object) => result(await call('PUT', pathOf(refOf(object)), object)),
    updateStatus: async (object) => result(await call('PUT', `${pathOf(refOf(object))}/status`, object)),
    apply: async (object) =>
      result(
        await call(
          'PATCH',
          `${pathOf(refOf(object))}?fieldManager=metacontroller&force=true`,
          object,
          'application/apply-patch+yaml',
        ),
      ),
    remove: async (ref, uid) =>
      result(await call('DELETE', pathOf(ref), { propagationPolicy: 'Background', preconditions: { uid } })),
  };
}
