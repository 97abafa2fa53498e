import type { Duty, DutyKind, DutyResult } from '../core/duty.ts';
import type { KubeApi, KubeResponse } from './api.ts';
import { messageOf } from './message.ts';
import { requestsOf } from './requests.ts';

/** Bounds of the duties of one sync. */
export type PerformOptions = {
  readonly api: KubeApi;
  /** Milliseconds, for what is remembered below. */
  readonly now: () => number;
  readonly callTimeoutMs?: number;
};

/** Carries out duties. Never rejects: a duty whose fate is not known says so. */
export type Perform = (duties: readonly Duty[], signal: AbortSignal) => Promise<DutyResult[]>;

/** Calls at the same time. */
const PARALLEL = 8;
/** An API server that was not reached is not called for so long, a right that was missing not asked for: nothing hurries. */
const SILENCE_MS = 30_000;
const NO_RIGHT_MS = 10 * 60_000;
const MOST_EVENTS = 10_000;

type Fate = Pick<DutyResult, 'kind' | 'text'>;
const DONE: Fate = { kind: 'done', text: '' };

/**
 * Repeating a duty changes nothing: a deletion finds nothing, an Event exists already. What is remembered between syncs spares
 * calls that would fail again or are done; a new process begins without it and asks.
 */
export function createPerform({ api, now, callTimeoutMs = 3000 }: PerformOptions): Perform {
  let silentUntil = 0;
  const noRightUntil = new Map<string, number>();
  const made = new Set<string>();

  const run = async (duty: Duty, signal: AbortSignal): Promise<Fate> => {
    const slot = `${duty.kind}/${duty.namespace}`;
    const event = duty.kind === 'events' ? `${duty.namespace}/${duty.name}` : undefined;
    if (event !== undefined && made.has(event)) return DONE;
    if (now() < silentUntil) return { kind: 'unknown', text: 'the API server was not reached a moment ago' };
    if (now() < (noRightUntil.get(slot) ?? 0)) return noRight(duty.kind, duty.namespace);
    const calls = requestsOf(duty);
    if (calls === undefined) return { kind: 'refused', text: 'not a name of Flork' };
    const failed = await failureOf(duty, calls, signal);
    if (failed === undefined) {
      if (made.size >= MOST_EVENTS) made.clear();
      if (event !== undefined) made.add(event);
      return DONE;
    }
    if (failed.kind === 'unknown') silentUntil = now() + SILENCE_MS;
    if (failed.kind === 'not-allowed') noRightUntil.set(slot, now() + NO_RIGHT_MS);
    return failed;
  };

  /** The first call that was not done; those after it are not made. */
  const failureOf = async (
    duty: Duty,
    calls: NonNullable<ReturnType<typeof requestsOf>>,
    signal: AbortSignal,
  ): Promise<Fate | undefined> => {
    for (let next = 0; next < calls.length; next += PARALLEL) {
      const some = calls.slice(next, next + PARALLEL);
      const asked = some.map(async (call) => fateOf(duty, await api({ ...call, timeoutMs: callTimeoutMs }, signal)));
      // oxlint-disable-next-line no-await-in-loop -- a few at a time
      const failed = (await Promise.all(asked)).find((fate) => fate.kind !== 'done');
      if (failed !== undefined) return failed;
    }
    return undefined;
  };

  return (duties, signal) =>
    Promise.all(
      duties.map(async (duty) => {
        const fate = await run(duty, signal).catch((): Fate => ({ kind: 'unknown', text: 'the call failed' }));
        return { duty, ...fate };
      }),
    );
}

/** 404: it is gone. 409: another object of that name (deletion by uid), or the Event is there (creation). */
function fateOf(duty: Duty, response: KubeResponse): Fate {
  if (response.kind === 'error') return { kind: 'unknown', text: response.text };
  const { status, text } = response;
  if ((status >= 200 && status < 300) || status === 409) return DONE;
  if (status === 404 && duty.kind !== 'events') return DONE;
  const message = messageOf(text, 150);
  // Admission refuses with 403, too, and so does a namespace that terminates.
  if (status === 403 && !/admission|is being terminated/.test(message)) return noRight(duty.kind, duty.namespace);
  if (status === 401 || status === 429 || status >= 500)
    return { kind: 'unknown', text: `the API server answers ${status}` };
  return { kind: 'refused', text: `the API server refuses it (${status}): ${message}` };
}

/** The same words each time, so that a status does not change with those of the API server. */
function noRight(kind: DutyKind, namespace: string): Fate {
  return { kind: 'not-allowed', text: `Flork has no right to it in namespace ${namespace} (duty ${kind})` };
}
