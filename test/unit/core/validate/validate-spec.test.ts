import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { formatFinding, validateSpec } from '../../../../src/core/validate/validate-spec.ts';

const META = { name: 'job', namespace: 'jobs' };
const GOOD = { image: 'flink:2.2' };

function lines(raw: unknown): string[] {
  const result = validateSpec(raw, META);
  return result.kind === 'invalid' ? result.findings.map((finding) => formatFinding(finding)) : [];
}

const cases: readonly { readonly name: string; readonly spec: unknown; readonly lines: readonly string[] }[] = [
  { name: 'no spec', spec: undefined, lines: ['spec: is absent; want a map of fields (type)'] },
  { name: 'a spec that is a list', spec: [], lines: ['spec: is []; want a map of fields (type)'] },
  {
    name: 'a field of the wrong type',
    spec: { ...GOOD, parallelism: 'two' },
    lines: ['spec.parallelism: is "two"; want a number (type)'],
  },
  {
    name: 'a fraction of a TaskManager',
    spec: { ...GOOD, taskManagerReplicas: 1.5 },
    lines: ['spec.taskManagerReplicas: is 1.5; want a whole number (type)'],
  },
  {
    name: 'an unknown version',
    spec: { ...GOOD, flinkVersion: '1.14' },
    lines: ['spec.flinkVersion: is "1.14"; want one of "1.19", "1.20", "2.0", "2.1", "2.2", "2.3" (type)'],
  },
  {
    name: 'a container without a name',
    spec: { ...GOOD, jobManagerPodSpec: { containers: [{}] } },
    lines: ['spec.jobManagerPodSpec.containers[0].name: is absent; want a value (type)'],
  },
  {
    name: 'a misspelled field',
    spec: { ...GOOD, paralellism: 2 },
    lines: ['spec.paralellism: is not a field; want parallelism, perhaps (unknown-field)'],
  },
  {
    name: 'a name for the pods',
    spec: { ...GOOD, jobManagerPodMeta: { name: 'x' } },
    lines: [
      'spec.jobManagerPodMeta.name: is not a field; want no such field: the pods are named by Kubernetes after their Deployment (unknown-field)',
    ],
  },
  {
    name: 'several things at once, sorted',
    spec: { python: {}, image: 5, flinkConf: { 'rest.port': 1, 'execution.target': 'local' }, state: 'paused' },
    lines: [
      'spec.flinkConf["execution.target"]: is "local", a key that Flork sets; want no such key: a FlinkJob is always an application cluster of its own (owned-key)',
      'spec.flinkConf["rest.port"]: is 1, a key that Flork sets; want no such key: the ports are those of the Services (6123, 6124, 8081, 6122) (owned-key)',
      'spec.image: is 5; want a text (type)',
      'spec.python: has neither script nor module; want exactly one of them (python-start)',
      'spec.state: is "paused"; want one of "running", "suspended" (type)',
    ],
  },
];

for (const { name, spec, lines: expected } of cases) {
  test(`${name} is refused in these words`, () => assert.deepEqual(lines(spec), expected));
}

test('a null is a field not set', () => {
  const result = validateSpec({ ...GOOD, jarURI: null, jobManagerPodSpec: { nodeName: null } }, META);
  assert.deepEqual(result, { kind: 'valid', spec: { ...GOOD, jobManagerPodSpec: {} } });
});

test('open maps keep what they hold', () => {
  const spec = { ...GOOD, florkConf: { team: { a: 1 } }, flinkConf: { a: [1] }, jobManagerPodSpec: { nodeName: 'a' } };
  assert.deepEqual(validateSpec(spec, META), { kind: 'valid', spec });
});

test('a spec nested beyond all measure is refused without harm', () => {
  const deep = JSON.parse('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000));
  assert.deepEqual(lines({ ...GOOD, flinkConf: deep }), [
    'spec: is nested deeper than 64 levels; want a flatter spec (depth)',
  ]);
});

test('keys of the prototype are keys like any other', () => {
  const spec = JSON.parse(
    '{"image":"flink:2.2","__proto__":{"polluted":1},"flinkConf":{"constructor":1,"__proto__":{"x":1}}}',
  );
  assert.deepEqual(lines(spec), [
    'spec["__proto__"]: is not a field; want one of flinkVersion, image, jarURI, jobClassName, jobArgs, python, flinkConf, florkConf, ' +
      'jobManagerPodMeta, jobManagerPodSpec, taskManagerPodMeta, taskManagerPodSpec, jobManagerResources, taskManagerResources, ' +
      'additionalConfFiles, parallelism, taskManagerReplicas, jobManagerReplicas, state, restore, restartNonce, savepointNonce, checkpointNonce, approveStateLoss, ingress, httpRoute, podDisruptionBudget, networkPolicy, podMonitor, policies (unknown-field)',
  ]);
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
});

test('the sample of the original is valid but for its version', () => {
  const pod = `
    securityContext: {runAsUser: 1999, runAsGroup: 1999, fsGroup: 1999}
    containers:
      - name: flink-main-container
        volumeMounts: [{name: flink-storage, mountPath: /opt/flink/log, subPath: log}]
    volumes: [{name: flink-storage, hostPath: {path: /mnt/flink, type: Directory}}]`;
  const sample = parse(`
florkConf: {shadowConfigFiles: false}
flinkConf:
  kubernetes.container.image: localhost:5000/apache/flink:1.20.4-scala_2.12-java8
  pipeline.jars: local:///opt/flink/examples/batch/WordCount.jar
  security.ssl.internal.enabled: false
  security.ssl.rest.enabled: false
  security.ssl.rest.authentication-enabled: false
jobArgs: [--input, /opt/flink/README.txt, --output, /opt/flink/log/word_count.txt]
policies: {deletion: {trigger: Termination}}
jobManagerPodSpec:
    serviceAccountName: flork-consumer-sa${pod}
taskManagerPodSpec:${pod}
`);
  assert.deepEqual(lines(sample), []);
});
