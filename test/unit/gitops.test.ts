import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { REASONS } from '../../src/api/reasons.ts';
import { certs } from '../../src/cli/certs.ts';
import { renderJob, ZERO_UID } from '../../src/cli/render.ts';
import { validate } from '../../src/cli/validate.ts';
import { at, type KubeObject } from '../../src/sim/models/objects.ts';
import { LIMIT_MS, isReady, remove, start, suspend } from '../sim/harness/flows.ts';
import { createHistory } from '../sim/harness/history.ts';
import { SPEC, suspended } from '../sim/harness/sample.ts';
import { noKubectl } from './kustomized.ts';

/**
 * examples/gitops, as far as it can be told without Argo CD and Flux: what it names is there, its order is the right one, and its
 * rules of health say of statuses that Flork writes what these mean. The rules are read from their text: there is neither Lua nor CEL here.
 */
const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = 'examples/gitops';
/** What `flork certs` writes. */
const MADE = 'certs';
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const files = globSync(`${FOLDER}/**/*.yaml`, { cwd: ROOT }).toSorted();
type Tree = any; // oxlint-disable-line typescript/no-explicit-any -- manifests of many shapes
const objects = (path: string): Tree[] => parseAllDocuments(read(path), { strict: true }).map((one) => one.toJS());
const applications: Tree[] = globSync(`${FOLDER}/argo-cd/applications/*.yaml`, { cwd: ROOT }).flatMap(objects);
const kustomizations: Tree[] = objects(`${FOLDER}/flux/platform.yaml`).concat(objects(`${FOLDER}/flux/jobs.yaml`));

