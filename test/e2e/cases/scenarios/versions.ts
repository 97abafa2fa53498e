import { strict as assert } from 'node:assert';
import { florkImage } from '../../lib/install.ts';
import { kubectl, until } from '../../lib/kube.ts';
import { scenario, type Case } from '../case.ts';
import type { Lane, Subject } from '../lane.ts';
import { arrives, storyOf } from './upgrades.ts';

/** Scenario 24: an earlier Flork and this one answer for one job, together and in turn. No other lane may be at work. */

/** The last commit before rollback: it knows neither that policy nor what status says of it. */
const EARLIER = '62d8600';
const DEPLOYMENT = ['-n', 'flork-system'] as const;
const rollOut = (...what: readonly string[]): Promise<string> =>
  kubectl([...DEPLOYMENT, 'rollout', ...what, 'deployment/flork']);
const complete = (): Promise<string> =>
  kubectl([...DEPLOYMENT, 'rollout', 'status', 'deployment/flork', '--timeout=180s']);

async function setImage(reference: string): Promise<void> {
  await kubectl([...DEPLOYMENT, 'set', 'image', 'deployment/flork', `flork=${reference}`]);
}

type Pods = {
  readonly items: readonly {
    readonly metadata: { readonly deletionTimestamp?: string };
    readonly spec: { readonly containers: readonly { readonly image: string }[] };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
};

/** Images of the hook's pods; of those only that answer, or of all. */
async function images(which: 'ready' | 'all'): Promise<ReadonlySet<string>> {
  const pods = await kubectl([...DEPLOYMENT, 'get', 'pods', '-l', 'app.kubernetes.io/name=flork', '-o', 'json']);
  const found = (JSON.parse(pods) as Pods).items.filter(({ metadata, status }) => {
    const ready = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
    return which === 'all' || (ready && metadata.deletionTimestamp === undefined);
  });
  return new Set(found.map(({ spec }) => spec.containers[0]!.image));
}

/** Begins to roll an image out and stops as soon as its first pod is made, so that both answer. */
async function besides(now: string, other: string): Promise<void> {
  await setImage(other);
  await until('a pod of the other version', 60, async () => ((await images('all')).has(other) ? true : undefined));
  await rollOut('pause');
  await until('both answer', 120, async () => {
    const ready = await images('ready');
    return ready.has(now) && ready.has(other) ? true : undefined;
  });
}

/** One change, one epoch, one savepoint, whoever answers; and before it the process of before. */
async function upgraded(subject: Subject, process: string): Promise<string> {
  assert.equal((await subject.job.get()).status.epoch.process, process, 'nothing has restarted');
  const story = await storyOf(subject);
  await subject.change();
  const { epoch } = await arrives(story, 1);
  await subject.judge('exactly-once');
  return epoch.process;
}

const processOf = async ({ job }: Subject): Promise<string> => (await job.get()).status.epoch.process;

const versions = scenario(
  '24',
  'Flork is rolled back and upgraded while the job runs, and both versions answer meanwhile: nothing restarts, one savepoint for each change',
  async (lane: Lane) => {
    const subject = await lane.shared();
    const [now = ''] = await images('ready');
    const earlier = await florkImage(EARLIER);
    let process = await processOf(subject);
    try {
      await besides(now, earlier);
      process = await upgraded(subject, process);
      assert.equal((await images('ready')).size, 2, 'both have answered meanwhile');
      await rollOut('resume');
      await complete();
      process = await upgraded(subject, process);
    } finally {
      await rollOut('resume').catch(() => '');
      await setImage(now);
      await complete();
    }
    await upgraded(subject, process);
    return `with ${EARLIER}`;
  },
  { versions: ['1.20'], seconds: 300, alone: true },
);

export const versionCases: readonly Case[] = [versions];
