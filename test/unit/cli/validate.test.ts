import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'flork-validate-'));
after(() => rmSync(folder, { recursive: true }));

const GOOD = `
apiVersion: flork.itom.com/v1
kind: FlinkJob
metadata: {name: good}
spec:
  image: flink:2.2
  jobManagerPodSpec: {volumes: [{name: a, secret: {secretName: a, defaultMode: 0600}}]}
`;
const BAD = `
apiVersion: v1
kind: ConfigMap
metadata: {name: passed-over}
---
apiVersion: flork.itom.com/v1
kind: FlinkJob
metadata: {name: bad}
spec:
  image: flink:2.2
  parallelism: 0
  flinkConf: {kubernetes: {namespace: a}}
  jobManagerPodSpec: {containers: [{name: flink-main-container, volumeMount: []}]}
`;

function flork(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('a good file says nothing and ends with 0', () => {
  assert.deepEqual(flork(['validate', file('good.yaml', GOOD)]), { status: 0, stdout: '', stderr: '' });
});

test('every finding is a line with file and document, and the end is 1', () => {
  const bad = file('bad.yaml', BAD);
  const { status, stdout } = flork(['validate', bad, file('good.yaml', GOOD)]);
  assert.equal(status, 1);
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    `${bad}[1]: spec.flinkConf["kubernetes.namespace"]: is "a", a key that Flork sets; want no such key: a job runs in the namespace of its FlinkJob (owned-key)`,
    `${bad}[1]: spec.jobManagerPodSpec.containers[0].volumeMount: is not a field; want volumeMounts, perhaps (unknown-field)`,
    `${bad}[1]: spec.parallelism: is 0; want at least 1 (type)`,
  ]);
});

test('JSON carries the same from standard input', () => {
  const { status, stdout } = flork(['validate', '-', '--output', 'json'], BAD);
  assert.equal(status, 1);
  const findings = JSON.parse(stdout) as readonly Record<string, unknown>[];
  assert.deepEqual(
    findings.map(({ file: at, document, rule }) => [at, document, rule]),
    [
      ['-', 1, 'owned-key'],
      ['-', 1, 'unknown-field'],
      ['-', 1, 'type'],
    ],
  );
});

const failures: readonly { readonly name: string; readonly args: readonly string[]; readonly says: RegExp }[] = [
  { name: 'a file that is not there', args: ['validate', join(folder, 'none.yaml')], says: /ENOENT/ },
  { name: 'a file that is not YAML', args: ['validate', file('broken.yaml', 'a: [')], says: /broken\.yaml: / },
  { name: 'a file without a FlinkJob', args: ['validate', file('other.yaml', 'kind: Pod')], says: /holds no FlinkJob/ },
  { name: 'no file', args: ['validate'], says: /^usage/ },
  { name: 'an unknown option', args: ['validate', '--strict', 'x'], says: /^usage/ },
  { name: 'an unknown output', args: ['validate', '-o', 'xml', 'x'], says: /^usage/ },
  { name: 'an unknown command', args: ['explode'], says: /no command "explode"/ },
  { name: 'no command', args: [], says: /flork validate/ },
];

for (const { name, args, says } of failures) {
  test(`${name} ends with 2 and says so`, () => {
    const { status, stdout, stderr } = flork(args);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, says);
  });
}

test('help and version are printed', () => {
  assert.match(
    flork(['--help']).stdout,
    /flork certs .*\n.*flork profile .*\n.*flork render .*\n.*flork tenants .*\n.*flork validate/,
  );
  assert.match(flork(['validate', '--help']).stdout, /^usage/);
  assert.match(flork(['--version']).stdout, /^\d+\.\d+\.\d+/);
});
