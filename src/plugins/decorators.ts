import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { canonicalJson } from '../core/build/canonical.ts';
import { renderEpoch } from '../core/build/epoch.ts';
import { DecoratorFailure } from '../core/platform/decorate.ts';
import type { Decorator } from '../core/platform/platform.ts';

/** What a module of a decorator may export. */
const EXPORTS = ['name', 'priority', 'flinkConf', 'podSpec'];

const NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** FlinkJobs that decorators are tried on when they are loaded. */
const SAMPLES = [
  { flinkVersion: '1.20', image: 'flink:1.20', parallelism: 2 },
  {
    flinkVersion: '2.3',
    image: 'flink:2.3',
    jarURI: 'local:///opt/flink/usrlib/job.jar',
    florkConf: { team: 'sample' },
  },
] as const;

/** Another time of day for the second of two calls: whatever comes of the clock differs. */
const SHIFT_MS = 86_400_000 + 3_723_004;

/**
 * Loads every `.mjs` and `.js` file of a folder as one decorator each, and tries it: the same input has to give the same result at
 * another time of day. Throws with a sentence that names the file.
 */
export async function loadDecorators(folder: string): Promise<readonly Decorator[]> {
  // A mounted ConfigMap has its files below `..data`, and links to them beside it.
  const files = readdirSync(folder)
    .filter((file) => !file.startsWith('.') && /\.m?js$/.test(file))
    .toSorted();
  const decorators: Decorator[] = [];
  for (const file of files) {
    const decorator = await loaded(folder, file);
    if (decorators.some(({ name }) => name === decorator.name))
      throw new Error(`${file}: name ${decorator.name} is that of another decorator, too`);
    tried(file, decorator);
    decorators.push(decorator);
  }
  return decorators.toSorted((one, other) => one.priority - other.priority || (one.name < other.name ? -1 : 1));
}

async function loaded(folder: string, file: string): Promise<Decorator> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(join(folder, file)).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new Error(`${file}: cannot be loaded: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const { name, priority, flinkConf, podSpec } = module;
  const unknown = Object.keys(module).find((key) => !EXPORTS.includes(key));
  if (unknown !== undefined)
    throw new Error(`${file}: exports ${unknown}; want ${EXPORTS.join(', ')} and nothing else`);
  if (typeof name !== 'string' || !NAME.test(name))
    throw new Error(`${file}: name is ${JSON.stringify(name) ?? 'absent'}; want a-z, 0-9 and -`);
  if (!Number.isSafeInteger(priority))
    throw new Error(`${file}: priority is ${JSON.stringify(priority) ?? 'absent'}; want a whole number`);
  for (const [key, value] of Object.entries({ flinkConf, podSpec })) {
    if (value !== undefined && typeof value !== 'function')
      throw new Error(`${file}: ${key} is a ${typeof value}; want a function`);
  }
  if (flinkConf === undefined && podSpec === undefined)
    throw new Error(`${file}: exports neither flinkConf nor podSpec; want one of them`);
  return {
    name,
    priority: priority as number,
    ...(flinkConf === undefined ? {} : { flinkConf: flinkConf as NonNullable<Decorator['flinkConf']> }),
    ...(podSpec === undefined ? {} : { podSpec: podSpec as NonNullable<Decorator['podSpec']> }),
  };
}

function tried(file: string, decorator: Decorator): void {
  for (const spec of SAMPLES) {
    const [now, later] = [0, SHIFT_MS].map((shift) => atAnotherTime(shift, () => resultOf(decorator, spec)));
    if (now !== later)
      throw new Error(
        `${file}: decorator ${decorator.name} gave two results for one input; want a pure function, without clock and chance`,
      );
  }
}

/** What a decorator makes of a sample, as text. A failure is a result, too: it may ask for what the sample has not. */
function resultOf(decorator: Decorator, spec: (typeof SAMPLES)[number]): string {
  const ref = { name: 'sample', namespace: 'sample', uid: '00000000-0000-0000-0000-000000000000' };
  try {
    const platform = { defaults: [], decorators: [decorator] };
    return canonicalJson(renderEpoch({ ref, number: 1, generation: 1, spec, handled: {}, platform }).children);
  } catch (error) {
    if (!(error instanceof DecoratorFailure)) throw error;
    if (error.is === 'gave two results for one input') return String(performance.now());
    return error.message;
  }
}

/** Runs a function while the clock of this process is wrong. Nothing else runs meanwhile. */
function atAnotherTime<T>(shift: number, run: () => T): T {
  const TrueDate = globalThis.Date;
  class ShiftedDate extends TrueDate {
    constructor(...given: []) {
      if (given.length === 0) super(TrueDate.now() + shift);
      else super(...given);
    }
    static override now(): number {
      return TrueDate.now() + shift;
    }
  }
  globalThis.Date = ShiftedDate as DateConstructor;
  try {
    return run();
  } finally {
    globalThis.Date = TrueDate;
  }
}
