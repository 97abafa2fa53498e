import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { isObject } from '../../api/json.ts';

/** A Kubernetes object as YAML has it. */
export type Manifest = { readonly kind: string; readonly metadata: { readonly name: string } } & Readonly<
  Record<string, unknown>
>;

/** The shipped manifests, from which those of each tenant are made: there is one source of what runs. */
export async function shipped(path: string): Promise<readonly Manifest[]> {
  return parseAllDocuments(await shippedText(path)).map((document) => document.toJS() as Manifest);
}

/** The text of a shipped file. */
export function shippedText(path: string): Promise<string> {
  return readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');
}

/** The object of a kind in a list; throws where the shipped manifests no longer have it. */
export function objectOf(list: readonly Manifest[], kind: string): Manifest {
  const found = list.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} among the shipped manifests`);
  return found;
}

/** A copy with other values in place; `undefined` takes a field away. Paths go through maps only. */
export function withFields<T>(object: T, fields: Readonly<Record<string, unknown>>): T {
  return Object.entries(fields).reduce((copy, [path, value]) => withField(copy, path.split('/'), value), object);
}

function withField<T>(object: T, [name = '', ...rest]: readonly string[], value: unknown): T {
  const map: Readonly<Record<string, unknown>> = isObject(object) ? object : {};
  const next = rest.length === 0 ? value : withField(map[name], rest, value);
  const entries = Object.entries({ ...map, [name]: next }).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries) as T;
}
