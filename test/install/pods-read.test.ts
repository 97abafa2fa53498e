import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { crd } from '../../tools/crd/crd.ts';
import { until } from '../e2e/lib/kube.ts';
import { kubectl, ROOT, skip, tryKubectl } from './cluster.ts';
import { linesOf } from './hook-process.ts';
import { noMetacontroller } from './metacontroller.ts';
import {
  alreadyThere,
  childrenOf,
  flinkJob,
  get,
  settled,
  started,
  TenantInstall,
  type Written,
} from './tenant-install.ts';

/** A Metacontroller without any right to pods, and a Flork that lists them (docs/adr/0061). */

const HOME = `flork-${Date.now().toString(36)}-pods`;
const FLORK = 'system:serviceaccount:flork-system:flork';
const METACONTROLLER = 'system:serviceaccount:metacontroller:metacontroller';
const BINDING = ['clusterrolebinding', 'flork-pods-read'];

/** What kustomize makes of the base, Metacontroller and the component. */
async function built(): Promise<Written['objects']> {
  const folder = mkdtempSync(join(ROOT, 'kustomize/.check-'));
  try {
    const at = (path: string): string => relative(folder, join(ROOT, 'kustomize', path));
    const components = ['components/metacontroller', 'components/pods-read'].map(at);
    const kustomization = { kind: 'Kustomization', resources: [at('base')], components };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    const documents = parseAllDocuments(await kubectl(['kustomize', folder]));
    return documents.map((document) => document.toJS() as Written['objects'][number]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the kubelet gives a container: where the API server is, and a folder with the token of its ServiceAccount and the CA. */
async function inCluster(root: string): Promise<readonly { readonly name: string; readonly value: string }[]> {
  const folder = join(root, 'service-account');
  mkdirSync(folder, { recursive: true });
  const token = await kubectl(['-n', 'flork-system', 'create', 'token', 'flork', '--duration=1h']);
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
  const ca = ['get', 'configmap', 'kube-root-ca.crt', '-o', String.raw`jsonpath={.data.ca\.crt}`];
  writeFileSync(join(folder, 'ca.crt'), await kubectl(['-n', 'default', ...ca]));
  // Behind the Service, which is for pods: its certificate is for this address, which need not be that of KUBECONFIG.
  const where = 'jsonpath={.endpoints[0].addresses[0]} {.ports[0].port}';
  const [host = '', port = ''] = (
    await kubectl(['-n', 'default', 'get', 'endpointslice', 'kubernetes', '-o', where])
  ).split(' ');
  return [
    { name: 'KUBERNETES_SERVICE_HOST', value: host },
    { name: 'KUBERNETES_SERVICE_PORT', value: port },
    { name: 'SERVICE_ACCOUNT_DIR', value: folder },
  ];
}

// oxlint-disable-next-line typescript/no-explicit-any -- a Deployment as kustomize builds it
function withVariables(deployment: any, more: readonly object[]): Written['objects'][number] {
  const copy = structuredClone(deployment);
  copy.spec.template.spec.containers[0].env.push(...more);
  return copy;
}

describe('pods that Flork reads, on an API server', { skip }, () => {
  let there = '';
  let made: TenantInstall;
  const log = (): string =>
    [...made.metacontrollers.values(), ...made.hooks.values()].map((one) => one.output().slice(-4000)).join('\n');
  const message = async (): Promise<string> => String((await get(HOME, 'flinkjob', 'orders')).status?.message);

  before(async () => {
    there = await alreadyThere();
    if (there !== '') return;
    const account = '{apiVersion: v1, kind: ServiceAccount, metadata: {name: flork, namespace: flork-system}}';
    const namespaces = ['flork-system', HOME].map(
      (name) => `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}}}`,
    );
    made = await TenantInstall.begin([...namespaces, account, JSON.stringify(crd())]);
    const variables = await inCluster(made.folder);
    const objects = (await built()).map((one) => (one.kind === 'Deployment' ? withVariables(one, variables) : one));
    const written: Written = { folder: made.folder, lines: [], secrets: undefined, objects };
    await made.install(written);
    if (noMetacontroller === false) await made.startMetacontrollers(written);
  });
  after(() => made?.end([HOME]));

  const real = (t: TestContext): boolean => {
    const why = there === '' ? noMetacontroller : there;
    if (why !== false) t.skip(why);
    return why === false;
  };

  test('Metacontroller has no right to pods, and Flork that of listing them and no other', async (t) => {
    if (there !== '') return t.skip(there);
    const may = async (as: string, verb: string, resource: string): Promise<string> =>
      (await tryKubectl(['auth', 'can-i', verb, resource, '--all-namespaces', `--as=${as}`])).stdout.trim();
    const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
    for (const verb of verbs) {
      assert.equal(await may(METACONTROLLER, verb, 'pods'), 'no', verb);
      assert.equal(await may(FLORK, verb, 'pods'), verb === 'list' ? 'yes' : 'no', verb);
      assert.equal(await may(FLORK, verb, 'secrets'), 'no', verb);
    }
    assert.equal(await may(METACONTROLLER, 'watch', 'namespaces'), 'yes');
    return undefined;
  });

  test('a FlinkJob gets its children, and what a pod tells is in its message', async (t) => {
    if (!real(t)) return;
    await kubectl(['create', '-f', '-'], flinkJob(HOME, 'orders'));
    await started(HOME, 'orders', log);
    const jobManager = await get(HOME, 'deployment', 'orders-jobmanager');
    const { template } = jobManager.spec as { readonly template: { readonly metadata: object } };
    // Beside those of the Deployment, which no node takes: nobody but this test says how it is.
    const spec = { schedulerName: 'nobody', containers: [{ name: 'flink-main-container', image: 'flink:2.3' }] };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: 'a-pod', namespace: HOME },
      spec,
    };
    await kubectl(['create', '-f', '-'], JSON.stringify(pod));
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image here' };
    const container = { name: 'flink-main-container', image: 'flink:2.3', imageID: '', ready: false, restartCount: 0 };
    const status = { phase: 'Pending', containerStatuses: [{ ...container, state: { waiting } }] };
    await kubectl(['-n', HOME, 'patch', 'pod', 'a-pod', '--subresource=status', '-p', JSON.stringify({ status })]);
    const named = async (): Promise<true | undefined> => (await message()).includes('no such image here') || undefined;
    await until('the pod is named', 30, named, async () => `${await message()}\n${log()}`);
    await kubectl(['-n', HOME, 'delete', 'pod', 'a-pod', '--force', '--grace-period=0']);
    const over = async (): Promise<true | undefined> => !(await message()).includes('no such image here') || undefined;
    await until('it is gone', 90, over, async () => `${await message()}\n${log()}`);
  });

  test('without that right nothing changes, and whoever looks is told which is missing', async (t) => {
    if (!real(t)) return;
    const before = await settled(HOME, 'orders');
    const binding = await kubectl(['get', ...BINDING, '-o', 'json']);
    await kubectl(['delete', ...BINDING]);
    const suspend = '{"spec":{"state":"suspended"}}';
    const refusals = (): number =>
      made.hooks
        .get('flork')!
        .output()
        .split('\n')
        .filter((line) => line.includes('"pods-unread"')).length;
    // The API server takes a moment to see the role gone.
    await until('the pods cannot be read', 30, async () => {
      await kubectl(['-n', HOME, 'annotate', 'flinkjob', 'orders', '--overwrite', `x=${Date.now()}`]);
      return refusals() > 0 || undefined;
    });
    await kubectl(['-n', HOME, 'patch', 'flinkjob', 'orders', '--type=merge', '-p', suspend]);
    const seen = refusals();
    await until(
      'and then neither',
      90,
      async () => refusals() > seen + 2 || undefined,
      async () => log(),
    );
    assert.deepEqual(await settled(HOME, 'orders'), before);
    const says = `Flork has no right to list pods in namespace ${HOME}; the API server answers 403: pods is forbidden: User "${FLORK}" cannot list resource "pods"`;
    const refused = linesOf(made.hooks.get('flork')!).filter(({ rule }) => rule === 'pods-unread');
    assert.ok(String(refused[0]?.['why']).includes(says), String(refused[0]?.['why']));
    const events = await kubectl(['-n', HOME, 'get', 'events', '-o', 'json']);
    assert.ok(events.includes(`Flork has no right to list pods in namespace ${HOME}`), events.slice(0, 2000));
    const { metadata, roleRef, subjects, apiVersion, kind } = JSON.parse(binding) as Record<string, object>;
    const again = { apiVersion, kind, metadata: { name: (metadata as { name: string }).name }, roleRef, subjects };
    await kubectl(['create', '-f', '-'], JSON.stringify(again));
    const state = async (): Promise<true | undefined> =>
      (await get(HOME, 'flinkjob', 'orders')).status?.state === 'Suspended' || undefined;
    await until('it is suspended', 120, state, async () => `${await message()}\n${log()}`);
  });

  test('and a FlinkJob goes without a trace', async (t) => {
    if (!real(t)) return;
    await kubectl(['-n', HOME, 'delete', 'flinkjob', 'orders', '--timeout=120s']);
    assert.deepEqual(await childrenOf(HOME, 'orders'), []);
  });
});
