import type { Effect } from '../../../src/sim/models/metacontroller/sync.ts';
import type { Staleness } from '../../../src/sim/models/metacontroller/metacontroller.ts';
import type { Flow } from './catalogue.ts';
import { createHistory, type History, type HistoryOptions } from './history.ts';

/** What happened in an undisturbed flow: everything that a plan may disturb, by its number in the history. */
export type Trace = {
  readonly effects: readonly TracedEffect[];
  readonly calls: readonly TracedCall[];
  readonly flinkCalls: readonly TracedFlinkCall[];
};
export type TracedEffect = { readonly index: number; readonly effect: Effect; readonly call: number };
/** A sync, with all that may be shown older in it. */
export type TracedCall = {
  readonly call: number;
  readonly sync: number;
  readonly rule: string;
  /** Its answer led to a write, or it sent a command. */
  readonly busy: boolean;
  /** Neither the first nor the last of several syncs in a row that were shown and answered the same. */
  readonly repeated: boolean;
  readonly depth: Staleness;
};
export type TracedFlinkCall = {
  readonly index: number;
  readonly call: number;
  readonly method: string;
  /** The path without ids. */
  readonly path: string;
};

type Raw = Omit<TracedCall, 'busy' | 'repeated'> & { readonly situation: string };

/** Runs the flow undisturbed and notes what may be disturbed. */
export async function reference(
  flow: Flow,
  options: HistoryOptions,
): Promise<{ readonly trace: Trace; readonly history: History }> {
  const history = createHistory(options);
  const { counts, controls } = history;
  await flow.prelude(history);
  const effects: TracedEffect[] = [];
  const flinkCalls: TracedFlinkCall[] = [];
  const raw: Raw[] = [];
  const busy = new Set<number>();
  let depth: Staleness = { parent: 0, children: 0, related: 0 };
  controls.crash = (effect, when, index) => {
    if (when === 'after') return false;
    // A hook call has its number only once it is made.
    const call = effect.kind === 'hook' ? counts.calls : counts.calls - 1;
    effects.push({ index, effect, call });
    if (effect.kind !== 'hook') busy.add(call);
    return false;
  };
  controls.staleness = (_index, most) => {
    depth = most;
    return { parent: 0, children: 0, related: 0 };
  };
  controls.flink = (index, method, path) => {
    const call = counts.calls - 1;
    flinkCalls.push({ index, call, method, path: path.replace(/[0-9a-f]{32}/g, 'ID') });
    if (method !== 'GET') busy.add(call);
    return 'none';
  };
  controls.synced = ({ index, call, rule, situation }) => raw.push({ call, sync: index, rule, situation, depth });
  await flow.body(history);
  const calls = raw.map(({ situation, ...traced }, index) => ({
    ...traced,
    busy: busy.has(traced.call),
    repeated: raw[index - 1]?.situation === situation && raw[index + 1]?.situation === situation,
  }));
  return { trace: { effects, calls, flinkCalls }, history };
}
