import type { OptionalKind } from '../../../src/api/optional-children.ts';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { DutyKind, DutyResult } from '../../../src/core/duty.ts';
import { createApp } from '../../../src/http/app.ts';
import { createViews, type Views } from '../../../src/http/older-view.ts';
import { createPerform, type Perform } from '../../../src/kube/perform.ts';
import { createReadPods, type Pods, type ReadPods } from '../../../src/kube/pods.ts';
import type { FlinkResponse, Transport } from '../../../src/flink/transport.ts';
import { appHook } from '../../../src/sim/hook.ts';
import { virtualClock, type VirtualClock } from '../../../src/sim/models/clock.ts';
import type { FlinkEvent } from '../../../src/sim/models/flink/events.ts';
import type { Groups, HookClient, HookReply, SyncRequest } from '../../../src/sim/models/metacontroller/hook.ts';
import type { KubeFault } from '../../../src/sim/models/kube-api.ts';
import type { Metacontroller, Staleness } from '../../../src/sim/models/metacontroller/metacontroller.ts';
import type { ApplyStrategy, Effect, WriteFate } from '../../../src/sim/models/metacontroller/sync.ts';
import { at, keyOf, numberAt, type KubeObject } from '../../../src/sim/models/objects.ts';
import { createTracer, type Tracer } from '../../../src/sim/trace.ts';
import { ACTOR, createWorld, jobRef, type World } from '../../../src/sim/world.ts';
import { checkIntentObserved, checkSync, statusOf, type Asked, type Violation } from './checker.ts';
import { realCore, type Core } from './core.ts';
import { difference } from './difference.ts';
import { checkDuties } from './duties.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { isNeeded } from './needed.ts';
import { NOT_READ, READS_PODS } from './pods.ts';
import { decoder, reader, rememberingCore } from './remembered.ts';
import { replay } from './replay.ts';
import { flinkJob, NAME, type Spec } from './sample.ts';
import { createUnchanged } from './unchanged.ts';

/** One run of the world with the real hook in it, judged after every step. */
export type History = {
  readonly world: World;
  readonly clock: VirtualClock;
  readonly ledger: Ledger;
  readonly controls: Controls;
  readonly counts: Counts;
  readonly violations: readonly Violation[];
  /** Lines of the story, for the message of a failure. */
  readonly timeline: readonly string[];
  readonly tell: (line: string) => void;
  readonly apply: (spec: Spec, name?: string) => void;
  readonly edit: (change: (live: KubeObject) => KubeObject, name?: string) => void;
  readonly remove: (propagation?: 'background' | 'foreground', name?: string) => void;
  readonly job: (name?: string) => KubeObject | undefined;
  readonly run: (ms: number) => Promise<void>;
  /** Runs until the claim holds; a violation or the limit ends the history. */
  readonly until: (claim: () => boolean, limitMs: number, what: string) => Promise<void>;
  readonly startMetacontroller: () => Metacontroller;
  /** From now on there is but one. */
  readonly oneMetacontroller: () => void;
  readonly fail: (invariant: string, detail: string) => void;
  /** Ends whatever is being waited for, by `Interrupted`. */
  readonly interrupt: () => void;
  /** The calls of the hook, as test/e2e records those of a real Metacontroller. */
  readonly tracer: Tracer;
};

