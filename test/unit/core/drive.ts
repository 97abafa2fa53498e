import { readObserved } from '../../../src/api/observed.ts';
import type { Child } from '../../../src/api/kube.ts';
import type { Status } from '../../../src/api/status.ts';
import type {
  CheckpointsView,
  FlinkView,
  JobState,
  Part,
  TriggerView,
  VertexBounds,
  VertexView,
} from '../../../src/core/flink-view.ts';
import type { Platform } from '../../../src/core/platform/platform.ts';
import { readJob } from '../../../src/core/observe-job.ts';
import { reconcile } from '../../../src/core/reconcile.ts';
import type { Input, Outcome } from '../../../src/core/types.ts';

/**
 * A FlinkJob held by hand: each call of `sync` shows the hook what the last answers left in the cluster, with pods and Flink as told.
 * No model: what is not told is not there. The simulator has the moving parts.
 */
export const UID = 'b7e23ec2-9af1-4b0e-8f5e-000000000001';
export const JOB = { name: 'wordcount', namespace: 'team', uid: UID };
export const SPEC = {
  flinkVersion: '1.20',
  image: 'flink:1.20',
  jarURI: 'local:///opt/flink/usrlib/job.jar',
  flinkConf: { 'execution.checkpointing.interval': '10s' },
  policies: { savepoint: { directory: 'file:///state/savepoints' } },
};

type Pod = Record<string, unknown>;
type Cluster = {
  spec: Record<string, unknown>;
  generation: number;
  status: Status | undefined;
  children: Map<string, Record<string, unknown>>;
  now: number;
};

export type Shown = {
  pods?: readonly Pod[] | undefined;
  flink?: FlinkView;
  finalizing?: boolean;
  deleted?: boolean;
  annotations?: Record<string, string>;
  finalizers?: string[];
  /** Shown instead of the last status. */
  status?: Status | undefined;
  /** Defaults and decorators of this sync's Flork. */
  platform?: Platform;
};

export const NOT_ASKED: FlinkView = { kind: 'not-asked', why: 'not told' };
export const UNREACHABLE: FlinkView = { kind: 'unreachable', error: 'timeout', text: 'timed out' };

/** A cluster with one FlinkJob and nothing else. */
export function cluster(spec: Record<string, unknown> = SPEC): Cluster {
  return { spec, generation: 1, status: undefined, children: new Map(), now: Date.parse('2026-01-01T00:00:00Z') };
}

/** Edits the spec. */
export function edit(at: Cluster, change: Record<string, unknown>): void {
  at.spec = { ...at.spec, ...change };
  at.generation += 1;
}

/** What the hook is shown. */
export function inputOf(at: Cluster, shown: Shown = {}): Input {
  const groups: Record<string, Record<string, Record<string, unknown>>> = {
    'ConfigMap.v1': {},
    'Service.v1': {},
    'Deployment.apps/v1': {},
  };
  for (const [key, child] of at.children) {
    const group = child['kind'] === 'Deployment' ? 'Deployment.apps/v1' : `${String(child['kind'])}.v1`;
    groups[group]![key] = child;
  }
  const pods = Object.fromEntries((shown.pods ?? []).map((pod, index) => [`p${index}`, pod]));
  const job = readJob({
    apiVersion: 'flork.itom.com/v1',
    kind: 'FlinkJob',
    metadata: {
      name: 'wordcount',
      namespace: 'team',
      uid: UID,
      generation: at.generation,
      ...(shown.deleted ? { deletionTimestamp: '2026-01-01T01:00:00Z' } : {}),
      ...(shown.annotations ? { annotations: shown.annotations } : {}),
      ...(shown.finalizers ? { finalizers: shown.finalizers } : {}),
    },
    spec: at.spec,
    status: 'status' in shown ? shown.status : at.status,
  } as never);
  return {
    job,
    observed: readObserved(
      groups as never,
      'pods' in shown && shown.pods === undefined ? {} : ({ 'Pod.v1': pods } as never),
      job.ref,
    ),
    finalizing: shown.finalizing ?? false,
    flink: shown.flink ?? NOT_ASKED,
    ...(shown.platform ? { platform: shown.platform } : {}),
    now: at.now,
  };
}

/** One sync: the answer is applied, the Deployment controller is prompt, the clock goes on by a second. */
export function sync(at: Cluster, shown: Shown = {}): Outcome {
  const outcome = reconcile(inputOf(at, shown));
  apply(at, outcome);
  return outcome;
}

/** Children and status as Metacontroller would leave them. */
export function apply(at: Cluster, outcome: Outcome): void {
  at.now += 1000;
  if (outcome.retryAfterSeconds !== undefined) return;
  const desired = new Map(outcome.children.map((child) => [`${child.kind}/${child.metadata.name}`, child]));
  for (const key of at.children.keys()) if (!desired.has(key)) at.children.delete(key);
  for (const [key, child] of desired) at.children.set(key, stored(child, at.children.get(key)));
  at.status = structuredClone(outcome.status) as Status;
}

function stored(child: Child, before: Record<string, unknown> | undefined): Record<string, unknown> {
  const copy = structuredClone(child) as unknown as Record<string, Record<string, unknown>>;
  const generation = Number((before?.['metadata'] as { generation?: number } | undefined)?.generation ?? 0) + 1;
  copy['metadata'] = { ...copy['metadata'], generation, creationTimestamp: '2026-01-01T00:00:00Z' };
  if (child.kind === 'Deployment')
    copy['status'] = { observedGeneration: generation, replicas: (copy['spec'] as { replicas: number }).replicas };
  return copy;
}

