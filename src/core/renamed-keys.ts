import type { FlinkVersion } from '../api/flinkjob.ts';

/** A configuration key that Flink has renamed. Flink still accepts the old spelling; when both are set, the new one wins. */
export type RenamedKey = {
  readonly old: string;
  readonly new: string;
  /** The first version that reads the new spelling. */ readonly since: FlinkVersion;
};

/** Renamed keys of Flink 1.19 to 2.3 (option classes, withDeprecatedKeys). */
export const RENAMED_KEYS: readonly RenamedKey[] = [
  { old: 'state.savepoints.dir', new: 'execution.checkpointing.savepoint-dir', since: '1.20' },
  { old: 'state.checkpoints.dir', new: 'execution.checkpointing.dir', since: '1.20' },
  { old: 'state.checkpoint-storage', new: 'execution.checkpointing.storage', since: '1.20' },
  { old: 'state.checkpoints.num-retained', new: 'execution.checkpointing.num-retained', since: '1.20' },
  { old: 'state.backend.incremental', new: 'execution.checkpointing.incremental', since: '1.20' },
  { old: 'state.backend.local-recovery', new: 'execution.state-recovery.from-local', since: '1.20' },
  { old: 'state.storage.fs.memory-threshold', new: 'execution.checkpointing.data-inline-threshold', since: '1.20' },
  { old: 'state.backend', new: 'state.backend.type', since: '1.19' },
  { old: 'high-availability', new: 'high-availability.type', since: '1.19' },
  { old: 'restart-strategy', new: 'restart-strategy.type', since: '1.19' },
  { old: 'env.java.opts', new: 'env.java.opts.all', since: '1.19' },
  { old: 'kubernetes.jobmanager.cpu', new: 'kubernetes.jobmanager.cpu.amount', since: '1.19' },
  { old: 'kubernetes.taskmanager.cpu', new: 'kubernetes.taskmanager.cpu.amount', since: '1.19' },
  { old: 'kubernetes.container.image', new: 'kubernetes.container.image.ref', since: '1.19' },
  { old: 'execution.checkpointing.unaligned', new: 'execution.checkpointing.unaligned.enabled', since: '1.19' },
];

const NEW_NAMES: ReadonlyMap<string, string> = new Map(RENAMED_KEYS.map((key) => [key.old, key.new]));

/** The newest spelling of a key: of a renamed one the new name, of akka.* pekko.*, else the key itself. */
export function newestSpelling(key: string): string {
  return NEW_NAMES.get(key) ?? key.replace(/^akka\./, 'pekko.');
}
