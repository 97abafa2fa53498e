import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { certs } from '../../src/cli/certs.ts';
import { tenants } from '../../src/cli/tenants.ts';
import { install, kubectl, metacontrollerCrds, ROOT, skip, tryKubectl } from './cluster.ts';

const COMPONENTS = join(ROOT, 'kustomize/components');
const BASE = join(ROOT, 'kustomize/base');
/** Metacontroller comes with its rights; flink-rbac is for the namespaces of jobs and is applied by itself. */
const INCLUDES: readonly (readonly [string, string])[] = [['metacontroller', 'metacontroller-rbac']];
/** In this order: what takes a right away, pods-read, comes after what gives it. */
const names = readdirSync(COMPONENTS)
  .filter((name) => name !== 'flink-rbac')
  .toSorted();
/** Kinds of a project that the cluster need not have. */
const FOREIGN = /^(cert-manager\.io|monitoring\.coreos\.com)\//;

type Named = { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly name: string } };

describe('the components', { skip }, () => {
  const scratch = mkdtempSync(join(ROOT, 'kustomize/.check-'));
  /** Objects that the API server took once: most are the same in every pair. */
  const taken = new Set<string>();
  let made = 0;
  let remove = async (): Promise<void> => {};

  // A dry run makes nothing: what objects are put into, and Metacontroller's kinds, must be there already.
  before(async () => {
    const namespaces = ['flork-system', 'metacontroller'].map(
      (name) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`,
    );
    remove = await install([await metacontrollerCrds(), ...namespaces]);
  });
  after(async () => {
    rmSync(scratch, { recursive: true, force: true });
    await remove();
  });

  /** Base, Metacontroller's rights unless they come along, and these components; or what stands in the place of all that. */
  async function build(components: readonly string[], more: readonly string[] = [], on = BASE): Promise<string> {
    const folder = join(scratch, String(made++));
    mkdirSync(folder);
    const alone = on === BASE && !components.some((name) => name.startsWith('metacontroller'));
    const rights = alone ? ['metacontroller-rbac'] : [];
    const paths = [...rights, ...components].map((name) => relative(folder, join(COMPONENTS, name)));
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative(folder, on)],
      components: [...paths, ...more.map((path) => relative(folder, path))],
    };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return kubectl(['kustomize', folder]);
  }

  /** Whether the API server takes it; the kind FlinkJob is applied by other tests, and is by far the largest. */
  async function accepted(text: string): Promise<void> {
    const objects = parseAllDocuments(text)
      .map((document) => document.toJS() as Named)
      .filter(({ apiVersion, kind }) => !FOREIGN.test(apiVersion) && kind !== 'CustomResourceDefinition')
      .filter((object) => !taken.has(JSON.stringify(object)));
    if (objects.length === 0) return;
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    const { stderr, stdout } = await tryKubectl(
      ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'],
      list,
    );
    assert.deepEqual(
      stderr.split('\n').filter((line) => line !== ''),
      [],
    );
    assert.ok(stdout.includes('serverside-applied'));
    for (const object of objects) taken.add(JSON.stringify(object));
  }

  for (const name of names) {
    test(`${name} alone`, async () => accepted(await build([name])));
  }

  test('every pair', async () => {
    for (const [index, one] of names.entries()) {
      for (const other of names.slice(index + 1)) {
        if (INCLUDES.some((pair) => pair.includes(one) && pair.includes(other))) continue;
        const text = await build([one, other]);
        if (other === 'pods-read' || one === 'pods-read')
          assert.doesNotMatch(text, /- pods\n +verbs:\n +- get\n/, `${one}, ${other}: Metacontroller reads pods`);
        await accepted(text);
      }
    }
  });

  test('certificates by the command line, with all that can be asked of a caller', async () => {
    const folder = join(scratch, 'certs');
    assert.equal(await certs(['--component', folder, '--client']), 0);
    const text = await build(['tls', 'admission', 'token', 'mtls'], [folder]);
    await accepted(text);
    assert.match(text, /caBundle:\n\s+inline: \|/);
    assert.match(text, /caBundle: LS0tLS1CRUdJTi/);
  });

  test('on tenants: admission, and all that can be asked of a caller, by either kind of certificate', async () => {
    const [file, made, trust] = ['tenants.yaml', 'tenants', 'trust'].map((name) => join(scratch, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(file, "tenants: [{id: all, namespaces: ['*']}]");
    assert.equal(await tenants([file, '--out', made, '--client']), 0);
    assert.equal(await certs(['--ca', join(made, 'ca'), '--component', trust, '--without-secrets']), 0);
    await accepted(await build(['admission', 'token', 'mtls'], [trust], made));
    await accepted(await build(['admission', 'token', 'mtls', 'cert-manager'], [], made));
  });
});
