import type { Passing, Point } from '../lib/gate.ts';
import type { KubeObject } from '../lib/kube.ts';
import type { Subject } from './lane.ts';

/** Named points of an upgrade at which a job's calls can be held, and what Flink says at them. */

/** An upgrade of a job that ran as this epoch; `operation` is there once the stop is accepted. */
export type Story = { readonly subject: Subject; readonly epoch: number; operation?: Operation };
type Operation = {
  readonly kind: string;
  readonly jobId: string;
  readonly triggerId: string;
  readonly directory: string;
};

export const statusOf = (passing: Passing): any => passing.parent.status; // oxlint-disable-line typescript/no-explicit-any -- read loosely
export const stopOf = (passing: Passing): Operation | undefined => {
  const operation = statusOf(passing)?.operation as Operation | undefined;
  return operation?.kind === 'stop' ? operation : undefined;
};
const objects = (groups: Passing['children'], kind: string): readonly KubeObject[] =>
  Object.entries(groups).flatMap(([key, group]) => (key.startsWith(kind) ? Object.values(group) : []));
export const replicas = (found: readonly KubeObject[], component: string): number | undefined =>
  found.find((object) => object.kind === 'Deployment' && object.metadata.name.endsWith(`-${component}`))?.spec
    ?.replicas;
export const jobManagerOf = (passing: Passing): number | undefined =>
  replicas(objects(passing.children, 'Deployment'), 'jobmanager');
/** Pods that may still run something: one that has failed for good stays a while as an object. */
export const podsOf = (passing: Passing): readonly KubeObject[] =>
  objects(passing.related, 'Pod').filter((pod) => !['Failed', 'Succeeded'].includes(String(pod.status?.phase)));

/** What Flink says of the stop: nothing yet, that it is under way, or its end. */
export async function trigger(story: Story, operation: Operation): Promise<'unknown' | 'IN_PROGRESS' | 'COMPLETED'> {
  const { job } = story.subject;
  const path = `/api/v1/namespaces/${job.namespace}/services/${job.name}-rest:8081/proxy/jobs/${operation.jobId}/savepoints/${operation.triggerId}`;
  const answer = await job.cluster.call('GET', path);
  if (answer.status === 404) return 'unknown';
  return JSON.parse(answer.text).status.id;
}

type Row = { readonly state: string; readonly tasks: { readonly total: number; readonly running: number } };
export async function row(story: Story): Promise<Row | undefined> {
  return (await story.subject.job.rest('/jobs/overview')).jobs[0] as Row | undefined;
}

export const before =
  (what: string, at: (passing: Passing, story: Story) => boolean | Promise<boolean>) =>
  (story: Story): Point => ({
    what,
    side: 'before',
    at: (passing) => passing.hook === 'sync' && at(passing, story),
  });
export const after =
  (what: string, at: (passing: Passing, story: Story) => boolean | Promise<boolean>) =>
  (story: Story): Point => ({
    what,
    side: 'after',
    at: (passing) => passing.hook === 'sync' && passing.answer !== undefined && at(passing, story),
  });

/** The answer of the sync that asked Flink to stop. */
export const asked = after('the stop is accepted', async (passing, story) => {
  const operation = stopOf(passing);
  if (operation === undefined || (await trigger(story, operation)) === 'unknown') return false;
  story.operation = operation;
  return true;
});
export const nextStarts = before(
  'the next JobManager starts',
  (passing, { epoch }) =>
    statusOf(passing)?.epoch?.number === epoch + 1 && jobManagerOf(passing) === 1 && podsOf(passing).length > 0,
);

export const shown = before(
  'the new spec is shown',
  (passing, { epoch }) =>
    passing.parent.metadata.generation !== statusOf(passing)?.epoch?.generation &&
    statusOf(passing)?.epoch?.number === epoch,
);
export const intended = before('the intent is in status', (passing) => stopOf(passing) !== undefined);
export const ended = before('the path is in status', (passing) => statusOf(passing)?.epoch?.ended?.path !== undefined);
export const declared = before(
  'the next epoch is declared',
  (passing, { epoch }) => statusOf(passing)?.epoch?.number === epoch + 1 && jobManagerOf(passing) === 0,
);
