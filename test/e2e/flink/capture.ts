/**
 * Records what a real Flink answers, for the Flink client and the simulator's Flink: `node test/e2e/flink/capture.ts 1.20 [scenario…]`.
 * Writes test/fixtures/flink/<version>/<case>.json. Needs a cluster whose pods this machine reaches directly (the kit).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../lib/kit.ts';
import { Cluster, kubectl, sleep, until, type KubeObject } from '../lib/kube.ts';
import { STATE, bareObjects, cleanUp, prepare, type Bare } from './bare.ts';

const version = process.argv[2] ?? '1.20';
const only = process.argv.slice(3);
const namespace = `flink-capture-${version.replace('.', '-')}`;
const folder = join(ROOT, 'test/fixtures/flink', version);
const cluster = await Cluster.connect();
const LIMIT = 2048;

type Reply = { readonly status: number; readonly body: unknown };
type Ask = (method: string, path: string, body?: unknown) => Promise<Reply>;

/** Keeps the first 2 KB of every text (stack traces, serialized throwables). */
function trim(value: unknown): unknown {
  if (typeof value === 'string') return value.length <= LIMIT ? value : `${value.slice(0, LIMIT)}…`;
  if (Array.isArray(value)) return value.map(trim);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, trim(inner)]));
}

async function save(name: string, request: string, reply: Reply): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, `${name}.json`),
    `${JSON.stringify({ request, status: reply.status, body: trim(reply.body) }, null, 1).replaceAll('9223372036854776000', '9223372036854775807')}\n`,
  );
  const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  console.log(`${version} ${name}: ${request} → ${reply.status} ${text.slice(0, 260)}`);
}

async function podOf(bare: Bare, role: string): Promise<KubeObject | undefined> {
  return cluster.find(`/api/v1/namespaces/${namespace}/pods/${bare.name}-${role}`);
}

