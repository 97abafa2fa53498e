import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { FlinkJobSpec } from '../../../src/api/flinkjob.ts';
import { crd } from '../../../tools/crd/crd.ts';
import { generated } from '../../../tools/crd/files.ts';
import type { JsonSchema } from '../../../tools/crd/json-schema.ts';

for (const [path, text] of generated()) {
  test(`${path} is what the schemas say (else: npm run generate)`, async () => {
    const file = await readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');
    assert.ok(file === text, `${path} is stale; run npm run generate`);
  });
}

test('the CRD is small enough for plain kubectl apply', () => {
  const bytes = Buffer.byteLength(JSON.stringify(crd()));
  assert.ok(bytes <= 220 * 1024, `${bytes} bytes as compact JSON`);
});

test('the YAML says what was generated', () => {
  assert.deepEqual(parse(generated().get('manifests/crd.yaml') ?? ''), JSON.parse(JSON.stringify(crd())));
});

test('every property of Flork’s own is described, every field of the spec with what a change does', () => {
  const schema = JSON.parse(generated().get('manifests/schema/flinkjob.json') ?? '{}') as JsonSchema;
  const spec = schema.properties?.['spec']?.properties ?? {};
  const bare: string[] = [];
  const visit = (path: string, property: JsonSchema): void => {
    if (property.description === undefined) bare.push(path);
    if (/PodSpec$|flinkConf$/.test(path)) return;
    for (const [name, child] of Object.entries(property.properties ?? {})) visit(`${path}.${name}`, child);
  };
  for (const [name, property] of Object.entries(spec)) visit(`spec.${name}`, property);
  for (const [name, property] of Object.entries(schema.properties?.['status']?.properties ?? {}))
    visit(`status.${name}`, property);
  assert.deepEqual(bare, []);
  assert.deepEqual(Object.keys(spec).toSorted(), Object.keys(FlinkJobSpec.entries).toSorted());
  for (const [name, property] of Object.entries(spec)) {
    assert.match(property.description ?? '', /change|Savepoints|Where the state/i, name);
  }
});
