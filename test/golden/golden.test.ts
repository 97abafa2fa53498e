import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { print, renderJob, ZERO_UID } from '../../src/cli/render.ts';

/** One folder a scenario: job.yaml and the children it gets, byte for byte. `UPDATE_GOLDEN=1` writes them anew; read the diff. */
const scenarios = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

for (const { name } of scenarios) {
  test(`golden: ${name}`, async () => {
    const folder = join(import.meta.dirname, name);
    const rendered = renderJob(parse(await readFile(join(folder, 'job.yaml'), 'utf8')), ZERO_UID);
    assert.equal(rendered.kind, 'children', JSON.stringify(rendered));
    const text = rendered.kind === 'children' ? print(rendered, ZERO_UID) : '';
    const file = join(folder, 'children.yaml');
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(file, text);
    assert.equal(text, await readFile(file, 'utf8'));
  });
}