async function start(
  bare: Bare,
  withTaskManager = true,
): Promise<{ ask: Ask; record: (name: string, method: string, path: string, body?: unknown) => Promise<Reply> }> {
  const objects = bareObjects(bare);
  await kubectl(['apply', '-f', '-'], JSON.stringify(objects.conf));
  await kubectl(['apply', '-f', '-'], JSON.stringify(objects.jobManager));
  if (withTaskManager) await kubectl(['apply', '-f', '-'], JSON.stringify(objects.taskManager));
  const ip = await until(
    `${bare.name} has an address`,
    30,
    async () => (await podOf(bare, 'jm'))?.status?.podIP as string | undefined,
  );
  const ask: Ask = async (method, path, body) => {
    const response = await fetch(`http://${ip}:8081${path}`, {
      method,
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    try {
      return { status: response.status, body: JSON.parse(text) };
    } catch {
      return { status: response.status, body: text };
    }
  };
  const record = async (name: string, method: string, path: string, body?: unknown): Promise<Reply> => {
    const reply = await ask(method, path, body);
    await save(name, `${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`, reply);
    return reply;
  };
  return { ask, record };
}

async function end(bare: Bare): Promise<void> {
  await kubectl([
    'delete',
    'pod,service,configmap',
    '-n',
    namespace,
    '-l',
    `bare=${bare.name}`,
    '--force',
    '--grace-period=0',
  ]);
}

const state = (reply: Reply): string =>
  String((reply.body as { jobs?: { state: string }[] }).jobs?.[0]?.state ?? 'none');
const overview = (ask: Ask): Promise<Reply> => ask('GET', '/jobs/overview');
const id = (digit: string): string => `c0ffee${digit.repeat(26)}`;
const allRun = (ask: Ask) => async (): Promise<true | undefined> => {
  const job = ((await overview(ask)).body as { jobs?: { state: string; tasks: { total: number; running: number } }[] })
    .jobs?.[0];
  return job?.state === 'RUNNING' && job.tasks.total > 0 && job.tasks.running === job.tasks.total ? true : undefined;
};
const completedOf = async (ask: Ask, job: string): Promise<number> =>
  ((await ask('GET', `/jobs/${job}/checkpoints`)).body as { counts?: { completed: number } }).counts?.completed ?? 0;
const trigger = (n: number): string => `${'d00d'.repeat(7)}${String(n).padStart(4, '0')}`;
const settled = (ask: Ask, job: string, triggerId: string) => async (): Promise<string | undefined> => {
  const body = (await ask('GET', `/jobs/${job}/savepoints/${triggerId}`)).body as {
    status?: { id: string };
    operation?: { location?: string };
  };
  return body.status?.id === 'COMPLETED' ? (body.operation?.location ?? 'failed') : undefined;
};

/** Polls /jobs/overview from the first refused call and keeps the first reply of each kind. */
async function watchStart(
  ask: Ask,
  prefix: string,
  job: string,
  after: (seen: Set<string>) => Promise<void>,
): Promise<void> {
  const seen = new Set<string>();
  await until(`${prefix} RUNNING`, 90, async () => {
    let reply: Reply;
    try {
      reply = await overview(ask);
    } catch (error) {
      const cause = (error as Error).cause as { code?: string } | undefined;
      if (!seen.has('refused')) console.log(`${version} ${prefix}: ${cause?.code ?? String(error)}`);
      seen.add('refused');
      return undefined;
    }
    const kind = reply.status === 200 ? state(reply).toLowerCase() : String(reply.status);
    if (!seen.has(kind)) {
      seen.add(kind);
      await save(`${prefix}-${kind}`, 'GET /jobs/overview', reply);
      for (const [part, path] of [
        ['checkpoints', `/jobs/${job}/checkpoints`],
        ['config', `/jobs/${job}/checkpoints/config`],
        ['job', `/jobs/${job}`],
        ['exceptions', `/jobs/${job}/exceptions`],
      ] as const) {
        if (kind !== 'running') await save(`${part}-${kind}`, `GET ${path}`, await ask('GET', path));
      }
      await after(seen);
    }
    return kind === 'running' ? true : undefined;
  });
}

const scenarios: Record<string, () => Promise<void>> = {
  /** Start in slow motion, everything while it runs, savepoints of every outcome, stop, finished. */
  async life() {
    const job = id('1');
    const bare: Bare = {
      name: 'life',
      namespace,
      version,
      options: ['--job-id', job],
      args: ['--main-sleep-ms', '3000'],
      conf: { 'execution.checkpointing.interval': '2s', 'execution.checkpointing.num-retained': '3' },
    };
    const { ask, record } = await start(bare, false);
    await watchStart(ask, 'overview', job, async (seen) => {
      if (seen.has('none') && seen.size > 2 && !seen.has('tm')) {
        seen.add('tm');
        await sleep(2500);
        await record('savepoint-early-accepted', 'POST', `/jobs/${job}/savepoints`, {
          'target-directory': `file://${STATE}/${namespace}/sp`,
          triggerId: trigger(1),
        });
        await sleep(500);
        await record('savepoint-early-failed', 'GET', `/jobs/${job}/savepoints/${trigger(1)}`);
        await record('stop-early-accepted', 'POST', `/jobs/${job}/stop`, {
          targetDirectory: `file://${STATE}/${namespace}/sp`,
          drain: false,
          triggerId: trigger(2),
        });
        await sleep(500);
        await record('stop-early-failed', 'GET', `/jobs/${job}/savepoints/${trigger(2)}`);
        await kubectl(['apply', '-f', '-'], JSON.stringify(bareObjects(bare).taskManager));
      }
    });
    await until('all tasks run', 60, allRun(ask));
    await record('overview-running-all', 'GET', '/jobs/overview');
    await record('checkpoints-none-yet', 'GET', `/jobs/${job}/checkpoints`);
    await until('two checkpoints', 60, async () => ((await completedOf(ask, job)) >= 2 ? true : undefined));
    await record('checkpoints-completed', 'GET', `/jobs/${job}/checkpoints`);
    await record('config-on', 'GET', `/jobs/${job}/checkpoints/config`);
    await record('job-running', 'GET', `/jobs/${job}`);
    await record('exceptions-empty', 'GET', `/jobs/${job}/exceptions`);
    await record('accumulators', 'GET', `/jobs/${job}/accumulators`);
    for (const [name, path] of [
      ['config-cluster', '/config'],
      ['cluster-overview', '/overview'],
      ['jobs', '/jobs'],
      ['taskmanagers', '/taskmanagers'],
      ['job-config', `/jobs/${job}/config`],
    ] as const)
      await record(name, 'GET', path);
    const unknown = 'f'.repeat(32);
    await record('unknown-job', 'GET', `/jobs/${unknown}`);
    await record('unknown-job-checkpoints', 'GET', `/jobs/${unknown}/checkpoints`);
    await record('unknown-job-config', 'GET', `/jobs/${unknown}/checkpoints/config`);
    await record('unknown-job-exceptions', 'GET', `/jobs/${unknown}/exceptions`);
    await record('unknown-job-cancel', 'PATCH', `/jobs/${unknown}?mode=cancel`);
    await record('unknown-job-stop', 'POST', `/jobs/${unknown}/stop`, {
      targetDirectory: `file://${STATE}/x`,
      drain: false,
      triggerId: trigger(3),
    });
    await sleep(300);
    await record('unknown-job-stop-result', 'GET', `/jobs/${unknown}/savepoints/${trigger(3)}`);
    await record('bad-job-id', 'GET', '/jobs/xyz');
    await record('unknown-path', 'GET', '/nothing/here');
    await record('unknown-trigger', 'GET', `/jobs/${job}/savepoints/${trigger(99)}`);
    await record('savepoint-no-directory', 'POST', `/jobs/${job}/savepoints`, { triggerId: trigger(4) });
    await record('stop-no-directory', 'POST', `/jobs/${job}/stop`, { drain: false, triggerId: trigger(5) });
    await record('savepoint-accepted', 'POST', `/jobs/${job}/savepoints`, {
      'target-directory': `file://${STATE}/${namespace}/sp`,
      formatType: 'CANONICAL',
      triggerId: trigger(6),
    });
    await record('savepoint-in-progress', 'GET', `/jobs/${job}/savepoints/${trigger(6)}`);
    await until('savepoint', 30, settled(ask, job, trigger(6)));
    await record('savepoint-completed', 'GET', `/jobs/${job}/savepoints/${trigger(6)}`);
    await record('savepoint-unwritable-accepted', 'POST', `/jobs/${job}/savepoints`, {
      'target-directory': 'file:///proc/nowhere',
      triggerId: trigger(7),
    });
    await until('failed savepoint', 30, settled(ask, job, trigger(7)));
    await record('savepoint-unwritable', 'GET', `/jobs/${job}/savepoints/${trigger(7)}`);
    await record('stop-unwritable-accepted', 'POST', `/jobs/${job}/stop`, {
      targetDirectory: 'file:///proc/nowhere',
      drain: false,
      triggerId: trigger(8),
    });
    await until('failed stop', 30, settled(ask, job, trigger(8)));
    await record('stop-unwritable', 'GET', `/jobs/${job}/savepoints/${trigger(8)}`);
    await record('overview-after-failed-stop', 'GET', '/jobs/overview');
    await record('checkpoint-trigger', 'POST', `/jobs/${job}/checkpoints`, {
      checkpointType: 'CONFIGURED',
      triggerId: trigger(9),
    });
    await sleep(1500);
    await record('checkpoint-trigger-result', 'GET', `/jobs/${job}/checkpoints/${trigger(9)}`);
    await sleep(3500);
    await record('checkpoints-savepoint', 'GET', `/jobs/${job}/checkpoints`);
    const stop = {
      targetDirectory: `file://${STATE}/${namespace}/sp/stop`,
      drain: false,
      formatType: 'CANONICAL',
      triggerId: trigger(10),
    };
    await record('stop-accepted', 'POST', `/jobs/${job}/stop`, stop);
    await record('stop-repeated', 'POST', `/jobs/${job}/stop`, stop);
    await record('stop-in-progress', 'GET', `/jobs/${job}/savepoints/${trigger(10)}`);
    stopLocation = await until('stop', 30, settled(ask, job, trigger(10)));
    await record('stop-completed', 'GET', `/jobs/${job}/savepoints/${trigger(10)}`);
    await record('overview-right-after-stop', 'GET', '/jobs/overview');
    await until('FINISHED', 30, async () => (state(await overview(ask)) === 'FINISHED' ? true : undefined));
    await record('overview-finished', 'GET', '/jobs/overview');
    await sleep(4000);
    await record('job-finished', 'GET', `/jobs/${job}`);
    await record('checkpoints-finished', 'GET', `/jobs/${job}/checkpoints`);
    await record('config-finished', 'GET', `/jobs/${job}/checkpoints/config`);
    await record('stop-repeated-when-finished', 'POST', `/jobs/${job}/stop`, stop);
    await record('stop-completed-when-finished', 'GET', `/jobs/${job}/savepoints/${trigger(10)}`);
    await record('stop-new-when-finished-accepted', 'POST', `/jobs/${job}/stop`, { ...stop, triggerId: trigger(11) });
    await sleep(500);
    await record('stop-new-when-finished', 'GET', `/jobs/${job}/savepoints/${trigger(11)}`);
    await record('cancel-finished', 'PATCH', `/jobs/${job}?mode=cancel`);
    await end(bare);
  },
  /** Restored from a savepoint; TaskManager lost; canceled. */
  async restored() {
    const job = id('2');
    const from =
      stopLocation ??
      (await import('node:fs'))
        .readdirSync(`${STATE}/${namespace}/sp/stop`)
        .map((n) => `file:${STATE}/${namespace}/sp/stop/${n}`)[0] ??
      '';
    const bare: Bare = {
      name: 'restored',
      namespace,
      version,
      options: ['--job-id', job, `--fromSavepoint=${from}`],
      conf: { 'execution.checkpointing.interval': '2s' },
    };
    const { ask, record } = await start(bare);
    await until('all tasks run', 90, allRun(ask));
    await record('checkpoints-restored-none-yet', 'GET', `/jobs/${job}/checkpoints`);
    await until('a checkpoint', 60, async () => ((await completedOf(ask, job)) >= 1 ? true : undefined));
    await record('checkpoints-restored', 'GET', `/jobs/${job}/checkpoints`);
    await record('job-restored', 'GET', `/jobs/${job}`);
    await until('accumulators', 30, async () =>
      ((await ask('GET', `/jobs/${job}/accumulators`)).body as { 'user-task-accumulators'?: unknown[] })[
        'user-task-accumulators'
      ]?.length
        ? true
        : undefined,
    );
    await record('accumulators-restored', 'GET', `/jobs/${job}/accumulators`);
    await kubectl(['delete', 'pod', '-n', namespace, 'restored-tm', '--force', '--grace-period=0']);
    const seen = new Set<string>();
    await until('RESTARTING', 40, async () => {
      const reply = await overview(ask);
      const kind = state(reply).toLowerCase();
      if (kind !== 'running' && !seen.has(kind)) {
        seen.add(kind);
        await save(`overview-${kind}`, 'GET /jobs/overview', reply);
      }
      return kind === 'restarting' || kind === 'created' ? true : undefined;
    });
    await sleep(4000);
    await record('overview-without-taskmanager', 'GET', '/jobs/overview');
    await record('job-without-taskmanager', 'GET', `/jobs/${job}`);
    await record('exceptions-taskmanager-lost', 'GET', `/jobs/${job}/exceptions?maxExceptions=1`);
    await kubectl(['apply', '-f', '-'], JSON.stringify(bareObjects(bare).taskManager));
    await until('all tasks run again', 90, allRun(ask));
    await record('job-after-restart', 'GET', `/jobs/${job}`);
    await sleep(5000);
    await record('checkpoints-after-restart', 'GET', `/jobs/${job}/checkpoints`);
    await record('cancel-accepted', 'PATCH', `/jobs/${job}?mode=cancel`);
    await until('CANCELED', 30, async () => {
      const reply = await overview(ask);
      if (state(reply) === 'CANCELLING') await save('overview-cancelling', 'GET /jobs/overview', reply);
      return state(reply) === 'CANCELED' ? true : undefined;
    });
    await record('overview-canceled', 'GET', '/jobs/overview');
    await sleep(4000);
    await record('checkpoints-canceled', 'GET', `/jobs/${job}/checkpoints`);
    await record('job-canceled', 'GET', `/jobs/${job}`);
    await record('cancel-canceled', 'PATCH', `/jobs/${job}?mode=cancel`);
    await end(bare);
  },
  /** No periodic checkpoints; then FAILED. */
  async plain() {
    const job = id('3');
    const bare: Bare = {
      name: 'plain',
      namespace,
      version,
      options: ['--job-id', job],
      args: ['--fail-at', '3000', '--pause-ms', '5'],
    };
    const { ask, record } = await start(bare);
    await until('all tasks run', 90, allRun(ask));
    await record('checkpoints-off', 'GET', `/jobs/${job}/checkpoints`);
    await record('config-off', 'GET', `/jobs/${job}/checkpoints/config`);
    await record('savepoint-checkpointing-off-accepted', 'POST', `/jobs/${job}/savepoints`, {
      'target-directory': `file://${STATE}/${namespace}/sp`,
      triggerId: trigger(1),
    });
    await until('savepoint', 30, settled(ask, job, trigger(1)));
    await record('savepoint-checkpointing-off', 'GET', `/jobs/${job}/savepoints/${trigger(1)}`);
    await sleep(3500);
    await record('checkpoints-off-after-savepoint', 'GET', `/jobs/${job}/checkpoints`);
    await until('FAILED', 60, async () => (state(await overview(ask)) === 'FAILED' ? true : undefined));
    await record('overview-failed', 'GET', '/jobs/overview');
    await sleep(4000);
    await record('job-failed', 'GET', `/jobs/${job}`);
    await record('exceptions-failed', 'GET', `/jobs/${job}/exceptions?maxExceptions=1`);
    await record('checkpoints-off-failed', 'GET', `/jobs/${job}/checkpoints`);
    await record('cancel-failed', 'PATCH', `/jobs/${job}?mode=cancel`);
    await end(bare);
  },
  /** A bounded job that finishes by itself, checkpointing switched on in main(). */
  async bounded() {
    const job = id('4');
    const bare: Bare = {
      name: 'bounded',
      namespace,
      version,
      options: ['--job-id', job],
      args: ['--end', '800', '--checkpointing-ms', '1000'],
    };
    const { ask, record } = await start(bare);
    await until('all tasks run', 90, allRun(ask));
    await record('config-on-in-main', 'GET', `/jobs/${job}/checkpoints/config`);
    await until('FINISHED', 60, async () => (state(await overview(ask)) === 'FINISHED' ? true : undefined));
    await sleep(4000);
    await record('overview-finished-by-itself', 'GET', '/jobs/overview');
    await record('checkpoints-finished-by-itself', 'GET', `/jobs/${job}/checkpoints`);
    await end(bare);
  },
  /** main() throws: with submit-failed-job-on-application-error and a fixed job id, and without. */
  async throws() {
    const job = id('5');
    const bare: Bare = {
      name: 'throws',
      namespace,
      version,
      options: ['--job-id', job],
      args: ['--throw-in-main'],
      conf: { 'execution.submit-failed-job-on-application-error': 'true' },
    };
    const { ask, record } = await start(bare, false);
    await until('an answer', 60, async () => (state(await overview(ask)) === 'none' ? undefined : true)).catch(
      () => undefined,
    );
    await sleep(5000);
    await record('main-throws-overview', 'GET', '/jobs/overview');
    await record('main-throws-job', 'GET', `/jobs/${job}`);
    await record('main-throws-exceptions', 'GET', `/jobs/${job}/exceptions?maxExceptions=1`);
    await record('main-throws-checkpoints', 'GET', `/jobs/${job}/checkpoints`);
    await record('main-throws-config', 'GET', `/jobs/${job}/checkpoints/config`);
    await record('main-throws-cancel', 'PATCH', `/jobs/${job}?mode=cancel`);
    await record('main-throws-applications', 'GET', '/applications/overview');
    const application = ((await ask('GET', '/applications/overview')).body as { applications?: { id: string }[] })
      .applications?.[0]?.id;
    if (application !== undefined) {
      await record('main-throws-application', 'GET', `/applications/${application}`);
      await record('main-throws-application-exceptions', 'GET', `/applications/${application}/exceptions`);
    }
    await pod(bare, 'main-throws-pod');
    await end(bare);
    const silent: Bare = { ...bare, name: 'silent', conf: {} };
    const { record: recordSilent } = await start(silent, false);
    await sleep(30_000);
    await recordSilent('main-throws-silent-overview', 'GET', '/jobs/overview').catch((error: unknown) =>
      console.log('main-throws-silent-overview', String((error as Error).cause)),
    );
    await pod(silent, 'main-throws-silent-pod');
    await end(silent);
  },
  /** The snapshot to restore is gone; a main() error is submitted as a failed job. */
  missing: () => missing('missing', 'restore-missing', { 'execution.submit-failed-job-on-application-error': 'true' }),
  /** The same without that option. */
  gone: () => missing('gone', 'restore-missing-silent', {}),
};

async function missing(name: string, prefix: string, conf: Record<string, string>): Promise<void> {
  const job = id('6');
  const options = ['--job-id', job, `--fromSavepoint=file://${STATE}/${namespace}/checkpoints/gone/chk-7`];
  const bare: Bare = { name, namespace, version, options, conf: { 'execution.checkpointing.interval': '2s', ...conf } };
  const { record } = await start(bare);
  await sleep(25_000);
  for (const [part, path] of [
    ['overview', '/jobs/overview'],
    ['job', `/jobs/${job}`],
    ['exceptions', `/jobs/${job}/exceptions?maxExceptions=1`],
    ['checkpoints', `/jobs/${job}/checkpoints`],
    ['config', `/jobs/${job}/checkpoints/config`],
  ] as const) {
    await record(`${prefix}-${part}`, 'GET', path).catch((error: unknown) =>
      console.log(`${prefix}-${part}`, String((error as Error).cause)),
    );
  }
  await pod(bare, `${prefix}-pod`);
  await end(bare);
}

/** The JobManager pod's status, for what the kubelet tells of a process that died. */
async function pod(bare: Bare, name: string): Promise<void> {
  await save(name, 'pod status', { status: 200, body: (await podOf(bare, 'jm'))?.status?.containerStatuses });
}

let stopLocation: string | undefined;
await prepare(namespace, version);
for (const [name, scenario] of Object.entries(scenarios)) {
  if (only.length > 0 && !only.includes(name)) continue;
  try {
    await scenario();
  } catch (error) {
    console.error(`${version} ${name}:`, error);
    process.exitCode = 1;
  }
}
await cleanUp(namespace, version);
await cluster[Symbol.asyncDispose]();