/** What a test turns while a history runs. Indices count from its beginning. */
export type Controls = {
  /** How many Metacontrollers there are again after one has died. */
  metacontrollers: number;
  /** The wall clock of the hook is off by so much. */
  skewMs: number;
  hook: (index: number) => 'up' | 'down' | 'answer-lost';
  /** Which version answers a call, where there are two. */
  version: (index: number) => 'this' | 'earlier';
  /** The hook is down until then, whatever else is said of it. */
  downUntil: number;
  /** Which replica's answer counts when a call reaches two at once; `late`: the second is still at work when all is over. */
  duplicate: (index: number) => 'none' | 'first' | 'second' | 'late';
  crash: (effect: Effect, when: 'before' | 'after', index: number) => boolean;
  write: (effect: Effect, index: number) => WriteFate;
  staleness: (index: number, depth: Staleness) => Staleness;
  /** Hears of every sync. */
  synced: (sync: Synced) => void;
  /** A Flink call's fate by its number; `none` leaves it to the world's faults. */
  flink: (index: number, method: string, path: string) => 'none' | 'unreachable' | 'answer-lost' | 'timeout';
  /** What becomes of reading the pods, where Flork does, by the number of the call. */
  pods: (index: number) => KubeFault;
  /** Repeats every so-many-th sync to compare its bytes (S6); 0 never. */
  repeatEvery: number;
  /** Whether the hook refuses views older than it was shown before. Off: the core has to be right by itself. */
  guarded: boolean;
  /** What Flork has been given the right to. */
  duties: readonly DutyKind[];
};

/** A sync as the exploration sees it: syncs of the same situation in a row are polls of one and the same. */
export type Synced = {
  readonly index: number;
  readonly call: number;
  readonly rule: string;
  readonly situation: string;
};

export type Counts = {
  syncs: number;
  effects: number;
  calls: number;
  flinkCalls: number;
  podReads: number;
  readonly rules: Map<string, number>;
  readonly effectKinds: Map<string, number>;
  readonly crashes: Map<string, number>;
};

export type HistoryOptions = {
  readonly seed: number;
  readonly core?: Core;
  /** Another version of it, whose turn `controls.version` says. */
  readonly earlier?: Core;
  readonly strategy?: ApplyStrategy;
  readonly countsTerminating?: boolean;
  /** Kinds beyond those of the manifests that the CompositeController lists. */
  readonly optionalKinds?: readonly OptionalKind[];
  /** Keeps the calls of the hook for `tracer`. */
  readonly traced?: boolean;
  /** Flork reads the pods itself, and Metacontroller shows none; default: as FLORK_SIM_PODS says. */
  readonly readsPods?: boolean;
};

/** What one call of the hook heard, and the rule by which it answered. */
type Heard = {
  readonly asked: Asked[];
  readonly duties: DutyResult[];
  rule: string;
  pods?: { readonly read: Pods; readonly fate: KubeFault };
};

const NOTHING_HEARD: Heard = { asked: [], duties: [], rule: '' };

/** Thrown when a history breaks an invariant; the message tells the whole story. */
export class Broken extends Error {
  readonly violation: Violation;
  constructor(seed: number, violation: Violation, timeline: readonly string[]) {
    super(`seed ${seed} breaks "${violation.invariant}": ${violation.detail}\n${story(timeline)}`);
    this.violation = violation;
  }
}

/** Thrown where something was waited for when the history was interrupted. */
export class Interrupted extends Error {}

/** Whether the user said that an epoch may start from elsewhere or from nothing. */
function givesLeave(spec: unknown): boolean {
  return at(spec, 'policies', 'upgrade', 'mode') === 'stateless' || at(spec, 'restore', 'nonce') !== undefined;
}

/** The story without its repetitions, its beginning and its end. */
function story(timeline: readonly string[]): string {
  const lines = timeline.filter((line, index) => line.slice(30) !== timeline[index - 1]?.slice(30));
  return lines.length <= 140 ? lines.join('\n') : [...lines.slice(0, 20), '      …', ...lines.slice(-120)].join('\n');
}

const START = Date.parse('2026-01-05T08:00:00Z');

