import { refOf, type KubeObject } from '../../../src/sim/models/objects.ts';
import { createRandom, type Random } from '../../../src/sim/models/random.ts';
import type { CallFault } from '../../../src/sim/models/flink/transport.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import { statusOf } from './checker.ts';
import type { Core } from './core.ts';
import { condition, jobOf, killJobManager, leftovers, pods, reachSettled, stateOf } from './flows.ts';
import { createHistory, type History } from './history.ts';
import { adaptive, reconfigured, SPEC, stateless, suspended, type Spec } from './sample.ts';

/** A random history: faults and deeds of user and cluster mixed by a seed, then quiet, in which all must come right. */
export type Told = {
  readonly history: History;
  /** Completed a start, and a stop, upgrade or deletion, under at least one fault. */
  readonly counts: boolean;
  readonly faults: readonly string[];
  readonly end: string;
};

/** Faults over and spec stable: so long it may take (retries of a failed savepoint pause up to five minutes). */
const BOUND_MS = 900_000;

export async function randomHistory(seed: number, core?: Core): Promise<Told> {
  const random = createRandom(seed).fork('history');
  const countsTerminating = random.chance(0.8);
  const strategy = random.chance(0.5) ? 'dynamic-apply' : 'server-side-apply';
  const history = createHistory({
    seed,
    strategy,
    countsTerminating,
    ...(core === undefined ? {} : { core }),
  });
  history.controls.repeatEvery = random.pick([0, 5, 11]);
  const faults = new Set<string>();
  const calm = disturb(history, random, faults, strategy === 'dynamic-apply');
  const first = random.chance(0.3) ? adaptive(SPEC, random.between(1, 2)) : SPEC;
  let spec: Spec = random.chance(0.1) ? suspended(first) : first;
  history.apply(spec);
  await history.run(random.between(200, 20_000));
  const deeds = random.between(1, 4);
  for (let deed = 0; deed < deeds; deed++) {
    spec = act(history, random, spec, faults);
    // oxlint-disable-next-line no-await-in-loop -- deeds follow each other
    await history.run(random.pick([50, 500, 2_000, 8_000, 25_000]));
  }
  calm();
  history.tell('faults are over');
  // A job that somebody suspended for good has started only if it is resumed now.
  if (random.chance(0.7)) {
    spec = reconfigured({ ...spec, state: 'running' }, '1000');
    history.apply(spec);
  }
  await history.until(() => converged(history), BOUND_MS, 'Ready or Stalled');
  // A failed savepoint is tried again: that is told, and not the end.
  if (random.chance(0.25) && condition(history, 'Ready') === 'True') await reachSettled(history);
  const end = `${stateOf(history)}${condition(history, 'Stalled') === 'True' ? ` (${reasonOf(history)})` : ''}`;
  const started = history.world.api.writes.some(
    ({ object }) => object.kind === 'FlinkJob' && statusOf(object).state === 'Running',
  );
  history.remove();
  await history.until(
    () => history.job() === undefined && leftovers(history).length === 0,
    BOUND_MS,
    'deleted without a trace',
  );
  return { history, counts: started && faults.size > 0, faults: [...faults], end };
}

function converged(h: History): boolean {
  if (condition(h, 'Stalled') === 'True') return true;
  if (condition(h, 'Ready') !== 'True') return false;
  const state = stateOf(h);
  return state !== 'Running' || jobOf(h)?.state() === 'RUNNING';
}

