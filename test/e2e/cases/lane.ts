import { strict as assert } from 'node:assert';
import { STATE, cleanUp, prepare } from '../flink/bare.ts';
import {
  FlinkJob,
  counterJob,
  savepointsOnDisk,
  startKiller,
  type FlinkVersion,
  type Progress,
  type Rest,
} from '../lib/flink-job.ts';
import type { Gate } from '../lib/gate.ts';
import { kubectl, PATIENCE, until, type Cluster, type KubeObject } from '../lib/kube.ts';
import { outputFolder, outputOf, type Judgement, type Output } from '../lib/output.ts';

/** A namespace in which cases run one after the other on one Flink version, with or without Flink's high availability. */
export type Lane = {
  readonly cluster: Cluster;
  readonly gate: Gate;
  readonly version: FlinkVersion;
  readonly ha: boolean;
  readonly namespace: string;
  /** Runs a command in a root pod of the node that sees the state folder. */
  readonly shell: (command: string) => Promise<string>;
  /** The job that cases share: each finds it running and leaves it running. Started anew when the last case left it otherwise. */
  readonly shared: () => Promise<Subject>;
  readonly forgetShared: () => Promise<void>;
  /** Applies a job of a case's own, which does not have to start; takes the shared one away first, and this one at the end. */
  readonly withOwn: <T>(name: string, more: Spec, story: (subject: Subject) => Promise<T>, rest?: Rest) => Promise<T>;
  readonly close: () => Promise<void>;
};

/** A counting job with a transactional sink, and what it has committed. */
export type Subject = {
  readonly job: FlinkJob;
  readonly output: Output;
  /** Judges all it did: its state by itself, its output by what is committed, its savepoints by what lies on disk. */
  readonly judge: (allowed: Allowed) => Promise<Verdict>;
  /** Waits until it is Ready, counts and has completed checkpoints. */
  readonly counts: () => Promise<Progress>;
  /** Changes a value that only an upgrade can bring into effect, and what is given; the new generation. */
  readonly change: (more?: Spec) => Promise<number>;
  /** Whether the JobManager that answers runs the newest such change. */
  readonly runsItsChange: () => Promise<boolean>;
  /** Makes snapshots, or the end of tasks, wait. */
  readonly hold: (what: 'snapshot' | 'close') => Promise<void>;
  readonly release: () => Promise<void>;
};
type Spec = Readonly<Record<string, unknown>>;
export type Allowed = 'exactly-once' | 'at-least-once';
export type Verdict = Judgement & { readonly progress: Progress };

export async function openLane(
  cluster: Cluster,
  gate: Gate,
  version: FlinkVersion,
  ha: boolean,
  suffix = '',
): Promise<Lane> {
  const namespace = ['flork-full', version.replace('.', '-'), ...(ha ? ['ha'] : []), ...(suffix ? [suffix] : [])].join(
    '-',
  );
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=180s']);
  await prepare(namespace, version);
  await startKiller(namespace, version);
  if (ha)
    await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rights(namespace) }));
  const shell = (command: string): Promise<string> =>
    kubectl(['-n', namespace, 'exec', 'killer', '--', 'bash', '-c', command]);
  await shell(`rm -rf ${STATE}/${namespace}/*; mkdir -m 777 ${STATE}/${namespace}/{hold,output}`);
  const lane = { cluster, gate, version, ha, namespace, shell };
  let shared: Subject | undefined;
  let started = 0;
  return {
    ...lane,
    shared: async () => {
      if (shared === undefined) {
        shared = await applySubject(lane, `shared-${++started}`);
        await shared.counts();
      }
      return shared;
    },
    forgetShared: async () => {
      const old = shared;
      shared = undefined;
      if (old !== undefined) await removeJob(old.job);
    },
    withOwn: async (name, more, story, rest) => {
      const old = shared;
      shared = undefined;
      if (old !== undefined) await removeJob(old.job);
      const own = await applySubject(lane, `${name}-${++started}`, more, rest);
      try {
        return await story(own);
      } finally {
        await own.release();
        await removeJob(own.job);
      }
    },
    close: () => cleanUp(namespace, version),
  };
}

/** What Flink's Kubernetes high availability needs of the API server. */
function rights(namespace: string): readonly object[] {
  const metadata = { name: 'flink', namespace };
  const group = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: `${group}/v1`,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name: 'flink' },
      subjects: [{ kind: 'ServiceAccount', name: 'flink', namespace }],
    },
  ];
}

type Place = Pick<Lane, 'cluster' | 'gate' | 'version' | 'ha' | 'namespace' | 'shell'>;

/** The FlinkJob of a subject: small, quick to checkpoint, with a transactional sink. */
function subjectManifest(
  place: Pick<Lane, 'version' | 'ha' | 'namespace'>,
  name: string,
  more: Spec = {},
): Record<string, unknown> {
  const { namespace, version, ha } = place;
  const manifest = counterJob(name, namespace, version);
  const spec = manifest['spec'] as Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- a manifest, written above
  const conf = {
    ...spec['flinkConf'],
    'execution.checkpointing.interval': '1s',
    ...(more['flinkConf'] as object | undefined),
  };
  const highAvailability = {
    'high-availability': 'kubernetes',
    'high-availability.storageDir': `file://${STATE}/${namespace}/ha`,
  };
  const pod = spec['jobManagerPodSpec'] as object;
  return {
    ...manifest,
    spec: {
      ...spec,
      jobArgs: [
        '--pause-ms',
        '10',
        '--output',
        `file://${outputFolder(namespace, name)}`,
        '--hold',
        holdFolder(namespace, name),
      ],
      jobManagerPodSpec: ha ? { ...pod, serviceAccountName: 'flink' } : pod,
      ...more,
      flinkConf: ha ? { ...conf, ...highAvailability } : conf,
    },
  };
}

