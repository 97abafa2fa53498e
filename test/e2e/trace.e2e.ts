/**
 * Records the calls that the real Metacontroller makes while a job starts, is upgraded and is deleted.
 * With METACONTROLLER_TRACES=write the traces become test/fixtures/metacontroller/v<version>-<strategy>-<flow>.jsonl,
 * which the simulator's Metacontroller must reproduce in order and staleness.
 */
import { strict as assert } from 'node:assert';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cleanUp, prepare } from './flink/bare.ts';
import { FlinkJob, VERSIONS, counterJob } from './lib/flink-job.ts';
import { chooseHost } from './lib/install.ts';
import { ROOT } from './lib/kit.ts';
import { Cluster, kubectl, sleep } from './lib/kube.ts';

const version = VERSIONS.at(-1) ?? '2.3';
const namespace = 'flork-e2e-trace';
const METACONTROLLER_VERSION = process.env['METACONTROLLER_VERSION'] ?? 'v4.17.2';
const host = await chooseHost();
const hooks = ['sync', 'finalize', 'customize'] as const;
const RECORDER = '/api/v1/namespaces/metacontroller/services/flork-recorder:8080/proxy/trace';

type Line = {
  readonly call: number;
  readonly ms: number;
  readonly hook: string;
  readonly parent: {
    readonly resourceVersion: string;
    readonly generation: number;
    readonly status: { readonly answerOf: number | null };
  };
  readonly answer: { readonly code: number };
};

/** Points the CompositeController to another Service, keeping path and query. */
async function pointTo(origin: string): Promise<void> {
  const controller = JSON.parse(await kubectl(['get', 'compositecontroller', 'flork', '-o', 'json'])) as {
    spec: { hooks: Record<string, { webhook: { url: string } }> };
  };
  const patch = hooks.map((hook) => {
    const url = new URL(controller.spec.hooks[hook]!.webhook.url);
    return { op: 'replace', path: `/spec/hooks/${hook}/webhook/url`, value: origin + url.pathname + url.search };
  });
  await kubectl(['patch', 'compositecontroller', 'flork', '--type=json', '-p', JSON.stringify(patch)]);
}

async function startRecorder(): Promise<void> {
  const image = await kubectl([
    '-n',
    'flork-system',
    'get',
    'deployment',
    'flork',
    '-o',
    'jsonpath={.spec.template.spec.containers[0].image}',
  ]);
  const labels = { 'app.kubernetes.io/name': 'metacontroller', 'flork-e2e': 'recorder' };
  const meta = { name: 'flork-recorder', namespace: 'metacontroller' };
  const items = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta,
      data: { 'recorder.ts': await readFile(join(ROOT, 'test/e2e/recorder/recorder.ts'), 'utf8') },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { selector: { 'flork-e2e': 'recorder' }, ports: [{ port: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: {
        selector: { matchLabels: { 'flork-e2e': 'recorder' } },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [
              {
                name: 'recorder',
                image,
                command: ['node', '/recorder/recorder.ts'],
                env: [{ name: 'JOB', value: 'traced' }],
                readinessProbe: { httpGet: { path: '/trace', port: 8080 }, periodSeconds: 1 },
                securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
                volumeMounts: [{ name: 'recorder', mountPath: '/recorder' }],
              },
            ],
            volumes: [{ name: 'recorder', configMap: { name: 'flork-recorder' } }],
          },
        },
      },
    },
  ];
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl(['-n', 'metacontroller', 'rollout', 'status', 'deployment/flork-recorder', '--timeout=60s']);
}

describe(
  'the calls of the real Metacontroller',
  { skip: host.kind === 'model' ? 'no real Metacontroller' : false, timeout: 600_000 },
  () => {
    const strategy = host.kind === 'binary' ? host.strategy : 'installed';
    let cluster: Cluster;
    let job: FlinkJob;

    before(async () => {
      cluster = await Cluster.connect();
      job = new FlinkJob(cluster, 'traced', namespace);
      await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s']);
      await prepare(namespace, version);
      await startRecorder();
      await pointTo('http://flork-recorder.metacontroller.svc:8080');
      await sleep(3000);
    });

    after(async () => {
      await pointTo('http://flork.flork-system.svc:8080');
      await kubectl([
        '-n',
        'metacontroller',
        'delete',
        'deployment,service,configmap',
        'flork-recorder',
        '--ignore-not-found',
      ]);
      await cleanUp(namespace, version);
      await cluster[Symbol.asyncDispose]();
    });

    /** Runs a flow, takes its trace, and says how often it showed an old status. */
    async function traced(flow: string, run: () => Promise<unknown>): Promise<readonly Line[]> {
      await cluster.call('DELETE', RECORDER);
      await run();
      const { text } = await cluster.call('DELETE', RECORDER);
      const lines = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line);
      const stale = lines.filter((line, index) => {
        const before = lines
          .slice(0, index)
          .findLast((other) => other.hook !== 'customize' && other.answer.code === 200);
        return before !== undefined && line.hook !== 'customize' && line.parent.status.answerOf !== before.call;
      });
      console.log(
        `# ${METACONTROLLER_VERSION} ${strategy} ${flow}: ${lines.length} calls in ${((lines.at(-1)?.ms ?? 0) / 1000).toFixed(1)} s, ${stale.length} showed a status older than the last answer`,
      );
      if (process.env['METACONTROLLER_TRACES'] === 'write') {
        const folder = join(ROOT, 'test/fixtures/metacontroller');
        await mkdir(folder, { recursive: true });
        const server = JSON.parse(await kubectl(['version', '-o', 'json'])) as {
          serverVersion: { gitVersion: string };
        };
        const header = {
          metacontroller: METACONTROLLER_VERSION,
          strategy,
          flow,
          kubernetes: server.serverVersion.gitVersion,
          flink: version,
        };
        await writeFile(
          join(folder, `${METACONTROLLER_VERSION}-${strategy}-${flow}.jsonl`),
          `${JSON.stringify(header)}\n${text}`,
        );
      }
      return lines;
    }

    test('while a job starts', async () => {
      const lines = await traced('start', async () => {
        await kubectl(['apply', '-f', '-'], JSON.stringify(counterJob('traced', namespace, version)));
        await job.ready(120);
        await sleep(5000);
      });
      assert.equal(lines[0]?.hook, 'customize');
      assert.equal(lines[1]?.hook, 'sync');
      assert.equal(lines[1]?.parent.status.answerOf, null);
    });

    test('while it is upgraded', async () => {
      const lines = await traced('upgrade', async () => {
        await cluster.patch(job.path, { spec: { flinkConf: { 'pipeline.object-reuse': 'true' } } });
        await job.ready(180);
        await sleep(5000);
      });
      assert.ok(lines.some((line) => line.parent.generation === 2));
    });

    test('while it is deleted', async () => {
      const lines = await traced('delete', async () => {
        await kubectl(['-n', namespace, 'delete', 'flinkjob', 'traced', '--timeout=180s']);
        await sleep(2000);
      });
      assert.ok(lines.some((line) => line.hook === 'finalize'));
    });
  },
);
