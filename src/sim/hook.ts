import type { HookCall, HookClient } from './models/metacontroller/hook.ts';

/** The Hono app of the hook, or anything that answers as it does. */
export type App = { readonly request: (path: string, init: RequestInit) => Response | Promise<Response> };

/** Calls the real hook app in process: everything but the socket. */
export function appHook(app: App): HookClient {
  return async (call, body) => {
    const init = {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'content-length': String(byteLength(body)) },
    };
    const response = await app.request(`/${call}`, init);
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

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
