import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Cluster as ModelledCluster } from '../../src/sim/models/cluster.ts';
import type { KubeObject } from '../../src/sim/models/objects.ts';
import { crd } from '../../tools/crd/crd.ts';
import { STORIES, type Stage } from '../contract/control-plane.ts';
import { Cluster, until } from '../e2e/lib/kube.ts';
import { connectAs, realCluster } from '../e2e/lib/real-cluster.ts';
import { install, kubectl, skip } from './cluster.ts';

/** The contract of the control plane told to the API server of KUBECONFIG and its controllers. No pod needs to run for it. */

const HOME = `flork-contract-${Date.now().toString(36)}`;
const NAMESPACE = `${HOME}-stage`;
const ACCOUNT = 'contract';

const named = (kind: string, name: string, more: object = {}, namespace = {}): object => ({
  apiVersion: kind.startsWith('ClusterRole') ? 'rbac.authorization.k8s.io/v1' : 'v1',
  kind,
  metadata: { name, ...namespace },
  ...more,
});
const SETUP = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    named('Namespace', HOME),
    named('Namespace', NAMESPACE),
    named('ServiceAccount', ACCOUNT, {}, { namespace: HOME }),
    named('ClusterRoleBinding', HOME, {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: HOME }],
    }),
  ],
};

describe('a real control plane keeps the contract', { skip, concurrency: false }, () => {
  let stage: Stage;
  let plain: Cluster;
  let remove = async (): Promise<void> => {};

  before(async () => {
    remove = await install([JSON.stringify(crd())]);
    await kubectl(['apply', '-f', '-'], JSON.stringify(SETUP));
    plain = await Cluster.connect();
    const cluster = realCluster(await connectAs(HOME, ACCOUNT));
    stage = { cluster, namespace: NAMESPACE, until, removeForeground, exhaustQuota, podsOf };
  });
  after(async () => {
    await plain[Symbol.asyncDispose]();
    await kubectl(['delete', '-f', '-', '--ignore-not-found', '--timeout=120s'], JSON.stringify(SETUP));
    await remove();
  });

  async function removeForeground({ kind, name }: Parameters<ModelledCluster['get']>[0]): Promise<void> {
    await kubectl(['-n', NAMESPACE, 'delete', kind, name, '--cascade=foreground', '--wait=false']);
  }

  async function exhaustQuota(): Promise<() => Promise<void>> {
    const path = `/api/v1/namespaces/${NAMESPACE}/resourcequotas/full`;
    const quota = named('ResourceQuota', 'full', { spec: { hard: { configmaps: '0' } } }, { namespace: NAMESPACE });
    await kubectl(['apply', '-f', '-'], JSON.stringify(quota));
    await until('the quota is counted', 60, async () =>
      (await plain.find(path))?.status?.used === undefined ? undefined : true,
    );
    return async () => void (await kubectl(['-n', NAMESPACE, 'delete', 'resourcequota', 'full']));
  }

  async function podsOf({ metadata }: KubeObject): Promise<readonly KubeObject[]> {
    const { status, text } = await plain.call('GET', `/api/v1/namespaces/${NAMESPACE}/pods`);
    assert.equal(status, 200, text);
    const { items } = JSON.parse(text) as { items: KubeObject[] };
    return items
      .filter((pod) => pod.metadata.labels?.['app'] === metadata.name)
      .map((pod) => ({ ...pod, apiVersion: 'v1', kind: 'Pod' }));
  }

  for (const [what, run] of STORIES) test(what, () => run(stage));
});
