import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Context } from 'hono';

/** Says whether the caller of a hook is the one that may call it; asked before the body is read. `undefined`: it may. */
export type Authenticate = (c: Context) => string | undefined;

/** Whoever the network lets through may call. */
export const anybody: Authenticate = () => undefined;

/**
 * The caller has to send one of these tokens (`Authorization: Bearer`). More than one is accepted while they are rotated. Compared by
 * their hashes in constant time, all of them each time, so that the time of an answer tells nothing.
 */
export function bearerOf(tokens: () => readonly string[]): Authenticate {
  return (c) => {
    const given = /^Bearer +(?<token>\S+)$/i.exec(c.req.raw.headers.get('authorization') ?? '')?.groups?.['token'];
    if (given === undefined) return 'want a bearer token';
    const hash = sha256(given);
    const matches = tokens().map((token) => timingSafeEqual(hash, sha256(token)));
    return matches.includes(true) ? undefined : 'want another bearer token';
  };
}

/** The caller has to show a certificate that the server's `ca` has signed (the server asks for one and refuses nobody by itself). */
export const certified: Authenticate = (c) => {
  const { incoming } = (c.env ?? {}) as { readonly incoming?: IncomingMessage };
  const socket = incoming?.socket as Partial<TLSSocket> | undefined;
  return socket?.authorized === true ? undefined : 'want a client certificate of the CA of this hook';
};

/** All of them have to agree. */
export function allOf(checks: readonly Authenticate[]): Authenticate {
  return (c) => checks.map((check) => check(c)).find((why) => why !== undefined);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
