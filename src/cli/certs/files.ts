import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pair } from './authority.ts';

/** Name, content if there is any, and mode. */
export type File = readonly [string, string | undefined, number];

/** Writes files into a folder; throws when one of them is there already: a key that was overwritten is gone. */
export async function writeAll(option: string, folder: string, files: readonly File[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const present = files.map(([name]) => join(folder, name)).find((file) => existsSync(file));
  if (present !== undefined) throw new Error(`${option}: ${present} is there already; want an empty folder`);
  const given = files.filter((file): file is readonly [string, string, number] => file[1] !== undefined);
  await Promise.all(given.map(([name, text, mode]) => writeFile(join(folder, name), text, { mode, flag: 'wx' })));
}

/** The CA that `flork certs --out` and `flork tenants` keep in a folder. */
export async function authorityIn(folder: string): Promise<Pair> {
  return { cert: await readable(join(folder, 'ca.crt')), key: await readable(join(folder, 'ca.key')) };
}

/** The text of a PEM file; throws with the name of one that cannot be read. */
export async function readable(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw new Error(`${file}: cannot be read; want a PEM file`);
  }
}

/** The number of days that an option says; throws when it says something else. */
export function daysOf(option: string, text: string | undefined, otherwise: number): number {
  const days = text ?? String(otherwise);
  if (!/^[1-9]\d{0,4}$/.test(days)) throw new Error(`--${option}: is "${days}"; want a number of days`);
  return Number(days);
}
