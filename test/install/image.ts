import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What a stage of a Dockerfile leaves: its files below `root`, and how it starts. */
export type Stage = {
  readonly root: string;
  readonly name: string;
  workdir: string;
  user: string;
  entrypoint: readonly string[];
  readonly env: Record<string, string>;
};

/**
 * Does what a Dockerfile says, without Docker: each stage in a folder of its own, RUN on this machine with `path` first on PATH,
 * base images left out. Understands what this project's Dockerfile uses and refuses anything else. Returns the last stage.
 */
export async function build(context: string, scratch: string, path: string): Promise<Stage> {
  const stages: Stage[] = [];
  for (const line of (await readFile(join(context, 'Dockerfile'), 'utf8')).split('\n')) {
    const [instruction, rest] = split(line.trim());
    if (instruction === '' || instruction.startsWith('#') || instruction === 'ARG' || instruction === 'EXPOSE')
      continue;
    const stage = stages.at(-1);
    if (instruction === 'FROM') {
      const name = / AS (\S+)$/.exec(rest)?.[1] ?? 'last';
      stages.push({ root: join(scratch, name), name, workdir: '/', user: '', entrypoint: [], env: {} });
      await mkdir(join(scratch, name), { recursive: true });
    } else if (stage !== undefined) await step(stage, stages, context, path, instruction, rest);
  }
  const last = stages.at(-1);
  if (last === undefined) throw new Error('the Dockerfile has no stage');
  return last;
}

const split = (line: string): [string, string] => {
  const space = line.indexOf(' ');
  return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1).trim()];
};

async function step(
  stage: Stage,
  stages: readonly Stage[],
  context: string,
  path: string,
  instruction: string,
  rest: string,
): Promise<void> {
  const here = join(stage.root, stage.workdir);
  switch (instruction) {
    case 'WORKDIR':
      stage.workdir = rest;
      await mkdir(join(stage.root, rest), { recursive: true });
      return;
    case 'ENV': {
      const [name = '', value = ''] = rest.split('=');
      stage.env[name] = value;
      return;
    }
    case 'USER':
      stage.user = rest;
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest) as string[];
      return;
    case 'COPY': {
      const words = rest.split(/\s+/);
      const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
      const source = from === undefined ? context : (stages.find((each) => each.name === from)?.root ?? '');
      const target = words.pop() ?? '';
      for (const word of words) await copy(join(source, word), target, here);
      return;
    }
    case 'RUN':
      await run(rest, here, { ...stage.env, PATH: `${path}:${process.env['PATH']}` });
      return;
    default:
      throw new Error(`no idea what ${instruction} does`);
  }
}

/** A folder's content goes to the target; a file goes into a target that ends in a slash or is a folder. */
async function copy(source: string, target: string, here: string): Promise<void> {
  const into = join(here, target);
  const isFolder = (await stat(source)).isDirectory();
  const place = !isFolder && (target.endsWith('/') || target === '.') ? join(into, basename(source)) : into;
  await mkdir(dirname(place), { recursive: true });
  await cp(source, place, { recursive: true, verbatimSymlinks: true });
}

async function run(command: string, cwd: string, env: Record<string, string>): Promise<void> {
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((done) => child.on('close', done));
  if (code !== 0) throw new Error(`RUN ${command} ended with ${code}:\n${output}`);
}
