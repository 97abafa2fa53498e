import type { Context } from 'hono';
import { isShallow } from '../api/json.ts';
import { refuse, type Reply } from './reply.ts';

/** More levels than any Kubernetes object has; the recursion of what walks it stays far below the stack's size. */
const MAX_DEPTH = 200;

export type Refused = { readonly kind: 'refused'; readonly reply: Reply };
export type Body = { readonly kind: 'json'; readonly json: unknown } | Refused;
export type Text = { readonly kind: 'text'; readonly text: string } | Refused;

/** Reads a JSON body of bounded size and nesting. */
export async function readBody(c: Context, maxBytes: number): Promise<Body> {
  const body = await readText(c, maxBytes);
  return body.kind === 'refused' ? body : readJson(body.text);
}

/**
 * Reads a body of bounded size. With a Content-Length only that is looked at (touching the body's stream makes the server adapter
 * build a web stream, at half the throughput); a chunked body is counted and cut.
 */
export async function readText(c: Context, maxBytes: number): Promise<Text> {
  const declared = c.req.raw.headers.get('content-length');
  if (declared !== null && !(Number(declared) <= maxBytes)) return tooLong(maxBytes);
  try {
    const text = declared === null ? await cappedText(c.req.raw.body, maxBytes) : await c.req.raw.text();
    return text === undefined ? tooLong(maxBytes) : { kind: 'text', text };
  } catch {
    return { kind: 'refused', reply: refuse(400, 'body-cut-off', 'the body ended early') };
  }
}

/** Parses JSON of bounded nesting. */
export function readJson(text: string): Body {
  if (!isShallow(text, MAX_DEPTH)) {
    const reply = refuse(400, 'body-too-deep', `the body is nested deeper than ${MAX_DEPTH} levels`);
    return { kind: 'refused', reply };
  }
  try {
    return { kind: 'json', json: JSON.parse(text) };
  } catch {
    return { kind: 'refused', reply: refuse(400, 'bad-json', 'the body is not JSON') };
  }
}

function tooLong(maxBytes: number): Refused {
  return { kind: 'refused', reply: refuse(413, 'body-too-long', `the body is longer than ${maxBytes} bytes`) };
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