export function createHistory(options: HistoryOptions): History {
  const { seed, core = realCore, earlier = core, readsPods = READS_PODS } = options;
  const clock = virtualClock(START);
  const timeline: string[] = [];
  const violations: Violation[] = [];
  const counts: Counts = {
    syncs: 0,
    effects: 0,
    calls: 0,
    flinkCalls: 0,
    podReads: 0,
    rules: new Map(),
    effectKinds: new Map(),
    crashes: new Map(),
  };
  const controls: Controls = {
    metacontrollers: 1,
    skewMs: 0,
    hook: () => 'up',
    version: () => 'this',
    downUntil: 0,
    duplicate: () => 'none',
    crash: () => false,
    write: () => 'done',
    synced: () => undefined,
    staleness: () => ({ parent: 0, children: 0, related: 0 }),
    flink: () => 'none',
    pods: () => 'none',
    repeatEvery: 7,
    guarded: false,
    duties: [],
  };
  const tell = (line: string): void => {
    timeline.push(`${((clock.now() - START) / 1000).toFixed(3).padStart(9)}  ${line}`);
  };
  const fail = (invariant: string, detail: string): void => {
    violations.push({ invariant, detail });
    tell(`✗ ${invariant}: ${detail}`);
  };
  const onFlink = (event: FlinkEvent): void => {
    tell(describe(event));
    ledger.heard(event);
    unchanged.heard(event);
  };
  const world = createWorld({
    clock,
    seed,
    onFlink,
    ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
    ...(options.countsTerminating === undefined ? {} : { countsTerminating: options.countsTerminating }),
    ...(options.optionalKinds === undefined ? {} : { optionalKinds: options.optionalKinds }),
  });
  const leave = (owner: string): boolean =>
    world.api.list('FlinkJob').some((job) => job.metadata.uid === owner && givesLeave(job['spec']));
  const ledger = createLedger({
    storage: world.storage,
    now: clock.now,
    report: fail,
    leave,
    needed: (owner, path) => isNeeded(world.api.list, owner, path),
  });
  const unchanged = createUnchanged(fail);
  world.api.watch(({ object }) => {
    ledger.stored(object);
    unchanged.stored(object, world.api.writes.at(-1)?.actor);
  });
  // Drawn at the beginning of the call.
  let fateOfPods: KubeFault = 'none';
  world.faults.pods = () => (fateOfPods = controls.pods(counts.podReads++));
  const tracer = options.traced === true ? createTracer() : undefined;
  const now = (): number => clock.now() + controls.skewMs;

  // One process of the hook serves all Metacontrollers, and so does its other replica; neither knows what the other was shown.
  const memories = [createViews(), createViews()].map(
    (seen): Views =>
      (uid, versions, at) =>
        controls.guarded && seen(uid, versions, at),
  );
  const controllers: Metacontroller[] = [];
  const startMetacontroller = (): Metacontroller => {
    // A call that Metacontroller gave up may still be at work while the next one begins: each hears its own.
    const current = new AsyncLocalStorage<Heard>();
    let last: Heard = { asked: [], duties: [], rule: '' };
    const recording: Transport = async (request, signal) => {
      const index = counts.flinkCalls++;
      const fate = controls.flink(index, request.method, request.path);
      if (fate !== 'none') tell(`  ${request.method} ${request.path}: ${fate}`);
      const answered = fate === 'answer-lost' || fate === 'none' ? await world.transport(request, signal) : undefined;
      const response: FlinkResponse = fate === 'none' && answered !== undefined ? answered : lost(fate);
      current.getStore()?.asked.push({ request, response });
      if (request.method !== 'GET')
        tell(
          `  ${request.method} ${request.path} → ${response.kind === 'response' ? response.status : response.error}`,
        );
      return response;
    };
    const log = hookLog(
      (name) => {
        const call = current.getStore();
        if (call !== undefined) call.rule = name;
        counts.rules.set(name, (counts.rules.get(name) ?? 0) + 1);
      },
      (detail) => fail('bug', detail),
    );
    const performing = createPerform({ api: world.kube, now: clock.now });
    const perform: Perform = async (duties, signal) => {
      const results = await performing(duties, signal);
      for (const { duty, kind } of results) if (duty.kind !== 'events') tell(`  duty ${duty.kind}: ${kind}`);
      current.getStore()?.duties.push(...results);
      return results;
    };
    const reading = createReadPods({ api: world.kube, maxBytes: 16 * 1024 * 1024 });
    const readPods: ReadPods = async (job, timeoutMs, signal) => {
      const called = reading(job, timeoutMs, signal);
      const fate = fateOfPods;
      const pods = await called;
      if (pods.kind === 'unread') tell(`  pods: ${pods.why}`);
      const call = current.getStore();
      if (call !== undefined) call.pods = { read: pods, fate };
      return pods;
    };
    const duties = {
      get kinds() {
        return controls.duties;
      },
      perform,
    };
    // Two replicas of the hook: what one remembers the other does not know.
    const replica = (version: Core, views: Views): HookClient =>
      appHook(
        createApp({
          ...(version === realCore ? { ...rememberingCore, reader } : version),
          transport: recording,
          now,
          log,
          duties,
          ...(readsPods ? { readPods } : {}),
          views,
        }),
      );
    const [real, other] = memories.map((views) => replica(core, views)) as [HookClient, HookClient];
    const former = replica(earlier, memories[1] ?? createViews());
    /** The same request reaches both replicas; one answer is dropped, what it was sent to Flink for is judged all the same. */
    const twice = async (
      fate: 'first' | 'second' | 'late',
      run: (replica: HookClient) => Promise<HookReply>,
      request: string,
    ): Promise<HookReply> => {
      const dropped: Heard = { asked: [], duties: [], rule: '' };
      const again = (): Promise<HookReply> => current.run(dropped, () => run(fate === 'second' ? real : other));
      const judge = (): void =>
        checkIntentObserved(statusOf((JSON.parse(request) as SyncRequest).parent), dropped.asked, fail);
      if (fate === 'late') {
        clock.after(1_500, () =>
          clock.spawn(async () => {
            await clock.outside(again);
            judge();
          }),
        );
        return run(real);
      }
      const calls = fate === 'first' ? [run(real), again()] : [again(), run(other)];
      const [first, second] = await Promise.all(calls);
      judge();
      return (fate === 'first' ? first : second) ?? { kind: 'unreachable' };
    };
    const hook: HookClient = async (call, body) => {
      const index = counts.calls++;
      const state = clock.now() < controls.downUntil ? 'down' : controls.hook(index);
      if (state === 'down') return { kind: 'unreachable' };
      const heard: Heard = { asked: [], duties: [], rule: '' };
      const { duties: kinds } = controls;
      const calledAt = now();
      const fate = call === 'customize' ? 'none' : controls.duplicate(index);
      if (fate !== 'none') tell(`hook ${call}: two replicas are called, ${fate}`);
      const isFormer = controls.version(index) === 'earlier';
      const run = (asked: HookClient): Promise<HookReply> => asked(call, body);
      const reply = await current.run(heard, () =>
        fate === 'none' ? run(isFormer ? former : real) : twice(fate, run, body),
      );
      if (call !== 'customize') last = heard;
      if (
        call !== 'customize' &&
        controls.repeatEvery > 0 &&
        index % controls.repeatEvery === 0 &&
        reply.kind === 'answered' &&
        // That is memory, not a decision.
        heard.rule !== 'olderView'
      ) {
        const again = await appHook(
          createApp({
            ...(isFormer ? earlier : core),
            transport: replay(heard.asked),
            now: () => calledAt,
            duties: { kinds, perform: async () => heard.duties },
            ...(readsPods ? { readPods: async () => heard.pods?.read ?? NOT_READ } : {}),
          }),
        )(call, body);
        if (again.kind === 'answered' && again.body !== reply.body)
          fail('S6', `same request, other bytes: ${difference(reply.body, again.body)}`);
      }
      if (state === 'answer-lost') {
        tell(`hook ${call}: answer lost`);
        return { kind: 'unreachable' };
      }
      return reply;
    };
    const started = world.metacontroller(
      hook,
      {
        staleness: (depth) => controls.staleness(counts.syncs, depth),
        write: (effect) => {
          const fate = controls.write(effect, counts.effects - 1);
          if (fate !== 'done') tell(`${effect.kind} ${effect.on}: ${fate}`);
          return fate;
        },
        effect: (effect, when) => {
          const index = when === 'before' ? counts.effects : counts.effects - 1;
          if (when === 'before') counts.effects++;
          const name = `${effect.kind} ${effect.on}`;
          counts.effectKinds.set(name, (counts.effectKinds.get(name) ?? 0) + 1);
          const dies = controls.crash(effect, when, index);
          if (dies) counts.crashes.set(`${when} ${name}`, (counts.crashes.get(`${when} ${name}`) ?? 0) + 1);
          return dies;
        },
        crashed: () => {
          tell('Metacontroller dies');
          clock.after(1_500, () => {
            if (controllers.filter((one) => one.running()).length < controls.metacontrollers) startMetacontroller();
          });
        },
        called: (call, request, reply, answer) => {
          const index = counts.syncs++;
          const { rule } = last;
          const situation = situationOf(request, rule, last.pods?.read);
          controls.synced({ index, call: counts.calls - 1, rule, situation });
          tracer?.called(clock.now(), call, request, reply, answer);
          tell(
            tellSync(
              call,
              request.parent,
              reply.kind === 'answered' ? `${last.rule} ${reply.status}` : 'no answer',
              answer,
            ),
          );
          const { asked, pods } = reply.kind === 'answered' ? last : NOTHING_HEARD;
          checkSync({ request, reply, answer, asked, podsFail: (pods?.fate ?? 'none') !== 'none' }, ledger, fail);
          if (answer !== undefined) unchanged.answered(request, answer);
          if (reply.kind === 'answered') checkDuties(request, last.duties, now(), ledger, fail);
        },
      },
      decoder,
    );
    controllers.push(started);
    return started;
  };
  startMetacontroller();

  let interrupted = false;
  const stopIfBroken = (): void => {
    const [first] = violations;
    if (first !== undefined) throw new Broken(seed, first, timeline);
    if (!interrupted) return;
    interrupted = false;
    throw new Interrupted();
  };
  const over = (): boolean => interrupted || violations.length > 0;
  return {
    world,
    clock,
    ledger,
    controls,
    counts,
    violations,
    tracer: tracer ?? createTracer(),
    timeline,
    tell,
    fail,
    interrupt: () => {
      interrupted = true;
    },
    startMetacontroller,
    oneMetacontroller: () => {
      controls.metacontrollers = 1;
      const [first, ...others] = controllers.filter((one) => one.running());
      for (const other of others) other.stop();
      if (first === undefined) startMetacontroller();
    },
    apply: (spec, name = NAME) => {
      const live = world.api.get(jobRef(name));
      tell(`user: ${live === undefined ? 'create' : 'edit'} ${name}`);
      const written =
        live === undefined
          ? world.api.create('user', flinkJob(spec, name))
          : world.api.update('user', { ...live, spec });
      expectDone(written);
      if (written.kind === 'done' && givesLeave(spec)) ledger.permit(written.object.metadata.uid ?? '');
    },
    edit: (change, name = NAME) => {
      const live = world.api.get(jobRef(name));
      if (live === undefined) return;
      const next = change(live);
      expectDone(world.api.update('user', next));
      if (next['status'] !== live['status']) {
        const fresh = world.api.get(jobRef(name));
        if (fresh !== undefined) world.api.updateStatus('user', { ...fresh, status: next['status'] });
      }
    },
    remove: (propagation = 'background', name = NAME) => {
      tell(`user: delete ${name}`);
      world.api.remove('user', jobRef(name), { propagation });
    },
    job: (name = NAME) => world.api.get(jobRef(name)),
    run: async (ms) => {
      await clock.run(clock.now() + ms, over);
      stopIfBroken();
    },
    until: async (claim, limitMs, what) => {
      const reached = await clock.run(clock.now() + limitMs, () => over() || claim());
      stopIfBroken();
      if (!reached) fail('L1', `not within ${limitMs / 1000} s: ${what}; ${stateLine(world.api.get(jobRef(NAME)))}`);
      stopIfBroken();
      tell(`✓ ${what}`);
    },
  };
}

