import type { Program } from './entry-point.ts';
import { durationMs } from './entry-point.ts';

/** How a job checkpoints, by its configuration and what main() sets. */
export type CheckpointingConfig = {
  readonly intervalMs: number | undefined;
  readonly directory: string | undefined;
  readonly retained: number;
  readonly retention: string;
};

export function checkpointingConfig(config: ReadonlyMap<string, string>, program: Program): CheckpointingConfig {
  const first = (...keys: readonly string[]): string | undefined =>
    keys.map((key) => config.get(key)).find((value) => value !== undefined);
  const configured = durationMs(config.get('execution.checkpointing.interval'));
  return {
    intervalMs: program.checkpointMs ?? (configured === 0 ? undefined : configured),
    directory: first('execution.checkpointing.dir', 'state.checkpoints.dir')?.replace(/\/+$/, ''),
    retained: Number(first('execution.checkpointing.num-retained', 'state.checkpoints.num-retained') ?? '1'),
    retention: config.get('execution.checkpointing.externalized-checkpoint-retention') ?? 'NO_EXTERNALIZED_CHECKPOINTS',
  };
}

/**
 * Whether retained checkpoints outlive a job that ended so (flink-runtime CheckpointProperties.forCheckpoint: NEVER_RETAIN_AFTER_TERMINATION,
 * RETAIN_ON_FAILURE for DELETE_ON_CANCELLATION, RETAIN_ON_CANCELLATION).
 */
export function outlives(retention: string, state: string): boolean {
  switch (retention) {
    case 'RETAIN_ON_CANCELLATION':
      return state !== 'FINISHED';
    case 'DELETE_ON_CANCELLATION':
      return state === 'FAILED';
    default:
      return false;
  }
}

export type CheckpointEntry = {
  readonly id: number;
  readonly path: string;
  readonly at: number;
  readonly savepoint: boolean;
  readonly synchronous: boolean;
  discarded: boolean;
};
export type CheckpointStats = {
  readonly completed: number;
  readonly failed: number;
  readonly restored:
    | { readonly id: number; readonly path: string; readonly at: number; readonly savepoint: boolean }
    | undefined;
  readonly entries: readonly CheckpointEntry[];
};
