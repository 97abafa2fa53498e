import { strict as assert } from 'node:assert';
import { kubectl, type KubeObject } from '../../lib/kube.ts';
import { scenario, type Case } from '../case.ts';
import { conditionOf, settled, type Lane, type Subject } from '../lane.ts';

/** Scenarios 13, 14, 17 and 27: jobs that cannot start, or fail for good, until somebody repairs them. */

const readyReason = (job: KubeObject): string | undefined => conditionOf(job, 'Ready')?.reason;

/** Waits until status gives one of these reasons in words that match; returns the reason. */
async function told({ job }: Subject, reasons: readonly string[], words: RegExp): Promise<string> {
  const found = await job.status(`${reasons.join(' or ')}, ${words.source}`, 180, (object) => {
    const reason = readyReason(object);
    return reason !== undefined && reasons.includes(reason) && words.test(object.status.message);
  });
  return `told: ${readyReason(found)}`;
}

const badImage = scenario('13', 'an image that cannot be pulled: told, and started once it is repaired', (lane) =>
  lane.withOwn('image', { image: 'flink.invalid/flink:1.20' }, async (subject) => {
    const note = await told(subject, ['ImagePullFailed'], /flink\.invalid/);
    await subject.change({ image: `flink:${lane.version}` });
    assert.equal((await subject.counts()).first, 0);
    assert.ok(await subject.runsItsChange());
    await subject.judge('exactly-once');
    return note;
  }),
);

const mainThrows = scenario('14', 'main() throws: told, and started once it is repaired', (lane) =>
  lane.withOwn('throws', { jobArgs: ['--throw-in-main'] }, async (subject) => {
    const note = await told(subject, ['JobFailed', 'CrashLooping'], /main\(\) throws, as asked|main method|exit/i);
    await subject.change({ jobArgs: ['--pause-ms', '10'] });
    assert.equal((await subject.counts()).first, 0);
    return note;
  }),
);

const failed = scenario(
  '17',
  'the job has FAILED for good, then its spec is repaired: goes on from its newest checkpoint',
  (lane) =>
    lane.withOwn('failed', {}, async (subject) => {
      const { job } = subject;
      await subject.counts();
      const { offset } = await job.progress();
      const { jobArgs } = (await job.get()).spec;
      await subject.change({ jobArgs: ['--fail-at', String(offset + 2500), ...jobArgs] });
      const found = await job.status('Failed', 240, ({ status }) => status.state === 'Failed');
      assert.match(found.status.message, /as asked/);
      await subject.change({ jobArgs });
      const { held, object } = await settled(job, 240);
      assert.equal(held, false, object.status.message);
      assert.match(object.status.epoch.restoredFrom, /\/chk-\d+$/);
      await subject.judge('exactly-once');
      return '';
    }),
  { seconds: 130 },
);

const refused = scenario(
  '27',
  'pods are refused by Pod Security: told, and started once they are admitted',
  async (lane: Lane) => {
    await lane.forgetShared();
    const label = (value: string): Promise<string> =>
      kubectl(['label', 'namespace', lane.namespace, '--overwrite', `pod-security.kubernetes.io/enforce${value}`]);
    await label('=baseline');
    let admitted = false;
    try {
      return await lane.withOwn('refused', {}, async (subject) => {
        const note = await told(subject, ['PodsRefused'], /PodSecurity/);
        assert.equal(conditionOf(await subject.job.get(), 'ChildrenApplied')?.status, 'False');
        await label('-');
        admitted = true;
        assert.equal((await subject.counts()).first, 0);
        return note;
      });
    } finally {
      if (!admitted) await label('-');
    }
  },
  { seconds: 100 },
);

export const startCases: readonly Case[] = [badImage, mainThrows, failed, refused];
