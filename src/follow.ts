import { readFileSync } from 'node:fs';
import type { Log } from './telemetry/log.ts';

/**
 * How often mounted files are looked at. The kubelet swaps them without telling anyone, up to a minute after their Secret changed
 * (Kubernetes, "Mounted Secrets are updated automatically"); seconds more do no harm.
 */
const CHECK_MS = 5000;

/** Files whose content is used while the process runs. */
export type Followed<T> = {
  /** What is told in the log, "certificate" for one. */
  readonly what: string;
  /** Reads them; throws where they cannot be used. */
  readonly read: () => T;
  /** Takes up what was read; throws where it cannot be used, and then the former content stays. */
  readonly use: (value: T) => void;
};

/**
 * Reads files now, and again when they change: a renewed certificate or token needs no restart. The first reading throws when it
 * cannot be used; a later one that cannot is told once, and what was in use stays. `check` looks at once; `stop` ends it.
 */
export function follow<T>(
  { what, read, use }: Followed<T>,
  log: Log,
  everyMs: number = CHECK_MS,
): { readonly check: () => void; readonly stop: () => void } {
  const first = read();
  use(first);
  let current = JSON.stringify(first);
  let failed = '';
  const check = (): void => {
    try {
      const next = read();
      const text = JSON.stringify(next);
      if (text === current) return;
      use(next);
      current = text;
      failed = '';
      log.info(`${what} renewed`);
    } catch (error) {
      const why = error instanceof Error ? error.name : 'unknown';
      if (why !== failed) log.error(`${what} kept: the new one cannot be used`, { error: why });
      failed = why;
    }
  };
  const timer = setInterval(check, everyMs);
  timer.unref();
  return { check, stop: () => clearInterval(timer) };
}

/** The text of a file named by an environment variable; throws the line that names the variable. */
export function fileOf(variable: string, file: string): string {
  return bytesOf(variable, file).toString('utf8');
}

/** The bytes of a file named by an environment variable; throws the line that names the variable. */
export function bytesOf(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new Error(`${variable}: is ${JSON.stringify(file)}; want a file that can be read`);
  }
}
