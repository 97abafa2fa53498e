import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { tenants } from '../../src/cli/tenants.ts';
import { readConfig } from '../../src/config.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const kubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0 ? false : 'no kubectl here';

type Workload = {
  readonly kind: string;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
        readonly containers: readonly [
          {
            readonly env: readonly { readonly name: string; readonly value?: string }[];
            readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
          },
        ];
      };
    };
  };
};

/** The Deployments that the component makes of a resource. */
function deployments(folder: string, resource: string): readonly Workload[] {
  const kustomization = { kind: 'Kustomization', resources: [resource], components: ['../../components/flink-tls'] };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Workload)
    .filter(({ kind }) => kind === 'Deployment');
}

test('the component flink-tls gives every hook the identity of one Secret', { skip: kubectl }, async () => {
  const folder = mkdtempSync(join(ROOT, 'kustomize/overlays/test-'));
  try {
    writeFileSync(join(folder, 'tenants.yaml'), 'tenants: [{id: one, namespaces: [a]}, {id: two, namespaces: [b]}]\n');
    assert.equal(await tenants([join(folder, 'tenants.yaml'), '--out', join(folder, 'made')]), 0);
    const [alone, ...others] = deployments(folder, '../../base');
    assert.ok(alone !== undefined && others.length === 0);
    const ofTenants = deployments(folder, 'made');
    assert.equal(ofTenants.length, 2);
    for (const { spec } of [alone, ...ofTenants]) {
      const { volumes, containers } = spec.template.spec;
      const env = Object.fromEntries(containers[0].env.map(({ name, value }) => [name, value]));
      assert.ok(env['FLORK_NAMESPACES'] !== undefined, 'what it had is kept');
      const mount = containers[0].volumeMounts.find(({ name }) => name === 'flink-tls');
      const volume = volumes.find(({ name }) => name === 'flink-tls');
      assert.equal(volume?.secret?.secretName, 'flork-flink-tls');
      const read = readConfig(env);
      assert.ok(read.kind === 'config');
      const { caFile, certFile, keyFile } = read.config.flink;
      const files = ['ca.crt', 'tls.crt', 'tls.key'].map((file) => `${mount?.mountPath}/${file}`);
      assert.deepEqual([caFile, certFile, keyFile], files);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
