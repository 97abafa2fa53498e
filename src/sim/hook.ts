import type { HookCall, HookClient } from './models/metacontroller/hook.ts';

/** The Hono app of the hook, or anything that answers as it does. */
export type App = { readonly fetch: (request: Request) => Response | Promise<Response> };

/** Calls the real hook app in process: everything but the socket. */
export function appHook(app: App): HookClient {
  return async (call, body) => {
    const response = await app.fetch(requestOf(call, body));
    const retryAfter = response.headers.get('retry-after') ?? undefined;
    return { kind: 'answered', status: response.status, body: await response.text(), retryAfter };
  };
}

/** Calls a hook over HTTP, as Metacontroller does. */
export function httpHook(origin: string): HookClient {
  return async (call: HookCall, body) => {
    try {
      const response = await fetch(`${origin}/${call}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      const retryAfter = response.headers.get('retry-after') ?? undefined;
      return { kind: 'answered', status: response.status, body: await response.text(), retryAfter };
    } catch {
      return { kind: 'unreachable' };
    }
  };
}

/** What the hook reads of a request, without the streams and copies of a real one, which would be an eighth of the simulator's time. */
function requestOf(call: HookCall, body: string): Request {
  const headers = new Map([
    ['content-type', 'application/json'],
    ['content-length', String(Buffer.byteLength(body))],
  ]);
  const { signal } = new AbortController();
  const request = {
    method: 'POST',
    url: `http://hook/${call}`,
    headers: { get: (name: string) => headers.get(name) ?? null },
    signal,
    text: async () => body,
  };
  return request as unknown as Request;
}
