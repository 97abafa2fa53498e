import type { LogFields } from '../telemetry/log.ts';

/** What a route answers; the guard turns it into a Response, a log line and metrics. */
export type Reply = {
  readonly status: number;
  readonly body: string;
  readonly contentType: 'application/json' | 'text/plain; charset=utf-8';
  readonly retryAfterSeconds?: number;
  /** What answered: a rule of the core, or why not. */
  readonly rule: string;
  readonly log?: LogFields;
};

/** Longest line that is answered in place of an answer: what the note of an Event may hold (Kubernetes API, events.k8s.io/v1). */
const LONGEST_LINE = 1024;

/** A completely computed answer, printed already. */
export function printed(body: string, rule: string, log: LogFields): Reply {
  return { status: 200, body, contentType: 'application/json', rule, log };
}

/** A completely computed answer. */
export function answer(body: unknown, rule: string): Reply {
  return { status: 200, body: JSON.stringify(body), contentType: 'application/json', rule };
}

/**
 * Anything but an answer: Metacontroller leaves children and status alone and puts this text into an Event of the FlinkJob,
 * so it is one line of bounded length, with no more of the request than the names of its fields.
 */
export function refuse(
  status: 400 | 401 | 403 | 404 | 413 | 500 | 503,
  rule: string,
  text: string,
  log?: LogFields,
): Reply {
  const reply: Reply = { status, body: line(text), contentType: 'text/plain; charset=utf-8', rule };
  return log === undefined ? reply : { ...reply, log };
}

/** Come back in a second. Without Retry-After Metacontroller would come back at once, in a tight loop. */
export function later(rule: string, text: string): Reply {
  return { status: 429, body: line(text), contentType: 'text/plain; charset=utf-8', retryAfterSeconds: 1, rule };
}

/** One line of bounded length, whatever the names in it are. */
function line(text: string): string {
  return `${text.slice(0, LONGEST_LINE - 1).replaceAll(/\p{Cc}+/gu, ' ')}\n`;
}
