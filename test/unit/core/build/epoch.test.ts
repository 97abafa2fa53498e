import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { FLINK_VERSIONS, type FlinkJobSpec } from '../../../../src/api/flinkjob.ts';
import { epochChildren } from '../../../../src/core/build/children.ts';
import { renderEpoch } from '../../../../src/core/build/epoch.ts';
import { retainedFor } from '../../../../src/core/build/features/checkpoints.ts';
import { encodeRecord } from '../../../../src/core/build/record.ts';
import type { EpochRecord } from '../../../../src/core/record.ts';

const ref = { name: 'orders', namespace: 'shop', uid: '0b2f1d9c-6f0e-4a53-9d0e-1f4c5a7b9e01' };

function rendered(spec: FlinkJobSpec): EpochRecord {
  return renderEpoch({ ref, number: 1, generation: 1, spec: { image: 'flink:2.3', ...spec }, handled: {} });
}

/** The configuration file read back as its version reads it. */
function conf(spec: FlinkJobSpec): Readonly<Record<string, string>> {
  const data = rendered(spec).children.configuration['data'] as Record<string, string>;
  if (data['config.yaml'] !== undefined) {
    const values = parse(data['config.yaml']) as Record<string, unknown>;
    assert.ok(Object.values(values).every((value) => typeof value === 'string'));
    return values as Record<string, string>;
  }
  const lines = (data['flink-conf.yaml'] ?? '').trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
}

type Container = {
  name: string;
  args: string[];
  env?: { name: string }[];
  image: string;
  resources?: unknown;
  command?: string[];
};
type PodSpec = {
  containers: Container[];
  securityContext: unknown;
  automountServiceAccountToken?: boolean;
  dnsPolicy?: string;
};

function pod(
  spec: FlinkJobSpec,
  role: 'jobManager' | 'taskManager' = 'jobManager',
): { metadata: { annotations: unknown }; spec: PodSpec } {
  return (rendered(spec).children[role]['spec'] as { template: { metadata: { annotations: unknown }; spec: PodSpec } })
    .template;
}

function main(spec: FlinkJobSpec, role: 'jobManager' | 'taskManager' = 'jobManager'): Container {
  const [container] = pod(spec, role).spec.containers;
  assert.ok(container?.name === 'flink-main-container');
  return container;
}

test('each version gets the file that it reads', () => {
  for (const flinkVersion of FLINK_VERSIONS) {
    const data = rendered({ flinkVersion }).children.configuration['data'] as object;
    const name = flinkVersion.startsWith('1.') ? 'flink-conf.yaml' : 'config.yaml';
    assert.deepEqual(
      Object.keys(data).filter((file) => file.endsWith('.yaml')),
      [name],
      flinkVersion,
    );
  }
});

test('each version gets the spelling that it reads, whichever the user writes', () => {
  for (const key of ['state.checkpoints.dir', 'execution.checkpointing.dir']) {
    assert.equal(conf({ flinkVersion: '1.19', flinkConf: { [key]: '/c' } })['state.checkpoints.dir'], '/c');
    assert.equal(conf({ flinkVersion: '1.20', flinkConf: { [key]: '/c' } })['execution.checkpointing.dir'], '/c');
  }
  assert.equal(conf({ flinkVersion: '1.19' })['state.checkpoints.num-retained'], '20');
  assert.equal(conf({ flinkConf: { 'akka.ask.timeout': '9s' } })['pekko.ask.timeout'], '9s');
});

test('the user wins over features, what is owned over the user', () => {
  const { 'heartbeat.timeout': timeout, 'execution.shutdown-on-application-finish': shutdown } = conf({
    flinkConf: { heartbeat: { timeout: '9 s' }, 'execution.shutdown-on-application-finish': true },
  });
  assert.deepEqual([timeout, shutdown], ['9 s', 'false']);
});

test('the name and the namespace stand for their placeholders', () => {
  assert.equal(conf({ flinkConf: { a: 'x/{{namespace}}/{{name}}/{{other}}' } })['a'], 'x/shop/orders/{{other}}');
});

test('enough checkpoints are retained for one that was recorded a minute ago', () => {
  const counts = [1000, 5000, 10_000, 30_000, 60_000, 600_000, undefined].map(retainedFor);
  assert.deepEqual(counts, [20, 20, 14, 6, 5, 5, 20]);
  assert.equal(rendered({ flinkConf: { 'execution.checkpointing.interval': '10 s' } }).retainedCheckpoints, 14);
  assert.equal(rendered({ flinkConf: { 'execution.checkpointing.interval': '10 s' } }).checkpointIntervalMs, 10_000);
  assert.equal(rendered({ flinkConf: { 'state.checkpoints.num-retained': 2 } }).retainedCheckpoints, 2);
});

