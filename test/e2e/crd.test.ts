import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { crd } from '../../tools/crd/crd.ts';
import { kubectl, until } from './lib/kube.ts';

/** A namespace of this run's own: the former one may still be going away. */
const NAMESPACE = `flork-e2e-crd-${Date.now().toString(36)}`;

type Container = Readonly<Record<string, unknown>>;
type Pod = Readonly<Record<string, unknown>>;
type Case = {
  readonly what?: string;
  readonly pod?: Pod;
  readonly main?: Container;
  readonly more?: readonly Container[];
  readonly names?: string;
};

const cases = (file: string): readonly Case[] => parse(readFileSync(new URL(`pods/${file}`, import.meta.url), 'utf8'));
const podSpecOf = ({ pod, main, more = [] }: Case): Pod => ({
  ...pod,
  containers: [{ name: 'flink-main-container', image: 'flink:2.3', ...main }, ...more],
});
const metadata = { name: 'probe', namespace: NAMESPACE };
const podOf = (spec: Pod) => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
const jobOf = (spec: Readonly<Record<string, unknown>>, name = 'probe') => ({
  apiVersion: 'flork.itom.com/v1',
  kind: 'FlinkJob',
  metadata: { ...metadata, name },
  spec,
});
const tryApply = (object: unknown) => kubectl(['apply', '--dry-run=server', '-f', '-'], JSON.stringify(object));

/** Wrong specs and what the refusal says. */
const WRONG: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
  [
    { flinkConf: { 'kubernetes.namespace': 'a' } },
    /spec\.flinkConf\["kubernetes\.namespace"\] is a key that Flork sets/,
  ],
  [{ flinkConf: { kubernetes: { namespace: 'a' } } }, /spec\.flinkConf\["kubernetes\.namespace"\]/],
  [{ flinkConf: { 'kubernetes.cluster-id': 'a' } }, /spec\.flinkConf\["kubernetes\.cluster-id"\]/],
  [{ flinkConf: { 'high-availability.cluster-id': 'a' } }, /spec\.flinkConf\["high-availability\.cluster-id"\]/],
  [{ flinkConf: { execution: { savepoint: { path: '/a' } } } }, /want spec\.restore\.from/],
  [{ flinkConf: { 'rest.port': 8082 } }, /spec\.flinkConf\["rest\.port"\]/],
  [{ parallelism: 0 }, /spec\.parallelism/],
  [
    { parallelism: 3, taskManagerReplicas: 1, flinkConf: { 'taskmanager.numberOfTaskSlots': '2' } },
    /spec\.parallelism is more/,
  ],
  [{ parallelism: 3, flinkConf: { parallelism: { default: 2 } } }, /spec\.parallelism differs/],
  [{ taskManagerReplicas: -1 }, /spec\.taskManagerReplicas/],
  [{ image: 'team/job:latest' }, /spec\.flinkVersion is absent/],
  [{ image: 'flink:1.14' }, /spec\.flinkVersion is absent/],
  [{ flinkVersion: '1.14' }, /spec\.flinkVersion/],
  [{ python: { module: 'a' }, jarURI: 'local:///a.jar' }, /spec\.jarURI is set beside spec\.python/],
  [{ python: { module: 'a', script: 'b' } }, /spec\.python has both or neither/],
  [{ restore: { nonce: 1 } }, /spec\.restore\.nonce/],
  [{ state: 'paused' }, /spec\.state/],
  [{ policies: { deletion: { trigger: 'Ending' } } }, /spec\.policies\.deletion\.trigger/],
  [{ policies: { upgrade: { modus: 'savepoint' } } }, /spec\.policies\.upgrade\.modus/],
  [{ jobManagerPodMeta: { name: 'a' } }, /spec\.jobManagerPodMeta.*name is not a field/],
  [{ additionalConfFiles: { 'config.yaml': 'a' } }, /spec\.additionalConfFiles/],
  [{ paralellism: 2 }, /spec\.paralellism/],
];

describe(
  'the CRD on an API server',
  { skip: process.env['KUBECONFIG'] === undefined && 'KUBECONFIG is not set' },
  () => {
    before(async () => {
      await kubectl(['apply', '-f', '-'], JSON.stringify(crd()));
      // A kind that was made this moment has no conditions yet, which kubectl takes for an error.
      const wait = ['wait', '--for=condition=Established', 'crd/flinkjobs.flork.itom.com', '--timeout=30s'];
      await until('the kind', 60, () => kubectl(wait));
      await kubectl(['create', 'namespace', NAMESPACE]);
      // A Pod needs the ServiceAccount of its namespace, which a controller makes.
      await kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', NAMESPACE, '--timeout=30s']);
    });
    after(() => kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']));

    const accepted = cases('accepted.yaml');
    assert.ok(accepted.length >= 30);
    for (const one of accepted) {
      test(`takes ${one.what}, as a Pod does`, async () => {
        const spec = podSpecOf(one);
        await tryApply(podOf(spec));
        await tryApply(jobOf({ image: 'flink:2.3', jobManagerPodSpec: spec, taskManagerPodSpec: spec }));
      });
    }

    const typos = cases('refused.yaml');
    assert.ok(typos.length >= 30);
    for (const one of typos) {
      test(`refuses ${JSON.stringify(one.pod ?? one.main)} and names ${one.names}`, async () => {
        const attempt = tryApply(jobOf({ image: 'flink:2.3', jobManagerPodSpec: podSpecOf(one) }));
        await assert.rejects(attempt, (error: Error) => {
          assert.ok(error.message.includes(one.names ?? ''), error.message);
          assert.ok(error.message.includes('spec.jobManagerPodSpec'), error.message);
          return true;
        });
      });
    }

    for (const [spec, message] of WRONG) {
      test(`refuses ${JSON.stringify(spec)} and says why`, async () => {
        await assert.rejects(tryApply(jobOf({ image: 'flink:2.3', ...spec })), message);
      });
    }

    test('refuses a name that its children could not carry', async () => {
      await assert.rejects(tryApply(jobOf({ image: 'flink:2.3' }, 'a'.repeat(46))), /metadata\.name is too long/);
      await assert.rejects(tryApply(jobOf({ image: 'flink:2.3' }, '1st')), /metadata\.name/);
      await tryApply(jobOf({ image: 'flink:2.3' }, 'a'.repeat(45)));
    });

    test('serves scale, and adds no field but what list keys force', async () => {
      const spec = {
        image: 'flink:2.3',
        taskManagerReplicas: 1,
        jobManagerPodSpec: podSpecOf({ main: { ports: [{ containerPort: 1 }] } }),
      };
      await kubectl(['apply', '-f', '-'], JSON.stringify(jobOf(spec)));
      await kubectl(['scale', 'fj/probe', '--replicas=3', '-n', NAMESPACE]);
      const stored = JSON.parse(await kubectl(['get', 'fj', 'probe', '-n', NAMESPACE, '-o', 'json'])) as {
        readonly spec: unknown;
      };
      const ports = [{ containerPort: 1, protocol: 'TCP' }];
      assert.deepEqual(stored.spec, {
        ...spec,
        taskManagerReplicas: 3,
        jobManagerPodSpec: podSpecOf({ main: { ports } }),
      });
      const printed = await kubectl(['get', 'fj', '-n', NAMESPACE]);
      assert.match(printed, /NAME\s+STATE\s+READY\s+FLINK\s+PARALLELISM\s+RESTARTS\s+SNAPSHOT\s+AGE/);
    });
  },
);
