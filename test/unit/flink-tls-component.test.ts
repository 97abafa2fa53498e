import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { builtIn, noKubectl, withOverlay, writeTenants } from './kustomized.ts';

type Named = { readonly name: string };
type Workload = {
  readonly kind: string;
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly (Named & { readonly secret?: { readonly secretName: string } })[];
        readonly containers: readonly [
          {
            readonly env: readonly (Named & { readonly value?: string })[];
            readonly volumeMounts: readonly (Named & { readonly mountPath: string })[];
          },
        ];
      };
    };
  };
};

test('the component flink-tls gives every hook the identity of one Secret', { skip: noKubectl }, async () => {
  await withOverlay(async (folder) => {
    const deployments = (resource: string): readonly Workload[] =>
      builtIn(folder, [resource], ['flink-tls']).filter(({ kind }) => kind === 'Deployment');
    await writeTenants(folder);
    const [alone, ...others] = deployments('../../base');
    assert.ok(alone !== undefined && others.length === 0);
    const ofTenants = deployments('made');
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
  });
});