describe('the GitOps examples', () => {
  for (const file of files) {
    test(`${file} is YAML, and what it names in this repository is there`, () => {
      const [text, documents] = [read(file), parseAllDocuments(read(file), { strict: true })];
      assert.ok(documents.length > 0);
      for (const document of documents) {
        assert.deepEqual(document.errors, []);
        const object: Tree = document.toJS();
        assert.ok(object.apiVersion && object.kind, text);
        const path = object.spec?.source?.path ?? (object.kind === 'Kustomization' ? object.spec?.path : undefined);
        if (path !== undefined) assert.ok(existsSync(join(ROOT, path)), path);
        for (const one of [...(object.resources ?? []), ...(object.components ?? [])] as string[])
          if (!one.startsWith('https://') && one !== MADE) assert.ok(existsSync(join(ROOT, file, '..', one)), one);
      }
    });
  }

  test('its FlinkJob passes flork validate', async () => {
    assert.equal(await validate([join(ROOT, FOLDER, 'jobs/orders.yaml')]), 0);
  });

  test('hold no key, and trust the CA that flork certs put beside them', { skip: noKubectl }, async () => {
    const folder = mkdtempSync(join(ROOT, FOLDER, 'test-'));
    try {
      copyFileSync(join(ROOT, FOLDER, 'flork/kustomization.yaml'), join(folder, 'kustomization.yaml'));
      assert.equal(await certs(['--component', join(folder, MADE), '--without-secrets']), 0);
      const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      const made: Tree[] = parseAllDocuments(stdout).map((one) => one.toJS());
      assert.ok(!made.some(({ kind }) => kind === 'Secret') && !stdout.includes('PRIVATE KEY'));
      const { spec } = made.find(({ kind }) => kind === 'CompositeController');
      assert.match(spec.endpointConfigs[0].caBundle.inline, /^-----BEGIN CERTIFICATE/);
      assert.match(spec.hooks.sync.webhook.url, /^https:/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('name the image and the Metacontroller that README.md names', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    assert.equal(objects(`${FOLDER}/flork/kustomization.yaml`)[0].images[0].newTag, version);
    const [crds] = objects(`${FOLDER}/metacontroller-crds/kustomization.yaml`);
    for (const url of crds.resources) assert.ok(read('README.md').includes(url), url);
  });
});

test('nothing that Argo CD or Flux writes on a FlinkJob reaches its children, which they would take for their own', () => {
  const [job] = objects(`${FOLDER}/jobs/orders.yaml`);
  const marks = {
    labels: {
      'app.kubernetes.io/instance': 'flink-jobs',
      'argocd.argoproj.io/instance': 'flink-jobs',
      'kustomize.toolkit.fluxcd.io/name': 'flink-jobs',
      'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
    },
    annotations: { 'argocd.argoproj.io/tracking-id': 'flink-jobs:flork.itom.com/FlinkJob:flink-jobs/orders' },
  };
  const marked = renderJob({ ...job, metadata: { ...job.metadata, ...marks } }, ZERO_UID);
  assert.equal(marked.kind, 'children', JSON.stringify(marked));
  assert.deepEqual(marked, renderJob(job, ZERO_UID));
  assert.ok(!JSON.stringify(marked).includes('flink-jobs'));
});

describe('the order', () => {
  const ORDER = ['metacontroller-crds', 'metacontroller', 'flork', 'jobs'].map((name) => `${FOLDER}/${name}`);

  test('of Argo CD: each Application has a later wave than what it needs', () => {
    const wave = (one: Tree): number => Number(one.metadata.annotations['argocd.argoproj.io/sync-wave']);
    const sorted = applications.toSorted((one, other) => wave(one) - wave(other));
    assert.equal(new Set(sorted.map(wave)).size, ORDER.length);
    assert.deepEqual(
      sorted.map((one) => one.spec.source.path),
      ORDER,
    );
  });

  test('of Argo CD within Flork: the kind, the hook, who calls it', () => {
    const [{ patches }] = objects(`${FOLDER}/flork/kustomization.yaml`);
    const waves = patches.map(({ target, patch }: { target: { kind: string }; patch: string }) => [
      target.kind,
      /sync-wave: '(-?\d+)'/.exec(patch)?.[1],
    ]);
    assert.deepEqual(waves, [
      ['CustomResourceDefinition', '-1'],
      ['CompositeController', '1'],
    ]);
  });

  test('of Flux: each Kustomization depends on the one before, and waits for it', () => {
    assert.deepEqual(
      kustomizations.map((one) => one.spec.path),
      ORDER.map((path) => `./${path}`),
    );
    for (const [index, one] of kustomizations.entries()) {
      const needs = index === 0 ? undefined : [{ name: kustomizations[index - 1].metadata.name }];
      assert.deepEqual(one.spec.dependsOn, needs);
      assert.equal(one.spec.wait, true);
    }
  });
});

describe('pruning', () => {
  test('reaches jobs alone, and never takes their pods before they have ended', () => {
    for (const { metadata, spec } of applications) {
      const jobs = spec.source.path.endsWith('/jobs');
      assert.equal(spec.syncPolicy.automated.prune, jobs);
      assert.equal(spec.syncPolicy.syncOptions.includes('PrunePropagationPolicy=background'), jobs);
      const finalizers = jobs ? ['resources-finalizer.argocd.argoproj.io/background'] : undefined;
      assert.deepEqual(metadata.finalizers, finalizers);
    }
    for (const { spec } of kustomizations) {
      const jobs = spec.path.endsWith('/jobs');
      assert.equal(spec.prune, jobs);
      assert.equal(spec.deletionPolicy, jobs ? 'WaitForTermination' : 'Orphan');
    }
  });

  test('no tool removes a kind or the namespace of jobs by itself, nor deletes to make anew', () => {
    for (const name of ['metacontroller-crds/kustomization', 'flork/kustomization', 'jobs/namespace']) {
      const text = read(`${FOLDER}/${name}.yaml`);
      assert.match(text, /argocd\.argoproj\.io\/sync-options: Prune=false,Delete=confirm$/m);
      assert.match(text, /kustomize\.toolkit\.fluxcd\.io\/prune: disabled$/m);
    }
    for (const file of files) assert.doesNotMatch(read(file), /Replace=true|Force=true|force: true/, file);
  });
});

type Health = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended';
type Condition = { readonly type: string; readonly status: string; readonly reason: string };

describe('the rules of health', () => {
  const lua = objects(`${FOLDER}/argo-cd/argocd-cm.yaml`)[0].data[
    'resource.customizations.health.flork.itom.com_FlinkJob'
  ] as string;
  const table = (name: string): Record<string, string> => {
    const [, body = ''] = new RegExp(`^local ${name} = \\{ (.*) \\}$`, 'm').exec(lua) ?? assert.fail(name);
    return Object.fromEntries([...body.matchAll(/(\w+) = "?(\w+)"?/g)].map(([, key, value]) => [key, value]));
  };
  const [byType, waits] = [table('health'), table('waits')];
  const [exprs] = kustomizations.at(-1).spec.healthCheckExprs;
  const typeOf = (rule: string): string =>
    /^status\.conditions\.exists\(e, e\.type == '(\w+)' && e\.status == 'True'\)$/.exec(exprs[rule])?.[1] ??
    assert.fail(`${rule}: ${exprs[rule]}`);

  const conditionsOf = (job: KubeObject): readonly Condition[] =>
    (at(job, 'status', 'conditions') ?? []) as readonly Condition[];
  const isSeen = (job: KubeObject): boolean => at(job, 'status', 'observedGeneration') === job.metadata.generation;

  /** As argocd-cm.yaml has it: the last that is true counts. */
  function argo(job: KubeObject): string {
    if (!isSeen(job)) return 'Progressing';
    const told = conditionsOf(job).findLast(({ type, status }) => status === 'True' && type in byType);
    if (told === undefined) return 'Progressing';
    return told.reason in waits ? 'Suspended' : (byType[told.type] ?? '');
  }

  /** As Flux has it: inProgress, failed, current, the first that is true; none is in progress. */
  function flux(job: KubeObject): string {
    if (!isSeen(job)) return 'inProgress';
    const holds = (rule: string): boolean =>
      conditionsOf(job).some(({ type, status }) => type === typeOf(rule) && status === 'True');
    return ['inProgress', 'failed', 'current'].find(holds) ?? 'inProgress';
  }

  /** What a FlinkJob's status means, by its state: told here once more, from docs/lifecycle.md. */
  function meant(state: string): readonly Health[] {
    if (state === 'Running' || state === 'Finished') return ['Healthy', 'Progressing', 'Suspended'];
    if (state === 'Suspended') return ['Suspended'];
    if (state === 'Stalled' || state === 'Failed') return ['Degraded', 'Suspended'];
    return ['Progressing', 'Suspended'];
  }

  const seen: KubeObject[] = [];
  before(async () => {
    const h = createHistory({ seed: 7, strategy: 'server-side-apply' });
    await start(h);
    h.edit((job) => ({ ...job, metadata: { ...job.metadata, annotations: { 'flork.itom.com/paused': 'true' } } }));
    await h.run(30_000);
    h.edit((job) => ({ ...job, metadata: { ...job.metadata, annotations: {} } }));
    h.apply({ ...SPEC, flinkConf: { 'rest.port': '1' } });
    await h.run(30_000);
    await suspend(h, suspended(SPEC));
    h.apply(SPEC);
    await h.until(() => isReady(h), LIMIT_MS, 'running again');
    await remove(h);
    seen.push(...h.world.api.writes.map(({ object }) => object).filter(({ kind }) => kind === 'FlinkJob'));
  });

  test('name conditions and reasons that there are', () => {
    assert.deepEqual(byType, { Ready: 'Healthy', Reconciling: 'Progressing', Stalled: 'Degraded' });
    for (const reason of Object.keys(waits)) assert.ok(reason in REASONS, reason);
    assert.deepEqual(['inProgress', 'failed', 'current'].map(typeOf), ['Reconciling', 'Stalled', 'Ready']);
  });

  test('say of each status in a life what it means, and both the same', () => {
    const told = new Set<string>();
    for (const job of seen) {
      const [health, state] = [argo(job), String(at(job, 'status', 'state') ?? 'Created')];
      told.add(health);
      if (isSeen(job)) assert.ok(meant(state).includes(health as Health), `${state}: ${health}`);
      const same: Record<string, readonly string[]> = {
        current: ['Healthy', 'Suspended'],
        inProgress: ['Progressing'],
        failed: ['Degraded', 'Suspended'],
      };
      assert.ok(same[flux(job)]?.includes(health), `${state}: ${health}, ${flux(job)}`);
    }
    assert.deepEqual([...told].toSorted(), ['Degraded', 'Healthy', 'Progressing', 'Suspended']);
  });

  test('take no spec for healthy that Flork has not seen', () => {
    const unseen = seen.filter((job) => !isSeen(job));
    assert.ok(unseen.length > 2, String(unseen.length));
    for (const job of unseen) assert.deepEqual([argo(job), flux(job)], ['Progressing', 'inProgress']);
    assert.match(lua, /^if obj\.status\.observedGeneration ~= obj\.metadata\.generation then\n +return hs$/m);
  });
});
