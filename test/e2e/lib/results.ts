import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Host } from './install.ts';
import { ROOT } from './kit.ts';
import { kubectl } from './kube.ts';

/** One run of one case of the full matrix, as it stands in the file of results. */
export type Result = {
  readonly at: string;
  readonly name: string;
  readonly what: string;
  readonly flink: string;
  readonly ha: boolean;
  readonly round: number;
  readonly commit: string;
  readonly kubernetes: string;
  readonly host: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly repeated: number;
  readonly note: string;
  readonly error?: string;
};

export const RESULTS = join(ROOT, 'test/e2e/results/full.jsonl');

export async function readResults(): Promise<readonly Result[]> {
  const text = await readFile(RESULTS, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Result);
}

/** A text, of an error say, without the folder of this checkout: a result tells what happened, not on whose machine. */
export function withoutPlace(text: string, root: string = ROOT): string {
  return text.replaceAll(`${pathToFileURL(root).href}/`, '').replaceAll(`${root}/`, '');
}

/** What runs in the tests: a commit that leaves these alone is the same Flork. */
const UNDER_TEST = [
  'src',
  ':(exclude)src/sim',
  ':(exclude)src/playground',
  'kustomize',
  'manifests',
  'metacontroller',
  'package-lock.json',
];

/** On what results were got: the newest commit that changed Flork, Kubernetes, and who called the hook. */
export async function surroundings(host: Host): Promise<Pick<Result, 'commit' | 'kubernetes' | 'host'>> {
  const newest = ['log', '-1', '--format=%h', '--abbrev=10', '--', ...UNDER_TEST];
  const { stdout } = await promisify(execFile)('git', newest, { cwd: ROOT });
  const server = JSON.parse(await kubectl(['version', '-o', 'json'])) as { serverVersion: { gitVersion: string } };
  const strategy = host.kind === 'installed' ? '' : `, ${host.strategy}`;
  const metacontroller =
    host.kind === 'model'
      ? 'model of Metacontroller'
      : `Metacontroller ${process.env['METACONTROLLER_VERSION'] ?? 'v4.17.2'}`;
  return { commit: stdout.trim(), kubernetes: server.serverVersion.gitVersion, host: metacontroller + strategy };
}
