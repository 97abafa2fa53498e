import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import {
  apply,
  held,
  install,
  kubectl,
  metacontrollerCrds,
  nameOf,
  PRODUCTION,
  productionCerts,
  ROOT,
  skip,
  tryKubectl,
  type KubeObject,
} from './cluster.ts';

// Changed by controllers of the cluster at any time.
const MOVING = new Set(['Deployment', 'PodDisruptionBudget']);
const METACONTROLLER = 'system:serviceaccount:metacontroller:metacontroller';

/** What an apply could have changed of an object: all but what controllers write. */
function applied(object: KubeObject): unknown {
  const { resourceVersion, managedFields = [], annotations, ...metadata } = object.metadata;
  const { 'deployment.kubernetes.io/revision': _, ...kept } = annotations ?? {};
  const ours = managedFields.filter((entry) => entry.operation === 'Apply' && entry.subresource === undefined);
  const version = MOVING.has(object.kind) ? {} : { resourceVersion };
  return {
    ...object,
    status: undefined,
    metadata: { ...metadata, ...version, annotations: kept, managedFields: ours },
  };
}

async function mayDo(verb: string, resource: string, namespace = 'default'): Promise<boolean> {
  const printed = await tryKubectl(['auth', 'can-i', verb, resource, '-n', namespace, '--as', METACONTROLLER]);
  return printed.stdout.trim() === 'yes';
}

describe('installation on a real cluster', { skip }, () => {
  let production = '';
  let warnings = '';
  let remove = async (): Promise<void> => {};
  let removeCerts = async (): Promise<void> => {};

  before(async () => {
    removeCerts = await productionCerts();
    production = await kubectl(['kustomize', PRODUCTION]);
    remove = await install([await metacontrollerCrds(), production]);
    warnings = (await tryKubectl(['apply', '--server-side', '--dry-run=server', '-f', '-'], production)).stderr;
  });
  after(async () => {
    await remove();
    await removeCerts();
  });

  test('applying the production overlay a second time changes nothing', async () => {
    // The API server rewrites the field manager's time of a new ValidatingAdmissionPolicy once, at its first repetition.
    await apply(production);
    const first = await held(production);
    await apply(production);
    const second = await held(production);
    assert.deepEqual(first.map(nameOf), second.map(nameOf));
    for (const [index, object] of first.entries())
      assert.deepEqual(applied(second[index]!), applied(object), nameOf(object));
    assert.equal(first.length, production.split(/^kind: /m).length - 1);
  });

  test('the API server warns of nothing, Pod Security included', () => {
    assert.equal(warnings, '');
  });

  test('a pod of the hook is admitted under restricted Pod Security', async () => {
    const deployment = JSON.parse(
      await kubectl(['-n', 'flork-system', 'get', 'deployment', 'flork', '-o', 'json']),
    ) as {
      spec: { template: { metadata: object; spec: object } };
    };
    const { template } = deployment.spec;
    const pod = { apiVersion: 'v1', kind: 'Pod', ...template, metadata: { ...template.metadata, name: 'flork-probe' } };
    await kubectl(['-n', 'flork-system', 'create', '--dry-run=server', '-f', '-'], JSON.stringify(pod));
  });

  test('the dev overlay with its own Metacontroller is accepted', async () => {
    const dev = await kubectl(['kustomize', 'kustomize/overlays/dev']);
    const printed = await tryKubectl(
      ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'],
      dev,
    );
    assert.equal(printed.code, 0, printed.stderr);
    assert.match(printed.stdout, /statefulset\.apps\/metacontroller/);
  });

  test('the component for Flink is accepted in any namespace', async () => {
    const yaml = await kubectl(['kustomize', 'kustomize/components/flink-rbac']);
    await kubectl(['-n', 'default', 'apply', '--server-side', '--dry-run=server', '-f', '-'], yaml);
  });

  test('the CompositeController is held as written, nothing pruned', async () => {
    const [written] = parseAllDocuments(production)
      .map((one) => one.toJS() as KubeObject)
      .filter(({ kind }) => kind === 'CompositeController');
    const stored = JSON.parse(await kubectl(['get', 'compositecontroller', 'flork', '-o', 'json'])) as KubeObject;
    assert.deepEqual(stored.spec, written?.spec);
    assert.match(JSON.stringify(stored.spec), /"url":"https:.*|"inline":"-----BEGIN CERTIFICATE/);
  });

  for (const [what, from, to] of [
    ['an unknown update strategy', 'method: InPlace', 'method: Sometimes'],
    ['an unknown hook version', 'version: v2', 'version: v9'],
    ['a misspelt field', 'generateSelector', 'generateSelektor'],
  ] as const) {
    test(`Metacontroller's own schema refuses ${what}`, async () => {
      const written = await readFile(resolve(ROOT, 'metacontroller/composite-controller.yaml'), 'utf8');
      const edited = written.replace('name: flork #', 'name: flork-edited #').replace(from, to);
      const printed = await tryKubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], edited);
      assert.notEqual(printed.code, 0, `${printed.stdout} was accepted`);
    });
  }

  test('the cluster accepts every example and the FlinkJob of the README, with no unknown field', async () => {
    const readme = (await readFile(resolve(ROOT, 'README.md'), 'utf8')).split('```yaml')[1]?.split('```')[0] ?? '';
    const create = ['-n', 'default', 'create', '--dry-run=server', '--validate=strict', '-f'];
    assert.match(await kubectl([...create, '-'], readme), /flinkjob/);
    for (const file of globSync('examples/*.yaml', { cwd: ROOT })) await kubectl([...create, file]);
  });

  test('Metacontroller may do what Flork needs of it', async () => {
    for (const kind of ['configmaps', 'services', 'deployments.apps']) {
      for (const verb of ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'])
        assert.ok(await mayDo(verb, kind), `${verb} ${kind}`);
    }
    for (const kind of [
      'pods',
      'namespaces',
      'compositecontrollers.metacontroller.k8s.io',
      'customresourcedefinitions.apiextensions.k8s.io',
    ]) {
      for (const verb of ['get', 'list', 'watch']) assert.ok(await mayDo(verb, kind), `${verb} ${kind}`);
    }
    assert.ok(await mayDo('update', 'flinkjobs.flork.itom.com'));
    assert.ok(await mayDo('update', 'flinkjobs.flork.itom.com/status'));
    assert.ok(await mayDo('create', 'events'));
    assert.ok(await mayDo('update', 'leases.coordination.k8s.io', 'metacontroller'));
  });

  test('and nothing beyond it, where no other grant says so', async (t) => {
    const bindings = await kubectl(['get', 'clusterrolebinding', 'metacontroller', '--ignore-not-found', '-o', 'name']);
    if (bindings !== '') return t.diagnostic("Metacontroller's own binding grants everything here");
    for (const kind of ['secrets', 'pods', 'namespaces', 'clusterroles.rbac.authorization.k8s.io']) {
      for (const verb of ['create', 'update', 'delete']) assert.ok(!(await mayDo(verb, kind)), `${verb} ${kind}`);
    }
    for (const verb of ['get', 'list', 'watch']) assert.ok(!(await mayDo(verb, 'secrets')), `${verb} secrets`);
    for (const verb of ['create', 'delete'])
      assert.ok(!(await mayDo(verb, 'flinkjobs.flork.itom.com')), `${verb} flinkjobs`);
    assert.ok(!(await mayDo('create', 'pods/exec')));
    return undefined;
  });
});
