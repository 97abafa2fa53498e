import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FlinkRequest, FlinkResponse } from '../../src/flink/transport.ts';
import { createApp } from '../../src/http/app.ts';
import { isObject } from '../../src/api/json.ts';
import { createRandom } from '../../src/sim/models/random.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { pathForm, type Body, type Corpus } from './corpus.ts';
import { mutated } from './mutate.ts';

/** What a run found. `broken` names the seed that replays it. */
export type Fuzzed = {
  readonly cases: number;
  readonly byStatus: ReadonlyMap<number, number>;
  readonly broken: readonly string[];
};

/** The answers that the hook may give to anything: complete, refused, or later. A 500 is a bug. */
const ALLOWED = new Set([200, 400, 401, 403, 404, 413, 429, 503]);
const LARGEST_STATUS = 16 * 1024;
const LARGEST_ANSWER = 8 * 1024 * 1024;

/**
 * Sends `count` mutated bodies to the real hook app, with mutated answers of Flink; case `i` depends on `seed + i` alone. Judged: no
 * crash, no pollution of a prototype, no answer over its limits, no child outside the parent's namespace.
 */
export async function fuzz(corpus: Corpus, seed: number, count: number): Promise<Fuzzed> {
  const byStatus = new Map<number, number>();
  const broken: string[] = [];
  let current = createRandom(seed);
  let bug = '';
  const silent = (): void => undefined;
  const error: Log['error'] = (message, fields) => void (bug = `${message} ${JSON.stringify(fields)}`);
  const app = createApp({
    transport: (request) => Promise.resolve(replyTo(corpus, request, current)),
    now: () => corpus.now,
    log: { debug: silent, info: silent, warn: silent, error },
  });
  for (let number = 0; number < count && broken.length < 10; number++) {
    current = createRandom(seed + number);
    bug = '';
    const body = current.pick(corpus.bodies);
    const text = mutated(body.text, current);
    // oxlint-disable-next-line no-await-in-loop -- a turn of the event loop for each case: how long it is held is measured
    await nextTurn();
    // oxlint-disable-next-line no-await-in-loop -- a case at a time, so that each is judged by itself
    const wrong = await judge(app, body, text, byStatus).catch((thrown: unknown) => `thrown: ${String(thrown)}`);
    if (wrong !== undefined) broken.push(`--seed ${seed + number} --count 1: /${body.call}: ${wrong} ${bug}`);
  }
  return { cases: count, byStatus, broken };
}

type App = ReturnType<typeof createApp>;

async function judge(
  app: App,
  { call }: Body,
  text: string,
  byStatus: Map<number, number>,
): Promise<string | undefined> {
  const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
  const response = await app.request(`/${call}`, { method: 'POST', body: text, headers });
  const answer = await response.text();
  byStatus.set(response.status, (byStatus.get(response.status) ?? 0) + 1);
  if (!ALLOWED.has(response.status)) return `status ${response.status} (${answer.trim()})`;
  if (isPolluted()) return 'a prototype was polluted';
  if (answer.length > LARGEST_ANSWER) return `an answer of ${answer.length} characters`;
  if (response.status !== 200) return answer.length > 500 ? `a refusal of ${answer.length} characters` : undefined;
  return call === 'sync' || call === 'finalize' ? judgeAnswer(text, answer) : undefined;
}

function judgeAnswer(text: string, answer: string): string | undefined {
  const { status, children } = JSON.parse(answer) as { readonly status: unknown; readonly children: unknown };
  const size = JSON.stringify(status).length;
  if (size > LARGEST_STATUS) return `a status of ${size} characters`;
  const unstorable = unstorableIn(status, 'status');
  if (unstorable !== undefined) return unstorable;
  const { parent } = JSON.parse(text) as { readonly parent: { readonly metadata: { readonly namespace: string } } };
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

/** Most calls are answered as recorded or nearly so; a path that was never asked is one that Flink does not have. */
function replyTo({ replies }: Corpus, request: FlinkRequest, random: ReturnType<typeof createRandom>): FlinkResponse {
  const known = replies.get(pathForm(request));
  if (known === undefined) return { kind: 'response', status: 404, text: '{"errors":["Not found: unknown"]}' };
  const reply = random.pick(known);
  if (reply.kind === 'error' || random.chance(0.3)) return reply;
  const status = random.chance(0.9) ? reply.status : random.pick([200, 204, 301, 400, 404, 500, 503, 999]);
  return { kind: 'response', status, text: mutated(reply.text, random) };
}
