import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { certs } from '../../src/cli/certs.ts';

/** An object as kubectl prints it. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly resourceVersion?: string;
    readonly annotations?: Record<string, string>;
    readonly managedFields?: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly subresource?: string;
    }[];
  };
  readonly spec?: unknown;
};

export type Printed = { readonly code: number; readonly stdout: string; readonly stderr: string };

export const ROOT = resolve(import.meta.dirname, '../..');
export const PRODUCTION = 'kustomize/overlays/production';

/** Makes the certificates that the production overlay wants, where nobody has; returns how to take them away again. */
export async function productionCerts(): Promise<() => Promise<void>> {
  const folder = join(ROOT, PRODUCTION, 'certs');
  if (existsSync(folder)) return async () => {};
  if ((await certs(['--component', folder])) !== 0) throw new Error(`no certificates in ${folder}`);
  return () => rm(folder, { recursive: true });
}

/** These tests change the cluster that KUBECONFIG names, so they run only where one is named. */
export const skip = process.env['KUBECONFIG'] ? false : 'KUBECONFIG names no cluster';

const RELEASE =
  'https://raw.githubusercontent.com/metacontroller/metacontroller/v4.17.2/manifests/production/metacontroller-crds-v1.yaml';

/** Text of Metacontroller's CRDs: METACONTROLLER_CRDS, else a copy beside the checkout, else its release. */
export async function metacontrollerCrds(): Promise<string> {
  const beside = resolve(ROOT, '../shared/metacontroller/crds-v4.17.2.yaml');
  const source = process.env['METACONTROLLER_CRDS'] ?? (existsSync(beside) ? beside : RELEASE);
  return source.startsWith('http') ? (await fetch(source)).text() : readFile(source, 'utf8');
}

/** Runs kubectl in the root of the project; whatever its exit code, it is an answer. */
export function tryKubectl(args: readonly string[], input = ''): Promise<Printed> {
  return new Promise((done, fail) => {
    const child = spawn('kubectl', args, { cwd: ROOT });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', fail);
    child.on('close', (code) => done({ code: code ?? 1, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** Runs kubectl and returns what it prints; rejects when it fails. */
export async function kubectl(args: readonly string[], input = ''): Promise<string> {
  const printed = await tryKubectl(args, input);
  if (printed.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${printed.stderr.trim()}`);
  return printed.stdout;
}

/** The objects of a YAML text that the cluster holds, as it holds them. */
export async function held(yaml: string): Promise<readonly KubeObject[]> {
  const text = await kubectl(['get', '-f', '-', '--ignore-not-found', '--show-managed-fields', '-o', 'json'], yaml);
  if (text.trim() === '') return [];
  const answer = JSON.parse(text) as KubeObject & { items?: readonly KubeObject[] };
  return answer.items ?? [answer];
}

/** Names an object for a person. */
export const nameOf = (object: KubeObject): string =>
  `${object.kind} ${object.metadata.namespace ?? '-'}/${object.metadata.name}`;

/** Applies and waits until the cluster serves the kinds that came with it. */
export async function apply(yaml: string): Promise<Printed> {
  const printed = await tryKubectl(['apply', '--server-side', '-f', '-'], yaml);
  if (printed.code !== 0) throw new Error(printed.stderr);
  // A kind that was made this moment has no conditions yet, which kubectl takes for an error.
  const wait = ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s'];
  for (let tries = 0; (await tryKubectl(wait)).code !== 0 && tries < 5; tries++)
    await new Promise((done) => void setTimeout(done, 1000));
  await kubectl(wait);
  return printed;
}

/** Installs what is given and returns how to take away again exactly what was not there before. */
export async function install(texts: readonly string[]): Promise<() => Promise<void>> {
  const removals: string[][] = [];
  for (const yaml of texts) {
    const there = new Set((await held(yaml).catch(() => [])).map(nameOf));
    await apply(yaml);
    for (const object of await held(yaml)) {
      if (there.has(nameOf(object))) continue;
      const group = object.apiVersion.includes('/') ? `.${object.apiVersion.split('/').toReversed().join('.')}` : '';
      const namespace = object.metadata.namespace === undefined ? [] : ['-n', object.metadata.namespace];
      removals.unshift([
        'delete',
        `${object.kind}${group}/${object.metadata.name}`,
        ...namespace,
        '--ignore-not-found',
        '--timeout=120s',
      ]);
    }
  }
  return async () => {
    for (const removal of removals) await kubectl(removal);
  };
}

/** Requests under way at once. */
const AT_ONCE = 16;

/** Asks of each, some at a time; the answers are in the order of what was asked. Rejects with the first question that does. */
export async function askAll<A, T>(all: readonly A[], ask: (one: A) => Promise<T>): Promise<readonly T[]> {
  const answers: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < all.length; index = next++) answers[index] = await ask(all[index]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}
