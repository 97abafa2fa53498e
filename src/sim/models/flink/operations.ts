import type { Clock } from '../clock.ts';

/** What became of a stop, a savepoint, a checkpoint or a disposal. */
export type OperationResult =
  | { readonly kind: 'completed'; readonly path: string }
  | { readonly kind: 'checkpointed'; readonly id: number }
  | { readonly kind: 'disposed' }
  | { readonly kind: 'failed'; readonly text: string };

/** An asynchronous operation of Flink's REST API: in progress until it has a result. */
export type Operation = { result: OperationResult | undefined; completedAt: number };

/**
 * A CompletedOperationCache: one for savepoints and stops, one for checkpoints, one for disposals. A known key starts nothing; a
 * completed entry is forgotten after a time, and its key is then as good as new.
 */
export type Operations = {
  readonly get: (key: string) => Operation | undefined;
  /** Whether this key would start something. */
  readonly isFresh: (key: string) => boolean;
  /** The results of completed operations expire, but for those that no configuration in use would let go so soon. */
  readonly forget: () => void;
  readonly start: (key: string, run: (done: (result: OperationResult) => void) => void) => void;
};

/** Flink's default is five minutes (rest.async.store-duration); a view of the cluster lags by seconds. */
const LEAST_MS = 60_000;

export function operationCache(clock: Clock, storeMs: number): Operations {
  const known = new Map<string, Operation>();
  const live = (key: string): Operation | undefined => {
    const found = known.get(key);
    const expired = found?.result !== undefined && storeMs > 0 && clock.now() - found.completedAt > storeMs;
    return expired ? undefined : found;
  };
  return {
    get: live,
    forget: () => {
      for (const [key, { result, completedAt }] of known)
        if (result !== undefined && clock.now() - completedAt >= LEAST_MS) known.delete(key);
    },
    isFresh: (key) => live(key) === undefined,
    start: (key, run) => {
      if (live(key) !== undefined) return;
      const operation: Operation = { result: undefined, completedAt: 0 };
      known.set(key, operation);
      run((result) => {
        operation.result = result;
        operation.completedAt = clock.now();
      });
    },
  };
}