/** Replicas of the JobManager as they stand. */
export function jobManagerReplicas(at: Cluster): number | undefined {
  const deployment = at.children.get('Deployment/wordcount-jobmanager');
  return (deployment?.['spec'] as { replicas?: number } | undefined)?.replicas;
}

/** A JobManager pod. */
export function jobManagerPod(
  epoch: number,
  restarts = 0,
  state: Record<string, unknown> = { running: { startedAt: '2026-01-01T00:00:10Z' } },
  more: Record<string, unknown> = {},
): Pod {
  return podOf('jobmanager', epoch, restarts, state, more);
}

/** A pod of a component. */
export function podOf(
  component: string,
  epoch: number,
  restarts: number,
  state: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Pod {
  const { metadata, status, lastState, ...rest } = more as Record<string, Record<string, unknown>>;
  return {
    metadata: {
      name: `wordcount-${component}-${epoch}`,
      namespace: 'team',
      uid: `pod-${component}-${epoch}`,
      creationTimestamp: '2026-01-01T00:00:05Z',
      labels: { 'flork.itom.com/job': 'wordcount', 'flork.itom.com/component': component },
      annotations: { 'flork.itom.com/epoch': String(epoch), 'flork.itom.com/job-uid': UID },
      ...metadata,
    },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'flink-main-container',
          restartCount: restarts,
          ready: 'running' in state,
          state,
          ...(lastState ? { lastState } : {}),
        },
      ],
      ...status,
    },
    ...rest,
  };
}

/** Flink's answer about one job. */
export function answered(
  jobId: string,
  state: JobState,
  more: {
    checkpoints?: Partial<CheckpointsView>;
    trigger?: TriggerView | 'absent';
    tasks?: number;
    restarts?: number;
    /** /jobs/:id: Flink's clock, and since when the job is RUNNING. */
    clock?: { now: number; runningSince: number };
    running?: number;
    checkpointing?: boolean | 'unknown';
    vertices?: readonly VertexView[];
    bounds?: readonly VertexBounds[] | 'cannot' | 'unknown';
  } = {},
): FlinkView {
  const total = more.tasks ?? 2;
  const running = more.running ?? (state === 'RUNNING' ? total : 0);
  return {
    kind: 'answered',
    jobs: [
      {
        id: jobId,
        name: 'word count',
        state,
        startTime: 1,
        endTime: undefined,
        tasks: { total, running, finished: state === 'FINISHED' ? total : 0 },
      },
    ],
    flinkVersion: { kind: 'value', value: '1.20.5' },
    detail: {
      kind: 'value',
      value: {
        runningSince: state === 'RUNNING' && running > 0 ? 1 : 0,
        now: 60_000,
        ...more.clock,
        parallelism: Math.max(1, ...(more.vertices ?? []).map((vertex) => vertex.parallelism)),
        vertices: more.vertices ?? [],
      },
    },
    checkpoints: {
      kind: 'value',
      value: {
        // A job that has been running for a while.
        completed: state === 'RUNNING' && running > 0 ? 1 : 0,
        failed: 0,
        restored: 0,
        latestCompleted: undefined,
        latestSavepoint: undefined,
        latestRestored: undefined,
        ...more.checkpoints,
      },
    },
    checkpointConfig:
      more.checkpointing === 'unknown'
        ? { kind: 'failed', error: 'timeout', text: '' }
        : {
            kind: 'value',
            value: {
              enabled: more.checkpointing ?? true,
              intervalMs: 10_000,
              externalized: true,
              deleteOnCancellation: false,
            },
          },
    exceptions: {
      kind: 'value',
      value: { newest: state === 'FAILED' ? { at: 1, text: 'java.lang.RuntimeException: boom' } : undefined },
    },
    trigger:
      more.trigger === undefined || more.trigger === 'absent'
        ? { kind: 'absent', text: 'no trigger' }
        : { kind: 'value', value: more.trigger },
    bounds: boundsPart(more.bounds),
    restarts: more.restarts === undefined ? { kind: 'not-asked' } : { kind: 'value', value: more.restarts },
  };
}

function boundsPart(bounds: readonly VertexBounds[] | 'cannot' | 'unknown' | undefined): Part<readonly VertexBounds[]> {
  if (bounds === undefined) return { kind: 'not-asked' };
  if (bounds === 'cannot') return { kind: 'absent', text: 'The DefaultScheduler does not support it' };
  return bounds === 'unknown'
    ? { kind: 'failed', error: 'unavailable', text: '503' }
    : { kind: 'value', value: bounds };
}

/** A complete checkpoint. */
export function checkpoint(id: number, path: string, at: number) {
  return { id, path, kind: 'checkpoint' as const, at, sizeBytes: 1024 };
}

/** A running job: first start, JobManager up, all tasks run. */
export function runningCluster(spec: Record<string, unknown> = SPEC): Cluster {
  const at = cluster(spec);
  sync(at);
  sync(at, { pods: [jobManagerPod(1)] });
  sync(at, { pods: [jobManagerPod(1)], flink: answered(at.status!.epoch!.jobId, 'RUNNING') });
  return at;
}
