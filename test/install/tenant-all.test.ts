import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { crd } from '../../tools/crd/crd.ts';
import { until } from '../e2e/lib/kube.ts';
import { kubectl, skip, tryKubectl } from './cluster.ts';
import { noMetacontroller } from './metacontroller.ts';
import * as tenants from './tenant-install.ts';

const RUN = `flork-${Date.now().toString(36)}`;
const PLACES = [`${RUN}-a`, `${RUN}-b`];
const GOLDEN = join(import.meta.dirname, 'tenant-all.golden.txt');

describe('one tenant for all namespaces on an API server', { skip }, () => {
  let there = '';
  let made: tenants.TenantInstall;
  const log = (): string => [...made.metacontrollers.values()].map((one) => one.output().slice(-4000)).join('\n');

  before(async () => {
    there = await tenants.alreadyThere();
    if (there !== '') return;
    const namespaces = PLACES.map((name) => `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}}}`);
    made = await tenants.TenantInstall.begin([...namespaces, JSON.stringify(crd())]);
    const written = await tenants.writeTenants("tenants: [{id: all, namespaces: ['*']}]");
    await made.install(written);
    if (noMetacontroller === false) await made.startMetacontrollers(written);
  });
  after(() => made?.end(PLACES));

  test("Metacontroller's account may write what Flork needs everywhere, and nothing else anywhere", async (t) => {
    if (there !== '') return t.skip(there);
    const places = [...PLACES, 'default', 'flork-system', 'kube-system', 'metacontroller'];
    await tenants.rightsAsReviewed(GOLDEN, async () => {
      const lines = await tenants.rightsOf('metacontroller-all', places);
      return `${lines.join('\n').replaceAll(`${RUN}-`, '')}\n`;
    });
    return undefined;
  });

  test('/validate is answered for every namespace', async (t) => {
    if (there !== '') return t.skip(there);
    for (const place of [...PLACES, 'elsewhere'])
      assert.equal(
        await tenants.validate(made.hooks.get('flork-all')!, JSON.parse(tenants.flinkJob(place, 'x'))),
        true,
      );
    return undefined;
  });

  test('FlinkJobs of every namespace get their children, with a label of a tenant and without, and go', async (t) => {
    const why = there === '' ? noMetacontroller : there;
    if (why !== false) return t.skip(why);
    for (const [index, namespace] of PLACES.entries()) {
      await kubectl(['create', '-f', '-'], tenants.flinkJob(namespace, 'orders', index === 0 ? undefined : 'anybody'));
      await tenants.started(namespace, 'orders', log);
      const { metadata } = await tenants.get(namespace, 'flinkjob', 'orders');
      assert.deepEqual(metadata.finalizers, ['metacontroller.io/compositecontroller-flork-all']);
    }
    for (const namespace of PLACES) await kubectl(['-n', namespace, 'delete', 'flinkjob', 'orders', '--timeout=60s']);
    const none = async (): Promise<true | undefined> =>
      (await Promise.all(PLACES.map((place) => tenants.childrenOf(place, 'orders')))).flat().length === 0 || undefined;
    await until('their children go', 30, none);
    assert.equal((await tryKubectl(['get', 'validatingadmissionpolicy', 'flork-tenant'])).code, 1);
    return undefined;
  });
});
