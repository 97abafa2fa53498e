import type { Input, Outcome } from '../../../src/core/types.ts';
import { sha256Hex } from '../../../src/core/build/hash.ts';
import { jobIdOf, triggerIdOf } from '../../../src/core/build/names.ts';
import type { FlinkView } from '../../../src/core/flink-view.ts';
import { realCore, type Core } from './core.ts';
import { noted } from './versions.ts';

/** Ways to be wrong, as wrappers of the real core. Each is a mistake that real operators have made; each must be caught. */
export type Mutant = { readonly name: string; readonly core: Core };

const { reconcile } = realCore;

function mutant(name: string, wrong: (input: Input) => Outcome): Mutant {
  return { name, core: { ...realCore, reconcile: wrong } };
}

export const MUTANTS: readonly Mutant[] = [
  mutant('acts before the intent is observed', (input) => {
    const outcome = reconcile(input);
    const intended = outcome.status.operation;
    if (intended === undefined || input.job.status?.operation?.attempt === intended.attempt) return outcome;
    const flink = input.flink.kind === 'answered' ? { ...input.flink, trigger: NOT_KNOWN } : input.flink;
    return reconcile({ ...input, flink, job: { ...input.job, status: outcome.status } });
  }),
  mutant('takes unreachable for absent', (input) =>
    input.flink.kind === 'unreachable' ? reconcile({ ...input, flink: gone(input) }) : reconcile(input),
  ),
  mutant('removes the JobManager before the path is recorded', (input) => {
    const outcome = reconcile(input);
    const done =
      input.flink.kind === 'answered' &&
      input.flink.trigger.kind === 'value' &&
      input.flink.trigger.value.kind === 'completed';
    return done ? { ...outcome, children: outcome.children.map((child) => scaled(child, 0)) } : outcome;
  }),
  mutant('answers no children on an error', (input) =>
    input.flink.kind === 'unreachable' ? { ...reconcile(input), children: [] } : reconcile(input),
  ),
  mutant('deploys for the first time over a wiped status', (input) => {
    if (input.job.status !== undefined || input.finalizing) return reconcile(input);
    const nothing = {
      ...input.observed,
      configMaps: new Map(),
      services: new Map(),
      deployments: new Map(),
      pods: [],
      echo: [],
    };
    return reconcile({ ...input, observed: nothing });
  }),
  mutant('makes a new trigger id for every call', (input) => {
    const outcome = reconcile(input);
    const id = sha256Hex(String(input.now)).slice(0, 32);
    return {
      ...outcome,
      commands: outcome.commands.map((command) => ('triggerId' in command ? { ...command, triggerId: id } : command)),
    };
  }),
  mutant('makes a new trigger id for every sync, and writes it down', (input) => {
    const outcome = reconcile(input);
    const { operation } = outcome.status;
    if (operation?.triggerId === undefined) return outcome;
    const triggerId = sha256Hex(String(input.now)).slice(0, 32);
    return { ...outcome, status: { ...outcome.status, operation: { ...operation, triggerId } } };
  }),
  mutant('lets facts go back with a stale view', (input) => {
    const outcome = reconcile(input);
    return input.now % 2 === 0 ? outcome : withEpoch(outcome, { incarnation: 1 });
  }),
  mutant('takes the first savepoint again although newer snapshots are known', oldSavepoint),
  mutant('rolls a rollback back', (input) => {
    const outcome = reconcile(input);
    const { epoch, failedEpoch } = outcome.status;
    const due = epoch?.process !== undefined && epoch.stableAt === undefined && epoch.ended === undefined;
    if (failedEpoch === undefined || !due || input.job.status?.epoch?.clock === undefined) return outcome;
    const { restoredFrom: path = '' } = epoch;
    return withEpoch(outcome, {
      ended: { how: 'canceled', path, rollback: true, byFlork: true, over: true, at: outcome.at },
    });
  }),
  mutant('rolls back to an epoch that was not stable', (input) => {
    const outcome = reconcile(input);
    const left = input.job.status?.epoch;
    if (outcome.rule !== 'declareNext' || left === undefined || outcome.status.stableEpoch !== undefined)
      return outcome;
    const stableEpoch = { number: left.number, recordHash: left.nextRecordHash ?? left.recordHash };
    return { ...outcome, status: { ...outcome.status, stableEpoch } };
  }),
  mutant('runs a finished job again', (input) => {
    const outcome = reconcile(input);
    const { epoch } = outcome.status;
    if (epoch?.ended?.how !== 'finished') return outcome;
    return { ...outcome, children: outcome.children.map((child) => startable(scaled(child, 1), epoch.jobId)) };
  }),
  mutant('starts a JobManager where none is shown', (input) => {
    const outcome = reconcile(input);
    const shown = input.observed.deployments.get(`${input.job.ref.name}-jobmanager`);
    if (shown !== undefined || input.job.status?.epoch === undefined || input.finalizing) return outcome;
    return { ...outcome, children: outcome.children.map((child) => (isJobManager(child) ? scaled(child, 1) : child)) };
  }),
  mutant('keeps the job id of the process before', (input) => {
    const outcome = reconcile(input);
    const jobId = jobIdOf(input.job.ref.uid, outcome.status.epoch?.number ?? 1, 1);
    return { ...outcome, children: outcome.children.map((child) => withJobId(child, jobId)) };
  }),
  mutant('forgets the nonces it has handled', (input) => {
    const { status } = input.job;
    if (status?.handled?.restoreNonce === undefined) return reconcile(input);
    const handled = { ...status.handled, restoreNonce: 0 };
    return reconcile({ ...input, job: { ...input.job, status: { ...status, handled } } });
  }),
  mutant('drains the job for an upgrade', (input) => {
    const outcome = reconcile(input);
    const drained = outcome.commands.map((command) =>
      command.kind === 'stop' ? { ...command, drain: true } : command,
    );
    return { ...outcome, commands: drained };
  }),
  mutant('takes an empty list of pods for a proof', (input) => {
    if (input.observed.pods === undefined || input.observed.pods.length > 0) return reconcile(input);
    const deployments = new Map(
      [...input.observed.deployments].map(([name, deployment]) => [
        name,
        {
          ...deployment,
          replicas: 0,
          status: {
            ...deployment.status,
            observedGeneration: deployment.metadata.generation ?? 1,
            replicas: 0,
            terminatingReplicas: 0,
          },
        },
      ]),
    );
    return reconcile({ ...input, observed: { ...input.observed, deployments } });
  }),
  mutant('says Ready for a generation that it has not seen', (input) => {
    const outcome = reconcile(input);
    const conditions = outcome.status.conditions.map((one) => ({
      ...one,
      observedGeneration: one.observedGeneration + 1,
    }));
    return { ...outcome, status: { ...outcome.status, conditions } };
  }),
  mutant('answers the same request in other words', (input) => {
    const outcome = reconcile(input);
    return { ...outcome, status: { ...outcome.status, message: `${outcome.status.message} (${count++})` } };
  }),
  mutant('writes the time into each status', (input) => {
    const outcome = reconcile(input);
    return { ...outcome, status: { ...outcome.status, message: `${outcome.status.message} (${outcome.at})` } };
  }),
  mutant('makes a child of a name that is not its own', (input) => {
    const outcome = reconcile(input);
    return { ...outcome, children: outcome.children.map(renamed) };
  }),
  mutant('leaves a child out', (input) => {
    const outcome = reconcile(input);
    return outcome.children.length < 7 ? outcome : { ...outcome, children: outcome.children.slice(1) };
  }),
  mutant('lets a deleted FlinkJob go at once', (input) => {
    const outcome = reconcile(input);
    return input.finalizing ? { ...outcome, children: [], finalized: true } : outcome;
  }),
  mutant('asks for a savepoint again while one is under way', (input) => {
    const outcome = reconcile(input);
    const { operation } = outcome.status;
    const known = input.job.status?.operation;
    if (operation?.kind !== 'stop' || known?.kind !== 'stop' || operation.result !== undefined) return outcome;
    const attempt = operation.attempt + 1;
    const triggerId = triggerIdOf(input.job.ref.uid, outcome.status.epoch?.number ?? 1, 'stop', attempt);
    return withEpoch(
      { ...outcome, status: { ...outcome.status, operation: { ...operation, attempt, triggerId } } },
      { attempt },
    );
  }),
  mutant('renders a running epoch anew', (input) => {
    const outcome = reconcile(input);
    const note = { 'example.com/generation': String(input.job.generation) };
    return {
      ...outcome,
      children: outcome.children.map((child) => (isJobManager(child) ? noted(child, note) : child)),
    };
  }),
  mutant('compares specs letter by letter', (input) => {
    const { spec } = input.job;
    if (spec.kind !== 'valid') return reconcile(input);
    const letters = sha256Hex(JSON.stringify(spec.spec)).slice(0, 8);
    const flinkConf = { ...spec.spec.flinkConf, 'example.com/letters': letters };
    return reconcile({ ...input, job: { ...input.job, spec: { ...spec, spec: { ...spec.spec, flinkConf } } } });
  }),
];