function reasonOf(h: History): string {
  const job = h.job();
  return (
    (job === undefined ? undefined : statusOf(job).conditions?.find((one) => one.type === 'Stalled')?.reason) ?? ''
  );
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

/**
 * Switches some faults on; returns how to end them all. `guarded`: writes carry a resourceVersion (dynamic-apply), so that children
 * may be shown older than they were shown before, or seconds late, and two Metacontrollers may write at once. Server-side apply has no such guard:
 * an answer to an older view overwrites what a newer one brought about, whatever the hook does (docs/adr/0008).
 */
function disturb(h: History, random: Random, names: Set<string>, guarded: boolean): () => void {
  const { controls, world } = h;
  const draw = random.fork('faults');
  let quiet = false;
  const some = (name: string, probability: number): boolean => {
    const hit = !quiet && draw.chance(probability);
    if (hit) names.add(name);
    return hit;
  };
  const kinds = new Set<string>();
  for (const kind of ['crash', 'stale', 'answers', 'flink', 'garbage', 'lag', 'second', 'storage', 'skew']) {
    if (random.chance(0.35)) kinds.add(kind);
  }
  if (kinds.size === 0) kinds.add('crash');
  if (kinds.has('crash')) controls.crash = () => some('crash', 0.02);
  if (kinds.has('stale')) {
    controls.staleness = () => ({
      parent: some('stale status', 0.12) ? draw.between(1, 3) : 0,
      children: guarded && some('stale children', 0.08) ? draw.between(1, 2) : 0,
      related: guarded && some('stale pods', 0.08) ? draw.between(1, 2) : 0,
    });
  }
  if (kinds.has('answers')) controls.hook = () => (some('answer lost', 0.06) ? 'answer-lost' : 'up');
  if (kinds.has('flink')) {
    controls.flink = () => {
      if (some('Flink unreachable', 0.06)) return 'unreachable';
      return some('Flink answer lost', 0.06) ? 'answer-lost' : 'none';
    };
  }
  if (kinds.has('garbage')) {
    world.faults.flink = () => (some('garbage from Flink', 0.08) ? draw.pick(GARBAGE) : { kind: 'none' });
  }
  if (kinds.has('lag') && guarded) {
    names.add('slow watches');
    world.faults.watchLagMs = () => (quiet ? 15 : 1_500);
  }
  if (kinds.has('second') && guarded) {
    names.add('two Metacontrollers');
    controls.metacontrollers = 2;
    h.startMetacontroller();
  }
  const calm = (): void => {
    quiet = true;
    h.oneMetacontroller();
    controls.skewMs = 0;
    world.storage.forbid('');
    world.faults.job.stopFailsAfterSavepoint = false;
    world.faults.schedulable = () => true;
    world.faults.refuse = () => undefined;
    world.faults.flink = () => ({ kind: 'none' });
    controls.hook = () => 'up';
  };
  if (kinds.has('storage')) {
    names.add('savepoints fail');
    if (random.chance(0.5)) world.storage.forbid('file:///data/savepoints');
    else world.faults.job.stopFailsAfterSavepoint = true;
  }
  if (kinds.has('skew')) {
    names.add('clock skew');
    controls.skewMs = random.pick([600_000, -600_000, 90_000]);
  }
  return calm;
}

/** One deed of the user, or of the cluster; answers the spec from then on. */
function act(h: History, random: Random, spec: Spec, names: Set<string>): Spec {
  const deed = random.pick([
    'edit',
    'edit',
    'edit',
    'suspend',
    'resume',
    'stateless',
    'kill',
    'kill',
    'kill task manager',
    'delete child',
    'delete deployment',
    'outage',
    'unschedulable',
    'edit and revert',
    'scale',
    'scale',
    'wipe',
    'bad spec',
  ]);
  const change = (next: Spec): Spec => {
    h.apply(next);
    return next;
  };
  const value = String(random.between(1, 5) * 16);
  switch (deed) {
    case 'edit':
      return change(reconfigured(spec, value));
    case 'suspend':
      return change(suspended(spec));
    case 'resume':
      return change({ ...spec, state: 'running' });
    case 'stateless':
      return change(reconfigured(stateless(spec), value));
    case 'edit and revert':
      change(reconfigured(spec, value));
      return change(spec);
    case 'scale':
      return change({ ...spec, taskManagerReplicas: random.between(1, 3) });
    case 'bad spec':
      h.apply({ ...spec, parallelism: 7, taskManagerReplicas: 1 });
      return spec;
    case 'kill':
      names.add('JobManager killed');
      killJobManager(h);
      return spec;
    case 'kill task manager':
      names.add('TaskManager killed');
      for (const pod of pods(h, 'taskmanager')) h.world.kubelet.kill(pod);
      return spec;
    case 'delete child':
    case 'delete deployment':
      removeByHand(h, random, deed === 'delete deployment' ? ['Deployment'] : ['ConfigMap', 'Service'], names);
      return spec;
    case 'outage':
      names.add('hook outage');
      h.tell('the hook is down for a minute');
      h.controls.hook = () => 'down';
      h.clock.after(60_000, () => {
        h.controls.hook = () => 'up';
      });
      return spec;
    case 'unschedulable':
      names.add('no room for pods');
      h.world.faults.schedulable = () => false;
      h.clock.after(40_000, () => {
        h.world.faults.schedulable = () => true;
      });
      return spec;
    case 'wipe':
      names.add('status wiped');
      h.tell('somebody wipes the status');
      h.edit((live) => ({ ...live, status: {} }));
      return spec;
    default:
      return spec;
  }
}

function removeByHand(h: History, random: Random, kinds: readonly string[], names: Set<string>): void {
  const candidates = kinds.flatMap((kind) => h.world.api.list(kind, NAMESPACE));
  const [first, ...rest] = candidates;
  if (first === undefined) return;
  const chosen: KubeObject = random.pick([first, ...rest]);
  names.add(`${chosen.kind} deleted by hand`);
  h.tell(`somebody deletes ${chosen.kind} ${chosen.metadata.name}`);
  h.world.api.remove('somebody', refOf(chosen));
}
