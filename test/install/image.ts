import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ROOT } from './cluster.ts';

/** What a stage of a Dockerfile leaves: its files below `root`, and how it starts. */
export type Stage = {
  readonly root: string;
  readonly name: string;
  workdir: string;
  user: string;
  entrypoint: readonly string[];
  readonly env: Record<string, string>;
};

const IMAGES = join(ROOT, '.cache/images');

/**
 * The image of this checkout, or of a commit, by the steps of its own Dockerfile, with the Node that runs this: its last stage. The same
 * files are built once; the folder must be left as it is.
 */
export async function buildImage(commit?: string): Promise<Stage> {
  mkdirSync(IMAGES, { recursive: true });
  const scratch = mkdtempSync(join(IMAGES, 'new-'));
  const given = join(scratch, 'context');
  if (commit === undefined) checkout(given);
  else archive(given, commit);
  const folder = join(IMAGES, await hashOf(given));
  if (!existsSync(folder)) {
    const stage = await build(given, scratch, dirname(process.execPath));
    for (const name of readdirSync(scratch)) if (name !== stage.name) rmSync(join(scratch, name), { recursive: true });
    writeFileSync(join(scratch, 'stage.json'), JSON.stringify(stage));
    renameSync(scratch, folder);
  } else rmSync(scratch, { recursive: true });
  const stage = JSON.parse(readFileSync(join(folder, 'stage.json'), 'utf8')) as Stage;
  return { ...stage, root: join(folder, stage.name) };
}

/** A hash of the files of a folder, of their names and contents. */
export async function hashOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted()) hash.update(file.slice(folder.length)).update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

const allowed = (): readonly string[] =>
  readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));

/** What a clean checkout would hold that .dockerignore lets through. */
function checkout(folder: string): void {
  const paths = ['Dockerfile', ...allowed()];
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...paths], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of files.split('\n').filter((name) => existsSync(join(ROOT, name)) && name !== '')) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
}

/** All that a commit holds; more than is needed does no harm. */
function archive(folder: string, commit: string): void {
  mkdirSync(folder, { recursive: true });
  const tar = execFileSync('git', ['archive', commit], { cwd: ROOT, maxBuffer: 1 << 28 });
  execFileSync('tar', ['-x', '-C', folder], { input: tar });
}

/**
 * Does what a Dockerfile says, without Docker: each stage in a folder of its own, RUN on this machine with `path` first on PATH,
 * base images left out. Understands what this project's Dockerfile uses and refuses anything else. Returns the last stage.
 */
async function build(context: string, scratch: string, path: string): Promise<Stage> {
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
