import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FlinkJobSpec } from '../../../src/api/flinkjob.ts';
import { renderEpoch } from '../../../src/core/build/epoch.ts';
import { readConfFile } from '../../../src/core/build/flink-conf.ts';
import { entriesFor, withDefaults } from '../../../src/core/platform/defaults.ts';
import { explain } from '../../../src/core/platform/explain.ts';
import { judge } from '../../../src/core/platform/judge.ts';
import type { Decorator, DefaultsEntry, Platform } from '../../../src/core/platform/platform.ts';
import {
  answered,
  cluster,
  edit,
  jobManagerPod,
  jobManagerReplicas,
  runningCluster,
  sync,
  type Shown,
} from './drive.ts';

const REF = { name: 'wordcount', namespace: 'team-prod', uid: 'uid' };
const JOB = { flinkVersion: '2.3', image: 'flink:2.3' } as const;

const decorators = (...list: readonly Decorator[]): Platform => ({ defaults: [], decorators: list });
const defaults = (...list: readonly DefaultsEntry[]): Platform => ({ defaults: list, decorators: [] });
const labelled = (value: string, priority = 1): Decorator => ({
  name: `label-${value}`,
  priority,
  podSpec: (podSpec) => ({ ...podSpec, nodeSelector: { pool: value } }),
});

function confOf(spec: FlinkJobSpec, platform: Platform): Readonly<Record<string, string>> {
  const { children } = renderEpoch({ ref: REF, number: 1, generation: 1, spec, handled: {}, platform });
  return readConfFile(children.configuration['data'] as Record<string, string>);
}

function podOf(spec: FlinkJobSpec, platform: Platform, role: 'jobManager' | 'taskManager' = 'jobManager') {
  const { children } = renderEpoch({ ref: REF, number: 1, generation: 1, spec, handled: {}, platform });
  const { template } = children[role]['spec'] as { template: { spec: Record<string, unknown> } };
  return template.spec;
}

describe('defaults', () => {
  const entry = (spec: DefaultsEntry['spec'], more: Partial<DefaultsEntry> = {}): DefaultsEntry => ({
    name: 'all',
    ...more,
    spec,
  });

  test('stand where the user is silent, over the defaults of Flork', () => {
    const platform = defaults(entry({ flinkConf: { 'taskmanager.memory.managed.fraction': 0.5, 'a.b': 'platform' } }));
    const conf = confOf({ ...JOB, flinkConf: { a: { b: 'user' } } }, platform);
    assert.equal(conf['taskmanager.memory.managed.fraction'], '0.5');
    assert.equal(conf['a.b'], 'user');
  });

  test('give way to the user in whatever spelling and place', () => {
    const lower = entry({
      flinkConf: {
        'execution.checkpointing.savepoint-dir': 's3://platform',
        'state.backend.type': 'rocksdb',
        's3.secret-key': { valueFrom: { secretKeyRef: { name: 'platform', key: 'k' } } },
      },
    });
    const spec = {
      flinkConf: { 'state.backend': 'hashmap', 's3.secret-key': 'plain' },
      policies: { savepoint: { directory: 's3://user' } },
    };
    const { flinkConf } = withDefaults({ ...JOB, ...spec }, [lower]);
    assert.deepEqual(flinkConf, { 'state.backend': 'hashmap', 's3.secret-key': 'plain' });
  });

  test('of a later entry win over those of an earlier one, by namespace and version', () => {
    const platform = defaults(
      entry({ flinkConf: { x: '1', y: '1' } }),
      entry({ flinkConf: { x: '2' } }, { name: 'prod', namespaces: ['other', '*-prod'] }),
      entry({ flinkConf: { y: '3' } }, { name: 'old', flinkVersions: ['1.20'] }),
      entry({ flinkConf: { y: '4' } }, { name: 'else', namespaces: ['team', 'team-*-x', 'prod*'] }),
    );
    const { x, y } = confOf(JOB, platform);
    assert.deepEqual({ x, y }, { x: '2', y: '1' });
    const names = (namespace: string, spec: FlinkJobSpec) =>
      entriesFor(platform.defaults, namespace, spec).map(({ name }) => name);
    assert.deepEqual(names('team', { image: 'flink:1.20' }), ['all', 'old', 'else']);
    assert.deepEqual(names('team-a-x', JOB), ['all', 'else']);
    assert.deepEqual(names('team-x', JOB), ['all']);
  });

  test('of pods are merged with the pod spec of the role, whichever it is', () => {
    const platform = defaults(
      entry({
        jobManagerPodSpec: { nodeSelector: { pool: 'flink' }, tolerations: [{ key: 'flink' }] } as never,
        taskManagerPodSpec: { nodeSelector: { pool: 'large' } } as never,
        jobManagerResources: { limits: { memory: '2Gi' }, requests: { cpu: '1' } },
      }),
    );
    const main = { name: 'flink-main-container', resources: { limits: { memory: '3Gi' } } };
    const spec = { ...JOB, jobManagerPodSpec: { priorityClassName: 'user', containers: [main] } };
    const manager = podOf(spec, platform);
    assert.deepEqual(manager['nodeSelector'], { pool: 'flink' });
    assert.equal(manager['priorityClassName'], 'user');
    const [container] = manager['containers'] as { resources: unknown }[];
    assert.deepEqual(container?.resources, { limits: { memory: '3Gi' } }, 'taken at its word');
    assert.deepEqual(judge(platform, REF, spec), []);
    const worker = podOf(spec, platform, 'taskManager');
    assert.deepEqual(worker['nodeSelector'], { pool: 'large' });
    assert.equal(worker['priorityClassName'], 'user', 'what the user says for both roles');
    assert.equal(worker['tolerations'], undefined, "the platform's own words for TaskManagers replace the others");
  });

  test('that make a FlinkJob invalid are named as the reason', () => {
    const platform = defaults(entry({ flinkConf: { 'taskmanager.memory.process.size': '4g' } }));
    const spec = { ...JOB, taskManagerResources: { limits: { memory: '1Gi' } } };
    const [finding] = judge(platform, REF, spec);
    assert.equal(finding?.rule, 'platform-defaults');
    assert.match(finding?.path ?? '', /taskmanager\.memory\.process\.size/);
  });
});

