import type { Handled, Operation } from '../api/status.ts';
import type { Facts } from './facts/facts.ts';
import { countFrom, dueSlot, parseSchedule } from './schedule.ts';
import { parseTime, rfc3339 } from './time.ts';

/** A snapshot of a job that goes on, which the spec asks for by a nonce, by a schedule, or by both at once. */
export type Request = {
  readonly kind: 'savepoint' | 'checkpoint';
  readonly purpose: 'request' | 'schedule';
  readonly nonce?: number;
  readonly slot?: string;
};

const KINDS = ['savepoint', 'checkpoint'] as const;
const NONCE = { savepoint: 'savepointNonce', checkpoint: 'checkpointNonce' } as const;
const SLOT = { savepoint: 'savepointSlot', checkpoint: 'checkpointSlot' } as const;

/** What is asked for and has not been acted on. Before a first status there is nothing: what it finds is what was there before it. */
export function requestsOf(facts: Facts): readonly Request[] {
  if (facts.prior === undefined) return [];
  return KINDS.flatMap((kind) => {
    const nonce = pendingNonce(facts, kind);
    const slot = pendingSlot(facts, kind);
    if (nonce === undefined && slot === undefined) return [];
    const purpose = nonce === undefined ? 'schedule' : 'request';
    return [{ kind, purpose, ...(nonce === undefined ? {} : { nonce }), ...(slot === undefined ? {} : { slot }) }];
  });
}

/** A nonce of spec with another value than the last that was acted on; one that is not said asks for nothing. */
export function pendingNonce(facts: Facts, kind: Request['kind']): number | undefined {
  const { spec } = facts.input.job;
  const nonce = spec.kind === 'valid' ? spec.spec[NONCE[kind]] : undefined;
  return nonce === facts.prior?.handled?.[NONCE[kind]] ? undefined : nonce;
}

function pendingSlot(facts: Facts, kind: Request['kind']): string | undefined {
  const schedule = scheduleOf(facts, kind);
  const last = parseTime(facts.prior?.handled?.[SLOT[kind]]);
  if (schedule === undefined || last === undefined) return undefined;
  const slot = dueSlot(schedule, last, facts.now);
  return slot === undefined ? undefined : rfc3339(slot);
}

function scheduleOf(facts: Facts, kind: Request['kind']): ReturnType<typeof parseSchedule> {
  const text = facts.wanted?.policies?.[kind]?.schedule;
  return text === undefined ? undefined : parseSchedule(text);
}

/** What has been acted on once an operation for a request has succeeded. */
export function handledBy(facts: Facts, operation: Pick<Operation, 'kind' | 'nonce' | 'slot'>): Handled {
  const { kind, nonce, slot } = operation;
  const before = facts.handled;
  if (kind !== 'savepoint' && kind !== 'checkpoint') return before;
  return {
    ...before,
    ...(nonce === undefined ? {} : { [NONCE[kind]]: nonce }),
    ...(slot === undefined ? {} : { [SLOT[kind]]: slot }),
  };
}

/** The savepoint of a stop is what every savepoint asked for until then would have been. */
export function coveredBySavepoint(facts: Facts): Handled {
  const request = requestsOf(facts).find(({ kind }) => kind === 'savepoint');
  return request ? handledBy(facts, request) : facts.handled;
}

/**
 * What this status notes of nonces and schedules that it sees for the first time. A nonce of a new or adopted FlinkJob does not act;
 * a schedule counts from when it was first seen, and is forgotten when it is taken away.
 */
export function firstSeen(facts: Facts, handled: Handled | undefined): Handled {
  const { spec } = facts.input.job;
  const noted: Record<string, number | string | undefined> = { ...handled };
  for (const kind of KINDS) {
    if (facts.prior === undefined && spec.kind === 'valid') noted[NONCE[kind]] = spec.spec[NONCE[kind]];
    const last = parseTime(handled?.[SLOT[kind]]);
    const from = countFrom(last, facts.now);
    if (scheduleOf(facts, kind) === undefined) noted[SLOT[kind]] = undefined;
    else if (from !== last) noted[SLOT[kind]] = rfc3339(from);
  }
  return Object.fromEntries(Object.entries(noted).filter(([, value]) => value !== undefined));
}
