import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlinkJobSpec } from '../../../src/api/flinkjob.ts';
import type * as v from 'valibot';
import { FlinkJobSpec as Schema } from '../../../src/api/flinkjob.ts';
import { CHANGE_TABLE } from '../../../src/core/change-table.ts';
import { isIgnoredKey } from '../../../src/core/conf-effects.ts';
import { changes } from '../../../src/core/change.ts';

const pod = (container: Record<string, unknown>) => ({ containers: [{ name: 'flink-main-container', ...container }] });
const limit = (memory: string | number) => pod({ resources: { limits: { memory } } });

const silent: readonly { readonly name: string; readonly accepted: FlinkJobSpec; readonly next: FlinkJobSpec }[] = [
  { name: 'the same spec', accepted: { image: 'a:1' }, next: { image: 'a:1' } },
  { name: 'another order of keys', accepted: { flinkConf: { a: 1, b: 2 } }, next: { flinkConf: { b: 2, a: 1 } } },
  { name: 'an empty object for none', accepted: { flinkConf: {}, jobManagerPodMeta: {} }, next: {} },
  { name: 'an empty list for none', accepted: { jobArgs: [] }, next: {} },
  { name: 'nested for flat keys', accepted: { flinkConf: { 'a.b': 1 } }, next: { flinkConf: { a: { b: 1 } } } },
  { name: 'a number for its text', accepted: { flinkConf: { a: 1 } }, next: { flinkConf: { a: '1' } } },
  { name: 'a list for its text', accepted: { flinkConf: { a: ['x', 'y'] } }, next: { flinkConf: { a: 'x;y' } } },
  {
    name: 'a renamed key for its old spelling',
    accepted: { flinkConf: { 'state.backend': 'rocksdb' } },
    next: { flinkConf: { 'state.backend.type': 'rocksdb' } },
  },
  {
    name: 'another spelling of a quantity',
    accepted: { jobManagerPodSpec: limit('1024Mi') },
    next: { jobManagerPodSpec: limit('1Gi') },
  },
  {
    name: 'a field for its configuration key',
    accepted: {
      flinkConf: { 'parallelism.default': 2, 'pipeline.jars': 'local:///a.jar', 'state.savepoints.dir': '/s/' },
    },
    next: { parallelism: 2, jarURI: 'local:///a.jar', policies: { savepoint: { directory: '/s' } } },
  },
  {
    name: 'the image at another place',
    accepted: { image: 'a:1' },
    next: { jobManagerPodSpec: pod({ image: 'a:1' }) },
  },
  {
    name: 'the version that the tag says',
    accepted: { image: 'flink:2.2' },
    next: { image: 'flink:2.2', flinkVersion: '2.2' },
  },
  {
    name: 'the TaskManager’s own pod spec for an equal one of the JobManager',
    accepted: { jobManagerPodSpec: { nodeName: 'a' } },
    next: { jobManagerPodSpec: { nodeName: 'a' }, taskManagerPodSpec: { nodeName: 'a' } },
  },
];

for (const { name, accepted, next } of silent) {
  test(`${name} is no change`, () => {
    assert.deepEqual(changes(accepted, next), []);
    assert.deepEqual(changes(next, accepted), []);
  });
}

