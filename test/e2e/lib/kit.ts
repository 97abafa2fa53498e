import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const ROOT = resolve(import.meta.dirname, '../../..');

/** The script of the cluster kit (FLORK_CLUSTER, else beside the checkout), or `undefined` on any other cluster. */
export function kitScript(): string | undefined {
  const script = process.env['FLORK_CLUSTER'] ?? resolve(ROOT, '../shared/cluster/cluster');
  return existsSync(script) ? script : undefined;
}

/** Builds an image of Debian, Java 17 and these folders, and loads it into the kit's node. */
export async function loadImage(reference: string, config: unknown, layers: readonly string[]): Promise<void> {
  const script = kitScript();
  if (script === undefined)
    throw new Error('no cluster kit: set FLORK_CLUSTER, or FLORK_IMAGE to an image that the cluster can pull');
  await run(script, ['image', reference, JSON.stringify(config), ...layers], { maxBuffer: 1 << 26 });
}

/** Folder of Flink's jars for javac: FLINK_LIB (`1.20=/a,2.3=/b`), else the kit's own Flink. */
export async function flinkLib(version: string): Promise<string> {
  for (const entry of (process.env['FLINK_LIB'] ?? '').split(',')) {
    const [key, folder] = entry.split('=');
    if (key === version && folder !== undefined) return folder;
  }
  const script = kitScript();
  if (script === undefined) throw new Error(`set FLINK_LIB to ${version}=<folder of Flink's jars>`);
  const { stdout } = await run(script, ['env']);
  const assets = /KUBEBUILDER_ASSETS=(\S+)/.exec(stdout)?.[1];
  const cache = process.env['FLORK_CLUSTER_CACHE'] ?? dirname(assets ?? '');
  const folder = readdirSync(cache).find((name) => name.startsWith(`flink-${version}.`));
  if (folder === undefined) throw new Error(`no Flink ${version} in ${cache}`);
  return join(cache, folder, 'opt/flink/lib');
}

/** A job of the folder `job` compiled against that Flink; its jar as base64, for a ConfigMap's binaryData. */
export async function jobJar(version: string, mainClass: 'Counter' | 'WordCount'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flork-job-'));
  const [classes, jar] = [join(folder, 'classes'), join(folder, 'job.jar')];
  const source = join(ROOT, `test/e2e/job/${mainClass}.java`);
  const lib = `${await flinkLib(version)}/*`;
  await run('javac', ['--release', '17', '-nowarn', '-d', classes, '-cp', lib, source]);
  await run('jar', ['--create', '--file', jar, '--main-class', mainClass, '-C', classes, '.']);
  const text = (await readFile(jar)).toString('base64');
  await rm(folder, { recursive: true });
  return text;
}
