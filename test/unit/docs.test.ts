import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { REASONS } from '../../src/api/reasons.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const pages = [...globSync('*.md', { cwd: ROOT }), ...globSync('{docs,examples}/**/*.md', { cwd: ROOT })];

describe('the runbook', () => {
  const sections = new Map(
    read('docs/runbook.md')
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.split('\n')[0] ?? '', section]),
  );

  for (const reason of Object.keys(REASONS)) {
    test(`says what ${reason} means, how to check it and what to do`, () => {
      const section = sections.get(reason) ?? assert.fail('no section');
      for (const part of ['**Meaning.**', '**Check.**', '**Remedy.**']) assert.ok(section.includes(part), part);
    });
  }

  test('has no section for a reason that does not exist', () => {
    for (const name of sections.keys()) assert.ok(name in REASONS, name);
  });
});

describe('the documents', () => {
  for (const page of pages) {
    test(`${page} links to files that exist`, () => {
      for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
        assert.ok(existsSync(join(ROOT, dirname(page), target)), target);
      }
    });
  }

  test('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const page of pages) {
      for (const [, script = ''] of read(page).matchAll(/npm run ([a-z][a-z0-9:-]*)/g))
        assert.ok(script in scripts, `${page}: npm run ${script}`);
    }
  });
});
