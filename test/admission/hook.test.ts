import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { checkStructure, type Structure } from '../../src/cli/structure.ts';
import { formatFinding } from '../../src/core/validate/validate-spec.ts';
import { createApp } from '../../src/http/app.ts';
import { noTransport, post, request } from '../unit/http/hook-fixture.ts';
import { corpus, flinkJob, LAYERS, names, type Job } from './corpus.ts';

const cases = corpus();
const app = createApp({ transport: noTransport, now: () => 1_700_000_000_000 });
const schema = JSON.parse(
  readFileSync(new URL('../../manifests/schema/flinkjob.json', import.meta.url), 'utf8'),
) as Structure;

type Refusal = { readonly allowed: boolean; readonly message: string };
type Synced = {
  readonly children: readonly unknown[];
  readonly status: { readonly message: string; readonly conditions: readonly { type: string; reason: string }[] };
};

async function asked(job: Job): Promise<Refusal> {
  const object = flinkJob(job, 'default');
  const kind = { group: 'flork.itom.com', version: 'v1', kind: 'FlinkJob' };
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'r', kind, operation: 'CREATE', name: job.name, namespace: 'default', dryRun: true, object },
  };
  const answer = (await (await post(app, '/validate', review)).json()) as {
    response: { allowed: boolean; status?: { message: string } };
  };
  return { allowed: answer.response.allowed, message: answer.response.status?.message ?? '' };
}

async function synced(job: Job): Promise<Synced> {
  const object = flinkJob(job, 'default');
  const metadata = { ...(object['metadata'] as object), uid: '11111111-2222-3333-4444-555555555555', generation: 1 };
  const finalizers = ['metacontroller.io/compositecontroller-flork'];
  const parent = { ...object, metadata: { ...metadata, finalizers } };
  return (await (await post(app, '/sync', request({ parent }))).json()) as Synced;
}

/** What the schema says of the two pod specs: the one thing that the hook leaves to the API server. */
function ofPodSpecs({ spec }: Job): string {
  const fields = ['jobManagerPodSpec', 'taskManagerPodSpec'] as const;
  return fields
    .flatMap((field) =>
      checkStructure(schema.properties?.['spec']?.properties?.[field] ?? {}, spec[field], `spec.${field}`),
    )
    .map(formatFinding)
    .join('\n');
}

describe('wrong specs that slipped through to the hook', () => {
  test('there are enough of them, most of which never come so far', () => {
    assert.ok(cases.length >= 200, String(cases.length));
    const early = cases.filter(({ by }) => by !== 'webhook').length;
    assert.ok(early / cases.length >= 0.9, `${early} of ${cases.length}`);
    for (const layer of LAYERS)
      assert.ok(
        cases.some(({ by }) => by === layer),
        layer,
      );
  });

  for (const { title, at, wrong, right } of cases) {
    test(`${title} is refused with its place and a remedy, and stalls`, async () => {
      const { allowed, message } = await asked(wrong);
      const left = allowed ? ofPodSpecs(wrong) : message;
      assert.ok(names(left, at), `${at} is not in: ${left}`);
      assert.match(left, /; want \S/);
      if (allowed) return;
      const { children, status } = await synced(wrong);
      assert.deepEqual(children, []);
      assert.ok(status.conditions.some(({ type, reason }) => type === 'Stalled' && reason === 'InvalidSpec'));
      assert.match(status.message, /^Invalid spec: .*; want \S/);
    });

    test(`${title}: its neighbour is right`, async () => {
      assert.deepEqual(await asked(right), { allowed: true, message: '' });
      assert.equal(ofPodSpecs(right), '');
    });
  }
});
