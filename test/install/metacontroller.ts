import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { kubectl } from './cluster.ts';
import { start, type Running } from './process.ts';

/** The binary of a real Metacontroller; without it what needs one is skipped, and says so. */
export const METACONTROLLER = process.env['METACONTROLLER'] ?? '';
export const noMetacontroller = METACONTROLLER === '' ? 'METACONTROLLER names no binary of Metacontroller' : false;

/** The kubeconfig of a ServiceAccount: the cluster of KUBECONFIG, with a token of an hour. */
async function kubeconfigOf(namespace: string, account: string): Promise<object> {
  const own = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'])) as {
    readonly clusters: readonly { readonly name: string }[];
  };
  const token = (await kubectl(['-n', namespace, 'create', 'token', account, '--duration=1h'])).trim();
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: own.clusters,
    users: [{ name: account, user: { token } }],
    contexts: [{ name: account, context: { cluster: own.clusters[0]?.name, user: account } }],
    'current-context': account,
  };
}

/**
 * A real Metacontroller on this machine under a ServiceAccount, with the flags of its manifest. It calls hooks by the names of their
 * Services; as a proxy stands in for the cluster's network, nothing of the CompositeController has to be changed.
 */
export async function startMetacontroller(
  account: string,
  args: readonly string[],
  network: Network,
  folder: string,
): Promise<Running> {
  const file = join(folder, `${account}.kubeconfig`);
  await writeFile(file, JSON.stringify(await kubeconfigOf('metacontroller', account)), { mode: 0o600 });
  const probes = ['--health-probe-bind-address=0', '--metrics-address=0'];
  const proxy = `http://127.0.0.1:${network.port}`;
  const env = { PATH: process.env['PATH'] ?? '', HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  return start(METACONTROLLER, [...args, ...probes, `--kubeconfig=${file}`], env, folder);
}

/** Where Services are found: a proxy for HTTP and, as tunnel, for HTTPS. */
export type Network = {
  readonly port: number;
  /** Local ports by `host:port` of the Service. */
  readonly routes: Map<string, number>;
  readonly stop: () => void;
};

/** Go proxies nothing to 127.0.0.1, so that an API server there is still called directly (net/http, ProxyFromEnvironment). */
export async function startNetwork(): Promise<Network> {
  const routes = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((incoming, answer) => {
    const url = new URL(incoming.url ?? '');
    const port = routes.get(url.host);
    if (port === undefined) return void answer.writeHead(502).end(`no route to ${url.host}`);
    const { method, headers } = incoming;
    const options = { host: '127.0.0.1', port, path: `${url.pathname}${url.search}`, method, headers };
    const outgoing = request(options, (back) => {
      answer.writeHead(back.statusCode ?? 502, back.headers);
      back.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    return void incoming.pipe(outgoing);
  });
  server.on('connect', (incoming, client: Socket) => {
    const port = routes.get(incoming.url ?? '');
    if (port === undefined) return void client.end('HTTP/1.1 502 no route\r\n\r\n');
    const tunnel = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 connected\r\n\r\n');
      tunnel.pipe(client).pipe(tunnel);
    });
    for (const socket of [tunnel, client]) sockets.add(socket.on('error', () => socket.destroy()));
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  };
  return { port, routes, stop };
}
