import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { post, request, UID } from '../http/hook-fixture.ts';
import { createApp } from '../../../src/http/app.ts';
import { scratch } from '../../scratch.ts';

const ROOT = join(import.meta.dirname, '../../..');

function flork(args: readonly string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(ROOT, 'src/cli.ts'), ...args], { encoding: 'utf8', input });
}

const job = (spec: string, name = 'wordcount') =>
  `apiVersion: flork.itom.com/v1\nkind: FlinkJob\nmetadata:\n  name: ${name}\nspec: ${spec}\n`;

test('what is printed is what the hook answers first', async () => {
  const text = readFileSync(join(ROOT, 'test/golden/user-pod-spec/job.yaml'), 'utf8');
  const { status, stdout } = flork(['render', '-', '--uid', UID], text);
  assert.equal(status, 0);
  const printed = parseAllDocuments(stdout, { version: '1.1' }).map(
    (document) => document.toJS() as { kind: string; metadata: { name: string } },
  );
  const [parsed] = parseAllDocuments(text, { version: '1.1' }).map(
    (document) => document.toJS() as Record<string, Record<string, unknown>>,
  );
  const parent = { ...parsed, metadata: { ...parsed?.['metadata'], uid: UID, generation: 1 } };
  const app = createApp({
    now: () => 1_000,
    transport: async () => ({ kind: 'error', error: 'unreachable', text: 'ENOTFOUND' }),
  });
  const response = await post(app, '/sync', request({ parent, related: { 'Pod.v1': {} } }));
  assert.equal(response.status, 200);
  const { children } = (await response.json()) as { children: typeof printed };
  const byName = (a: (typeof printed)[number], b: (typeof printed)[number]) =>
    a.kind + a.metadata.name < b.kind + b.metadata.name ? -1 : 1;
  assert.deepEqual(printed.toSorted(byName), children.toSorted(byName));
  const order = printed.map(
    ({ kind, metadata }) => `${['ConfigMap', 'Service', 'Deployment'].indexOf(kind)}${metadata.name}`,
  );
  assert.deepEqual(order, order.toSorted());
});

test('the uid that stands for the real one is named', () => {
  const { stdout } = flork(['render', '-'], job('{image: "flink:2.3"}'));
  assert.match(stdout, /^# Children of a FlinkJob with uid 00000000-0000-0000-0000-000000000000, /);
  assert.match(
    flork(['render', '-'], job('{image: "flink:2.3", state: suspended}')).stdout,
    /# None: Created suspended/,
  );
});

test('a file may hold several FlinkJobs and other objects', () => {
  const file = join(scratch('jobs'), 'jobs.yaml');
  writeFileSync(
    file,
    [job('{image: "flink:2.3"}', 'one'), 'kind: Secret\n', job('{image: "flink:1.20"}', 'two')].join('---\n'),
  );
  const { status, stdout } = flork(['render', file]);
  assert.equal(status, 0);
  assert.equal(stdout.match(/^kind: Deployment$/gm)?.length, 4);
});

test('a refused FlinkJob ends with 1 and prints its findings, not children', () => {
  const { status, stdout, stderr } = flork(['render', '-'], `kind: Secret\n---\n${job('{image: "flink:0.9"}')}`);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^-\[1\]: spec\.flinkVersion: .*; want .* \(flink-version\)$/m);
  assert.equal(flork(['render', '-'], job('{image: "flink:2.3"}', '[a]')).status, 1);
});

test('what cannot be read ends with 2', () => {
  for (const args of [
    ['render'],
    ['render', 'a', 'b'],
    ['render', '-', '--what'],
    ['render', '/nowhere.yaml'],
    ['render', '-'],
  ]) {
    const { status, stdout, stderr } = flork(args, 'a: [');
    assert.deepEqual([status, stdout, stderr === ''], [2, '', false], args.join(' '));
  }
  assert.match(flork(['render', '--help']).stdout, /^usage/);
});

test('--explain tells the layer of each value, with defaults and decorators', () => {
  const platform = join(ROOT, 'examples/platform');
  const files = ['--defaults', join(platform, 'defaults.yaml'), '--decorators', join(platform, 'decorators')];
  const text = job('{image: "flink:2.3", flinkConf: {a: b}}');
  const { status, stdout } = flork(['render', '-', '--explain', ...files], text);
  assert.equal(status, 0);
  assert.match(stdout, /^a: b {2}# spec$/m);
  assert.match(stdout, /^state\.backend\.type: rocksdb {2}# defaults everywhere$/m);
  assert.match(stdout, /^execution\.checkpointing\.dir: s3:.* {2}# decorator team-bucket$/m);
  assert.match(stdout, /^serviceAccountName: flink-s3 {2}# decorator team-bucket$/m);
  assert.match(stdout, /^rest\.port: 8081 {2}# Flork$/m);
  assert.match(flork(['render', '-', ...files], text).stdout, /image: mirror\.example\.com\/docker\.io\/flink:2\.3/);
  const { status: failed, stderr } = flork(['render', '-', '--defaults', '/nowhere.yaml'], text);
  assert.equal(failed, 2);
  assert.match(stderr, /^DEFAULTS_FILE: ENOENT/);
});
