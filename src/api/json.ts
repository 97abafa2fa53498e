/**
 * Reading JSON text that others wrote. `JSON.parse` copes with any nesting, but everything that walks the result
 * recursively (JSON.stringify from some 5,000 levels on) does not: nesting is bounded before parsing.
 */
import type { Json, JsonObject } from './kube.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether no value of this JSON text lies deeper than `limit` arrays and objects; one pass over the text, strings skipped. */
export function isShallow(text: string, limit: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i + 1);
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > limit) return false;
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    }
  }
  return true;
}

/** Index of the quote that closes the string beginning at `from`; the end of the text when none does. */
function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (quote > 0 && text.charCodeAt(quote - 1) === BACKSLASH && isEscaped(text, quote, from)) {
    quote = text.indexOf('"', quote + 1);
  }
  return quote < 0 ? text.length : quote;
}

function isEscaped(text: string, quote: number, from: number): boolean {
  let first = quote;
  while (first > from && text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (quote - first) % 2 === 1;
}

/** The value of this JSON text; `undefined` when it is not JSON or nested deeper than `limit`. */
export function parseJson(text: string, limit: number): Json | undefined {
  if (!isShallow(text, limit)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Whether a JSON value is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