/** What a sync was shown: which objects, in which versions, and what came of it. */
function situationOf({ parent, children, related }: SyncRequest, rule: string, read: Pods | undefined): string {
  const versions = [children, related].flatMap((groups: Groups) =>
    Object.values(groups).flatMap((group) =>
      Object.values(group).map((object: KubeObject) => object.metadata.resourceVersion),
    ),
  );
  const pods = read?.kind === 'read' ? read.pods.map((pod) => at(pod, 'metadata', 'resourceVersion')) : [read?.why];
  return [rule, parent.metadata.resourceVersion, ...versions, ...pods].join(' ');
}

function stateLine(job: KubeObject | undefined): string {
  if (job === undefined) return 'the FlinkJob is gone';
  const { state, message, operation } = statusOf(job);
  return `it is ${state} with ${operation === undefined ? 'no operation' : `${operation.kind} ${operation.attempt}`}: ${message}`;
}

function expectDone(written: { readonly kind: string; readonly message?: string }): void {
  if (written.kind === 'refused') throw new Error(`the API server refuses: ${written.message}`);
}

function lost(fate: 'none' | 'unreachable' | 'answer-lost' | 'timeout'): FlinkResponse {
  return fate === 'unreachable'
    ? { kind: 'error', error: 'unreachable', text: 'connect ECONNREFUSED' }
    : { kind: 'error', error: 'timeout', text: 'no answer within 3000 ms' };
}