let count = 0;

function withEpoch(outcome: Outcome, change: Partial<NonNullable<Outcome['status']['epoch']>>): Outcome {
  const { epoch } = outcome.status;
  return epoch === undefined ? outcome : { ...outcome, status: { ...outcome.status, epoch: { ...epoch, ...change } } };
}

/** The path by which the first epoch of a FlinkJob ended, for all later ones. */
const firstPaths = new Map<string, string>();

function oldSavepoint(input: Input): Outcome {
  const { status, ref } = input.job;
  const ended = status?.epoch?.ended;
  if (status?.epoch === undefined || ended?.path === undefined) return reconcile(input);
  const path = firstPaths.get(ref.uid) ?? ended.path;
  firstPaths.set(ref.uid, path);
  const epoch = { ...status.epoch, ended: { ...ended, path } };
  return reconcile({ ...input, job: { ...input.job, status: { ...status, epoch } } });
}

type Child = Outcome['children'][number];

function isJobManager(child: Child): boolean {
  return child.kind === 'Deployment' && child.metadata.name.endsWith('-jobmanager');
}

function withJobId(child: Child, jobId: string): Child {
  if (child.kind !== 'ConfigMap' || !child.metadata.name.includes('-restore-')) return child;
  const data = child['data'] as Readonly<Record<string, string>>;
  return data['job-id'] === undefined ? child : { ...child, data: { ...data, 'job-id': jobId, 'next-job-id': jobId } };
}

