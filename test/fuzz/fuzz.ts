import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { isDeepStrictEqual } from 'node:util';
import type { FlinkRequest, FlinkResponse } from '../../src/flink/transport.ts';
import { isObject } from '../../src/api/json.ts';
import { createRandom, type Random } from '../../src/sim/models/random.ts';
import { pathForm, type Body, type Corpus } from './corpus.ts';
import type { Answered, Hook } from './hook.ts';
import { mutated } from './mutate.ts';

/**
 * What a run found: answers by status and by the rule that gave them, and what a request cost the hook in microseconds of CPU.
 * `broken` names the seed that replays it, `dearest` that of the case that cost most.
 */
export type Fuzzed = {
  readonly byStatus: Map<number, number>;
  readonly byRule: Map<string, number>;
  readonly cost: RecordableHistogram;
  readonly broken: string[];
  dearest: { readonly seed: number; readonly cpuMs: number };
};

/** The answers that the hook may give to anything: complete, refused, or later. A 500 is a bug. */
const ALLOWED = new Set([200, 400, 401, 403, 404, 413, 429, 503]);
const LARGEST_STATUS = 16 * 1024;
const LARGEST_ANSWER = 8 * 1024 * 1024;
const MOST_BROKEN = 10;

/** A run before its first case. */
export function nothingFound(): Fuzzed {
  return {
    byStatus: new Map(),
    byRule: new Map(),
    cost: createHistogram(),
    broken: [],
    dearest: { seed: 0, cpuMs: 0 },
  };
}

/**
 * Sends `count` mutated bodies to the real hook app, with mutated answers of Flink; case `i` depends on `seed + i` alone, as each has
 * an app of its own: one that remembers an earlier case would refuse most others as older views. Judged: no crash, no hang, no
 * pollution of a prototype, no answer over its limits, no child outside the parent's namespace. Adds to `found`.
 */
export async function fuzz(hook: Hook, corpus: Corpus, seed: number, count: number, found: Fuzzed): Promise<Fuzzed> {
  for (let own = seed; own < seed + count && found.broken.length < MOST_BROKEN; own++) {
    const random = createRandom(own);
    const body = random.pick(corpus.bodies);
    // oxlint-disable-next-line no-await-in-loop -- a case at a time, so that each is judged by itself
    const wrong = await tried(hook, corpus, body, random, own, found);
    if (wrong !== undefined) found.broken.push(`--seed ${own} --count 1: /${body.call}: ${wrong}`);
  }
  return found;
}

/** What is wrong with a case; `undefined` when nothing is. */
async function tried(
  hook: Hook,
  corpus: Corpus,
  body: Body,
  random: Random,
  seed: number,
  found: Fuzzed,
): Promise<string | undefined> {
  const post = (text: string): Promise<Answered> =>
    hook.post(body.call, text, (request) => replyTo(corpus, body, request, random));
  try {
    hook.renew(corpus.now);
    // Now and then the same FlinkJob was seen before, as it was.
    if (random.chance(0.1)) await post(body.text);
    const text = mutated(body.text, random);
    const answered = await post(text);
    count(found, answered, seed);
    const wrong = judge(answered, body, text);
    return wrong === undefined ? undefined : `${wrong} ${answered.bug}`;
  } catch (thrown) {
    return String(thrown);
  }
}

function count(found: Fuzzed, { status, rules, cpuMs }: Answered, seed: number): void {
  add(found.byStatus, status);
  for (const rule of rules) add(found.byRule, rule);
  found.cost.record(Math.max(1, Math.round(cpuMs * 1000)));
  if (cpuMs > found.dearest.cpuMs) found.dearest = { seed, cpuMs };
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function judge({ status, answer, polluted }: Answered, { call }: Body, text: string): string | undefined {
  if (!ALLOWED.has(status)) return `status ${status} (${answer.trim()})`;
  if (polluted) return 'a prototype was polluted';
  if (answer.length > LARGEST_ANSWER) return `an answer of ${answer.length} characters`;
  if (status !== 200)
    return /^[^\n]{1,1023}\n$/.test(answer)
      ? undefined
      : `a refusal that is no short line, of ${answer.length} characters`;
  return call === 'sync' || call === 'finalize' ? judgeAnswer(text, answer) : undefined;
}

type Loose = Readonly<Record<string, unknown>>;
type Sent = { readonly parent: { readonly metadata: { readonly namespace: string }; readonly status?: Loose } };

function judgeAnswer(text: string, answer: string): string | undefined {
  const { status, children } = JSON.parse(answer) as { readonly status: Loose; readonly children: unknown };
  const { parent } = JSON.parse(text) as Sent;
  const { operation, ...others } = status;
  // What another version began is kept to the letter: the API server has stored it already.
  const isKept = isDeepStrictEqual(operation, parent.status?.['operation']);
  const size = JSON.stringify(isKept ? others : status).length;
  if (size > LARGEST_STATUS) return `a status of ${size} characters`;
  const unstorable = unstorableIn(isKept ? others : status, 'status');
  if (unstorable !== undefined) return unstorable;
  if (!Array.isArray(children)) return 'no children';
  const strayed = children.find((child) => !isObject(child) || !isAt(child['metadata'], parent.metadata.namespace));
  return strayed === undefined ? undefined : `a child elsewhere: ${JSON.stringify(strayed).slice(0, 200)}`;
}

/** What the API server would refuse to store in status: a number that is no integer, a null. */
function unstorableIn(value: unknown, path: string): string | undefined {
  if (value === null || (typeof value === 'number' && !Number.isSafeInteger(value)))
    return `${path} is ${String(value)}`;
  if (typeof value !== 'object') return undefined;
  return Object.entries(value)
    .map(([name, member]) => unstorableIn(member, `${path}.${name}`))
    .find((wrong) => wrong !== undefined);
}

function isAt(metadata: unknown, namespace: string): boolean {
  return isObject(metadata) && metadata['namespace'] === namespace && typeof metadata['name'] === 'string';
}

/** Most calls are answered as recorded with the body, or nearly so; a path that was never asked is one that Flink does not have. */
function replyTo(
  { replies }: Corpus,
  body: Body,
  request: Pick<FlinkRequest, 'method' | 'path'>,
  random: Random,
): FlinkResponse {
  const form = pathForm(request);
  const known = replies.get(form);
  if (known === undefined) return { kind: 'response', status: 404, text: '{"errors":["Not found: unknown"]}' };
  const own = random.chance(0.8) ? body.replies.get(form) : undefined;
  const reply = own ?? random.pick(known);
  if (reply.kind === 'error' || random.chance(0.5)) return reply;
  const status = random.chance(0.9) ? reply.status : random.pick([200, 204, 301, 400, 404, 500, 503, 999]);
  return { kind: 'response', status, text: mutated(reply.text, random) };
}
