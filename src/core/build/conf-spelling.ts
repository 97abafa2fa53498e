import type { FlinkVersion } from '../../api/flinkjob.ts';
import { isAtLeast } from '../flink-version.ts';

/** Configuration keys that Flink renamed: older spelling, newer spelling, first supported version that reads the newer one. */
export const RENAMED: readonly (readonly [older: string, newer: string, since: FlinkVersion])[] = [
  ['execution.savepoint.path', 'execution.state-recovery.path', '1.20'],
  ['execution.savepoint.ignore-unclaimed-state', 'execution.state-recovery.ignore-unclaimed-state', '1.20'],
  ['execution.savepoint-restore-mode', 'execution.state-recovery.claim-mode', '1.20'],
  ['state.savepoints.dir', 'execution.checkpointing.savepoint-dir', '1.20'],
  ['state.checkpoints.dir', 'execution.checkpointing.dir', '1.20'],
  ['state.checkpoint-storage', 'execution.checkpointing.storage', '1.20'],
  ['state.checkpoints.num-retained', 'execution.checkpointing.num-retained', '1.20'],
  ['state.backend.incremental', 'execution.checkpointing.incremental', '1.20'],
  ['state.backend.local-recovery', 'execution.state-recovery.from-local', '1.20'],
  ['state.storage.fs.memory-threshold', 'execution.checkpointing.data-inline-threshold', '1.20'],
  ['state.backend', 'state.backend.type', '1.19'],
  ['high-availability', 'high-availability.type', '1.19'],
  ['restart-strategy', 'restart-strategy.type', '1.19'],
  ['env.java.opts', 'env.java.opts.all', '1.19'],
  ['kubernetes.jobmanager.cpu', 'kubernetes.jobmanager.cpu.amount', '1.19'],
  ['kubernetes.taskmanager.cpu', 'kubernetes.taskmanager.cpu.amount', '1.19'],
  ['execution.checkpointing.unaligned', 'execution.checkpointing.unaligned.enabled', '1.19'],
];

/**
 * The spelling of a key that a version surely reads: the newer one from the version that knows it, the older one before.
 * So a job keeps its meaning when its Flink version changes in either direction.
 */
export function spelled(key: string, version: FlinkVersion): string {
  const renamed = RENAMED.find(([older, newer]) => key === older || key === newer);
  if (renamed !== undefined) return isAtLeast(version, renamed[2]) ? renamed[1] : renamed[0];
  return key.startsWith('akka.') ? `pekko.${key.slice('akka.'.length)}` : key;
}
