import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder for what a test writes, under the system's temporary folder; it goes with the process. */
export function scratch(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `flork-${name}-`));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
