import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createApp } from '../../src/http/app.ts';
import { appHook } from '../../src/sim/hook.ts';
import { startMetacontroller, type Metacontroller } from '../../src/sim/models/metacontroller/metacontroller.ts';
import { createRandom } from '../../src/sim/models/random.ts';
import { scaledClock } from '../../src/sim/scaled-clock.ts';
import { sleep, until } from '../e2e/lib/kube.ts';
import { connectAs, realCluster } from '../e2e/lib/real-cluster.ts';
import { noTransport } from '../unit/http/hook-fixture.ts';
import {
  apply,
  install,
  kubectl,
  metacontrollerCrds,
  PRODUCTION,
  productionCerts,
  ROOT,
  skip,
  tryKubectl,
} from './cluster.ts';

const NAMESPACE = `flork-uninstall-${Date.now().toString(36)}`;
const RELEASED = '{"metadata":{"finalizers":null}}';
/** Kinds and objects that the cluster makes by itself, some of them late. */
const MOVING = /^(events|leases|componentstatuses)(\.|$)/;
const OWN = /^ServiceAccount\/kube-system\/|\/(default|kube-root-ca\.crt)$/;

/** docs/uninstall.md: the lines of its blocks of commands, comments left out. */
const [uninstall = [], metadata = []] = readFileSync(join(ROOT, 'docs/uninstall.md'), 'utf8')
  .split(/^```\n/m)
  .filter((_, index) => index % 2 === 1)
  .map((block) => block.split('\n').filter((line) => line.startsWith('kubectl ')));

/** Runs a line as a person does, in a checkout; rejects when a command of it fails, or is not done in a minute. */
async function shell(line: string): Promise<string> {
  return (await promisify(execFile)('timeout', ['60', 'bash', '-euo', 'pipefail', '-c', line], { cwd: ROOT })).stdout;
}

/** A FlinkJob whose pods no node takes: with or without nodes, they are there and never run. */
const flinkJob = (name: string): string =>
  JSON.stringify({
    apiVersion: 'flork.itom.com/v1',
    kind: 'FlinkJob',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      flinkVersion: '2.3',
      image: 'flink:2.3',
      jarURI: 'local:///opt/flink/usrlib/job.jar',
      jobManagerPodSpec: { nodeSelector: { 'flork.test/no-such-node': 'true' } },
    },
  });

/** What Flink's high availability leaves: nobody owns it. */
const METADATA = `apiVersion: v1
kind: ConfigMap
metadata:
  name: orders-cluster-config-map
  namespace: ${NAMESPACE}
  labels: {app: orders, type: flink-native-kubernetes}
`;

/** Every object of every kind, as kind/namespace/name. */
async function everything(): Promise<ReadonlySet<string>> {
  const kinds = (await kubectl(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n');
  const columns = '{range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
  const asked = kinds.filter((kind) => !MOVING.test(kind)).join(',');
  const text = await kubectl(['get', asked, '-A', '-o', `jsonpath=${columns}`]);
  return new Set(text.split('\n').filter((line) => line !== '' && !OWN.test(line)));
}

describe('docs/uninstall.md on an API server', { skip }, () => {
  let remove = async (): Promise<void> => {};
  let production = '';
  let bare: ReadonlySet<string> = new Set();
  let foreign = '';
  let metacontroller: Metacontroller | undefined;

  /** Metacontroller's model under the shipped ServiceAccount, which serves FlinkJobs for as long as the CompositeController is there. */
  async function serve(): Promise<void> {
    const hook = appHook(createApp({ transport: noTransport, now: Date.now }));
    const started = startMetacontroller({
      clock: scaledClock(Date.now(), 1),
      random: createRandom(Date.now()),
      cluster: realCluster(await connectAs('metacontroller', 'metacontroller')),
      // The hook answers while its Deployment is there.
      hook: async (call, body) => ((await isThere('deployment', 'flork')) ? hook(call, body) : { kind: 'unreachable' }),
      name: 'flork',
      strategy: 'server-side-apply',
      resyncPeriodSeconds: 60,
    });
    metacontroller = started;
    void (async () => {
      while (started.running() && (await isThere('compositecontroller', 'flork'))) await sleep(100);
      started.stop();
    })();
  }

  async function isThere(kind: string, name: string, namespace = 'flork-system'): Promise<boolean> {
    const printed = await tryKubectl(['-n', namespace, 'get', kind, name, '--ignore-not-found', '-o', 'name']);
    return printed.code === 0 && printed.stdout !== '';
  }

  /** A job with all its children, pods included. */
  async function run(name: string): Promise<void> {
    await kubectl(['create', '-f', '-'], flinkJob(name));
    await until(`the pods of ${name}`, 30, async () => {
      const pods = await kubectl(['-n', NAMESPACE, 'get', 'pods', '-l', `flork.itom.com/job=${name}`, '-o', 'name']);
      return pods.trim() === '' ? undefined : pods;
    });
    const finalizers = ['get', 'flinkjob', name, '-n', NAMESPACE, '-o', 'jsonpath={.metadata.finalizers}'];
    assert.equal(await kubectl(finalizers), '["metacontroller.io/compositecontroller-flork"]');
  }

  let removeCerts = async (): Promise<void> => {};
  before(async () => {
    removeCerts = await productionCerts();
    production = await kubectl(['kustomize', PRODUCTION]);
    if (await isThere('crd', 'flinkjobs.flork.itom.com')) {
      foreign = 'the cluster has Flork, which is not for a test to remove';
      return;
    }
    remove = await install([
      await metacontrollerCrds(),
      `{apiVersion: v1, kind: Namespace, metadata: {name: ${NAMESPACE}}}`,
    ]);
    bare = await everything();
    await apply(production);
    await serve();
    for (const name of ['orders', 'payments']) await run(name);
  });
  after(async () => {
    metacontroller?.stop();
    await removeCerts();
    if (foreign !== '') return;
    // Nothing of it is there any more, unless a test has failed.
    await tryKubectl(['-n', NAMESPACE, 'patch', 'flinkjob', 'orders', 'payments', '--type=merge', '-p', RELEASED]);
    await tryKubectl(['delete', '--ignore-not-found', '--timeout=30s', '-f', '-'], production);
    await remove();
  });

  test('out of order a FlinkJob hangs, and goes when Flork is installed again', async (t) => {
    if (foreign !== '') return t.skip(foreign);
    await kubectl(['delete', 'compositecontroller', 'flork']);
    await until('Metacontroller lets go', 10, async () => metacontroller?.running() === false || undefined);
    await kubectl(['-n', NAMESPACE, 'delete', 'flinkjob', 'orders', '--wait=false']);
    await sleep(2000);
    assert.ok(await isThere('flinkjob', 'orders', NAMESPACE), 'its finalizer holds it');

    await apply(production);
    await serve();
    await until('it goes', 30, async () => ((await isThere('flinkjob', 'orders', NAMESPACE)) ? undefined : true));
    return undefined;
  });

  test('its order leaves no object and no finalizer', async (t) => {
    if (foreign !== '') return t.skip(foreign);
    assert.equal(uninstall.length, 5, uninstall.join('\n'));
    await run('orders');
    await kubectl(['create', '-f', '-'], METADATA);

    const printed: string[] = [];
    for (const line of uninstall) printed.push(await shell(line));
    assert.match(printed[0] ?? '', /orders[^]*payments/);
    assert.equal(printed[2], '', 'FlinkJobs are gone before the kind goes');

    const [show = '', clean = ''] = metadata.map((line) => line.replaceAll('NAMESPACE', NAMESPACE));
    assert.match(await shell(show), /orders-cluster-config-map/);
    await shell(clean);
    let left: readonly string[] = [];
    const gone = async (): Promise<true | undefined> => {
      left = [...(await everything())].filter((object) => !bare.has(object));
      return left.length === 0 || undefined;
    };
    await until('nothing is left', 30, gone, async () => left.join('\n'));
    return undefined;
  });
});
