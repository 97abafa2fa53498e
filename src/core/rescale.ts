import type { VertexBounds, VertexView } from './flink-view.ts';

/**
 * Rescaling in place (Flink's JobResourceRequirements, adaptive scheduler): every vertex has a lower and an upper bound of its
 * parallelism. Those that follow the job's parallelism get another upper bound; a vertex that has one of its own keeps it.
 */
export type Target = {
  /** The bounds that Flink is to have, of every vertex. */
  readonly bounds: readonly VertexBounds[];
  /** Vertices that do not follow the job's parallelism. */
  readonly fixed: readonly string[];
  readonly parallelism: number;
  /** Whether Flink has other bounds than these. */
  readonly differs: boolean;
  /** Whether some bound is to be raised: slots have to be there first. */
  readonly raises: boolean;
};

/**
 * Vertices that keep their parallelism, told apart before the first rescale of an epoch, while the others still have the parallelism
 * that the job was started with. Where status was wiped after a rescale nothing may be left that has it: then those follow that have
 * the wanted one, or the only one that is not 1. `undefined`: it cannot be told.
 */
export function fixedVertices(
  bounds: readonly VertexBounds[],
  started: number,
  wanted: number,
  past: 'never-rescaled' | 'forgotten',
): readonly string[] | undefined {
  const without = (parallelism: number) => bounds.filter(({ upper }) => upper !== parallelism).map(({ id }) => id);
  const uppers = [...new Set(bounds.map(({ upper }) => upper))];
  const common = uppers.filter((upper) => upper > 1);
  const follows = [started, wanted].find((parallelism) => uppers.includes(parallelism));
  if (follows !== undefined) return without(follows);
  return past === 'forgotten' && common.length === 1 && common[0] !== undefined ? without(common[0]) : undefined;
}

/** The bounds for a parallelism. A lower bound stays, unless it would be above the upper one. */
export function targetBounds(bounds: readonly VertexBounds[], fixed: readonly string[], parallelism: number): Target {
  const keeps = new Set(fixed);
  const wanted = bounds.map((vertex) =>
    keeps.has(vertex.id) ? vertex : { ...vertex, lower: Math.min(vertex.lower, parallelism), upper: parallelism },
  );
  const changed = wanted.filter((vertex, index) => vertex.upper !== bounds[index]?.upper);
  const raises = changed.some((vertex) => vertex.upper > (bounds.find(({ id }) => id === vertex.id)?.upper ?? 0));
  return { bounds: wanted, fixed, parallelism, differs: changed.length > 0, raises };
}

/** Whether every vertex that follows the job's parallelism runs with it. */
export function conforms({ fixed, parallelism, bounds }: Target, vertices: readonly VertexView[]): boolean {
  const keeps = new Set(fixed);
  return bounds
    .filter(({ id }) => !keeps.has(id))
    .every(({ id }) => vertices.some((vertex) => vertex.id === id && vertex.parallelism === parallelism));
}

/** Why a parallelism is more than a vertex can have; `undefined` when it is not. The maximum is part of the state and cannot be raised by a restart that keeps it. */
export function tooHigh({ bounds }: Target, vertices: readonly VertexView[]): string | undefined {
  for (const { id, upper } of bounds) {
    const vertex = vertices.find((one) => one.id === id);
    if (vertex?.maxParallelism !== undefined && upper > vertex.maxParallelism)
      return `Vertex "${vertex.name.slice(0, 60)}" has a maximum parallelism of ${vertex.maxParallelism}, which its state keeps for good.`;
  }
  return undefined;
}
