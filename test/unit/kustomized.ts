import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';

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

/** What these components make of resources, which are named as seen from `folder`. */
export function builtIn(
  folder: string,
  resources: readonly string[],
  components: readonly string[],
): any[] /* oxlint-disable-line typescript/no-explicit-any -- manifests of many shapes */ {
  const paths = components.map((name) => `../../components/${name}`);
  const kustomization = { kind: 'Kustomization', resources, components: paths };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}
