import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Child } from '../../src/api/kube.ts';
import type { FlinkJobSpec } from '../../src/api/flinkjob.ts';
import { renderEpoch } from '../../src/core/build/epoch.ts';
import { crd } from '../../tools/crd/crd.ts';
import { attacks, flinkJob, type Job } from '../admission/corpus.ts';
import { PROFILE_FILE } from '../admission/profile.ts';
import { Cluster, sleep } from '../e2e/lib/kube.ts';
import { askAll, install, ROOT, skip } from './cluster.ts';

const NAMESPACE = `flork-tenant-${Date.now().toString(36)}`;
const POLICIES = join(ROOT, 'kustomize/components/tenant-profile/policy.yaml');

const namespace = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;
const pathOf = ({ kind }: Child): string =>
  kind === 'Deployment'
    ? `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`
    : `/api/v1/namespaces/${NAMESPACE}/services`;

/** The children that would come of a FlinkJob if the hook did not look. */
function childrenOf({ name, spec }: Job): readonly Child[] {
  const ref = { name, namespace: NAMESPACE, uid: '11111111-2222-3333-4444-555555555555' };
  const record = renderEpoch({ ref, number: 1, generation: 1, spec: spec as FlinkJobSpec, handled: {} });
  const { jobManager, taskManager, services } = record.children;
  return [jobManager, taskManager, ...services];
}

describe('a tenant profile on an API server', { skip }, () => {
  const all = attacks();
  let cluster: Cluster;
  let remove = async (): Promise<void> => {};

  before(async () => {
    const texts = [JSON.stringify(crd()), namespace('flork-system'), namespace(NAMESPACE)];
    remove = await install([...texts, readFileSync(PROFILE_FILE, 'utf8'), readFileSync(POLICIES, 'utf8')]);
    cluster = await Cluster.connect();
    await enforced();
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await remove();
  });

  /** An API server looks at new policies and their parameters some seconds later: until each of them refuses, and none errs. */
  async function enforced(): Promise<void> {
    const bad = {
      name: 'probe',
      spec: { image: 'evil.example.com/flink:2.3', flinkConf: { 'kubernetes.rest-service.exposed.type': 'NodePort' } },
    };
    const good = { name: 'probe', spec: { image: 'flink:2.3' } };
    for (let i = 0; i < 60; i++) {
      const refused = [await refusal(bad), ...(await refusals(bad))].filter((text) => text?.includes('tenant-profile'));
      const accepted = [await refusal(good), ...(await refusals(good))].every((text) => text === undefined);
      if (refused.length === 4 && accepted) return;
      await sleep(500);
    }
    throw new Error('the policies were not enforced within 30 s');
  }

  async function create(path: string, object: unknown): Promise<string | undefined> {
    const answer = await cluster.call('POST', `${path}?dryRun=All&fieldValidation=Strict`, object);
    return answer.status < 300 ? undefined : (JSON.parse(answer.text) as { message: string }).message;
  }

  const refusal = (job: Job): Promise<string | undefined> =>
    create(`/apis/flork.itom.com/v1/namespaces/${NAMESPACE}/flinkjobs`, flinkJob(job, NAMESPACE));
  const refusals = (job: Job): Promise<readonly (string | undefined)[]> =>
    Promise.all(childrenOf(job).map((child) => create(pathOf(child), child)));

  test('each attack is refused as a FlinkJob, but for those that only the children show', async (t) => {
    const answers = await askAll(all, ({ wrong }) => refusal(wrong));
    const failed = all.flatMap(({ title, only }, index) => {
      const text = answers[index];
      // A field that no FlinkJob has is refused before any policy is asked.
      const isRefused = text !== undefined && /tenant-profile.*; want |unknown field/s.test(text);
      return isRefused === (only !== 'children') ? [] : [`${title}: ${text}`];
    });
    const byPolicy = answers.filter((text) => text?.includes('tenant-profile')).length;
    t.diagnostic(`${all.length} attacks: ${byPolicy} refused by the policy on FlinkJobs`);
    assert.deepEqual(failed, []);
  });

  test('each attack is refused as a Deployment or a Service, should it come so far', async (t) => {
    const answers = await askAll(all, ({ wrong }) => refusals(wrong));
    const policy = (texts: readonly (string | undefined)[]): boolean =>
      texts.some((text) => text !== undefined && /tenant-profile-.*; want /s.test(text));
    // Some of them no API server would take for a Deployment, whatever the profile says.
    const itself = answers.filter((texts) => !policy(texts) && texts.some((text) => text !== undefined)).length;
    const failed = all.flatMap(({ title, only }, index) =>
      only !== 'flinkjobs' && answers[index]!.every((text) => text === undefined) ? [title] : [],
    );
    t.diagnostic(
      `${all.length} attacks: ${answers.filter(policy).length} refused by the policies on children, ${itself} by Kubernetes itself`,
    );
    assert.deepEqual(failed, []);
  });

  test('the neighbour of each is accepted, and so are its children', async () => {
    const answers = await askAll(all, async ({ right }) => [await refusal(right), ...(await refusals(right))]);
    const refused = all.flatMap(({ title }, index) => {
      const texts = answers[index]!.filter((text) => text !== undefined);
      return texts.length > 0 ? [`${title}: ${texts.join('\n')}`] : [];
    });
    assert.deepEqual(refused, []);
  });
});
