import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Cluster, kubectl, until, type Answer, type KubeObject } from './kube.ts';

/**
 * A gate between Metacontroller and the hook: every call passes through it, and the calls of one job can be stopped at a named point,
 * before the hook sees a request or before its answer goes back. While a gate is closed nothing of that job goes on.
 */

/** One call as it passes; `answer` is there once the hook has given it. */
export type Passing = {
  readonly hook: string;
  readonly parent: KubeObject;
  /** Children by kind (`Deployment.apps/v1`) and name. */
  readonly children: Readonly<Record<string, Readonly<Record<string, KubeObject>>>>;
  readonly related: Readonly<Record<string, Readonly<Record<string, KubeObject>>>>;
  readonly answer?: { readonly status?: any; readonly children: readonly KubeObject[] }; // oxlint-disable-line typescript/no-explicit-any -- read loosely
};

/** Where a call is stopped; an exception of the predicate is taken for no. */
export type Point = {
  readonly what: string;
  readonly side: 'before' | 'after';
  readonly at: (passing: Passing) => boolean | Promise<boolean>;
};

type Trap = {
  readonly point: Point;
  readonly caught: PromiseWithResolvers<Passing>;
  readonly open: PromiseWithResolvers<'give' | 'lose'>;
  closed: boolean;
};

export type Gate = AsyncDisposable & {
  /** Sets a trap for a job (`namespace/name`) that exists: once a call of it is caught nothing passes until `open`. */
  readonly trap: (job: string, point: Point) => Promise<Caught>;
};
export type Caught = {
  /** Waits for a call to arrive at the point. */
  readonly arrives: (seconds: number, why?: () => Promise<string>) => Promise<Passing>;
  /** Lets everything pass again; `lose` answers the caught call with 503 in place of the hook's answer. */
  readonly open: (how?: 'give' | 'lose') => void;
};

const CONTROLLER = ['compositecontroller', 'flork'] as const;
const HOOKS = ['sync', 'finalize', 'customize'] as const;
const SERVICE = 'http://flork.flork-system.svc:8080';

type Controller = { readonly spec: { readonly hooks: Readonly<Record<string, { webhook: { url: string } }>> } };
const readController = async (): Promise<Controller> =>
  JSON.parse(await kubectl(['get', ...CONTROLLER, '-o', 'json'])) as Controller;

/** Whether the CompositeController calls this origin. */
async function pointsTo(origin: string): Promise<boolean> {
  const { hooks } = (await readController()).spec;
  return HOOKS.every((hook) => new URL(hooks[hook]!.webhook.url).origin === origin);
}

/** Points the CompositeController at another origin, keeping path and query of each hook. */
export async function pointTo(origin: string): Promise<void> {
  const controller = await readController();
  const patch = HOOKS.map((hook) => {
    const url = new URL(controller.spec.hooks[hook]!.webhook.url);
    return { op: 'replace', path: `/spec/hooks/${hook}/webhook/url`, value: origin + url.pathname + url.search };
  });
  await kubectl(['patch', ...CONTROLLER, '--type=json', '-p', JSON.stringify(patch)]);
}

/** A gate on this machine (E2E_HOST: its address as pods see it). Metacontroller's calls go through it from the first trap on. */
export async function startGate(cluster: Cluster): Promise<Gate> {
  const traps = new Map<string, Trap>();
  let calls = 0;
  const forward = (path: string, body: string): Promise<Answer> =>
    cluster.call('POST', `/api/v1/namespaces/flork-system/services/flork:8080/proxy${path}`, body);
  /** Whether the call may go on; closes the gate when it is the one the trap waits for. */
  const pass = async (job: string, side: Point['side'], passing: Passing): Promise<'give' | 'lose'> => {
    const trap = traps.get(job);
    if (trap === undefined) return 'give';
    if (!trap.closed && trap.point.side === side && (await holds(trap.point, passing)) && !trap.closed) {
      trap.closed = true;
      trap.caught.resolve(passing);
      return trap.open.promise;
    }
    if (!trap.closed) return 'give';
    await trap.open.promise;
    return 'give';
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    const hook = path.split('?')[0]!.slice(1);
    const body = await text(request);
    calls++;
    const given = JSON.parse(body) as Omit<Passing, 'hook'>;
    const passing: Passing = {
      hook,
      parent: given.parent,
      children: given.children ?? {},
      related: given.related ?? {},
    };
    const { namespace, name } = passing.parent.metadata;
    const job = `${namespace}/${name}`;
    await pass(job, 'before', passing);
    const answer = await forward(path, body);
    const said =
      answer.status === 200 && hook !== 'customize' ? (JSON.parse(answer.text) as Passing['answer']) : undefined;
    const how = await pass(job, 'after', said === undefined ? passing : { ...passing, answer: said });
    if (how === 'lose') response.writeHead(503).end();
    else {
      const retry = answer.retryAfter === undefined ? {} : { 'retry-after': answer.retryAfter };
      response.writeHead(answer.status, { 'content-type': 'application/json', ...retry }).end(answer.text);
    }
  };
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    handle(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(503);
      response.end();
    });
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const origin = `http://${process.env['E2E_HOST'] ?? '10.99.0.1'}:${(server.address() as AddressInfo).port}`;
  let pointed = false;
  /** Another run that ends points Metacontroller back to the hook, so that it is looked at for each trap. */
  const passes = async (): Promise<void> => {
    pointed = true;
    if (await pointsTo(origin)) return;
    await pointTo(origin);
    const before = calls;
    await until('a call through the gate', 90, async () => (calls > before ? true : undefined));
  };
  return {
    trap: async (job, point) => {
      await passes();
      const trap: Trap = { point, caught: Promise.withResolvers(), open: Promise.withResolvers(), closed: false };
      traps.set(job, trap);
      return {
        arrives: (seconds, why) => {
          let passing: Passing | undefined;
          void trap.caught.promise.then((caught) => (passing = caught));
          return until(`a call at "${point.what}"`, seconds, async () => passing, why);
        },
        open: (how = 'give') => {
          traps.delete(job);
          trap.closed = true;
          trap.open.resolve(how);
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const trap of traps.values()) trap.open.resolve('give');
      if (pointed) await pointTo(SERVICE);
      server.closeAllConnections();
      server.close();
    },
  };
}

async function holds(point: Point, passing: Passing): Promise<boolean> {
  try {
    return await point.at(passing);
  } catch {
    return false;
  }
}
