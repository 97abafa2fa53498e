import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

const CLI = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
const COMPONENT = fileURLToPath(new URL('../../../kustomize/components/tenant-profile/', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'flork-profile-'));
after(() => rmSync(root, { recursive: true }));

const shipped = readFileSync(join(COMPONENT, 'profile.yaml'), 'utf8');
const objects = (file: string): unknown[] =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());

function profile(input: string, ...args: string[]) {
  return spawnSync(process.execPath, [CLI, 'profile', '-', ...args], { input, encoding: 'utf8' });
}

describe('flork profile', () => {
  it('writes the shipped component for the shipped lists', () => {
    const folder = join(root, 'same');
    const { status, stdout } = profile(shipped, '--out', folder);
    assert.deepEqual([status, stdout], [0, `components: [${folder}]\n`]);
    for (const file of readdirSync(COMPONENT))
      assert.deepEqual(objects(join(folder, file)), objects(join(COMPONENT, file)), file);
  });

  it('gives other lists to the ConfigMap and to every policy', () => {
    const folder = join(root, 'other');
    const edited = shipped.replace('secretPrefixes: flink-', 'secretPrefixes: team-a-, team-b-');
    assert.equal(profile(edited, '--out', folder).status, 0);
    const { data } = parse(readFileSync(join(folder, 'profile.yaml'), 'utf8')) as { data: Record<string, string> };
    assert.equal(data['secretPrefixes'], 'team-a-, team-b-');
    type Policy = { kind: string; spec: { variables: { name: string; expression: string }[] } };
    const policies = (objects(join(folder, 'policy.yaml')) as Policy[]).filter(
      ({ kind }) => kind === 'ValidatingAdmissionPolicy',
    );
    assert.equal(policies.length, 3);
    for (const { spec } of policies) {
      const found = spec.variables.find(({ name }) => name === 'list_secretPrefixes');
      assert.equal(found?.expression, '["team-a-","team-b-"]');
    }
  });

  it('says what is wrong with the lists, and writes nothing', () => {
    const folder = join(root, 'wrong');
    for (const [input, line] of [
      ['kind: Pod', 'is not ConfigMap flork-tenant-profile'],
      [shipped.replace('serviceTypes:', 'serviceType:'), 'serviceType: is no list; want one of'],
      [shipped.replace('projected, secret', 'hostPath'), 'volumeKinds: has hostPath; want'],
      [shipped.replace('serviceTypes: ClusterIP', 'serviceTypes: [ClusterIP]'), 'data.serviceTypes: is no text'],
    ] as const) {
      const { status, stderr } = profile(input, '--out', folder);
      assert.equal(status, 1);
      assert.ok(stderr.includes(line), stderr);
    }
    assert.throws(() => readdirSync(folder));
  });

  it('explains itself, and exits 2 where it cannot do its work', () => {
    assert.match(spawnSync(process.execPath, [CLI, 'profile', '--help'], { encoding: 'utf8' }).stdout, /^usage: /);
    assert.equal(profile(shipped).status, 2);
    assert.equal(profile(shipped, '--out', '/dev/null/folder').status, 2);
  });
});