const holdFolder = (namespace: string, name: string): string => `${STATE}/${namespace}/hold/${name}`;

/** A job that no longer is handled: its state stays on disk, its FlinkJob and pods go. */
async function removeJob(job: FlinkJob): Promise<void> {
  await kubectl(['-n', job.namespace, 'delete', 'flinkjob', job.name, '--ignore-not-found', '--wait=false']);
  await until(`${job.name} is gone`, 120, async () =>
    (await job.cluster.find(job.path)) === undefined ? true : undefined,
  ).catch(async () => {
    await job.cluster.patch(job.path, { metadata: { finalizers: null } }).catch(() => undefined);
  });
}

async function applySubject(place: Place, name: string, more: Spec = {}, rest?: Rest): Promise<Subject> {
  const { namespace, shell, cluster } = place;
  const job = new FlinkJob(cluster, name, namespace, rest);
  const holds = holdFolder(namespace, name);
  await shell(`mkdir -p -m 777 ${holds} ${outputFolder(namespace, name)}; rm -f ${holds}/*`);
  await kubectl(['apply', '-f', '-'], JSON.stringify(subjectManifest(place, name, more)));
  const output = outputOf(namespace, name);
  let changes = Date.now() % 1_000_000;
  return {
    job,
    output,
    judge: (allowed) => judge(job, output, allowed),
    counts: async () => {
      await job.ready(240);
      return job.counting('the job counts and checkpoints', 90, (p) => p.completed >= 2);
    },
    change: async (more = {}) => {
      const flinkConf = { ...(more['flinkConf'] as object | undefined), 'e2e.change': String(++changes) };
      return (await cluster.patch(job.path, { spec: { ...more, flinkConf } })).metadata.generation!;
    },
    runsItsChange: async () => {
      const running = (await job.rest('/jobmanager/config')) as readonly { key: string; value: string }[];
      return running.some(({ key, value }) => key === 'e2e.change' && value === String(changes));
    },
    hold: async (what) => void (await shell(`touch ${holds}/${what}`)),
    release: async () => void (await shell(`rm -f ${holds}/*`)),
  };
}

async function judge(job: FlinkJob, output: Output, allowed: Allowed): Promise<Verdict> {
  const now = await job.counting('the job counts on', 120, (p) => p.completed >= 2);
  const later = await job.counting(
    'the job goes on counting',
    60,
    (p) => p.offset > now.offset && p.completed > now.completed,
  );
  assert.equal(later.jobId, now.jobId, 'the process stays');
  const judgement = await output.judge(now.offset, 90);
  if (allowed === 'exactly-once')
    assert.equal(judgement.repeated, 0, `OUTPUT REPEATED: ${judgement.repeated} numbers from ${judgement.from}`);
  assert.deepEqual(await twoOfOneAttempt(job), [], 'at most one savepoint of one attempt');
  return { ...judgement, progress: later };
}

/** Savepoint folders of attempts that have more than one complete savepoint. */
async function twoOfOneAttempt(job: FlinkJob): Promise<readonly string[]> {
  const attempts = new Map<string, number>();
  for (const path of await savepointsOnDisk(job.namespace)) {
    const attempt = path.replace(/\/savepoint-[^/]+\/_metadata$/, '');
    if (attempt.includes(`-${job.name}-`)) attempts.set(attempt, (attempts.get(attempt) ?? 0) + 1);
  }
  return [...attempts].filter(([, count]) => count > 1).map(([attempt]) => attempt);
}

type Condition = { readonly type: string; readonly status: string; readonly reason: string; readonly message: string };

export function conditionOf(job: KubeObject, type: string): Condition | undefined {
  return (job.status?.conditions as readonly Condition[] | undefined)?.find((condition) => condition.type === type);
}

/** A hold that lasts this long is one: while a JobManager comes back, a change waits in the same words. */
const HELD_SECONDS = 45 * PATIENCE;

/** Waits until the job runs what its spec says, and has stopped moving; or until it has said for long that a person is needed. */
export async function settled(
  job: FlinkJob,
  seconds: number,
): Promise<{ readonly held: boolean; readonly object: KubeObject }> {
  let heldSince: number | undefined;
  const heldFor = (): number => (heldSince === undefined ? 0 : (Date.now() - heldSince) / 1000);
  const object = await job.status(`${job.name} Ready or held`, seconds, (found) => {
    heldSince = isHeld(found) ? (heldSince ?? Date.now()) : undefined;
    return runsItsSpec(found) || heldFor() > HELD_SECONDS;
  });
  return { held: !runsItsSpec(object), object };
}

function runsItsSpec({ metadata, status }: KubeObject): boolean {
  const current =
    status?.observedGeneration === metadata.generation && status.epoch?.generation === metadata.generation;
  return current && status.operation === undefined && conditionOf({ metadata, status }, 'Ready')?.status === 'True';
}

/** A person is asked for: the change waits for a way out, or the job failed for good. */
function isHeld(job: KubeObject): boolean {
  const stalled = conditionOf(job, 'Stalled')?.status === 'True';
  return stalled && (conditionOf(job, 'StateSafe')?.status === 'False' || job.status.state === 'Failed');
}