describe('decorators', () => {
  test('of the configuration see the user over the defaults, and what they say wins over both', () => {
    const seen: unknown[] = [];
    const platform: Platform = {
      defaults: [{ name: 'all', spec: { flinkConf: { x: 'default', z: 'default' } } }],
      decorators: [
        {
          name: 'conf',
          priority: 1,
          flinkConf: (conf, florkConf, job) => {
            seen.push(conf, florkConf, job);
            return { ...conf, x: 'decorator', 'state.backend.type': 'rocksdb' };
          },
        },
      ],
    };
    const conf = confOf({ ...JOB, flinkConf: { x: 'user', y: 1 }, florkConf: { team: 'a' } }, platform);
    assert.deepEqual(seen.slice(0, 3), [
      { x: 'user', y: '1', z: 'default' },
      { team: 'a' },
      { name: 'wordcount', namespace: 'team-prod', flinkVersion: '2.3' },
    ]);
    assert.equal(conf['x'], 'decorator');
    assert.equal(conf['state.backend.type'], 'rocksdb');
  });

  test('of high availability switch it on for all of Flork', () => {
    const platform = decorators({
      name: 'ha',
      priority: 1,
      flinkConf: (conf) => ({
        ...conf,
        'high-availability.type': 'kubernetes',
        'high-availability.storageDir': 's3://ha/{{name}}',
      }),
    });
    const record = renderEpoch({ ref: REF, number: 1, generation: 1, spec: JOB, handled: {}, platform });
    assert.equal(record.highAvailability, true);
    assert.equal(confOf(JOB, platform)['high-availability.storageDir'], 's3://ha/wordcount');
    assert.deepEqual(record.spec, JOB, 'the record has the spec as the user wrote it');
  });

  test('of pods see no field that Flork owns, and are called for both roles', () => {
    const roles: string[] = [];
    const platform = decorators({
      name: 'pod',
      priority: 1,
      podSpec: (podSpec, { role, podMeta }) => {
        roles.push(role);
        assert.deepEqual(podMeta.labels, { team: 'a' });
        const [main] = podSpec['containers'] as Record<string, unknown>[];
        assert.equal(main?.['args'], undefined);
        return { ...podSpec, containers: [...(podSpec['containers'] as object[]), { name: 'side', image: 'side:1' }] };
      },
    });
    const spec = { ...JOB, jobManagerPodMeta: { labels: { team: 'a' } } };
    const containers = podOf(spec, platform)['containers'] as { name: string }[];
    assert.deepEqual(
      containers.map(({ name }) => name),
      ['flink-main-container', 'side'],
    );
    assert.deepEqual([...new Set(roles)], ['jobmanager', 'taskmanager']);
  });

  test('are called in their order, and the last word is that of what Flork owns', () => {
    const platform = decorators(labelled('first'), labelled('second'), {
      name: 'args',
      priority: 3,
      podSpec: () => ({ containers: [{ name: 'flink-main-container', image: 'other/flink:2.3' }], volumes: [] }),
    });
    assert.deepEqual(podOf(JOB, decorators(labelled('first'), labelled('second')))['nodeSelector'], { pool: 'second' });
    const pod = podOf(JOB, platform);
    assert.ok((pod['containers'] as { args: string[] }[])[0]?.args.includes('standalone-job'));
    assert.ok((pod['volumes'] as { name: string }[]).some(({ name }) => name === 'flork-conf'));
  });

  const wrong: readonly (readonly [string, Decorator['podSpec'], RegExp])[] = [
    ['throw', () => assert.fail('boom'), /threw AssertionError: boom; want a result/],
    ['return nothing', () => undefined, /returned undefined; want an object/],
    ['return a Promise', async (podSpec) => podSpec, /returned a Promise; want/],
    ['return what JSON cannot hold', (podSpec) => ({ ...podSpec, x: { y: Number.NaN } }), /returned NaN at x\.y/],
    ['return a function', (podSpec) => ({ ...podSpec, x: () => 1 }), /returned a function at x/],
    [
      'return an object of a class',
      (podSpec) => ({ ...podSpec, x: new Map() }),
      /returned an object with a class at x/,
    ],
    [
      'return too much',
      (podSpec) => ({ ...podSpec, x: 'x'.repeat(70_000) }),
      /returned 70\d+ characters; want at most/,
    ],
    ['return something else each time', (podSpec) => ({ ...podSpec, x: Math.random() }), /two results for one input/],
    [
      'leave two containers of a name',
      (p) => ({
        ...p,
        containers: [
          { name: 'a', image: 'a' },
          { name: 'a', image: 'b' },
        ],
      }),
      /a/,
    ],
    [
      'mount what is not there',
      (p) => ({ ...p, initContainers: [{ name: 'i', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] }),
      /initContainers\[0\]\.volumeMounts\[0\]\.name is "v"/,
    ],
    [
      'change the Flink version of the image',
      (p) => ({ ...p, containers: [{ name: 'flink-main-container', image: 'flink:1.20' }] }),
      /1\.20/,
    ],
    ['end the pods', (p) => ({ ...p, restartPolicy: 'Never' }), /restartPolicy is "Never"/],
  ];
  for (const [what, podSpec, said] of wrong) {
    test(`that ${what} are told by name`, () => {
      const findings = judge(decorators(labelled('fine'), { name: 'bad', priority: 2, podSpec: podSpec! }), REF, JOB);
      assert.ok(findings.length > 0);
      for (const { rule, path } of findings) assert.deepEqual([rule, path], ['decorator', 'decorator bad']);
      assert.match(findings.map(({ is, want }) => `${is}; want ${want}`).join(' '), said);
    });
  }

  const wrongConf: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['a key that Flork owns', { 'kubernetes.cluster-id': 'mine' }, /kubernetes\.cluster-id/],
    ['a restore path', { 'execution.savepoint.path': 's3://x' }, /execution\.savepoint\.path/],
    ['another parallelism', { 'parallelism.default': 4 }, /changes "parallelism\.default"/],
    ['no value of Flink', { x: { y: 1 } }, /gives "x" no value/],
  ];
  for (const [what, keys, said] of wrongConf) {
    test(`that say ${what} are told by name`, () => {
      const bad: Decorator = { name: 'bad', priority: 1, flinkConf: (conf) => ({ ...conf, ...keys }) };
      const [finding] = judge(decorators(bad), REF, { ...JOB, parallelism: 2 });
      assert.equal(finding?.path, 'decorator bad');
      assert.match(`${finding?.is}`, said);
    });
  }

  test('may take the image from another registry, and change their copies', () => {
    const mirror: Decorator = {
      name: 'mirror',
      priority: 1,
      podSpec: (podSpec) => {
        const [main] = podSpec['containers'] as Record<string, unknown>[];
        main!['image'] = `mirror/${String(main!['image'])}`;
        return podSpec;
      },
    };
    assert.deepEqual(judge(decorators(mirror), REF, JOB), []);
    const [main] = podOf(JOB, decorators(mirror))['containers'] as { image: string }[];
    assert.equal(main?.image, 'mirror/flink:2.3');
  });

  test('that give the savepoint directory are read like the user', () => {
    const bucket: Decorator = {
      name: 'bucket',
      priority: 1,
      flinkConf: (conf) => ({ 'execution.checkpointing.savepoint-dir': 's3://team', ...conf }),
    };
    const record = (spec: FlinkJobSpec) =>
      renderEpoch({ ref: REF, number: 1, generation: 1, spec, handled: {}, platform: decorators(bucket) });
    assert.equal(record(JOB).savepointDirectory, 's3://team');
    const own = { ...JOB, policies: { savepoint: { directory: 's3://own' } } };
    assert.equal(record(own).savepointDirectory, 's3://own');
    assert.deepEqual(judge(decorators(bucket), REF, own), []);
  });
});