const told: readonly {
  readonly accepted?: FlinkJobSpec;
  readonly next: FlinkJobSpec;
  readonly is: readonly (readonly [string, string])[];
}[] = [
  { next: { jobClassName: 'A' }, is: [['jobClassName', 'upgrade']] },
  { next: { jobArgs: ['a'] }, is: [['jobArgs', 'upgrade']] },
  { next: { jobArgs: [''] }, is: [['jobArgs', 'upgrade']] },
  { accepted: { image: 'a:1' }, next: { image: 'a:2' }, is: [['image', 'upgrade']] },
  { next: { jarURI: 'local:///a.jar' }, is: [['jarURI', 'upgrade']] },
  { next: { python: { module: 'a' } }, is: [['python', 'upgrade']] },
  {
    accepted: { image: 'flink:2.2' },
    next: { image: 'flink:2.2', flinkVersion: '2.3' },
    is: [['flinkVersion', 'upgrade']],
  },
  { next: { flinkConf: { 'a.b': 1 } }, is: [['flinkConf["a.b"]', 'upgrade']] },
  { next: { flinkConf: { 'yarn.tags': 'x' } }, is: [['flinkConf["yarn.tags"]', 'ignore']] },
  { next: { flinkConf: { 'parallelism.default': 3 } }, is: [['parallelism', 'scale']] },
  { next: { restore: { nonce: 1 } }, is: [['restore.nonce', 'ignore']] },
  { next: { policies: { savepoint: { format: 'NATIVE' } } }, is: [['policies.savepoint', 'ignore']] },
  { next: { florkConf: { shadowConfigFiles: true } }, is: [['florkConf.shadowConfigFiles', 'upgrade']] },
  { next: { florkConf: { team: 'a' } }, is: [['florkConf', 'ignore']] },
  {
    next: { jobManagerPodMeta: { labels: { a: '' } } },
    is: [['jobManagerPodMeta', 'upgrade']],
  },
  { next: { taskManagerPodSpec: { nodeName: 'a' } }, is: [['taskManagerPodSpec', 'upgrade']] },
  { next: { taskManagerResources: { limits: { cpu: 1 } } }, is: [['taskManagerResources', 'upgrade']] },
  { next: { jobManagerResources: { limits: { cpu: 1 } } }, is: [['jobManagerResources', 'upgrade']] },
  { next: { additionalConfFiles: { 'a.txt': '' } }, is: [['additionalConfFiles', 'upgrade']] },
  { next: { parallelism: 2 }, is: [['parallelism', 'scale']] },
  { next: { taskManagerReplicas: 0 }, is: [['taskManagerReplicas', 'scale']] },
  { next: { state: 'suspended' }, is: [['state', 'ignore']] },
  { next: { restore: { from: '/s' } }, is: [['restore', 'ignore']] },
  { next: { approveStateLoss: 'x' }, is: [['approveStateLoss', 'ignore']] },
  { next: { policies: { stateLoss: 'allow' } }, is: [['policies.stateLoss', 'ignore']] },
  { next: { policies: { upgrade: { mode: 'stateless' } } }, is: [['policies.upgrade', 'ignore']] },
  { next: { policies: { deletion: { trigger: 'None' } } }, is: [['policies.deletion', 'ignore']] },
  { next: { policies: { savepoint: { directory: '/s' } } }, is: [['policies.savepoint.directory', 'upgrade']] },
];

for (const { accepted = {}, next, is } of told) {
  test(`${JSON.stringify(next)} is a change: ${is.map(([field, effect]) => `${field} ${effect}`).join(', ')}`, () => {
    assert.deepEqual(
      changes(accepted, next),
      is.map(([field, effect]) => ({ field, effect })),
    );
  });
}

/** Paths of all fields that have no fields below them. */
function leaves(schema: unknown, path: string): readonly string[] {
  let node = schema as { type: string; wrapped?: unknown; entries?: Record<string, v.GenericSchema>; pipe?: unknown[] };
  while (node.type === 'optional') node = node.wrapped as typeof node;
  if (node.entries === undefined || path.endsWith('PodSpec')) return [path];
  return Object.entries(node.entries).flatMap(([name, entry]) => leaves(entry, path === '' ? name : `${path}.${name}`));
}

test('every field of the spec has a row, itself or above it, and every row is a field', () => {
  const fields = leaves(Schema, '').filter((field) => field !== 'flinkConf');
  assert.ok(fields.length > 50, String(fields.length));
  const rows = CHANGE_TABLE.map(({ field }) => field);
  const below = (row: string, field: string) => field === row || field.startsWith(`${row}.`);
  assert.deepEqual(
    fields.filter((field) => !rows.some((row) => below(row, field))),
    [],
  );
  assert.deepEqual(
    rows.filter((row) => !fields.some((field) => below(row, field))),
    [],
  );
  assert.equal(new Set(rows).size, rows.length);
});

for (const [key, ignored] of [
  ['historyserver.web.port', true],
  ['historyserver', false],
  ['historyserverx.a', false],
  ['jobmanager.archive.fs.dir', false],
  ['yarn.application.queue', true],
  ['yarn.security.kerberos.additionalFileSystems', false],
  ['kubernetes.operator.job.upgrade.inplace-scaling.enabled', true],
  ['kubernetes.client.io-pool.size', false],
  ['job.autoscaler.enabled', true],
  ['env.java.opts.client', true],
  ['env.java.opts.all', false],
  ['env.java.opts.jobmanager', false],
  ['env.yarn.conf.dir', false],
  ['client.timeout', false],
  ['sql-client.verbose', true],
  ['table.exec.state.ttl', false],
  ['a.key.that.nobody.knows', false],
] as const) {
  test(`flinkConf key ${key} ${ignored ? 'is read by no process of the job' : 'is read, or may be'}`, () => {
    assert.equal(isIgnoredKey(key), ignored);
  });
}
