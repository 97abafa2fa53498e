import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import type { Child } from '../../src/api/kube.ts';
import { renderJob, ZERO_UID } from '../../src/cli/render.ts';
import { dynamicApply, withLastApplied } from '../../src/sim/models/apply.ts';
import { Cluster, kubectl, type KubeObject } from './lib/kube.ts';

/**
 * What is rendered, applied to a real API server in both of Metacontroller's ways, comes back such that the next apply writes nothing:
 * the three-way merge finds nothing to change, and a server-side apply leaves the resource version.
 * The first cluster of KUBECONFIG is used, in a namespace of its own.
 */
const NAMESPACE = 'render-test';
const GOLDEN = join(import.meta.dirname, '../golden');
const PLURALS: Readonly<Record<string, string>> = { Ingress: 'ingresses', NetworkPolicy: 'networkpolicies' };
const skip = process.env['KUBECONFIG'] === undefined && 'no KUBECONFIG';

let cluster: Cluster;
before(async () => {
  if (skip) return;
  await kubectl(['create', 'namespace', NAMESPACE]);
  cluster = await Cluster.connect();
});
after(async () => {
  if (skip) return;
  await cluster[Symbol.asyncDispose]();
  await kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']);
});

for (const scenario of readdirSync(GOLDEN, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  test(`settles on a real API server: ${scenario.name}`, { skip }, async () => {
    for (const child of childrenOf(scenario.name)) {
      // Kinds of other projects need not be there.
      if ((await cluster.call('GET', `/${groupOf(child)}`)).status === 404) continue;
      await settlesMerged(child);
      await settlesServerSide(child);
    }
  });
}

/** The scenario's children, in the test's namespace, at 0 replicas: nothing is to run. */
function childrenOf(scenario: string): readonly Child[] {
  const job = parse(readFileSync(join(GOLDEN, scenario, 'job.yaml'), 'utf8'));
  const rendered = renderJob({ ...job, metadata: { ...job.metadata, namespace: NAMESPACE } }, ZERO_UID);
  assert.equal(rendered.kind, 'children');
  const children = rendered.kind === 'children' ? rendered.children : [];
  assert.ok(children.length >= 7);
  return children.map((child) =>
    child.kind === 'Deployment' ? { ...child, spec: { ...(child['spec'] as object), replicas: 0 } } : child,
  );
}

async function settlesMerged(child: Child): Promise<void> {
  const { collection, path } = pathsOf(child);
  const desired = child as unknown as Parameters<typeof withLastApplied>[0];
  const created = await cluster.call('POST', collection, withLastApplied(desired));
  try {
    assert.equal(created.status, 201, `${child.metadata.name}: ${created.text}`);
    const observed = JSON.parse(created.text) as Parameters<typeof dynamicApply>[0];
    assert.deepEqual(
      dynamicApply(observed, desired),
      observed,
      `${child.kind} ${child.metadata.name}: dynamic apply would write again`,
    );
  } finally {
    await remove(path);
  }
}

async function settlesServerSide(child: Child): Promise<void> {
  const { path } = pathsOf(child);
  const apply = async (): Promise<KubeObject> => {
    const answer = await cluster.call(
      'PATCH',
      `${path}?fieldManager=metacontroller&force=true`,
      child,
      'application/apply-patch+yaml',
    );
    assert.ok(answer.status === 200 || answer.status === 201, `${child.metadata.name}: ${answer.text}`);
    return JSON.parse(answer.text) as KubeObject;
  };
  try {
    const [first, second] = [await apply(), await apply()];
    assert.deepEqual(written(second), written(first), `${child.metadata.name} is written again`);
  } finally {
    await remove(path);
  }
}

/** Kinds that the cluster's own controllers report on as soon as one is made. */
const REPORTED = new Set(['Deployment', 'PodDisruptionBudget']);

/** What tells a write by an apply from a report. */
function written({ kind, metadata: { generation, managedFields, resourceVersion } }: KubeObject): unknown {
  const applied = managedFields?.filter(({ manager }) => manager === 'metacontroller');
  return { applied, generation, version: REPORTED.has(kind ?? '') ? undefined : resourceVersion };
}

function groupOf({ apiVersion }: Child): string {
  return apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
}

function pathsOf(child: Child): { readonly collection: string; readonly path: string } {
  const collection = `/${groupOf(child)}/namespaces/${NAMESPACE}/${PLURALS[child.kind] ?? `${child.kind.toLowerCase()}s`}`;
  return { collection, path: `${collection}/${child.metadata.name}` };
}

async function remove(path: string): Promise<void> {
  await cluster.call('DELETE', path);
  for (let left = 200; (await cluster.find(path)) !== undefined; left -= 1) assert.ok(left > 0, `${path} stays`);
}
