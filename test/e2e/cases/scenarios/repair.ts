import { strict as assert } from 'node:assert';
import { comparable } from '../../../../src/core/snapshot-path.ts';
import { kubectl, until, type KubeObject } from '../../lib/kube.ts';
import { scenario, type Case } from '../case.ts';
import { settled, type Lane, type Subject } from '../lane.ts';
import { arrives, storyOf } from './upgrades.ts';

/** Scenarios 12, 19 and 20: what Flork or Flink wrote down is taken away while the job runs. */

type Kind = 'configmaps' | 'services' | 'deployments';
const pathOf = ({ namespace }: Lane, kind: Kind, name: string): string =>
  `${kind === 'deployments' ? '/apis/apps/v1' : '/api/v1'}/namespaces/${namespace}/${kind}/${name}`;

/** Names of the job's own ConfigMaps, by what they are for. */
async function configMaps(
  lane: Lane,
  { job }: Subject,
  what: 'conf' | 'restore' | 'epoch',
): Promise<readonly KubeObject[]> {
  const all = await lane.cluster.list(`/api/v1/namespaces/${lane.namespace}/configmaps`);
  return all.filter(({ metadata }) => metadata.name.startsWith(`${job.name}-${what}-`));
}

const newest = (objects: readonly KubeObject[]): KubeObject => {
  const sorted = objects.toSorted((a, b) => a.metadata.creationTimestamp!.localeCompare(b.metadata.creationTimestamp!));
  return sorted.at(-1) ?? assert.fail('no such ConfigMap');
};

/** The checkpoint on record for the next process, once it is one of this epoch. */
async function recorded(lane: Lane, subject: Subject): Promise<string> {
  const { jobId } = await subject.job.counting('it counts', 60, () => true);
  return until('a checkpoint of this process is on record', 120, async () => {
    const path = newest(await configMaps(lane, subject, 'restore')).data?.['path'];
    return path?.includes(jobId) ? comparable(path) : undefined;
  });
}

const recordedIsGone = scenario(
  '12',
  'the recorded checkpoint is gone when the JobManager is killed: told, one step back, Rewound',
  async (lane) => {
    const subject = await lane.shared();
    const { job } = subject;
    const story = await storyOf(subject);
    await subject.change();
    const { epoch } = await arrives(story, 1);
    const since = Date.now();
    const lost = await recorded(lane, subject);
    await lane.shell(`rm -rf ${lost}`);
    await job.killJobManager();
    const told = (found: KubeObject): { reason: string; snapshot?: string } | undefined =>
      (found.status.history as { at: string; reason: string; snapshot?: string }[]).find(
        ({ at, reason }) => reason === 'Rewound' && Date.parse(at) >= since - 1000,
      );
    const status = await job.status(
      'a step back',
      300,
      (found) => comparable(told(found)?.snapshot ?? '') === comparable(epoch.restoredFrom),
    );
    assert.equal(status.status.epoch.number, epoch.number, 'the same epoch');
    await job.ready(180);
    const { repeated } = await subject.judge('at-least-once');
    return `${repeated} numbers repeated from the savepoint before`;
  },
  { versions: ['1.20'], seconds: 180 },
);

const statusWiped = scenario(
  '19',
  'status is wiped while the job runs: adopted, and upgraded with its state',
  async (lane) => {
    const subject = await lane.shared();
    const { job } = subject;
    const story = await storyOf(subject);
    const { jobId } = await job.progress();
    await kubectl([
      '-n',
      lane.namespace,
      'patch',
      'flinkjob',
      job.name,
      '--subresource=status',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/status"}]',
    ]);
    await job.ready(120);
    assert.equal((await job.progress()).jobId, jobId, 'the same process');
    assert.equal((await job.get()).status.epoch.number, story.epoch);
    await subject.change();
    await arrives(story, 1);
    await subject.judge('exactly-once');
    return '';
  },
);

const childrenGone = scenario(
  '20',
  'children deleted and edited by hand, the record too: they come back, the job runs on',
  async (lane) => {
    const subject = await lane.shared();
    const { job } = subject;
    const { jobId } = await job.progress();
    const story = await storyOf(subject);
    const remove = async (kind: Kind, object: string): Promise<void> => {
      const path = pathOf(lane, kind, object);
      const old = (await lane.cluster.find(path))?.metadata.uid;
      assert.ok(old, `${object} is there`);
      assert.ok((await lane.cluster.call('DELETE', path)).status < 300);
      await until(`${object} is back`, 90, async () => {
        const uid = (await lane.cluster.find(path))?.metadata.uid;
        return uid === undefined || uid === old ? undefined : uid;
      });
    };
    for (const what of ['conf', 'restore', 'epoch'] as const)
      await remove('configmaps', newest(await configMaps(lane, subject, what)).metadata.name);
    await remove('services', `${job.name}-rest`);
    const record = newest(await configMaps(lane, subject, 'epoch')).metadata.name;
    await lane.cluster.patch(pathOf(lane, 'configmaps', record), { binaryData: { 'record.json.gz': 'H4sIAAAA' } });
    await job.ready(120);
    assert.equal((await job.progress()).jobId, jobId, 'the same process');
    await subject.judge('exactly-once');
    await subject.change();
    await arrives(story, 1);
    await subject.judge('exactly-once');
    return '';
  },
  { seconds: 110 },
);

const deploymentsGone = scenario(
  '20-deployments',
  'TaskManager and JobManager Deployments deleted by hand: started again after proof of absence',
  (lane) =>
    // As many checkpoints are retained as come up between two recordings.
    lane.withOwn('deployments', { flinkConf: { 'execution.checkpointing.interval': '4s' } }, async (subject) => {
      const { job } = subject;
      await subject.counts();
      await recorded(lane, subject);
      const story = await storyOf(subject);
      const remove = async (component: string): Promise<void> => {
        const { status } = await lane.cluster.call('DELETE', pathOf(lane, 'deployments', `${job.name}-${component}`));
        assert.ok(status < 300);
      };
      const old = await job.progress();
      await remove('taskmanager');
      await job.counting('other TaskManagers', 240, (p) => p.offset > old.offset + 500 && p.completed > old.completed);
      await remove('jobmanager');
      await job.counting('another JobManager', 240, (p) => p.jobId !== old.jobId && p.completed >= 1);
      const { held, object } = await settled(job, 180);
      assert.equal(held, false, object.status.message);
      assert.equal(object.status.epoch.number, story.epoch, 'the same epoch');
      const { repeated } = await subject.judge('at-least-once');
      return `${repeated} numbers repeated without the JobManager`;
    }),
  { seconds: 150 },
);

export const repairCases: readonly Case[] = [recordedIsGone, statusWiped, childrenGone, deploymentsGone];
