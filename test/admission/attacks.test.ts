import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Child } from '../../src/api/kube.ts';
import type { Status } from '../../src/api/status.ts';
import { createApp } from '../../src/http/app.ts';
import { parent, post, request } from '../unit/http/hook-fixture.ts';
import { attacks, flinkJob, names, type Job } from './corpus.ts';
import { shippedProfile } from './profile.ts';

const profile = shippedProfile();
const silence = async () => ({ kind: 'error', error: 'unreachable', text: 'nobody is there' }) as const;
const deps = { transport: silence, now: () => 1_700_000_000_000 };
const guarded = createApp({ ...deps, profile: () => profile });
const open = createApp(deps);

async function validated(app: typeof guarded, job: Job): Promise<{ allowed: boolean; message: string }> {
  const kind = { group: 'flork.itom.com', version: 'v1', kind: 'FlinkJob' };
  const object = flinkJob(job, 'default');
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'r', kind, operation: 'CREATE', name: job.name, namespace: 'default', object },
  };
  const answer = (await (await post(app, '/validate', review)).json()) as {
    response: { allowed: boolean; status?: { message: string } };
  };
  return { allowed: answer.response.allowed, message: answer.response.status?.message ?? '' };
}

type Answer = { readonly children: readonly Child[]; readonly status: Status };

/** A sync of a FlinkJob whose last answer was applied as it is. */
async function synced(app: typeof guarded, spec: Job['spec'], generation: number, before?: Answer): Promise<Answer> {
  const finalizers = ['metacontroller.io/compositecontroller-flork'];
  const job = { ...parent({ finalizers, generation }, spec), ...(before && { status: before.status }) };
  const children: Record<string, Record<string, Child>> = {
    'ConfigMap.v1': {},
    'Service.v1': {},
    'Deployment.apps/v1': {},
  };
  for (const child of before?.children ?? []) {
    const group = child.kind === 'Deployment' ? 'Deployment.apps/v1' : `${child.kind}.v1`;
    children[group]![child.metadata.name] = child;
  }
  const response = await post(app, '/sync', request({ parent: job, children }));
  assert.equal(response.status, 200);
  return (await response.json()) as Answer;
}

describe('a tenant profile in the hook', () => {
  const all = attacks();
  test('is tried by enough attacks', () => assert.ok(all.length >= 80, String(all.length)));

  for (const { title, at, wrong, right } of all) {
    test(`${title} is refused with its place, and nothing comes of it`, async () => {
      assert.equal((await validated(open, wrong)).allowed, true, 'without a profile there is nothing wrong with it');
      const { allowed, message } = await validated(guarded, wrong);
      assert.ok(!allowed && names(message, at), `${at} is not in: ${message}`);
      assert.match(message, /; want \S.* \(tenant-profile\)/);
      const { children, status } = await synced(guarded, wrong.spec, 1);
      assert.deepEqual(children, []);
      assert.ok(status.conditions.some(({ type, reason }) => type === 'Stalled' && reason === 'SpecForbidden'));
    });

    test(`${title}: a job that runs goes on as it was`, async () => {
      assert.deepEqual(await validated(guarded, right), { allowed: true, message: '' });
      const runs = await synced(guarded, right.spec, 1);
      assert.ok(runs.children.filter(({ kind }) => kind === 'Deployment').length === 2, JSON.stringify(runs.status));
      const attacked = await synced(guarded, wrong.spec, 2, runs);
      assert.deepEqual(attacked.children, runs.children);
      assert.equal(attacked.status.epoch?.number, 1);
      assert.ok(
        attacked.status.conditions.some(({ type, reason }) => type === 'Stalled' && reason === 'SpecForbidden'),
      );
    });
  }

  test('what decorators add is looked at, too', async () => {
    const volumes = [{ name: 'node', hostPath: { path: '/var/log' } }];
    const podSpec = (spec: object): object => ({ ...spec, volumes });
    const platform = { defaults: [], decorators: [{ name: 'logs', priority: 0, podSpec }] };
    const app = createApp({ ...deps, platform, profile: () => profile });
    assert.equal((await synced(createApp({ ...deps, platform }), { image: 'flink:2.3' }, 1)).status.state, 'Deploying');
    const { status, children } = await synced(app, { image: 'flink:2.3' }, 1);
    assert.deepEqual(children, []);
    assert.match(status.message, /spec\.jobManagerPodSpec\.volumes\[node\]\.hostPath: is not allowed/);
    assert.ok(status.conditions.some(({ reason }) => reason === 'SpecForbidden'));
  });

  test('a profile that became narrower stalls a job, and leaves it running', async () => {
    let narrow = false;
    const none = { ...profile, imageRegistries: [] };
    const app = createApp({ ...deps, profile: () => (narrow ? none : profile) });
    const runs = await synced(app, { image: 'flink:2.3' }, 1);
    const before = await synced(app, { image: 'flink:2.3' }, 1, runs);
    assert.ok(!before.status.conditions.some(({ type }) => type === 'Stalled'));
    narrow = true;
    // The very same text as before: what it is judged by has changed.
    const after = await synced(app, { image: 'flink:2.3' }, 1, runs);
    assert.ok(after.status.conditions.some(({ type, reason }) => type === 'Stalled' && reason === 'SpecForbidden'));
    assert.deepEqual(after.children, before.children);
  });
});
