import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { sleep, until } from '../e2e/lib/kube.ts';
import {
  apply,
  askAll,
  held,
  install,
  kubectl,
  metacontrollerCrds,
  nameOf,
  ROOT,
  tryKubectl,
  type KubeObject,
} from './cluster.ts';
import { ask, startHook, type HookDeployment, type HookProcess } from './hook-process.ts';
import { startMetacontroller, startNetwork, type Network } from './metacontroller.ts';
import type { Running } from './process.ts';
import { scratch } from '../scratch.ts';

type Held = KubeObject & { readonly metadata: { readonly uid: string; readonly finalizers?: readonly string[] } };
type Metacontroller = {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
  };
};

/** What `flork tenants` wrote, as kustomize builds it, and the lines that it printed for an administrator. */
export type Written = {
  readonly folder: string;
  readonly lines: readonly string[];
  readonly objects: readonly Held[];
  readonly secrets: string | undefined;
};

/** Runs `flork tenants` on a text, as a person does. */
export async function writeTenants(text: string, ...more: readonly string[]): Promise<Written> {
  const root = scratch('tenants');
  const [file, folder] = [join(root, 'tenants.yaml'), join(root, 'made')];
  writeFileSync(file, text);
  const words = [join(ROOT, 'src/cli.ts'), 'tenants', file, '--out', folder, ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const built = await kubectl(['kustomize', folder]);
  const objects = parseAllDocuments(built).map((document) => document.toJS() as Held);
  const secrets = join(folder, 'secrets.yaml');
  return {
    folder,
    secrets: existsSync(secrets) ? readFileSync(secrets, 'utf8') : undefined,
    lines: stdout.trim().split('\n'),
    objects,
  };
}

/** The objects as they are applied here: processes of this machine stand in for the pods of Flork and Metacontroller. */
function withoutPods({ objects }: Written): string {
  const replicas = (one: Held): Held => ({ ...one, spec: { ...(one.spec as object), replicas: 0 } });
  const running = new Set(['Deployment', 'StatefulSet']);
  const items = objects.map((one) => (running.has(one.kind) ? replicas(one) : one));
  return items.map((one) => JSON.stringify(one)).join('\n---\n');
}

/** Tenants installed on the cluster of KUBECONFIG; their hooks and, where there is a binary, their Metacontrollers are processes. */
export class TenantInstall {
  readonly folder = scratch('tenants-run');
  readonly hooks = new Map<string, HookProcess>();
  readonly metacontrollers = new Map<string, Running>();
  readonly #network: Network;
  readonly #removals: (() => Promise<void>)[] = [];

  private constructor(network: Network) {
    this.#network = network;
  }

  /** Metacontroller's kinds, namespaces and further objects, before anything of Flork is there. */
  static async begin(texts: readonly string[]): Promise<TenantInstall> {
    const made = new TenantInstall(await startNetwork());
    made.#removals.push(await install([await metacontrollerCrds(), ...texts]));
    return made;
  }

  /** Applies what was written for the first time. */
  async install(written: Written): Promise<void> {
    const text = withoutPods(written);
    const before = new Set((await held(text).catch(() => [])).map(nameOf));
    await apply(text);
    await this.#applySecrets(written);
    const own = written.objects.filter((one) => !before.has(nameOf(one))).map((one) => JSON.stringify(one));
    const remove = ['delete', '--ignore-not-found', '--timeout=120s', '-f', '-'];
    this.#removals.unshift(async () => void (await kubectl(remove, own.join('\n---\n'))));
    await this.#startHooks(written);
  }

  /** Applies what was written anew, and rolls its hooks out. */
  async change(written: Written): Promise<void> {
    await apply(withoutPods(written));
    await this.#applySecrets(written);
    await this.#startHooks(written);
  }

  /** Secrets go with the namespace that came along. */
  async #applySecrets({ secrets }: Written): Promise<void> {
    if (secrets !== undefined) await kubectl(['apply', '--server-side', '-f', '-'], secrets);
  }

  async #startHooks({ objects }: Written): Promise<void> {
    for (const one of objects.filter(({ kind }) => kind === 'Deployment')) {
      const { name } = one.metadata;
      const former = this.hooks.get(name);
      const hook = await startHook(one as unknown as HookDeployment, mkdtempSync(join(this.folder, 'hook-')));
      this.hooks.set(name, hook);
      this.#network.routes.set(`${name}.flork-system.svc:8080`, hook.port);
      await former?.stop();
    }
  }

  /** A Metacontroller for each StatefulSet, under its ServiceAccount and with its flags. */
  async startMetacontrollers({ objects }: Written): Promise<void> {
    for (const one of objects.filter(({ kind }) => kind === 'StatefulSet')) {
      const { metadata, spec } = one as unknown as Metacontroller;
      const [container] = spec.template.spec.containers;
      const running = await startMetacontroller(metadata.name, container!.args, this.#network, this.folder);
      this.metacontrollers.set(metadata.name, running);
    }
  }

  /** Ends the processes and takes everything away again. */
  async end(namespaces: readonly string[]): Promise<void> {
    for (const running of [...this.metacontrollers.values(), ...this.hooks.values()]) await running.stop();
    this.#network.stop();
    const released = '{"metadata":{"finalizers":null}}';
    for (const namespace of namespaces) {
      const jobs = (await tryKubectl(['-n', namespace, 'get', 'flinkjobs', '-o', 'name'])).stdout.split('\n');
      for (const job of jobs.filter((name) => name !== ''))
        await tryKubectl(['-n', namespace, 'patch', job, '--type=merge', '-p', released]);
    }
    for (const removal of this.#removals) await removal();
  }
}

/** Why nothing can be installed here; '' when it can. */
export async function alreadyThere(): Promise<string> {
  const { code } = await tryKubectl(['get', 'crd', 'flinkjobs.flork.itom.com', '-o', 'name']);
  return code === 0 ? 'the cluster has Flork, whose FlinkJobs are not for a test to touch' : '';
}

/** A FlinkJob whose pods no node takes: with or without nodes, they are there and never run. */
export function flinkJob(namespace: string, name: string, tenant?: string): string {
  const labels = tenant === undefined ? {} : { 'flork.itom.com/tenant': tenant };
  const jobManagerPodSpec = { nodeSelector: { 'flork.test/no-such-node': 'true' } };
  const spec = { flinkVersion: '2.3', image: 'flink:2.3', jarURI: 'local:///opt/flink/usrlib/job.jar' };
  return JSON.stringify({
    apiVersion: 'flork.itom.com/v1',
    kind: 'FlinkJob',
    metadata: { name, namespace, labels },
    spec: { ...spec, jobManagerPodSpec },
  });
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests read many fields of status
type HeldJob = Held & { readonly status?: any };

export async function get(namespace: string, kind: string, name: string): Promise<HeldJob> {
  return JSON.parse(await kubectl(['-n', namespace, 'get', kind, name, '--show-managed-fields', '-o', 'json'])) as Held;
}

/** The children of a FlinkJob, as they are held. */
export async function childrenOf(namespace: string, name: string): Promise<readonly Held[]> {
  const kinds = 'configmaps,services,deployments';
  const words = ['-n', namespace, 'get', kinds, '-l', `flork.itom.com/job=${name}`, '--show-managed-fields'];
  return (JSON.parse(await kubectl([...words, '-o', 'json'])) as { readonly items: readonly Held[] }).items;
}

/** Waits until Flork has seen its start through as far as it goes without nodes: two Deployments. */
export async function started(namespace: string, name: string, why: () => string): Promise<void> {
  const deployments = async (): Promise<true | undefined> =>
    (await childrenOf(namespace, name)).filter(({ kind }) => kind === 'Deployment').length === 2 || undefined;
  await until(`children of ${namespace}/${name}`, 60, deployments, async () => why());
}

/** Two views of the same moment apart from what controllers of the cluster write: waits until nothing changes any more. */
export async function settled(namespace: string, name: string): Promise<readonly Held[]> {
  let last = '';
  return until(`${namespace}/${name} comes to rest`, 60, async () => {
    const children = await childrenOf(namespace, name);
    const now = JSON.stringify(children);
    if (now === last) return children;
    last = now;
    await sleep(2000);
    return undefined;
  });
}

/** With the verbs in one order: the API server joins them as it finds their roles. */
const lineOf = (line: string): string =>
  line.replace(/\[([a-z ]+)\]$/, (_, verbs: string) => `[${verbs.split(' ').toSorted().join(' ')}]`);

/** What a ServiceAccount of namespace metacontroller may do in namespaces beyond what any may: a line for each rule below the namespaces where it is so. */
export async function rightsOf(account: string, namespaces: readonly string[]): Promise<readonly string[]> {
  const list = async (as: string, namespace: string): Promise<readonly string[]> => {
    const user = `system:serviceaccount:metacontroller:${as}`;
    const text = await kubectl(['auth', 'can-i', '--list', '--no-headers', '-n', namespace, `--as=${user}`]);
    return text.split('\n').map((line) => lineOf(line.trim().replaceAll(/ {2,}/g, ' ')));
  };
  const any = new Set(await list('of-no-rights', 'default'));
  const answers = await askAll(namespaces, async (namespace) => {
    const own = (await list(account, namespace)).filter((line) => !any.has(line)).toSorted();
    return own.map((line) => `  ${line}`).join('\n');
  });
  const same = Map.groupBy(namespaces, (_, index) => answers[index] ?? '');
  return [...same].map(([rules, where]) => `${account} in ${where.join(', ')}\n${rules}`);
}

/** Compares with what was reviewed, for as long as the API server may take to see roles; UPDATE_GOLDEN=1 writes it anew. */
export async function rightsAsReviewed(file: string, ask: () => Promise<string>): Promise<void> {
  if (process.env['UPDATE_GOLDEN'] === '1') {
    await sleep(5000);
    writeFileSync(file, await ask());
  }
  const reviewed = readFileSync(file, 'utf8');
  let text = await ask();
  for (let tries = 0; tries < 20 && text !== reviewed; tries++) {
    await sleep(1000);
    text = await ask();
  }
  assert.equal(text, reviewed);
}

/** Whether /validate of a hook lets an object be created. */
export async function validate(hook: HookProcess, object: unknown): Promise<boolean> {
  const kind = { group: 'flork.itom.com', version: 'v1', kind: 'FlinkJob' };
  const request = { uid: '1', operation: 'CREATE', kind, object };
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
  const answer = (await ask(hook, '/validate', review)) as { readonly response: { readonly allowed: boolean } };
  return answer.response.allowed;
}
