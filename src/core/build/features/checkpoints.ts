import { RECORDING_INTERVAL_MS } from '../../record.ts';
import { parseDuration } from '../../duration.ts';
import type { Conf, Context } from '../context.ts';
import { spelled } from '../conf-spelling.ts';
import type { Feature } from '../feature.ts';

const FEWEST = 5;
const MOST = 20;

/**
 * Checkpoints outlive the process that wrote them, and long enough for the recorded one to be there still:
 * with Flink's default of one, a JobManager that restarts finds the recorded checkpoint deleted and never starts again.
 */
export const checkpoints: Feature = {
  name: 'checkpoints',
  conf: (context) => ({
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    [retainedKey(context)]: String(retainedFor(checkpointIntervalOf(context.user))),
    ...savepointDirectory(context),
  }),
};

/** Checkpoint interval of a configuration in milliseconds; `undefined` when not configured (the job's code may still set it). */
export function checkpointIntervalOf(conf: Conf): number | undefined {
  const text = conf['execution.checkpointing.interval'];
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms === undefined || ms <= 0 ? undefined : ms;
}

/** Number of checkpoints that an effective configuration retains. */
export function retainedCheckpointsOf(context: Context, conf: Conf): number {
  const count = Number(conf[retainedKey(context)]);
  return Number.isSafeInteger(count) && count > 0 ? count : 1;
}

/** Savepoint directory of an effective configuration, without trailing slash. */
export function savepointDirectoryOf(context: Context, conf: Conf): string | undefined {
  const directory = conf[savepointKey(context)]?.trim().replace(/\/+$/, '');
  return directory === undefined || directory === '' ? undefined : directory;
}

/** Enough that a checkpoint recorded a recording interval ago is not yet subsumed; an unknown interval may be a short one. */
export function retainedFor(intervalMs: number | undefined): number {
  if (intervalMs === undefined) return MOST;
  return Math.min(MOST, Math.max(FEWEST, Math.ceil(RECORDING_INTERVAL_MS / intervalMs) * 2 + 2));
}

function savepointDirectory(context: Context): Conf {
  const directory = context.spec.policies?.savepoint?.directory;
  return directory === undefined ? {} : { [savepointKey(context)]: directory };
}

function retainedKey({ version }: Context): string {
  return spelled('execution.checkpointing.num-retained', version);
}

function savepointKey({ version }: Context): string {
  return spelled('execution.checkpointing.savepoint-dir', version);
}