test('the savepoint directory is told without trailing slash, from the field or the key', () => {
  assert.equal(rendered({ policies: { savepoint: { directory: 's3://a/b//' } } }).savepointDirectory, 's3://a/b');
  assert.equal(rendered({ flinkConf: { 'state.savepoints.dir': 's3://a' } }).savepointDirectory, 's3://a');
  assert.equal(rendered({}).savepointDirectory, undefined);
});

test('TaskManagers are enough for the parallelism, and the parallelism uses all that were asked for', () => {
  const plan = (spec: FlinkJobSpec) => [rendered(spec).replicas.taskManager, conf(spec)['parallelism.default']];
  const flinkConf = { 'taskmanager.numberOfTaskSlots': 2 };
  assert.deepEqual(plan({}), [1, '1']);
  assert.deepEqual(plan({ parallelism: 5, flinkConf }), [3, '5']);
  assert.deepEqual(plan({ taskManagerReplicas: 3, flinkConf }), [3, '6']);
  assert.deepEqual(plan({ taskManagerReplicas: 3, parallelism: 4, flinkConf }), [3, '4']);
  assert.deepEqual(plan({ flinkConf: { ...flinkConf, 'parallelism.default': 3 } }), [2, '3']);
  assert.deepEqual(plan({ taskManagerReplicas: 0 }), [0, '1']);
});

test('a process takes its container’s memory limit, and a container what its process takes', () => {
  const size = (spec: FlinkJobSpec) => conf(spec)['jobmanager.memory.process.size'];
  assert.equal(size({}), '1g');
  assert.equal(size({ jobManagerResources: { limits: { memory: '1600Mi' } } }), '1600m');
  assert.equal(size({ jobManagerResources: { limits: { memory: '2G' } } }), '2000000000b');
  assert.equal(size({ flinkConf: { 'jobmanager.memory.flink.size': '1g' } }), undefined);
  assert.deepEqual(main({ flinkConf: { 'jobmanager.memory.process.size': '1600m' } }).resources, {
    limits: { memory: '1600Mi' },
    requests: { memory: '1600Mi' },
  });
  assert.deepEqual(
    main({ jobManagerResources: { requests: { cpu: '1000m' }, limits: { memory: '1024Mi' } } }).resources,
    {
      limits: { memory: '1Gi' },
      requests: { cpu: '1' },
    },
  );
});

test('the user’s Java options come after those that Flink needs, and no quote stands last', () => {
  const options = (given: string) => conf({ flinkConf: { 'env.java.opts': given } })['env.java.opts.all'] ?? '';
  assert.match(options('-Xss1m'), /^--add-exports=.* --add-opens=java\.base\/java\.util=ALL-UNNAMED .* -Xss1m$/);
  assert.match(options('"-Xss1m -Da=b"'), / -Xss1m -Da=b$/);
  assert.match(options('-Da="b"'), / -Da="b" -Dflork\.options=end$/);
  assert.match(options('-Da=b\n  -Dc=d\n'), / -Da=b -Dc=d$/);
});

test('options come in the order in which Flink understands them, arguments as they were written', () => {
  const args = main({ jarURI: 's3://b/a.jar', jobClassName: 'A', jobArgs: ['--from', '$(X) $$ $', '--'] }).args;
  assert.deepEqual(args, [
    'standalone-job',
    '--job-id',
    '$(FLORK_JOB_ID)',
    '$(FLORK_RESTORE)',
    '$(FLORK_RESTORE_FLAG)',
    '--jars',
    's3://b/a.jar',
    '--job-classname',
    'A',
    '--',
    '--from',
    '$$(X) $$$ $',
    '--',
  ]);
  assert.deepEqual(main({}, 'taskManager').args, ['taskmanager']);
  assert.deepEqual(main({ flinkConf: { 'pipeline.jars': ['s3://b/a.jar'] } }).args.slice(-2), [
    '--jars',
    's3://b/a.jar',
  ]);
});

test('a Python job needs no jar', () => {
  const { args } = main({ python: { module: 'words', files: ['/a.zip', '/b'] }, jobArgs: ['-x'] });
  assert.deepEqual(args.slice(5), [
    '--job-classname',
    'org.apache.flink.client.python.PythonDriver',
    '--',
    '-pym',
    'words',
    '-pyfs',
    '/a.zip,/b',
    '--',
    '-x',
  ]);
});