function hookLog(
  answered: (rule: string) => void,
  bug: (detail: string) => void,
): NonNullable<Parameters<typeof createApp>[0]['log']> {
  const nothing = (): void => {};
  return {
    debug: nothing,
    info: (_message, fields) => answered(String(fields?.['rule'] ?? '')),
    warn: (_message, fields) => answered(String(fields?.['rule'] ?? '')),
    error: (message, fields) => bug(`${message} ${JSON.stringify(fields)}`),
  };
}

function describe(event: FlinkEvent): string {
  const { at: _, process, kind, ...rest } = event;
  const details = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`);
  return `    flink ${process.podName.slice(-5)}/${process.restartCount} ${kind} ${details.join(' ')}`;
}

function tellSync(
  call: string,
  parent: KubeObject,
  how: string,
  answer: { readonly status: unknown; readonly children: readonly KubeObject[] } | undefined,
): string {
  const before = statusOf(parent);
  const after = (answer?.status ?? {}) as ReturnType<typeof statusOf>;
  const of = (status: ReturnType<typeof statusOf>): string =>
    `${status.state ?? '-'} e${status.epoch?.number ?? '-'}.${status.epoch?.incarnation ?? '-'}${status.operation === undefined ? '' : ` ${status.operation.kind}#${status.operation.attempt}`}${status.epoch?.ended === undefined ? '' : ` ended:${status.epoch.ended.how}`}`;
  const replicas = (answer?.children ?? [])
    .filter((child) => child.kind === 'Deployment')
    .map((child) => numberAt(child, 'spec', 'replicas') ?? '?');
  return `${call} g${parent.metadata.generation} rv${parent.metadata.resourceVersion} [${of(before)}] ${how} → [${of(after)}] pods ${replicas.join('/')} of ${answer?.children.length ?? '-'} children`;
}

/** Writes that Metacontroller made since a point in time. */
export function writesSince(history: History, since: number): readonly string[] {
  return history.world.api.writes
    .filter((write) => write.actor === ACTOR && write.at >= since)
    .map((write) => `${write.verb} ${keyOf(write.ref)}`);
}
