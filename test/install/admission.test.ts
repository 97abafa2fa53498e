import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createApp } from '../../src/http/app.ts';
import { crd } from '../../tools/crd/crd.ts';
import { corpus, flinkJob, LAYERS, names, type Job, type Layer } from '../admission/corpus.ts';
import { Cluster, sleep } from '../e2e/lib/kube.ts';
import { noTransport, post } from '../unit/http/hook-fixture.ts';
import { askAll, install, kubectl, ROOT, skip } from './cluster.ts';

const NAMESPACE = `flork-admission-${Date.now().toString(36)}`;
const POLICY = join(ROOT, 'kustomize/components/admission-policy/policy.yaml');
const JOBS = `/apis/flork.itom.com/v1/namespaces/${NAMESPACE}/flinkjobs`;

/** An expression that cannot be evaluated refuses here, so that it shows; as shipped it lets pass, and the hook asks the rule again. */
const strict = (text: string): string => text.replaceAll('failurePolicy: Ignore', 'failurePolicy: Fail');

/** What the messages of the CRD's CEL rules end with. */
const celRemedies = new Set(
  [...JSON.stringify(crd()).matchAll(/"message":("(?:[^"\\]|\\.)*")/g)].map(([, text = '']) =>
    (JSON.parse(text) as string).split('; want ').at(-1),
  ),
);

type Refused = { readonly layer: Layer; readonly text: string };

describe('wrong specs on an API server', { skip }, () => {
  const cases = corpus();
  const app = createApp({ transport: noTransport, now: Date.now });
  let cluster: Cluster;
  let remove = async (): Promise<void> => {};

  before(async () => {
    const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${NAMESPACE}}\n`;
    remove = await install([JSON.stringify(crd()), namespace, strict(readFileSync(POLICY, 'utf8'))]);
    cluster = await Cluster.connect();
    await enforced();
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await remove();
  });

  /** An API server looks at a new policy some seconds later. */
  async function enforced(): Promise<void> {
    const probe = { name: 'probe', spec: { image: 'flink:2.3', flinkConf: { 'kubernetes.colour': 'red' } } };
    for (let i = 0; i < 60; i++) {
      if ((await refusal(probe))?.layer === 'policy') return;
      await sleep(500);
    }
    throw new Error('the policy was not enforced within 30 s');
  }

  /** Who refuses a FlinkJob first; nobody: `undefined`. As kubectl asks, so that unknown fields are refused. */
  async function refusal(job: Job): Promise<Refused | undefined> {
    const object = flinkJob(job, NAMESPACE);
    const answer = await cluster.call('POST', `${JOBS}?dryRun=All&fieldValidation=Strict`, object);
    if (answer.status >= 300) return refusedBy(JSON.parse(answer.text) as Status);
    const kind = { group: 'flork.itom.com', version: 'v1', kind: 'FlinkJob' };
    const request = { uid: 'r', kind, operation: 'CREATE', name: job.name, namespace: NAMESPACE, dryRun: true, object };
    const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
    const { response } = (await (await post(app, '/validate', review)).json()) as {
      response: { allowed: boolean; status?: Status };
    };
    return response.allowed ? undefined : { layer: 'webhook', text: response.status?.message ?? '' };
  }

  test('each is refused where it is said to be, with its place and a remedy', async (t) => {
    const answers = await askAll(cases, ({ wrong }) => refusal(wrong));
    const failed: string[] = [];
    for (const [index, { title, at, by }] of cases.entries()) {
      const { layer, text } = answers[index] ?? { layer: 'nobody', text: '' };
      const told = names(text, at) && (layer === 'schema' || text.includes('; want '));
      if (layer !== by || !told) failed.push(`${title}: by ${layer}, not ${by}; ${at}: ${text.slice(0, 400)}`);
    }
    const count = (layer: Layer): number => answers.filter((answer) => answer?.layer === layer).length;
    const counts = Object.fromEntries(LAYERS.map((layer) => [layer, count(layer)]));
    const early = (cases.length - count('webhook')) / cases.length;
    t.diagnostic(
      `${cases.length} wrong specs: ${JSON.stringify(counts)}, ${(early * 100).toFixed(1)} % without a webhook`,
    );
    assert.deepEqual(failed, []);
    assert.ok(early >= 0.9);
  });

  test('the neighbour of each is accepted', async () => {
    const answers = await askAll(cases, ({ right }) => refusal(right));
    const refused = cases.flatMap(({ title }, index) => (answers[index] ? [`${title}: ${answers[index].text}`] : []));
    assert.deepEqual(refused, []);
  });

  test('finalizers and metadata of a wrong FlinkJob can be changed', async () => {
    const name = 'older';
    const { wrong } = cases.find(({ by }) => by === 'policy')!;
    const policy = 'validatingadmissionpolicybinding/flork-flinkjobs';
    const held = await kubectl(['get', policy, '-o', 'json']);
    await kubectl(['delete', policy]);
    for (let i = 0; (await refusal({ ...wrong, name }))?.layer === 'policy' && i < 60; i++) await sleep(500);
    const finalizers = ['example.com/keep'];
    const object = flinkJob({ ...wrong, name }, NAMESPACE);
    await kubectl(
      ['create', '-f', '-'],
      JSON.stringify({ ...object, metadata: { name, namespace: NAMESPACE, finalizers } }),
    );
    const {
      metadata: { resourceVersion: _, uid: _uid, ...metadata },
      ...binding
    } = JSON.parse(held);
    await kubectl(['create', '-f', '-'], JSON.stringify({ ...binding, metadata }));
    await enforced();
    await cluster.patch(`${JOBS}/${name}`, { metadata: { labels: { a: 'b' } } });
    await assert.rejects(cluster.patch(`${JOBS}/${name}`, { spec: { jobArgs: ['a'] } }), /flork-flinkjobs/);
    await kubectl(['delete', 'fj', name, '-n', NAMESPACE, '--wait=false']);
    await cluster.patch(`${JOBS}/${name}`, { metadata: { finalizers: null } });
    assert.equal(await cluster.find(`${JOBS}/${name}`), undefined);
  });
});

type Status = {
  readonly message: string;
  readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message: string }[] };
};

/** Who wrote the refusal; of several, the schema comes first. */
function refusedBy({ message, details }: Status): Refused {
  const causes = (details?.causes ?? []).map((cause) => `${cause.field ?? ''}: ${cause.message}`);
  const text = [message, ...causes].join('\n');
  if (message.includes('ValidatingAdmissionPolicy')) return { layer: 'policy', text };
  const ofCel = (cause: string): boolean => celRemedies.has(cause.split('; want ').at(-1) ?? '');
  return { layer: causes.length > 0 && causes.every(ofCel) ? 'cel' : 'schema', text };
}
