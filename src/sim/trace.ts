import type { HookCall, HookReply, SyncAnswer, SyncRequest } from './models/metacontroller/hook.ts';
import { at, numberAt, text, tree, type KubeObject, type Tree } from './models/objects.ts';

/**
 * Traces of hook calls as JSON lines: what Metacontroller showed, and what it was answered, cut down to order and staleness.
 * test/e2e records them from the real Metacontroller (test/fixtures/metacontroller); the model must reproduce them.
 */

/** First line of a file. */
export type TraceHeader = { readonly metacontroller: string; readonly strategy: string; readonly flow: string };

export type TraceLine = {
  readonly call: number;
  /** Milliseconds since the first call. */
  readonly ms: number;
  readonly hook: HookCall;
  readonly parent: {
    readonly resourceVersion: string;
    readonly generation: number;
    readonly finalizers?: readonly string[];
    /** Which answer the shown status is: the number of the last call that was answered with it; `null` none. */
    readonly status: { readonly answerOf: number | null; readonly observedGeneration?: number };
  };
  readonly children?: Readonly<Record<string, Readonly<Record<string, Tree>>>>;
  readonly related?: Readonly<Record<string, Readonly<Record<string, Tree>>>>;
  readonly answer: {
    readonly code: number;
    readonly status?: { readonly state?: string; readonly epoch?: number; readonly operation?: string };
    readonly children?: readonly string[];
  };
};

/** Collects the calls of one FlinkJob. */
export type Tracer = {
  readonly called: (
    now: number,
    call: HookCall,
    request: SyncRequest,
    reply: HookReply,
    answer: SyncAnswer | undefined,
  ) => void;
  readonly lines: readonly TraceLine[];
};

export function createTracer(): Tracer {
  const lines: TraceLine[] = [];
  const answered = new Map<string, number>();
  let started: number | undefined;
  return {
    lines,
    called: (now, hook, request, reply, answer) => {
      started ??= now;
      const { metadata } = request.parent;
      const shown = request.parent['status'];
      const answerOf = answered.get(statusKey(shown)) ?? null;
      const call = lines.length + 1;
      const observedGeneration = numberAt(shown, 'observedGeneration');
      lines.push({
        call,
        ms: now - started,
        hook,
        parent: {
          resourceVersion: metadata.resourceVersion ?? '',
          generation: metadata.generation ?? 0,
          finalizers: metadata.finalizers ?? [],
          status: { answerOf, ...(observedGeneration === undefined ? {} : { observedGeneration }) },
        },
        children: groups(request.children),
        related: groups(request.related),
        answer: {
          code: reply.kind === 'answered' ? reply.status : 0,
          ...(answer === undefined
            ? {}
            : { status: statusOf(answer.status), children: answer.children.map(childName) }),
        },
      });
      // As Metacontroller stores it: with the generation of the parent it showed.
      if (answer !== undefined) {
        answered.set(statusKey({ ...tree(answer.status), observedGeneration: metadata.generation }), call);
      }
    },
  };
}

/** Reads a trace file; `undefined` when it is none. */
export function parseTrace(
  content: string,
): { readonly header: TraceHeader; readonly lines: readonly TraceLine[] } | undefined {
  const [first, ...rest] = content.split('\n').filter((line) => line !== '');
  if (first === undefined) return undefined;
  return { header: JSON.parse(first) as TraceHeader, lines: rest.map((line) => JSON.parse(line) as TraceLine) };
}

/** The order of things: what was answered, each different answer once, in the order of its first appearance. */
export function milestones(lines: readonly TraceLine[]): readonly string[] {
  const seen = new Set<string>();
  for (const { hook, answer } of lines) {
    if (hook === 'customize' || answer.status === undefined) continue;
    const { state = '-', epoch, operation } = answer.status;
    const replicas = (answer.children ?? []).flatMap((child) => / replicas=(\d+)/.exec(child)?.[1] ?? []);
    seen.add(
      `${hook} ${state} epoch ${epoch ?? '-'} ${operation ?? 'no operation'} replicas ${replicas.join('/') || 'none'}`,
    );
  }
  return [...seen];
}

/** By how many answers the status that a call shows is behind the last one; 0 is fresh. Calls before any answer are left out. */
export function staleness(lines: readonly TraceLine[]): readonly number[] {
  const calls = lines.filter((line) => line.hook !== 'customize');
  const numbers = calls.map((line) => line.call);
  return calls.slice(1).map((line, index) => {
    const shown = line.parent.status.answerOf;
    // The status from before the trace began counts as its answer 0.
    const position = shown === null || shown < 0 ? 0 : numbers.indexOf(shown) + 1;
    return index + 1 - position;
  });
}

/** What a call can show of the Deployments beside the status: the kinds of lag between caches. */
export function lags(lines: readonly TraceLine[]): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const line of lines) {
    const deployments = Object.values(line.children?.['Deployment.apps/v1'] ?? {});
    for (const deployment of deployments) {
      const generation = numberAt(deployment, 'generation') ?? 0;
      const observed = numberAt(deployment, 'status', 'observedGeneration') ?? 0;
      const replicas = numberAt(deployment, 'replicas') ?? 0;
      const pods = Object.keys(line.related?.['Pod.v1'] ?? {}).length;
      if (observed < generation) kinds.add('a Deployment whose controller has not seen it yet');
      if (replicas > 0 && pods === 0) kinds.add('a Deployment without its pods');
      if (replicas === 0 && pods > 0) kinds.add('a Deployment at 0 with its pods');
    }
  }
  return kinds;
}

function statusKey(status: unknown): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, field]) => [name, sorted(field)]),
    );
  };
  return JSON.stringify(sorted(status ?? null));
}

function statusOf(status: unknown): NonNullable<TraceLine['answer']['status']> {
  const epoch = numberAt(status, 'epoch', 'number');
  const operation = text(at(status, 'operation', 'kind'));
  return {
    state: text(at(status, 'state')),
    ...(epoch === undefined ? {} : { epoch }),
    ...(operation === '' ? {} : { operation }),
  };
}

function childName(child: KubeObject): string {
  const replicas = child.kind === 'Deployment' ? ` replicas=${numberAt(child, 'spec', 'replicas')}` : '';
  return `${child.kind}/${child.metadata.name}${replicas}`;
}

function groups(given: SyncRequest['children']): Record<string, Record<string, Tree>> {
  const brief: Record<string, Record<string, Tree>> = {};
  for (const [kind, objects] of Object.entries(given)) {
    const group: Record<string, Tree> = {};
    for (const [key, object] of Object.entries(objects)) group[key] = objectOf(object);
    brief[kind] = group;
  }
  return brief;
}

function objectOf(object: KubeObject): Tree {
  const { resourceVersion, generation, deletionTimestamp } = object.metadata;
  const common = { resourceVersion, generation, deletionTimestamp };
  if (object.kind === 'Deployment')
    return { ...common, replicas: at(object, 'spec', 'replicas'), status: tree(object['status']) };
  if (object.kind === 'Pod') return { ...common, phase: at(object, 'status', 'phase') };
  return common;
}
