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

async function readyImages(): Promise<readonly string[]> {
  const list = JSON.parse(
    await kubectl([...DEPLOYMENT, 'get', 'pods', '-l', 'app.kubernetes.io/name=flork', '-o', 'json']),
  ) as {
    items: {
      metadata: { deletionTimestamp?: string };
      spec: { containers: { image: string }[] };
      status: { conditions?: { type: string; status: string }[] };
    }[];
  };
  return list.items
    .filter(({ metadata, status }) => {
      const ready = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
      return ready && metadata.deletionTimestamp === undefined;
    })
    .map(({ spec }) => spec.containers[0]!.image);
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
    const [now] = await readyImages();
    const earlier = await florkImage(EARLIER);
    let process = await processOf(subject);
    try {
      await setImage(earlier);
      await until('an earlier Flork beside this one', 120, async () => {
        const images = new Set(await readyImages());
        return images.has(earlier) && images.has(now!) ? true : undefined;
      });
      await rollOut('pause');
      process = await upgraded(subject, process);
      assert.equal(new Set(await readyImages()).size, 2, 'both have answered meanwhile');
      await rollOut('resume');
      await complete();
      process = await upgraded(subject, process);
    } finally {
      await rollOut('resume').catch(() => '');
      await setImage(now!);
      await complete();
    }
    await upgraded(subject, process);
    return `with ${EARLIER}`;
  },
  { versions: ['1.20'], seconds: 300, alone: true },
);

export const versionCases: readonly Case[] = [versions];
