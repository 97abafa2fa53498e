import { isDeepStrictEqual } from 'node:util';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FlinkRequest, FlinkResponse } from '../../src/flink/transport.ts';
import { createApp } from '../../src/http/app.ts';
import { isObject } from '../../src/api/json.ts';
import { createRandom, type Random } from '../../src/sim/models/random.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { pathForm, type Body, type Corpus } from './corpus.ts';
import { mutated } from './mutate.ts';

/** What a run found: answers by status and by the rule that gave them. `broken` names the seed that replays it. */
export type Fuzzed = {
  readonly cases: number;
  readonly byStatus: ReadonlyMap<number, number>;
  readonly byRule: ReadonlyMap<string, number>;
  readonly broken: readonly string[];
};

/** The answers that the hook may give to anything: complete, refused, or later. A 500 is a bug. */
const ALLOWED = new Set([200, 400, 401, 403, 404, 413, 429, 503]);
const LARGEST_STATUS = 16 * 1024;
const LARGEST_ANSWER = 8 * 1024 * 1024;

/**
 * Sends `count` mutated bodies to the real hook app, with mutated answers of Flink; case `i` depends on `seed + i` alone, as each has
 * an app of its own: one that remembers an earlier case would refuse most others as older views. Judged: no crash, no pollution of a
 * prototype, no answer over its limits, no child outside the parent's namespace.
 */
export async function fuzz(corpus: Corpus, seed: number, count: number): Promise<Fuzzed> {
  const byStatus = new Map<number, number>();
  const byRule = new Map<string, number>();
  const broken: string[] = [];
  for (let number = 0; number < count && broken.length < 10; number++) {
    const random = createRandom(seed + number);
    const body = random.pick(corpus.bodies);
    let bug = '';
    const app = appOf(
      corpus,
      body,
      random,
      (rule) => add(byRule, rule),
      (text) => void (bug = text),
    );
    // oxlint-disable-next-line no-await-in-loop -- a turn of the event loop for each case: how long it is held is measured
    await nextTurn();
    // Now and then the same FlinkJob was seen before, as it was.
    // oxlint-disable-next-line no-await-in-loop
    if (random.chance(0.1)) await post(app, body.call, body.text).catch(() => undefined);
    const text = mutated(body.text, random);
    // oxlint-disable-next-line no-await-in-loop -- a case at a time, so that each is judged by itself
    const wrong = await judge(app, body, text, byStatus).catch((thrown: unknown) => `thrown: ${String(thrown)}`);
    if (wrong !== undefined) broken.push(`--seed ${seed + number} --count 1: /${body.call}: ${wrong} ${bug}`);
  }
  return { cases: count, byStatus, byRule, broken };
}

/** Counts one more of a key. */
export function add<K>(counts: Map<K, number>, key: K, times = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + times);
}

type App = ReturnType<typeof createApp>;

function appOf(
  corpus: Corpus,
  body: Body,
  random: Random,
  answered: (rule: string) => void,
  bug: (text: string) => void,
): App {
  const told: Log['info'] = (_, fields) => answered(String(fields?.['rule']));
  return createApp({
    transport: (request) => Promise.resolve(replyTo(corpus, body, request, random)),
    now: () => corpus.now,
    log: {
      debug: () => undefined,
      info: told,
      warn: told,
      error: (message, fields) => bug(`${message} ${JSON.stringify(fields)}`),
    },
  });
}

async function post(app: App, call: Body['call'], text: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
  return app.request(`/${call}`, { method: 'POST', body: text, headers });
}

async function judge(
  app: App,
  { call }: Body,
  text: string,
  byStatus: Map<number, number>,
): Promise<string | undefined> {
  const response = await post(app, call, text);
  const answer = await response.text();
  add(byStatus, response.status);
  if (!ALLOWED.has(response.status)) return `status ${response.status} (${answer.trim()})`;
  if (isPolluted()) return 'a prototype was polluted';
  if (answer.length > LARGEST_ANSWER) return `an answer of ${answer.length} characters`;
  if (response.status !== 200)
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

function isPolluted(): boolean {
  return 'polluted' in {} || 'polluted' in [] || Object.keys(Object.prototype).length > 0;
}

/** Most calls are answered as recorded with the body, or nearly so; a path that was never asked is one that Flink does not have. */
function replyTo({ replies }: Corpus, body: Body, request: FlinkRequest, random: Random): FlinkResponse {
  const form = pathForm(request);
  const known = replies.get(form);
  if (known === undefined) return { kind: 'response', status: 404, text: '{"errors":["Not found: unknown"]}' };
  const own = random.chance(0.8) ? body.replies.get(form) : undefined;
  const reply = own ?? random.pick(known);
  if (reply.kind === 'error' || random.chance(0.5)) return reply;
  const status = random.chance(0.9) ? reply.status : random.pick([200, 204, 301, 400, 404, 500, 503, 999]);
  return { kind: 'response', status, text: mutated(reply.text, random) };
}
