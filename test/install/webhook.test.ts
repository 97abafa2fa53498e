import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { admissionApp } from '../../src/http/admission-app.ts';
import { createApp } from '../../src/http/app.ts';
import { startServer, type RunningServer } from '../../src/http/server.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { crd } from '../../tools/crd/crd.ts';
import { corpus, flinkJob, names, type Job } from '../admission/corpus.ts';
import { Cluster, sleep } from '../e2e/lib/kube.ts';
import { noTransport } from '../unit/http/hook-fixture.ts';
import { makeCertificates } from '../unit/tls-fixture.ts';
import { install, ROOT, skip } from './cluster.ts';

const NAMESPACE = `flork-webhook-${Date.now().toString(36)}`;
const JOBS = `/apis/flork.itom.com/v1/namespaces/${NAMESPACE}/flinkjobs`;

type Webhook = { readonly clientConfig: unknown } & Readonly<Record<string, unknown>>;
type Configuration = { readonly webhooks: readonly Webhook[] } & Readonly<Record<string, unknown>>;

/** The shipped configuration, for this process on this machine and one namespace; who is not reached refuses, so that it shows. */
function configuration(port: number, ca: string): unknown {
  const file = join(ROOT, 'kustomize/components/admission/webhook.yaml');
  const shipped = parse(readFileSync(file, 'utf8')) as Configuration;
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } };
  const clientConfig = { url: `https://127.0.0.1:${port}/validate`, caBundle: Buffer.from(ca).toString('base64') };
  const webhooks = shipped.webhooks.map((one) => ({ ...one, clientConfig, namespaceSelector, failurePolicy: 'Fail' }));
  return { ...shipped, metadata: { name: `${NAMESPACE}-test` }, webhooks };
}

describe('the webhook on an API server', { skip }, () => {
  const cases = corpus().filter(({ by }) => by === 'webhook');
  let cluster: Cluster;
  let server: RunningServer;
  let remove = async (): Promise<void> => {};
  let unreachable: string | undefined;

  before(async () => {
    const certificates = makeCertificates();
    if (certificates === undefined) {
      unreachable = 'there is no openssl';
      return;
    }
    const { folder, ca } = certificates;
    const tls = { certFile: join(folder, 'server.crt'), keyFile: join(folder, 'server.key') };
    const app = admissionApp(createApp({ transport: noTransport, now: Date.now }));
    server = await startServer({ app, port: 0, tls, log: silentLog });
    const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${NAMESPACE}}\n`;
    remove = await install([JSON.stringify(crd()), namespace, JSON.stringify(configuration(server.port, ca))]);
    cluster = await Cluster.connect();
    unreachable = await reached();
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await remove();
    await server?.drain(1000);
  });

  async function refusal({ name, spec }: Job): Promise<string | undefined> {
    const answer = await cluster.call('POST', `${JOBS}?dryRun=All`, flinkJob({ name, spec }, NAMESPACE));
    return answer.status < 300 ? undefined : (JSON.parse(answer.text) as { message: string }).message;
  }

  /** Whether the API server runs where it can call this process: elsewhere nothing is known. */
  async function reached(): Promise<string | undefined> {
    let text: string | undefined;
    for (let i = 0; i < 40; i++) {
      text = await refusal(cases[0]!.wrong);
      if (text?.includes('denied the request')) return undefined;
      await sleep(500);
    }
    return `the API server does not reach this process: ${text ?? 'it does not ask'}`;
  }

  test('refuses what only Flink knowledge can tell, and accepts its neighbour', async (t: TestContext) => {
    if (unreachable !== undefined) return t.skip(unreachable);
    for (const { title, at, wrong, right } of cases) {
      const text = (await refusal(wrong)) ?? '';
      assert.match(text, /^admission webhook "flinkjobs\.flork\.itom\.com" denied the request: .*; want /s, title);
      assert.ok(names(text, at), `${title}: ${at} is not in ${text}`);
      assert.equal(await refusal(right), undefined, title);
    }
    return undefined;
  });
});
