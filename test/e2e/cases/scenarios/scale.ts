import { strict as assert } from 'node:assert';
import { kubectl, until } from '../../lib/kube.ts';
import { scenario, type Case } from '../case.ts';
import type { Lane, Subject } from '../lane.ts';

/** Scenario 35: the same job and JobManager at another scale. */

type Vertex = { readonly name: string; readonly parallelism: number };

/** Waits until the job runs at this parallelism, on as many TaskManagers. */
async function runsAt({ job }: Subject, parallelism: number): Promise<readonly Vertex[]> {
  return until(
    `parallelism ${parallelism}`,
    180,
    async () => {
      const { jobId, allRun } = await job.progress();
      const { vertices } = (await job.rest(`/jobs/${jobId}`)) as { vertices: readonly Vertex[] };
      const widest = Math.max(...vertices.map((vertex) => vertex.parallelism));
      const pods = await job.pods('taskmanager');
      return allRun && widest === parallelism && pods.length === parallelism ? vertices : undefined;
    },
    () => job.explain(''),
  );
}

const rescaled = scenario(
  '35',
  'rescaled in place, up and down, by kubectl scale: the same process, nothing repeated',
  (lane: Lane) =>
    lane.withOwn(
      'scaled',
      { parallelism: undefined, taskManagerReplicas: 2, flinkConf: { 'jobmanager.scheduler': 'adaptive' } },
      async (subject) => {
        const { job } = subject;
        const { jobId } = await subject.counts();
        const { number } = (await job.get()).status.epoch;
        for (const replicas of [3, 1]) {
          await kubectl(['-n', lane.namespace, 'scale', 'flinkjob', job.name, `--replicas=${replicas}`]);
          const vertices = await runsAt(subject, replicas);
          assert.ok(
            replicas === 1 || vertices.some(({ parallelism }) => parallelism === 1),
            'a vertex fixed at 1 stays',
          );
          await job.ready(120);
          const verdict = await subject.judge('exactly-once');
          assert.equal(verdict.progress.jobId, jobId, 'the same process');
          assert.equal((await job.get()).status.epoch.number, number, 'the same epoch');
        }
        const { status } = await job.get();
        assert.equal((status.history as { reason: string }[]).filter(({ reason }) => reason === 'Rescaled').length, 2);
        return '';
      },
    ),
  { seconds: 130 },
);

export const scaleCases: readonly Case[] = [rescaled];
