import type { Input, Outcome } from '../../../src/core/types.ts';
import type { FlinkView } from '../../../src/core/flink-view.ts';
import { realCore, type Core } from './core.ts';

/** Five ways to be wrong, as wrappers of the real core. Each is a mistake that real operators have made; each must be caught. */
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
    return done ? { ...outcome, children: outcome.children.map(stopped) } : outcome;
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
];

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
    bounds: none,
  };
}

function stopped(child: Outcome['children'][number]): Outcome['children'][number] {
  return child.kind === 'Deployment' ? { ...child, spec: { ...(child['spec'] as object), replicas: 0 } } : child;
}
