import type { Program } from './entry-point.ts';
import { durationMs } from './entry-point.ts';

/** The vertices of a job and their parallelism, as Flink's schedulers see them. Slots are shared: the largest vertex counts. */
export type Vertices = {
  readonly scheduler: 'default' | 'adaptive' | 'reactive';
  readonly all: readonly Vertex[];
  /** With which parallelisms so many slots let the job run; `undefined`: too few. */
  readonly fit: (slots: number) => readonly number[] | undefined;
  /** Slots that would serve every upper bound. */
  readonly desired: () => number;
  /** Parallelism of each vertex as it is executed; 0 before the first time. */
  readonly current: () => readonly number[];
  readonly execute: (parallelisms: readonly number[]) => void;
  readonly bounds: () => readonly Bounds[];
  /** Takes over other bounds; a text says why not (JobResourceRequirements.validate). */
  readonly tell: (bounds: readonly Bounds[]) => string | undefined;
  /** Slots of a TaskManager. */
  readonly slotsOfEach: number;
  readonly waitMs: number;
  readonly stabilizationMs: number;
  /** Least time between two executions. */
  readonly cooldownMs: number;
};
type Vertex = { readonly id: string; readonly name: string; readonly maxParallelism: number };
export type Bounds = { readonly id: string; readonly lower: number; readonly upper: number };

const COUNTER = { id: 'cbc357ccb763df2852fee8c4fc7d55f2', name: 'Counter' };
/** A vertex whose parallelism main() sets. */
const SOURCE = { id: '0a448493b4782967b150582570326227', name: 'Source: fixed' };

/** What main() builds: a counter that follows the parallelism of the job, and with `--fixed n` a source that does not. */
export function createVertices(
  config: ReadonlyMap<string, string>,
  program: Program,
  stored: readonly Bounds[] | undefined,
): Vertices {
  const parallelism = Number(config.get('parallelism.default') ?? '1');
  const maxParallelism = Number(config.get('pipeline.max-parallelism') ?? '128');
  const reactive = config.get('scheduler-mode')?.toLowerCase() === 'reactive';
  const adaptive = config.get('jobmanager.scheduler')?.toLowerCase() === 'adaptive' && !program.batch;
  const scheduler = reactive ? 'reactive' : adaptive ? 'adaptive' : 'default';
  const all: Vertex[] = [
    ...(program.fixed === undefined ? [] : [{ ...SOURCE, maxParallelism }]),
    { ...COUNTER, maxParallelism },
  ];
  const initial = all.map(({ id }): Bounds => {
    const own = id === SOURCE.id ? (program.fixed ?? 1) : parallelism;
    if (scheduler === 'default') return { id, lower: own, upper: own };
    return { id, lower: 1, upper: scheduler === 'reactive' ? maxParallelism : own };
  });
  let bounds: readonly Bounds[] = stored ?? initial;
  let current: readonly number[] = all.map(() => 0);
  const key = (older: string, newer: string): number | undefined => durationMs(config.get(newer) ?? config.get(older));
  const prefix = 'jobmanager.adaptive-scheduler.';
  return {
    scheduler,
    all,
    fit: (slots) =>
      bounds.some(({ lower }) => lower > slots) || slots < 1
        ? undefined
        : bounds.map(({ upper }) => Math.min(upper, slots)),
    desired: () => Math.max(...bounds.map(({ upper }) => upper)),
    current: () => current,
    execute: (parallelisms) => {
      current = parallelisms;
    },
    bounds: () => bounds,
    tell: (next) => {
      const wrong = invalid(all, next);
      if (wrong === undefined) bounds = all.map(({ id }) => next.find((one) => one.id === id) as Bounds);
      return wrong;
    },
    slotsOfEach: Number(config.get('taskmanager.numberOfTaskSlots') ?? '1'),
    waitMs:
      key(`${prefix}resource-wait-timeout`, `${prefix}submission.resource-wait-timeout`) ??
      (reactive ? Infinity : 300_000),
    stabilizationMs:
      key(`${prefix}resource-stabilization-timeout`, `${prefix}submission.resource-stabilization-timeout`) ??
      (reactive ? 0 : 10_000),
    cooldownMs: key(`${prefix}scaling-interval.min`, `${prefix}executing.cooldown-after-rescaling`) ?? 30_000,
  };
}

function invalid(all: readonly Vertex[], bounds: readonly Bounds[]): string | undefined {
  for (const { id, lower, upper } of bounds) {
    const vertex = all.find((one) => one.id === id);
    if (vertex === undefined) return `Job vertex [${id}] was not found in the JobGraph.`;
    if (lower < 1 || upper < 1)
      return `Both, the requested lower bound [${lower}] and upper bound [${upper}] for job vertex [${id}] must be greater than zero.`;
    if (lower > upper)
      return `The requested lower bound [${lower}] for job vertex [${id}] is higher than the upper bound [${upper}].`;
    if (upper > vertex.maxParallelism)
      return `The newly requested parallelism ${upper} for the job vertex ${id} exceeds its maximum parallelism ${vertex.maxParallelism}.`;
  }
  const missing = all.find(({ id }) => !bounds.some((one) => one.id === id));
  return missing && `The request is incomplete, missing job vertex [${missing.id}] resource requirements.`;
}
