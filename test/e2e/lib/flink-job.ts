import { strict as assert } from 'node:assert';
import { STATE } from '../flink/bare.ts';
import { Cluster, kubectl, until, type KubeObject } from './kube.ts';
import { JOB_MANAGER, killProcesses } from './processes.ts';

export type FlinkVersion = '1.20' | '2.3';
/** The Flink versions under test: E2E_FLINK=2.3 picks one. */
export const VERSIONS = (process.env['E2E_FLINK'] ?? '1.20,2.3').split(',') as readonly FlinkVersion[];

export type Progress = {
  readonly jobId: string;
  readonly state: string;
  readonly allRun: boolean;
  /** First and newest number that this process counted. */
  readonly first: number;
  readonly offset: number;
  readonly completed: number;
  readonly restoredFrom: string | undefined;
};

type Spec = Record<string, unknown>;

/** The FlinkJob of the counting job, as a user writes it. */
export function counterJob(
  name: string,
  namespace: string,
  version: FlinkVersion,
  more: Spec = {},
): Record<string, unknown> {
  const state = { name: 'state', mountPath: STATE };
  return {
    apiVersion: 'flork.itom.com/v1',
    kind: 'FlinkJob',
    metadata: { name, namespace },
    spec: {
      flinkVersion: version,
      image: `flink:${version}`,
      jobClassName: 'Counter',
      jobArgs: ['--pause-ms', '5'],
      parallelism: 1,
      flinkConf: {
        'execution.checkpointing.interval': '2s',
        'execution.checkpointing.dir': `file://${STATE}/${namespace}/checkpoints`,
      },
      jobManagerResources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
      taskManagerResources: { requests: { cpu: '100m' }, limits: { memory: '1Gi' } },
      policies: { savepoint: { directory: `file://${STATE}/${namespace}/savepoints` } },
      jobManagerPodSpec: {
        terminationGracePeriodSeconds: 5,
        containers: [
          { name: 'flink-main-container', volumeMounts: [{ name: 'jar', mountPath: '/opt/flink/usrlib' }, state] },
        ],
        volumes: [
          { name: 'jar', configMap: { name: `counter-${version}` } },
          { name: 'state', hostPath: { path: STATE, type: 'Directory' } },
        ],
      },
      ...more,
    },
  };
}

/** GET on the REST API of the job of this name; rejects when it is not answered by 200. */
export type Rest = (name: string, path: string) => Promise<string>;

/** One FlinkJob on a cluster, and what the test asks about it. */
export class FlinkJob {
  readonly cluster: Cluster;
  readonly name: string;
  readonly namespace: string;
  readonly #rest: Rest;

  /** Its REST is asked through the API server, unless there is another way. */
  constructor(cluster: Cluster, name: string, namespace: string, rest?: Rest) {
    this.cluster = cluster;
    this.name = name;
    this.namespace = namespace;
    this.#rest = rest ?? throughApiServer(cluster, namespace);
  }

  get path(): string {
    return `/apis/flork.itom.com/v1/namespaces/${this.namespace}/flinkjobs/${this.name}`;
  }

  async get(): Promise<KubeObject> {
    const job = await this.cluster.find(this.path);
    assert.ok(job, `no FlinkJob ${this.name}`);
    return job;
  }

  pods(component: 'jobmanager' | 'taskmanager'): Promise<readonly KubeObject[]> {
    return this.cluster.pods(this.namespace, `flork.itom.com/job=${this.name},flork.itom.com/component=${component}`);
  }

