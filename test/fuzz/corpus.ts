import type { FlinkRequest, FlinkResponse } from '../../src/flink/transport.ts';
import { createApp } from '../../src/http/app.ts';
import { appHook } from '../../src/sim/hook.ts';
import { virtualClock } from '../../src/sim/models/clock.ts';
import type { HookCall, HookClient } from '../../src/sim/models/metacontroller/hook.ts';
import { createWorld, jobRef } from '../../src/sim/world.ts';
import { flinkJob, highlyAvailable, reconfigured, SPEC, suspended } from '../sim/harness/sample.ts';

/** A body of one of the hooks, as text, and what Flink answered to the questions that followed from it. */
export type Body = {
  readonly call: HookCall | 'validate';
  readonly text: string;
  readonly replies: ReadonlyMap<string, FlinkResponse>;
};
/** What Flink answered, by the form of the path (ids taken out). */
export type Replies = ReadonlyMap<string, readonly [FlinkResponse, ...FlinkResponse[]]>;
/** What is mutated: the requests and replies of a job's whole life, as the models of the simulator make them. */
export type Corpus = { readonly bodies: readonly [Body, ...Body[]]; readonly replies: Replies; readonly now: number };

/** Ids in a path are all one to the fuzzer. */
export function pathForm({ method, path }: Pick<FlinkRequest, 'method' | 'path'>): string {
  return `${method} ${path.replaceAll(/[0-9a-f]{32}/g, '*')}`;
}

/** Lets jobs live in the simulator and keeps every different request and reply. */
export async function recordCorpus(): Promise<Corpus> {
  const bodies = new Map<string, Body>();
  const replies = new Map<string, Map<string, FlinkResponse>>();
  let now = 0;
  for (const [index, spec] of [SPEC, highlyAvailable(SPEC), { ...SPEC, jobArgs: ['--bounded-ms', '4000'] }].entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one life after the other
    now = await live(spec, index + 1, bodies, replies);
  }
  const [first, ...others] = [...bodies.values(), ...reviews()];
  if (first === undefined) throw new Error('nothing was recorded');
  const lists = [...replies].map(([form, known]) => [form, [...known.values()]] as const);
  return { bodies: [first, ...others], replies: new Map(lists) as unknown as Replies, now };
}

async function live(
  spec: object,
  seed: number,
  bodies: Map<string, Body>,
  replies: Map<string, Map<string, FlinkResponse>>,
): Promise<number> {
  const clock = virtualClock(Date.parse('2026-01-05T08:00:00Z'));
  const world = createWorld({ clock, seed });
  let answered = new Map<string, FlinkResponse>();
  const transport = async (request: FlinkRequest, signal: AbortSignal): Promise<FlinkResponse> => {
    const own = answered;
    const response = await world.transport(request, signal);
    const form = pathForm(request);
    own.set(form, response);
    const known = replies.get(form) ?? new Map<string, FlinkResponse>();
    replies.set(form, known.set(JSON.stringify(response), response));
    return response;
  };
  const real = appHook(createApp({ transport, now: clock.now }));
  const hook: HookClient = (call, text) => {
    const body = JSON.parse(text) as { readonly parent?: { readonly status?: unknown } };
    // Another time, another version: the same to a fuzzer. What differs in status is another situation.
    answered = new Map();
    const situation = `${seed} ${call} ${JSON.stringify(body.parent?.status ?? null)}`;
    bodies.set(situation, { call, text, replies: answered });
    return real(call, text);
  };
  world.metacontroller(hook);
  world.api.create('user', flinkJob(spec as never));
  const ref = jobRef('orders');
  const apply = (next: object): void => {
    const current = world.api.get(ref);
    if (current !== undefined) world.api.update('user', { ...current, spec: next });
  };
  await clock.run(clock.now() + 60_000);
  apply(reconfigured(spec as never, '64'));
  await clock.run(clock.now() + 90_000);
  apply(suspended(spec as never));
  await clock.run(clock.now() + 60_000);
  apply(spec);
  await clock.run(clock.now() + 60_000);
  world.api.remove('user', ref, { propagation: 'background' });
  await clock.run(clock.now() + 60_000);
  return clock.now();
}

/** What the API server sends to /validate. */
function reviews(): Body[] {
  const object = flinkJob();
  const kind = { group: 'flork.itom.com', version: 'v1', kind: 'FlinkJob' };
  const review = (operation: string, oldObject: unknown): Body => ({
    call: 'validate',
    replies: new Map(),
    text: JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: { uid: 'review', kind, operation, object, oldObject, dryRun: false },
    }),
  });
  return [review('CREATE', null), review('UPDATE', object), review('UPDATE', flinkJob(suspended(SPEC)))];
}