describe('a FlinkJob under a platform', () => {
  const running = (epoch: number, at: ReturnType<typeof cluster>): Shown => ({
    pods: [jobManagerPod(epoch)],
    flink: answered(at.status!.epoch!.jobId, 'RUNNING'),
  });
  const broken = decorators({ name: 'broken', priority: 1, podSpec: () => assert.fail('boom') });

  test('keeps its bytes while it runs, whatever becomes of the platform', () => {
    const at = runningCluster();
    const before = sync(at, running(1, at));
    const other: Platform = {
      ...defaults({ name: 'all', spec: { flinkConf: { x: '1' } } }),
      ...decorators(labelled('new')),
    };
    for (const platform of [other, defaults({ name: 'all', spec: { flinkConf: { x: '1' } } }), broken]) {
      const outcome = sync(at, { ...running(1, at), platform });
      assert.deepEqual(outcome.children, before.children);
    }
  });

  test('gets the platform of the day with its next epoch', () => {
    const at = runningCluster();
    edit(at, { restartNonce: 1, policies: { upgrade: { mode: 'stateless' } } });
    const platform = decorators(labelled('new'));
    sync(at, { ...running(1, at), platform });
    sync(at, { ...running(1, at), platform });
    sync(at, { pods: [jobManagerPod(1)], flink: answered(at.status!.epoch!.jobId, 'CANCELED'), platform });
    for (let step = 0; step < 6; step++) sync(at, { pods: [], platform });
    assert.equal(at.status?.epoch?.number, 2, at.status?.message);
    const deployment = at.children.get('Deployment/wordcount-jobmanager') as never as {
      spec: { template: { spec: { nodeSelector: unknown } } };
    };
    assert.deepEqual(deployment.spec.template.spec.nodeSelector, { pool: 'new' });
  });

  test('does not start where a decorator fails, and says whose fault it is', () => {
    const at = cluster();
    const { status, children } = sync(at, { platform: broken });
    assert.deepEqual(children, []);
    assert.equal(status.state, 'Stalled');
    assert.equal(status.conditions.find(({ type }) => type === 'Stalled')?.reason, 'PlatformFailed');
    assert.match(status.message, /decorator broken: threw AssertionError: boom/);
    sync(at, { platform: decorators(labelled('fine')) });
    assert.equal(at.status?.state, 'Deploying');
  });

  test('that runs is not stopped for an epoch that a decorator cannot make', () => {
    const at = runningCluster();
    edit(at, { restartNonce: 1, jobArgs: ['--new'] });
    for (let step = 0; step < 4; step++) {
      const { status, commands } = sync(at, { ...running(1, at), platform: broken });
      assert.deepEqual(commands, []);
      assert.equal(status.operation, undefined);
      assert.equal(status.conditions.find(({ type }) => type === 'Stalled')?.reason, 'PlatformFailed');
      assert.equal(jobManagerReplicas(at), 1);
    }
    sync(at, running(1, at));
    assert.equal(at.status?.operation?.kind, 'stop', 'corrected, the change is made');
  });
});