test('high availability belongs to the epoch, and its JobManager tells its own address', () => {
  const spec: FlinkJobSpec = {
    flinkConf: { 'high-availability.type': 'KUBERNETES', 'high-availability.storageDir': 's3://ha' },
  };
  const record = rendered(spec);
  assert.equal(record.highAvailability, true);
  const {
    'high-availability.cluster-id': cluster,
    'kubernetes.cluster-id': same,
    'kubernetes.namespace': namespace,
  } = conf(spec);
  assert.deepEqual([cluster, same, namespace], ['orders-ac02cdf100', 'orders-ac02cdf100', 'shop']);
  assert.deepEqual(main(spec).args.slice(0, 4), [
    'standalone-job',
    '-D',
    'jobmanager.rpc.address=$(FLORK_POD_IP)',
    '--job-id',
  ]);
  assert.equal(pod(spec).spec.automountServiceAccountToken, undefined);
  assert.equal(pod({}).spec.automountServiceAccountToken, false);
  assert.equal(rendered({ flinkConf: { 'high-availability.type': 'NONE' } }).highAvailability, false);
});

test('REST is reached by the scheme of the configuration', () => {
  const scheme = (flinkVersion: '1.20' | '2.0', flinkConf: FlinkJobSpec['flinkConf']) =>
    rendered({ flinkVersion, flinkConf }).rest.scheme;
  assert.equal(scheme('2.0', { security: { ssl: { rest: { enabled: 'True' } } } }), 'https');
  assert.equal(scheme('2.0', { 'security.ssl.rest.enabled': false }), 'http');
  assert.equal(scheme('1.20', { 'security.ssl.enabled': true }), 'https');
  assert.equal(scheme('1.20', { 'security.ssl.enabled': true, 'security.ssl.rest.enabled': false }), 'http');
});

test('a value in a Secret reaches both kinds of process and no file', () => {
  const spec: FlinkJobSpec = {
    flinkConf: { s3: { 'secret-key': { valueFrom: { secretKeyRef: { name: 's3', key: 'k' } } } } },
  };
  assert.ok(Object.keys(conf(spec)).every((key) => !key.startsWith('s3')));
  for (const role of ['jobManager', 'taskManager'] as const) {
    const container = main(spec, role);
    assert.deepEqual(container.args.slice(1, 3), ['-D', 's3.secret-key=$(FLORK_CONF_1)']);
    assert.deepEqual(container.env?.[0], {
      name: 'FLORK_CONF_1',
      valueFrom: { secretKeyRef: { key: 'k', name: 's3', optional: false } },
    });
  }
});

test('what the user says of a pod wins, but for what starts it', () => {
  const spec: FlinkJobSpec = {
    jobManagerPodMeta: { annotations: { 'flork.itom.com/epoch': '9' } },
    jobManagerPodSpec: {
      automountServiceAccountToken: true,
      securityContext: { runAsUser: 1 },
      containers: [
        { name: 'side' },
        {
          name: 'flink-main-container',
          args: ['mine'],
          command: ['mine'],
          env: [{ name: 'FLORK_JOB_ID', value: 'mine' }],
        },
      ],
    },
  };
  const template = pod(spec);
  assert.deepEqual(template.metadata.annotations, { 'flork.itom.com/epoch': '1', 'flork.itom.com/job-uid': ref.uid });
  assert.equal(template.spec.automountServiceAccountToken, true);
  assert.deepEqual(template.spec.securityContext, {
    fsGroup: 9999,
    runAsGroup: 9999,
    runAsNonRoot: true,
    runAsUser: 1,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  assert.deepEqual(main(spec).command, ['mine']);
  assert.equal(main(spec).args[0], 'standalone-job');
  assert.ok(main(spec).env?.every((variable) => !('value' in variable)));
});

test('the same epoch gives the same bytes, another one shares no ConfigMap', () => {
  const one = rendered({ parallelism: 2 });
  assert.equal(encodeRecord(one).text, encodeRecord(rendered({ parallelism: 2 })).text);
  const other = renderEpoch({ ref, number: 2, generation: 1, spec: one.spec, handled: {} });
  assert.notEqual(other.children.configuration.metadata.name, one.children.configuration.metadata.name);
  assert.deepEqual(
    (other.children.jobManager['spec'] as { selector: unknown }).selector,
    (one.children.jobManager['spec'] as { selector: unknown }).selector,
  );
});

test('a child’s hash is of its own content, replicas too', () => {
  const record = rendered({});
  const hashes = (replicas: EpochRecord['replicas'], recordHash: string) =>
    epochChildren(ref, record, recordHash, replicas).map(
      (child) => child.metadata.annotations?.['flork.itom.com/desired-hash'],
    );
  const before = hashes({ jobManager: 1, taskManager: 1 }, 'a');
  const after = hashes({ jobManager: 0, taskManager: 1 }, 'a');
  assert.deepEqual(
    before.map((hash, index) => hash === after[index]),
    [true, true, true, false, true],
  );
  assert.equal(new Set(before).size, before.length);
});
