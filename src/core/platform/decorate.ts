import { isObject } from '../../api/json.ts';
import { canonicalJson } from '../build/canonical.ts';
import type { Decorator } from './platform.ts';

/** What a decorator may return at most, characters of JSON. The largest pod spec that Flork's own examples render has 4 000. */
const LARGEST = 64 * 1024;

/** Levels of nesting that are looked at; a Kubernetes object has some ten. */
const DEEPEST = 40;

/** Why a decorator's result cannot be used. Thrown while an epoch is rendered, and told as a finding of the FlinkJob. */
export class DecoratorFailure extends Error {
  readonly decorator: string;
  readonly is: string;
  readonly want: string;

  constructor(decorator: string, is: string, want: string) {
    super(`decorator ${decorator}: ${is}; want ${want}`);
    this.name = 'DecoratorFailure';
    this.decorator = decorator;
    this.is = is;
    this.want = want;
  }
}

/**
 * Calls a decorator on a copy of a value. Called twice, it has to return the same: what it returns goes into names and hashes.
 * Throws `DecoratorFailure`, and nothing else.
 */
export function decorated(
  decorator: Decorator,
  value: Readonly<Record<string, unknown>>,
  call: (copy: Readonly<Record<string, unknown>>) => unknown,
): Readonly<Record<string, unknown>> {
  const once = called(decorator, value, call);
  if (canonicalJson(once) !== canonicalJson(called(decorator, value, call)))
    throw new DecoratorFailure(decorator.name, 'gave two results for one input', 'a pure function');
  return once;
}

function called(
  { name }: Decorator,
  value: Readonly<Record<string, unknown>>,
  call: (copy: Readonly<Record<string, unknown>>) => unknown,
): Readonly<Record<string, unknown>> {
  let result: unknown;
  try {
    result = call(copyOf(value));
    if (!isObject(result)) throw new DecoratorFailure(name, `returned ${kindOf(result)}`, 'an object');
    const wrong = notJson(result, '', 0);
    if (wrong !== undefined) throw new DecoratorFailure(name, `returned ${wrong}`, 'nothing but JSON');
    const text = JSON.stringify(result);
    if (text.length > LARGEST)
      throw new DecoratorFailure(name, `returned ${text.length} characters`, `at most ${LARGEST}`);
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (error instanceof DecoratorFailure) throw error;
    throw new DecoratorFailure(name, `threw ${errorText(error)}`, 'a result');
  }
}

/** The first line of an error, short. */
function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : kindOf(error);
  return (text.split('\n')[0] ?? '').slice(0, 200);
}

/** A decorator may change what it gets: it is a copy. */
function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value instanceof Promise) return 'a Promise';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

/** What JSON cannot hold, and where; such a thing would silently be lost. */
function notJson(value: unknown, path: string, depth: number): string | undefined {
  if (depth > DEEPEST) return `more than ${DEEPEST} levels`;
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean')
    return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${value} at ${path}`;
  if (typeof value !== 'object') return `a ${typeof value} at ${path}`;
  if (!Array.isArray(value) && ![Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null))
    return `${value instanceof Promise ? 'a Promise' : 'an object with a class'}${path === '' ? '' : ` at ${path}`}`;
  for (const [key, member] of Object.entries(value)) {
    const wrong = notJson(member, path === '' ? key : `${path}.${key}`, depth + 1);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
