import type { ContainerStart } from '../kubelet.ts';

/** Flink's standalone entry point: what a JobManager makes of its command line and configuration (reference: Flink 1.20, 2.3). */
export type Launch = {
  readonly role: 'jobmanager' | 'taskmanager';
  readonly config: ReadonlyMap<string, string>;
  readonly jobId: string | undefined;
  readonly restoreFrom: string | undefined;
  readonly allowNonRestoredState: boolean;
  readonly className: string | undefined;
  readonly jobArgs: readonly string[];
};

/** Reads the launch; a text says why the process cannot start. */
export function readLaunch(start: ContainerStart): Launch | string {
  const role = start.command.findIndex((word) => word === 'standalone-job' || word === 'taskmanager');
  if (role < 0) return `unknown command: ${start.command.join(' ')}`;
  const file = configuration(start.files);
  if (file === undefined) return 'Error: no configuration file in the configuration directory';
  const options = parseOptions(start.command.slice(role + 1));
  if (typeof options === 'string') return options;
  const config = new Map([...parseConfig(file), ...options.dynamic]);
  const jobId = options.jobId ?? config.get('$internal.pipeline.job-id');
  if (jobId !== undefined && !/^[0-9a-f]{32}$/.test(jobId)) return `Job ID is not valid: ${jobId}`;
  return {
    role: start.command[role] === 'taskmanager' ? 'taskmanager' : 'jobmanager',
    config,
    jobId,
    restoreFrom:
      options.restoreFrom ?? config.get('execution.state-recovery.path') ?? config.get('execution.savepoint.path'),
    allowNonRestoredState: options.allowNonRestoredState,
    className: options.className,
    jobArgs: options.rest,
  };
}

type Options = {
  dynamic: Map<string, string>;
  jobId: string | undefined;
  restoreFrom: string | undefined;
  allowNonRestoredState: boolean;
  className: string | undefined;
  rest: readonly string[];
};

const WITH_VALUE: Readonly<Record<string, 'jobId' | 'restoreFrom' | 'className' | 'ignored'>> = {
  '--job-id': 'jobId',
  '-jid': 'jobId',
  '--fromSavepoint': 'restoreFrom',
  '-s': 'restoreFrom',
  '--job-classname': 'className',
  '-j': 'className',
  '--configDir': 'ignored',
  '-c': 'ignored',
};

/** The parser stops at the first unknown option: it and all that follows become arguments of the job. */
function parseOptions(args: readonly string[]): Options | string {
  const options: Options = {
    dynamic: new Map(),
    jobId: undefined,
    restoreFrom: undefined,
    allowNonRestoredState: false,
    className: undefined,
    rest: [],
  };
  let index = 0;
  for (; index < args.length; index++) {
    const given = args[index] ?? '';
    const [name = '', inline] = given.startsWith('--') ? given.split(/=(.*)/s) : [given];
    const target = WITH_VALUE[name];
    if (given === '--') break;
    if (given === '-D' || (given.startsWith('-D') && !given.startsWith('--'))) {
      const pair = given === '-D' ? (args[++index] ?? '') : given.slice(2);
      const cut = pair.indexOf('=');
      if (cut < 0) options.dynamic.set(pair, 'true');
      else options.dynamic.set(pair.slice(0, cut), pair.slice(cut + 1));
    } else if (target !== undefined) {
      const value = inline ?? args[++index];
      if (value === undefined) return `Missing argument for option: ${name}`;
      if (target !== 'ignored') options[target] = value;
    } else if (given === '--allowNonRestoredState' || given === '-n') options.allowNonRestoredState = true;
    else if (given === '--jars' || given === '-jars') {
      while (index + 1 < args.length && !(args[index + 1] ?? '').startsWith('-')) index++;
    } else {
      options.rest = args.slice(index);
      return options;
    }
  }
  options.rest = args.slice(index + 1);
  return options;
}

function configuration(files: Readonly<Record<string, string>>): string | undefined {
  const named = (name: string): string | undefined =>
    Object.entries(files).find(([path]) => path.endsWith(`/${name}`))?.[1];
  return named('flink-conf.yaml') ?? named('config.yaml');
}

/** Flat `key: value` lines, values possibly quoted. */
export function parseConfig(file: string): ReadonlyMap<string, string> {
  const config = new Map<string, string>();
  for (const line of file.split('\n')) {
    const cut = line.indexOf(': ');
    if (line.startsWith('#') || cut < 0) continue;
    const [name, raw] = [unquoted(line.slice(0, cut).trim()), line.slice(cut + 2).trim()];
    if (config.has(name)) continue;
    config.set(name, unquoted(raw));
  }
  return config;
}

function unquoted(raw: string): string {
  if (!raw.startsWith('"')) return raw.startsWith("'") ? raw.slice(1, -1) : raw;
  try {
    return String(JSON.parse(raw));
  } catch {
    return raw;
  }
}

/** A duration of Flink's configuration in milliseconds. */
export function durationMs(given: string | undefined): number | undefined {
  const found = /^(\d+)\s*(ms|s|sec|min|m|h|d)?/.exec(given ?? '');
  if (found === null) return undefined;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1e3, sec: 1e3, m: 6e4, min: 6e4, h: 36e5, d: 864e5 };
  return Number(found[1]) * (units[found[2] ?? 'ms'] ?? 1);
}

/** What the user's program does, by its arguments. */
export type Program = {
  readonly throwsInMain: boolean;
  /** Ends by itself after so long of running. */
  readonly boundedMs: number | undefined;
  /** Checkpoint interval set in main(). */
  readonly checkpointMs: number | undefined;
  /** Fails for good after so long of running. */
  readonly failAfterMs: number | undefined;
  /** Its tasks fail each time they have run for so long, and are restarted. */
  readonly failOverMs: number | undefined;
  /** Parallelism that main() gives to a source, whatever that of the job is. */
  readonly fixed: number | undefined;
  /** A job that the adaptive scheduler does not take (DefaultSlotPoolServiceSchedulerFactory). */
  readonly batch: boolean;
};

export function readProgram(args: readonly string[]): Program {
  const value = (name: string): number | undefined => {
    const index = args.indexOf(name);
    return index < 0 ? undefined : Number(args[index + 1]);
  };
  return {
    throwsInMain: args.includes('--throw'),
    boundedMs: value('--bounded-ms'),
    checkpointMs: value('--checkpoint-ms'),
    failAfterMs: value('--fail-after-ms'),
    failOverMs: value('--fail-over-ms'),
    fixed: value('--fixed'),
    batch: args.includes('--batch'),
  };
}
