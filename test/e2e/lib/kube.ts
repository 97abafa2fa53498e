import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** An object of the API server, read loosely. */
export type KubeObject = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string; readonly time: string }[];
  };
  readonly spec?: any; // oxlint-disable-line typescript/no-explicit-any -- tests read many shapes
  readonly status?: any; // oxlint-disable-line typescript/no-explicit-any -- tests read many shapes
  readonly data?: Record<string, string>;
};

export type Answer = { readonly status: number; readonly text: string; readonly retryAfter: string | undefined };

/** Runs kubectl with the caller's KUBECONFIG; rejects with what it printed. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const child = promisify(execFile)('kubectl', [...args], { maxBuffer: 1 << 28 });
  child.child.stdin?.end(input ?? '');
  try {
    return (await child).stdout;
  } catch (error) {
    const { stderr, stdout } = error as { stderr?: string; stdout?: string };
    throw new Error(`kubectl ${args.join(' ')}: ${(stderr || stdout || String(error)).trim()}`, { cause: error });
  }
}

/** The cluster over `kubectl proxy`, so that every kind of kubeconfig works. */
export class Cluster implements AsyncDisposable {
  /** Where the API server is reached, without a slash at the end. */
  readonly address: string;
  readonly #stop: () => void;

  private constructor(address: string, stop: () => void) {
    this.address = address;
    this.#stop = stop;
  }

  static async connect(): Promise<Cluster> {
    const proxy = spawn('kubectl', ['proxy', '--port=0', '--keepalive=30s'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = (await once(createInterface(proxy.stdout), 'line')) as string[];
    const port = /:(\d+)\s*$/.exec(line[0] ?? '')?.[1];
    if (port === undefined) throw new Error(`kubectl proxy said ${line[0]}`);
    return new Cluster(`http://127.0.0.1:${port}`, () => proxy.kill());
  }

  /** By a proxy that somebody else runs. */
  static at(address: string): Cluster {
    return new Cluster(address, () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
  }

  /** One call to the API server; every status is an answer. */
  async call(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Answer> {
    const response = await fetch(this.address + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': contentType } }),
    });
    return {
      status: response.status,
      text: await response.text(),
      retryAfter: response.headers.get('retry-after') ?? undefined,
    };
  }

  /** The object, or `undefined` when there is none. */
  async find(path: string): Promise<KubeObject | undefined> {
    const answer = await this.call('GET', path);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
    return JSON.parse(answer.text) as KubeObject;
  }

  async list(path: string): Promise<readonly KubeObject[]> {
    const list = (await this.find(path)) as unknown as { items?: KubeObject[] } | undefined;
    return list?.items ?? [];
  }

  /** Merge-patches an object; rejects when refused. */
  async patch(path: string, patch: unknown): Promise<KubeObject> {
    const answer = await this.call('PATCH', path, patch, 'application/merge-patch+json');
    if (answer.status >= 300) throw new Error(`PATCH ${path}: ${answer.status} ${answer.text.slice(0, 1000)}`);
    return JSON.parse(answer.text) as KubeObject;
  }

  async pods(namespace: string, selector: string): Promise<readonly KubeObject[]> {
    return this.list(`/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** How much slower than usual this machine is: E2E_PATIENCE=3 waits three times as long before it gives up. */
export const PATIENCE = Number(process.env['E2E_PATIENCE'] ?? 1);

/** Polls until `probe` gives a value; rejects after `seconds` with what `why` says then. */
export async function until<T>(
  what: string,
  seconds: number,
  probe: () => Promise<T | undefined>,
  why?: () => Promise<string>,
): Promise<T> {
  const end = Date.now() + seconds * PATIENCE * 1000;
  let last = '';
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = String(error);
    }
    if (Date.now() > end)
      throw new Error(`${what}: not within ${seconds * PATIENCE} s. ${last}\n${(await why?.()) ?? ''}`);
    await sleep(250);
  }
}
