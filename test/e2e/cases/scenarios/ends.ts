import { strict as assert } from 'node:assert';
import { STATE } from '../../flink/bare.ts';
import { FlinkJob } from '../../lib/flink-job.ts';
import { jobJar } from '../../lib/kit.ts';
import { kubectl, until } from '../../lib/kube.ts';
import { scenario, type Case } from '../case.ts';
import type { Lane, Subject } from '../lane.ts';
import { gone, remove } from '../removal.ts';

/** Scenarios 6, 29, 34 and 36: deletions in the middle of something, and jobs that come to their end. */

/** Where a job is deleted. */
const MOMENTS: readonly (readonly [string, string, (subject: Subject) => Promise<unknown>])[] = [
  ['start', 'it starts', ({ job }) => job.status('declared', 60, ({ status }) => status?.epoch !== undefined)],
  [
    'stop',
    'it is stopped with a savepoint',
    async (subject) => {
      await subject.counts();
      await subject.hold('snapshot');
      await subject.change();
      await subject.job.status('the stop is intended', 60, ({ status }) => status.operation?.kind === 'stop');
    },
  ],
  [
    'suspended',
    'it is suspended',
    async (subject) => {
      const { job } = subject;
      await subject.counts();
      await job.cluster.patch(job.path, { spec: { state: 'suspended' } });
      await job.status('Suspended', 180, ({ status }) => status.state === 'Suspended');
    },
  ],
];
const deletions = MOMENTS.map(([moment, when, reach]) =>
  scenario(`6-${moment}`, `deleted while ${when}: nothing is left`, (lane) =>
    lane.withOwn(`delete-${moment}`, {}, async (subject) => {
      await reach(subject);
      await remove(lane, subject.job.name);
      await gone(lane, subject);
      return '';
    }),
  ),
);

const foreground = scenario(
  '29',
  'deleted in the foreground, as Argo CD prunes: nothing is left, nothing starts again',
  (lane) =>
    lane.withOwn('foreground', {}, async (subject) => {
      await subject.counts();
      await remove(lane, subject.job.name, 'foreground');
      await gone(lane, subject);
      return '';
    }),
);

const LAST = 400;
const bounded = scenario(
  '34',
  'a bounded job finishes: a killed JobManager does not run it again, it goes after its TTL, and its trigger deletes it',
  (lane) =>
    lane.withOwn(
      'bounded',
      { policies: { ttlSecondsAfterFinished: 45, deletion: { trigger: 'Termination' } } },
      async (subject) => {
        const { job, output } = subject;
        const { jobArgs } = (await job.get()).spec;
        await job.cluster.patch(job.path, { spec: { jobArgs: ['--end', String(LAST), ...jobArgs] } });
        await job.status('Finished', 240, ({ status }) => status.state === 'Finished');
        await until('no TaskManager is left', 60, async () =>
          (await job.pods('taskmanager')).length === 0 ? true : undefined,
        );
        await job.killJobManager();
        await until('it has deleted itself', 180, async () =>
          (await lane.cluster.find(job.path)) === undefined ? true : undefined,
        );
        await gone(lane, subject);
        const { newest, repeated } = await output.judge(LAST - 2, 30);
        assert.deepEqual([newest, repeated], [LAST - 1, 0], 'every number once');
        return '';
      },
    ),
  { seconds: 110 },
);

/** The sample batch job of the original Flork in substance: image and jar by flinkConf, a storage volume, gone when it has ended. */
function sample(lane: Lane, name: string): object {
  const folder = `${STATE}/${lane.namespace}/sample`;
  const containers = [
    {
      name: 'flink-main-container',
      volumeMounts: [
        { name: 'flink-storage', mountPath: '/opt/flink/storage' },
        { name: 'jar', mountPath: '/opt/flink/usrlib' },
      ],
    },
  ];
  const volumes = [
    { name: 'flink-storage', hostPath: { path: folder, type: 'Directory' } },
    { name: 'jar', configMap: { name } },
  ];
  const securityContext = { runAsUser: 1999, runAsGroup: 1999, fsGroup: 1999 };
  return {
    apiVersion: 'flork.itom.com/v1',
    kind: 'FlinkJob',
    metadata: { name, namespace: lane.namespace },
    spec: {
      florkConf: { shadowConfigFiles: false },
      flinkConf: {
        'kubernetes.container.image': `flink:${lane.version}`,
        'pipeline.jars': 'local:///opt/flink/usrlib/word-count.jar',
        'security.ssl.internal.enabled': false,
        'security.ssl.rest.enabled': false,
        'security.ssl.rest.authentication-enabled': false,
      },
      jobArgs: ['--input', '/opt/flink/storage/input.txt', '--output', '/opt/flink/storage/output'],
      policies: { deletion: { trigger: 'Termination' } },
      jobManagerPodSpec: { securityContext, containers, volumes },
      taskManagerPodSpec: { securityContext, containers, volumes },
    },
  };
}

const batch = scenario(
  '36',
  'the sample batch job with a delivered jar: its words are counted once, and it deletes itself',
  async (lane) => {
    await lane.forgetShared();
    const name = `word-count-${Date.now() % 100_000}`;
    const folder = `${STATE}/${lane.namespace}/sample`;
    const data = { 'word-count.jar': await jobJar(lane.version, 'WordCount') };
    const jar = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: lane.namespace },
      binaryData: data,
    };
    await lane.shell(
      `rm -rf ${folder}; mkdir -m 777 ${folder}; printf 'to be or not to be\\nthat is\\n' > ${folder}/input.txt`,
    );
    const job = new FlinkJob(lane.cluster, name, lane.namespace);
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [jar, sample(lane, name)] }),
    );
    await until(
      'it has deleted itself',
      240,
      async () => ((await lane.cluster.find(job.path)) === undefined ? true : undefined),
      () => job.explain(''),
    );
    await gone(lane, { job });
    const words = await lane.shell(`find ${folder}/output -type f ! -name '.*' -exec cat {} + | sort`);
    assert.equal(words.trim(), 'be 2\nis 1\nnot 1\nor 1\nthat 1\nto 2');
    await kubectl(['-n', lane.namespace, 'delete', 'configmap', name]);
    return '';
  },
  { seconds: 60 },
);

export const endCases: readonly Case[] = [...deletions, foreground, bounded, batch];
