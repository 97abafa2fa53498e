import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { judge } from '../../../src/core/platform/judge.ts';
import { renderEpoch } from '../../../src/core/build/epoch.ts';
import { loadDecorators } from '../../../src/plugins/decorators.ts';
import { loadPlatform } from '../../../src/plugins/platform.ts';
import { scratch } from '../../scratch.ts';

type Made = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Record<string, string>;
};

const EXAMPLES = resolve(import.meta.dirname, '../../../examples/platform');
const REF = { name: 'wordcount', namespace: 'team', uid: 'uid' };

function folder(files: Readonly<Record<string, string>>): string {
  const path = scratch('decorators');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const module = (name: string, priority: number, body = 'podSpec = (spec) => spec') =>
  `export const name = '${name}', priority = ${priority};\nexport const ${body};\n`;

describe('decorators are loaded', () => {
  test('by priority, then by name', async () => {
    const files = {
      'a.mjs': module('last', 20),
      'b.js': module('second', 10),
      'c.mjs': module('first', 10),
      'd.txt': 'no module',
    };
    const loaded = await loadDecorators(folder(files));
    assert.deepEqual(
      loaded.map(({ name }) => name),
      ['first', 'second', 'last'],
    );
  });

  test('from a mounted ConfigMap', async () => {
    const path = folder({});
    mkdirSync(join(path, '..2026'));
    writeFileSync(join(path, '..2026', 'one.mjs'), module('one', 1));
    symlinkSync('..2026', join(path, '..data'));
    symlinkSync('..data/one.mjs', join(path, 'one.mjs'));
    assert.equal((await loadDecorators(path)).length, 1);
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['does not parse', 'export const name = ;', /^bad\.mjs: cannot be loaded: /],
    ['throws', 'throw new Error("boom")', /^bad\.mjs: cannot be loaded: boom/],
    ['has no name', 'export const priority = 1; export const podSpec = (s) => s;', /name is absent/],
    ['has a long name', module('x'.repeat(64), 1), /name is "x+"; want a-z/],
    ['has no priority', "export const name = 'a'; export const podSpec = (s) => s;", /priority is absent/],
    ['has half a priority', module('a', 0.5), /priority is 0\.5; want a whole number/],
    ['misspells a function', module('a', 1, 'podspec = (s) => s'), /exports podspec; want name, priority/],
    ['has a text for a function', module('a', 1, "podSpec = 's'"), /podSpec is a string; want a function/],
    ['does nothing', "export const name = 'a', priority = 1;", /neither flinkConf nor podSpec/],
    [
      'reads the clock',
      module('a', 1, 'flinkConf = (c) => ({ ...c, now: String(Date.now() - (Date.now() % 60000)) })'),
      /two results/,
    ],
    [
      'reads the date',
      module('a', 1, 'podSpec = (s) => ({ ...s, hostname: new Date().toISOString().slice(0, 10) })'),
      /two results/,
    ],
    ['throws dice', module('a', 1, 'flinkConf = (c) => ({ ...c, x: String(Math.random()) })'), /two results/],
    ['counts', module('a', 1, 'flinkConf = ((n) => (c) => ({ ...c, n: n++ }))(0)'), /two results/],
  ];
  for (const [what, text, said] of wrong) {
    test(`but not one that ${what}`, async () => {
      await assert.rejects(loadDecorators(folder({ 'bad.mjs': text })), (error: Error) => said.test(error.message));
    });
  }

  test('but not two of one name', async () => {
    const files = { 'a.mjs': module('same', 1), 'b.mjs': module('same', 2) };
    await assert.rejects(loadDecorators(folder(files)), /b\.mjs: name same is that of another decorator/);
  });

  test('although they fail for a sample: that is told to the FlinkJobs that it is true of', async () => {
    const text = module(
      'picky',
      1,
      "podSpec = (s, { florkConf }) => { if (!florkConf.owner) throw new Error('no owner'); return s; }",
    );
    const platform = { defaults: [], decorators: await loadDecorators(folder({ 'a.mjs': text })) };
    const [finding] = judge(platform, REF, { image: 'flink:2.3' });
    assert.match(finding?.is ?? '', /threw Error: no owner/);
    assert.deepEqual(judge(platform, REF, { image: 'flink:2.3', florkConf: { owner: 'me' } }), []);
  });

  test('and the true clock is back afterwards', async () => {
    await loadDecorators(folder({ 'a.mjs': module('a', 1) }));
    assert.ok(Math.abs(Date.now() - performance.timeOrigin - performance.now()) < 3_600_000);
  });
});

test('how long a decorator takes is counted under its name', async () => {
  const took: string[] = [];
  const decoratorsDir = folder({ 'a.mjs': module('slow', 1) });
  const platform = await loadPlatform({ decoratorsDir, defaultsFile: undefined }, (name, seconds) => {
    assert.ok(seconds >= 0);
    took.push(name);
  });
  renderEpoch({ ref: REF, number: 1, generation: 1, spec: { image: 'flink:2.3' }, handled: {}, platform });
  assert.deepEqual([...new Set(took)], ['slow']);
});

test('a folder or file that cannot be used is named by its variable', async () => {
  const none = join(tmpdir(), 'flork-nothing-here');
  await assert.rejects(
    loadPlatform({ decoratorsDir: none, defaultsFile: undefined }),
    /^Error: DECORATORS_DIR: ENOENT/,
  );
  await assert.rejects(loadPlatform({ decoratorsDir: undefined, defaultsFile: none }), /^Error: DEFAULTS_FILE: ENOENT/);
});

describe('the examples', () => {
  const files = { decoratorsDir: join(EXAMPLES, 'decorators'), defaultsFile: join(EXAMPLES, 'defaults.yaml') };
  const made = async (spec: object, namespace = 'team') => {
    const platform = await loadPlatform(files);
    const ref = { ...REF, namespace };
    assert.deepEqual(judge(platform, ref, spec), []);
    const { children } = renderEpoch({ ref, number: 1, generation: 1, spec, handled: {}, platform });
    const { data } = children.configuration as unknown as { data: Record<string, string> };
    const { template } = children.taskManager['spec'] as { template: { spec: Record<string, unknown> } };
    return { conf: data['config.yaml'] ?? data['flink-conf.yaml'] ?? '', pod: template.spec };
  };

  const kubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0 ? false : 'no kubectl here';
  test('are a component that mounts all their files', { skip: kubectl }, () => {
    const overlay = mkdtempSync(join(EXAMPLES, '../../kustomize/overlays/test-'));
    try {
      const kustomization = {
        kind: 'Kustomization',
        resources: ['../../base'],
        components: ['../../../examples/platform'],
      };
      writeFileSync(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization));
      const built = spawnSync('kubectl', ['kustomize', overlay], { encoding: 'utf8' });
      assert.equal(built.status, 0, built.stderr);
      const made = parseAllDocuments(built.stdout).map((document) => document.toJS() as Made);
      const map = made.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('flork-platform-'),
      );
      assert.deepEqual(Object.keys(map?.data ?? {}).toSorted(), [
        'defaults.yaml',
        ...readdirSync(files.decoratorsDir).toSorted(),
      ]);
      assert.ok(built.stdout.includes(`name: ${map?.metadata.name}\n`), 'the Deployment mounts it by its hashed name');
    } finally {
      rmSync(overlay, { recursive: true });
    }
  });

  test('team-bucket and registry-mirror do what they say', async () => {
    const { conf, pod } = await made({ image: 'flink:2.3' });
    assert.match(conf, /^execution\.checkpointing\.dir: "s3:\/\/flink-team\/wordcount\/checkpoints"$/m);
    assert.equal(pod['serviceAccountName'], 'flink-s3');
    const [main] = pod['containers'] as { image: string }[];
    assert.equal(main?.image, 'mirror.example.com/docker.io/flink:2.3');
    const own = await made({ image: 'quay.io/team/flink:2.3', flinkVersion: '2.3', florkConf: { team: 'a' } });
    assert.match(own.conf, /s3:\/\/flink-a\/wordcount/);
    assert.match(JSON.stringify(own.pod), /"mirror\.example\.com\/quay\.io\/team\/flink:2\.3"/);
    const mirrored = await made({ image: 'mirror.example.com/flink:2.3' });
    assert.match(JSON.stringify(mirrored.pod), /"mirror\.example\.com\/flink:2\.3"/);
  });

  test('the defaults depend on namespace and Flink version', async () => {
    const production = await made({ image: 'flink:1.20' }, 'shop-prod');
    assert.match(production.conf, /^execution\.checkpointing\.interval: 10s$/m);
    assert.doesNotMatch(production.conf, /snapshot-compression/);
    assert.deepEqual(production.pod['nodeSelector'], { pool: 'flink' });
    const test = await made({ image: 'flink:2.3' }, 'shop-test');
    assert.match(test.conf, /^execution\.checkpointing\.interval: "30s"$/m);
    assert.match(test.conf, /snapshot-compression/);
    assert.equal(test.pod['nodeSelector'], undefined);
  });
});
