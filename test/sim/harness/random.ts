import type { CallFault } from '../../../src/sim/models/flink/transport.ts';
import type { KubeFault } from '../../../src/sim/models/kube-api.ts';
import { at } from '../../../src/sim/models/objects.ts';
import { statusOf } from './checker.ts';
import type { Core } from './core.ts';
import { doDeed } from './deeds.ts';
import { BOUND_MS, condition, converged, isUp, leftovers, outage, reachSettled, stateOf } from './flows.ts';
import { Broken, createHistory, type History } from './history.ts';
import { READS_PODS } from './pods.ts';
import { reconfigured, stateless, type Spec } from './sample.ts';
import {
  drawOf,
  print,
  scriptOf,
  specOf,
  strikes,
  type Deed,
  type Fault,
  type FaultKind,
  type Script,
} from './script.ts';
import { shrink } from './shrink.ts';

/** A random history: faults and deeds of user and cluster mixed by a seed, then quiet, in which all must come right. */
export type Told = {
  readonly history: History;
  /** Completed a start, and a stop, upgrade or deletion, under at least one fault. */
  readonly counts: boolean;
  readonly faults: readonly string[];
  readonly end: string;
};

/** Tells the history of a seed. What breaks is shrunk before it is thrown. */
export async function randomHistory(seed: number, core?: Core): Promise<Told> {
  const script = scriptOf(seed);
  try {
    return await tellScript(script, core);
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const shrunk = await shrink(script, error, (smaller) => tellScript(smaller, core));
    throw new Error(
      `${shrunk.error.message}\n\nshrunk in ${shrunk.tries} runs from\n${print(script)}\nto\n${print(shrunk.script)}\nagain: npm run sim -- --seed ${seed} --histories 1`,
      { cause: error },
    );
  }
}

export async function tellScript(script: Script, core?: Core): Promise<Told> {
  const { seed, strategy, countsTerminating } = script;
  const history = createHistory({ seed, strategy, countsTerminating, ...(core === undefined ? {} : { core }) });
  history.controls.repeatEvery = script.repeatEvery;
  const hit = new Set<string>();
  const calm = disturb(history, script, hit);
  let spec = specOf(script.traits);
  history.apply(spec);
  await history.run(script.firstMs);
  for (const { deed, value, thenMs } of script.deeds) {
    spec = act(history, deed, value, spec, hit);
    // oxlint-disable-next-line no-await-in-loop -- deeds follow each other
    await history.run(thenMs);
  }
  calm();
  history.tell('faults are over');
  if (script.last) {
    // A job that somebody suspended for good has started only if it is resumed now.
    spec = reconfigured({ ...spec, state: 'running' }, '1000');
    if (!leaves(history)) history.apply(spec);
  }
  await history.until(() => leaves(history) || (isUp(history) && converged(history)), BOUND_MS, 'Ready or Stalled');
  // A failed savepoint is tried again: that is told, and not the end.
  if (script.settles && condition(history, 'Ready') === 'True') await settle(history, script);
  const end = endOf(history);
  const started = history.world.api.writes.some(
    ({ object }) => object.kind === 'FlinkJob' && statusOf(object).state === 'Running',
  );
  if (!leaves(history)) history.remove();
  await history.until(
    () => history.job() === undefined && leftovers(history).length === 0,
    BOUND_MS,
    'deleted without a trace',
  );
  return { history, counts: started && hit.size > 0, faults: [...hit], end };
}

/** A bounded job comes to rest only when it is over: its end is written, however late it comes. */
async function settle(h: History, { traits }: Script): Promise<void> {
  if (traits.includes('bounded'))
    await h.until(() => leaves(h) || stateOf(h) !== 'Running', BOUND_MS, 'the end of a bounded job');
  await reachSettled(h);
}

/** Gone, or on its way. */
function leaves(h: History): boolean {
  const job = h.job();
  return job === undefined || job.metadata.deletionTimestamp !== undefined;
}

function endOf(h: History): string {
  const job = h.job();
  if (job === undefined) return 'deleted';
  const stalled = statusOf(job).conditions?.find((one) => one.type === 'Stalled' && one.status === 'True');
  return `${stateOf(h)}${stalled === undefined ? '' : ` (${stalled.reason})`}`;
}

/** What a proxy or a dying JobManager may answer. An empty list of jobs is no garbage: it is what Flink says before it has one. */
const GARBAGE: readonly [CallFault, ...CallFault[]] = [
  { kind: 'reply', status: 200, text: '<html>' },
  { kind: 'reply', status: 503, text: '{"errors":["Service temporarily unavailable"]}' },
  { kind: 'reply', status: 500, text: '{"errors":["Internal server error."]}' },
  { kind: 'reply', status: 200, text: '{"jobs":[{}]}' },
  { kind: 'reply', status: 404, text: '{"errors":["Not found"]}' },
  { kind: 'error', error: 'unexpected-reply' },
  { kind: 'timeout' },
];

/** How reading the pods may fail. */
const POD_FATES: readonly [KubeFault, ...KubeFault[]] = ['unreachable', 'timeout', 'answer-lost', 'forbidden'];