  /** GET on the job's own REST. */
  async rest(path: string): Promise<any> /* oxlint-disable-line typescript/no-explicit-any -- read loosely */ {
    return JSON.parse(await this.#rest(this.name, path));
  }

  /** Where the job is; throws when its state was lost or repeated. */
  async progress(): Promise<Progress> {
    const row = (await this.rest('/jobs/overview')).jobs[0];
    assert.ok(row, 'no job yet');
    const jobId = row.jid as string;
    const exceptions = JSON.stringify(await this.rest(`/jobs/${jobId}/exceptions`));
    const lost = /STATE LOST OR REPEATED[^\\"]*/.exec(exceptions);
    if (lost !== null) throw new StateLost(lost[0]);
    const checkpoints = await this.rest(`/jobs/${jobId}/checkpoints`);
    const counters = (await this.rest(`/jobs/${jobId}/accumulators`))['user-task-accumulators'] as {
      name: string;
      value: string;
    }[];
    const counter = (name: string): number => Number(counters.find((c) => c.name === name)?.value ?? Number.NaN);
    return {
      jobId,
      state: row.state,
      allRun: row.state === 'RUNNING' && row.tasks.total > 0 && row.tasks.running === row.tasks.total,
      first: counter('first'),
      offset: counter('offset'),
      completed: checkpoints.counts.completed,
      restoredFrom: checkpoints.latest?.restored?.external_path,
    };
  }

  /** Waits until the job counts in a process that `ok` accepts. */
  async counting(what: string, seconds: number, ok: (progress: Progress) => boolean): Promise<Progress> {
    let last: Progress | undefined;
    let lost: StateLost | undefined;
    const found = await until(
      what,
      seconds,
      async () => {
        try {
          last = await this.progress();
        } catch (error) {
          if (!(error instanceof StateLost)) throw error;
          lost = error;
          return 'lost';
        }
        return last.allRun && last.offset > 0 && ok(last) ? last : undefined;
      },
      () => this.explain(JSON.stringify(last)),
    );
    if (found === 'lost') throw lost;
    return found as Progress;
  }

  /** Waits for a status. */
  async status(what: string, seconds: number, ok: (job: KubeObject) => boolean): Promise<KubeObject> {
    return until(
      what,
      seconds,
      async () => {
        const job = await this.get();
        return ok(job) ? job : undefined;
      },
      () => this.explain(''),
    );
  }

  /** Ready=True for the current generation. */
  async ready(seconds: number, reason?: string): Promise<KubeObject> {
    return this.status(`${this.name} Ready ${reason ?? ''}`, seconds, (job) => {
      const ready = (
        job.status?.conditions as
          | { type: string; status: string; reason: string; observedGeneration: number }[]
          | undefined
      )?.find((c) => c.type === 'Ready');
      return (
        ready?.status === 'True' &&
        ready.observedGeneration === job.metadata.generation &&
        job.status.observedGeneration === job.metadata.generation &&
        (reason === undefined || ready.reason === reason)
      );
    });
  }

  /** What a reader of a failed test wants to see. */
  async explain(note: string): Promise<string> {
    const job = await this.cluster.find(this.path);
    const pods = [...(await this.pods('jobmanager')), ...(await this.pods('taskmanager'))];
    const hook = await kubectl([
      '-n',
      'flork-system',
      'logs',
      '-l',
      'app.kubernetes.io/name=flork',
      '--tail=15',
      '--prefix',
    ]).catch(String);
    const events = await kubectl([
      '-n',
      this.namespace,
      'get',
      'events',
      '--sort-by=.lastTimestamp',
      '-o',
      'custom-columns=R:.reason,O:.involvedObject.name,M:.message',
    ]).catch(String);
    return [
      note,
      `status: ${JSON.stringify(job?.status, null, 1)}`,
      ...pods.map(
        (pod) =>
          `pod ${pod.metadata.name}: ${pod.status?.phase} ${JSON.stringify(pod.status?.containerStatuses?.map((c: Record<string, unknown>) => ({ restarts: c['restartCount'], state: c['state'] }))).slice(0, 600)}`,
      ),
      `events:\n${events.split('\n').slice(-15).join('\n')}`,
      `hook:\n${hook.slice(-4000)}`,
    ].join('\n');
  }

  /** Kills the JobManager's process as a crash would, from a privileged pod on the node. */
  async killJobManager(): Promise<void> {
    const pods = await this.pods('jobmanager');
    assert.equal(pods.length, 1, 'one JobManager pod');
    assert.equal(await killProcesses(this.namespace, pods, JOB_MANAGER), 1, 'one JobManager process');
  }
}

function throughApiServer(cluster: Cluster, namespace: string): Rest {
  return async (name, path) => {
    const proxy = `/api/v1/namespaces/${namespace}/services/${name}-rest:8081/proxy`;
    const answer = await cluster.call('GET', proxy + path);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer.text;
  };
}

export class StateLost extends Error {}

/** A pod that may kill processes of the node; tests need no access to the node itself. */
export async function startKiller(namespace: string, version: FlinkVersion): Promise<void> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'killer', namespace },
    spec: {
      hostPID: true,
      terminationGracePeriodSeconds: 0,
      restartPolicy: 'Never',
      containers: [
        {
          name: 'killer',
          image: `flink:${version}`,
          command: ['sleep', 'infinity'],
          securityContext: { privileged: true, runAsUser: 0 },
          volumeMounts: [{ name: 'state', mountPath: STATE }],
        },
      ],
      volumes: [{ name: 'state', hostPath: { path: STATE } }],
    },
  };
  await kubectl(['apply', '-f', '-'], JSON.stringify(pod));
  await kubectl(['-n', namespace, 'wait', 'pod/killer', '--for=condition=Ready', '--timeout=60s']);
}

/** Savepoints on disk below the namespace's savepoint folder. */
export async function savepointsOnDisk(namespace: string): Promise<readonly string[]> {
  const found = await kubectl([
    '-n',
    namespace,
    'exec',
    'killer',
    '--',
    'bash',
    '-c',
    `find ${STATE}/${namespace}/savepoints -name _metadata 2>/dev/null || true`,
  ]);
  return found
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** Every object of a namespace but events and what the cluster puts there itself. */
export async function everythingIn(namespace: string): Promise<readonly string[]> {
  const kinds = (await kubectl(['api-resources', '--verbs=list', '--namespaced', '-o', 'name']))
    .split('\n')
    .filter((kind) => kind !== '' && !kind.startsWith('events') && !kind.includes('metrics.k8s.io'));
  const names = await kubectl(['-n', namespace, 'get', kinds.join(','), '-o', 'name', '--ignore-not-found']);
  return names
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}
