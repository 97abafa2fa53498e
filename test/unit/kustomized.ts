import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { tenants } from '../../src/cli/tenants.ts';

/** Why tests of kustomizations are skipped: `false` where they are not. */
export const noKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0 ? false : 'no kubectl here';

const OVERLAYS = resolve(import.meta.dirname, '../../kustomize/overlays');

/** Runs `use` with a folder beside the overlays, which is taken away again. */
export async function withOverlay<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(OVERLAYS, 'test-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes into `folder`/made what `flork tenants` makes of two of them, one and two. */
export async function writeTenants(folder: string, words: readonly string[] = []): Promise<void> {
  const file = join(folder, 'tenants.yaml');
  writeFileSync(file, 'tenants: [{id: one, namespaces: [a]}, {id: two, namespaces: [b]}]\n');
  assert.equal(await tenants([file, '--out', join(folder, 'made'), ...words]), 0);
}

/** What these components make of resources. These are named as seen from `folder`, and so are components that begin with a dot; `more` is added to the kustomization. */
export function builtIn(
  folder: string,
  resources: readonly string[],
  components: readonly string[],
  more: object = {},
): any[] /* oxlint-disable-line typescript/no-explicit-any -- manifests of many shapes */ {
  const paths = components.map((name) => (name.startsWith('.') ? name : `../../components/${name}`));
  const kustomization = { kind: 'Kustomization', resources, components: paths, ...more };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  // The kind FlinkJob is by far the largest object, no component changes it, and to read it takes seconds.
  const texts = stdout.split(/^---$/m).filter((text) => !/^kind: CustomResourceDefinition$/m.test(text));
  return texts.flatMap((text) => parseAllDocuments(text)).map((document) => document.toJS());
}