/** Switches the faults of a script on; returns how to end them all. `hit` hears which of them struck. */
function disturb(h: History, script: Script, hit: Set<string>): () => void {
  const { controls, world } = h;
  const { seed } = script;
  let quiet = false;
  const find = (kind: FaultKind): Fault | undefined => script.faults.find((fault) => fault.kind === kind);
  const counts = new Map<string, number>();
  const strike = (kind: FaultKind, probability: number): number | undefined => {
    const fault = find(kind);
    if (fault === undefined || quiet) return undefined;
    const index = counts.get(kind) ?? 0;
    counts.set(kind, index + 1);
    if (!strikes(fault, seed, index, probability)) return undefined;
    hit.add(kind);
    return index;
  };
  const some = (kind: FaultKind, probability: number): boolean => strike(kind, probability) !== undefined;
  const older = (kind: FaultKind, probability: number): number => {
    const index = strike(kind, probability);
    return index === undefined ? 0 : drawOf('behind', seed, index).between(1, 3);
  };
  controls.crash = () => some('crash', 0.02);
  controls.write = () => {
    if (some('write refused', 0.04)) return 'refused';
    return some('answer to a write lost', 0.04) ? 'lost' : 'done';
  };
  controls.staleness = () => ({
    parent: older('stale status', 0.12),
    children: older('stale children', 0.08),
    related: READS_PODS ? 0 : older('stale pods', 0.08),
  });
  // Pods that Flork reads itself are never old: in the place of that, they cannot be read.
  controls.pods = () => {
    const index = strike('stale pods', 0.08);
    return index === undefined ? 'none' : drawOf('pods', seed, index).pick(POD_FATES);
  };
  controls.hook = () => (some('answer lost', 0.06) ? 'answer-lost' : 'up');
  controls.duplicate = (call) =>
    some('two replicas', 0.1) ? drawOf('replica', seed, call).pick(['first', 'second', 'late']) : 'none';
  controls.flink = () => {
    if (some('Flink unreachable', 0.06)) return 'unreachable';
    return some('Flink answer lost', 0.06) ? 'answer-lost' : 'none';
  };
  world.faults.flink = () => {
    const index = strike('garbage from Flink', 0.08);
    return index === undefined ? { kind: 'none' } : drawOf('garbage', seed, index).pick(GARBAGE);
  };
  lasting(h, script, hit, () => quiet);
  return () => {
    quiet = true;
    h.oneMetacontroller();
    controls.skewMs = 0;
    world.storage.forbid('');
    world.faults.job.stopFailsAfterSavepoint = false;
  };
}

/** Faults that are there from the beginning until they are over. */
function lasting(h: History, { seed, faults }: Script, hit: Set<string>, quiet: () => boolean): void {
  const { controls, world } = h;
  const has = (kind: FaultKind): boolean => {
    const there = faults.some((fault) => fault.kind === kind);
    if (there) hit.add(kind);
    return there;
  };
  if (has('slow watches')) world.faults.watchLagMs = () => (quiet() ? 15 : 1_500);
  if (has('two Metacontrollers')) {
    controls.metacontrollers = 2;
    h.startMetacontroller();
  }
  if (has('savepoints fail')) world.storage.forbid('file:///data/savepoints');
  if (has('job fails while stopping')) world.faults.job.stopFailsAfterSavepoint = true;
  if (has('clock skew')) controls.skewMs = drawOf('skew', seed, 0).pick([600_000, -600_000, 90_000]);
}

function rollsBack(spec: Spec): boolean {
  return at(spec, 'policies', 'upgrade', 'rollback') === 'automatic';
}

/** The spec of a job that never gets to run for long, or of one that does. */
function withArgs({ jobArgs: _, ...spec }: Spec, fails: boolean): Spec {
  return fails ? { ...spec, jobArgs: ['--fail-over-ms', '10'] } : spec;
}

/** One deed of the user, or of the cluster; answers the spec from then on. */
function act(h: History, deed: Deed, value: number, spec: Spec, hit: Set<string>): Spec {
  const change = (next: Spec): Spec => {
    if (!leaves(h)) h.apply(next);
    return next;
  };
  switch (deed) {
    case 'edit':
      return change(reconfigured(rollsBack(spec) ? withArgs(spec, value === 3) : spec, String(value * 16)));
    case 'resume':
      return change({ ...spec, state: 'running' });
    case 'stateless':
      return change(reconfigured(stateless(spec), String(value * 16)));
    case 'scale':
      return change({
        ...spec,
        ...(spec['parallelism'] === undefined ? { taskManagerReplicas: value } : { parallelism: value }),
      });
    case 'hook down for a minute':
      hit.add(deed);
      h.tell('the hook is down for a minute');
      outage(h, 60_000);
      return spec;
    case 'no room for pods':
      hit.add(deed);
      h.tell('no pod finds a node for 40 s');
      h.world.faults.schedulable = () => false;
      h.clock.after(40_000, () => {
        h.world.faults.schedulable = () => true;
      });
      return spec;
    default:
      if (
        !deed.startsWith('spec') &&
        !deed.startsWith('FlinkJob') &&
        !deed.startsWith('suspended') &&
        !deed.startsWith('deleted')
      )
        hit.add(deed);
      doDeed(h, deed);
      return (h.job()?.['spec'] as Spec | undefined) ?? spec;
  }
}
