import type { Context } from 'hono';
import { isShallow } from '../api/json.ts';
import { refuse, type Reply } from './reply.ts';

/** More levels than any Kubernetes object has; the recursion of what walks it stays far below the stack's size. */
const MAX_DEPTH = 200;

export type Body =
  | { readonly kind: 'json'; readonly json: unknown }
  | { readonly kind: 'refused'; readonly reply: Reply };

/**
 * Reads a JSON body of bounded size and nesting. With a Content-Length only that is looked at (touching the body's stream makes
 * the server adapter build a web stream, at half the throughput); a chunked body is counted and cut.
 */
export async function readBody(c: Context, maxBytes: number): Promise<Body> {
  const tooLong = refuse(413, 'body-too-long', `the body is longer than ${maxBytes} bytes`);
  const declared = c.req.raw.headers.get('content-length');
  if (declared !== null && !(Number(declared) <= maxBytes)) return { kind: 'refused', reply: tooLong };
  let text: string | undefined;
  try {
    text = declared === null ? await cappedText(c.req.raw.body, maxBytes) : await c.req.raw.text();
  } catch {
    return { kind: 'refused', reply: refuse(400, 'body-cut-off', 'the body ended early') };
  }
  if (text === undefined) return { kind: 'refused', reply: tooLong };
  if (!isShallow(text, MAX_DEPTH)) {
    return {
      kind: 'refused',
      reply: refuse(400, 'body-too-deep', `the body is nested deeper than ${MAX_DEPTH} levels`),
    };
  }
  try {
    return { kind: 'json', json: JSON.parse(text) };
  } catch {
    return { kind: 'refused', reply: refuse(400, 'bad-json', 'the body is not JSON') };
  }
}

async function cappedText(stream: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string | undefined> {
  if (stream === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.byteLength;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
