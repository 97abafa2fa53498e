import type { CommandResult, FlinkCommand } from '../core/flink-view.ts';
import { flinkClient, type Accepted } from './client.ts';
import type { Transport } from './transport.ts';

/** Bounds of the commands of one sync. */
export type ExecuteOptions = { readonly transport: Transport; readonly callTimeoutMs?: number };

/** Runs the commands in order. Never rejects: a command whose fate is not known says so. */
export type Execute = (commands: readonly FlinkCommand[], signal?: AbortSignal) => Promise<CommandResult[]>;

/** Repeating any of these commands changes nothing: they carry their trigger ids, and nothing is canceled or disposed of twice. */
export function createExecute({ transport, callTimeoutMs = 3000 }: ExecuteOptions): Execute {
  return async (commands, signal = new AbortController().signal) => {
    const results: CommandResult[] = [];
    let dead = false;
    for (const command of commands) {
      if (dead || signal.aborted) {
        results.push({ command, kind: 'unknown', text: 'not sent: the time of this sync is used up' });
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in the order the core gave
      const accepted = await run(command, transport, callTimeoutMs, signal);
      dead = accepted.kind === 'unknown' && accepted.error === 'timeout';
      const triggerId = accepted.kind === 'done' ? accepted.triggerId : undefined;
      results.push({
        command,
        kind: accepted.kind,
        text: accepted.text,
        ...(triggerId === undefined ? {} : { triggerId }),
      });
    }
    return results;
  };
}

async function run(
  command: FlinkCommand,
  transport: Transport,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Accepted> {
  const client = flinkClient({ transport, service: command.service, signal, timeoutMs });
  try {
    switch (command.kind) {
      case 'stop':
        return await client.stop(command.jobId, command);
      case 'cancel':
        return await client.cancel(command.jobId);
      case 'savepoint':
        return await client.savepoint(command.jobId, command);
      case 'checkpoint':
        return await client.checkpoint(command.jobId, command.triggerId);
      case 'dispose':
        return await client.dispose(command.path);
      case 'rescale':
        return await client.rescale(command.jobId, command.bounds);
      default:
        return command satisfies never;
    }
  } catch (error) {
    return { kind: 'unknown', error: 'unreachable', text: error instanceof Error ? error.name : 'the call failed' };
  }
}