function startable(child: Child, jobId: string): Child {
  if (child.kind !== 'ConfigMap' || !child.metadata.name.includes('-restore-')) return child;
  const keys = { 'job-id': jobId, restore: '-Dflork.none=1', 'restore-flag': '-Dflork.none=2' };
  return { ...child, data: { ...(child['data'] as object), ...keys } };
}

function renamed(child: Child): Child {
  if (child.kind !== 'Service') return child;
  return { ...child, metadata: { ...child.metadata, name: `flink-${child.metadata.name}` } };
}

const NOT_KNOWN = { kind: 'absent', text: 'There is no savepoint operation' } as const;

/** What a JobManager says whose job somebody canceled: the nearest that Flink has to "it is gone". */
function gone(input: Input): FlinkView {
  const id = input.job.status?.epoch?.jobId ?? '0'.repeat(32);
  const tasks = { total: 1, running: 0, finished: 0 };
  const job = { id, name: '', state: 'CANCELED', startTime: 1, endTime: 2, tasks } as const;
  const none = { kind: 'not-asked' } as const;
  const checkpoints = {
    completed: 0,
    failed: 0,
    restored: 0,
    latestCompleted: undefined,
    latestSavepoint: undefined,
    latestRestored: undefined,
  };
  return {
    kind: 'answered',
    jobs: [job],
    flinkVersion: none,
    detail: { kind: 'value', value: { runningSince: 1, parallelism: 1, now: 60_000, vertices: [] } },
    checkpoints: { kind: 'value', value: checkpoints },
    checkpointConfig: none,
    exceptions: none,
    trigger: NOT_KNOWN,
    restarts: { kind: 'not-asked' },
    bounds: none,
  };
}

function scaled(child: Child, replicas: number): Child {
  return child.kind === 'Deployment' ? { ...child, spec: { ...(child['spec'] as object), replicas } } : child;
}
