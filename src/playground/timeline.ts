import { Status } from '../api/status.ts';
import * as v from 'valibot';
import type { World } from '../sim/world.ts';

const Told = v.partial(v.pick(Status, ['state', 'message', 'epoch', 'knownSavepointPath']));

/** Tells every change of a FlinkJob's state as `kubectl get --watch` would show it. */
export function tellJob(world: World, name: string, say: (mark: string, line: string) => void): void {
  let last = '';
  world.api.watch(({ kind, object }) => {
    if (object.kind !== 'FlinkJob' || object.metadata.name !== name || kind === 'removed') return;
    const status = v.safeParse(Told, object['status']);
    if (!status.success || status.output.state === undefined) return;
    const { state, message = '', epoch } = status.output;
    const line = `${state.padEnd(9)} ${epoch === undefined ? '' : `epoch ${epoch.number}  `}${message}`;
    if (line !== last) say(' ', line.length > 150 ? `${line.slice(0, 149)}…` : line);
    last = line;
  });
}