test('explain tells the layer of each key and field', () => {
  const platform: Platform = {
    defaults: [
      {
        name: 'all',
        spec: { flinkConf: { a: '1', b: '1' }, jobManagerPodSpec: { nodeSelector: { x: 'y' } } as never },
      },
    ],
    decorators: [{ name: 'conf', priority: 1, flinkConf: (conf) => ({ ...conf, c: '3' }) }, labelled('decorated', 2)],
  };
  const { flinkConf, jobmanager } = explain(platform, REF, { ...JOB, flinkConf: { b: '1', d: '4' } });
  const source = (lines: typeof flinkConf, path: string) => lines.find((line) => line.path === path)?.source;
  assert.equal(source(flinkConf, 'a'), 'defaults all');
  assert.equal(source(flinkConf, 'b'), 'spec');
  assert.equal(source(flinkConf, 'c'), 'decorator conf');
  assert.equal(source(flinkConf, 'd'), 'spec');
  assert.equal(source(flinkConf, 'rest.port'), 'Flork');
  assert.equal(source(jobmanager, 'nodeSelector.pool'), 'decorator label-decorated');
  assert.equal(source(jobmanager, 'containers[flink-main-container].image'), 'spec');
  assert.equal(source(jobmanager, 'containers[flink-main-container].args[0]'), 'Flork, always');
});
