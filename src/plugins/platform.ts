import type { Decorator, Platform } from '../core/platform/platform.ts';
import { loadDecorators } from './decorators.ts';
import { loadDefaults } from './defaults.ts';

/** Where the platform's own additions are; absent: none. */
export type PlatformFiles = {
  readonly decoratorsDir: string | undefined;
  readonly defaultsFile: string | undefined;
  readonly home?: string | undefined;
};

/** Loads defaults and decorators once; a change of them takes a restart. Throws where they cannot be used, with the variable's name. */
export async function loadPlatform(
  { decoratorsDir, defaultsFile, home }: PlatformFiles,
  took: (decorator: string, seconds: number) => void = () => {},
): Promise<Platform> {
  const defaults =
    defaultsFile === undefined ? [] : await named('DEFAULTS_FILE', async () => loadDefaults(defaultsFile));
  const decorators =
    decoratorsDir === undefined ? [] : await named('DECORATORS_DIR', () => loadDecorators(decoratorsDir));
  return {
    defaults,
    decorators: decorators.map((decorator) => timed(decorator, took)),
    ...(home === undefined ? {} : { home }),
  };
}

async function named<T>(variable: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new Error(`${variable}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A slow decorator holds up every FlinkJob that is rendered: how long each takes is a metric. */
function timed(decorator: Decorator, took: (decorator: string, seconds: number) => void): Decorator {
  const { name, flinkConf, podSpec } = decorator;
  const measured =
    <A extends readonly unknown[]>(call: (...given: A) => unknown) =>
    (...given: A): unknown => {
      const started = performance.now();
      try {
        return call(...given);
      } finally {
        took(name, (performance.now() - started) / 1000);
      }
    };
  return {
    ...decorator,
    ...(flinkConf === undefined ? {} : { flinkConf: measured(flinkConf) }),
    ...(podSpec === undefined ? {} : { podSpec: measured(podSpec) }),
  };
}
