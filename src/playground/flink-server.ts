import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Service } from '../flink/transport.ts';
import { restCall } from '../sim/models/flink/rest.ts';
import { endpoint } from '../sim/models/flink/transport.ts';
import { tree, type Tree } from '../sim/models/objects.ts';
import { NAMESPACE, type World } from '../sim/world.ts';

/** The modelled JobManager of one FlinkJob, served over real HTTP on loopback. */
export type FlinkServer = {
  /** Where the REST Service is found, for `undiciTransport`. */
  readonly resolve: (service: Service) => { readonly host: string; readonly port: number };
  /** The next POST takes effect, and its answer is lost. */
  readonly loseNextAnswer: () => void;
  readonly lostAnswers: () => number;
  readonly close: () => void;
};

const HOST = '127.0.0.1';

export async function serveFlink(world: World, serviceName: string): Promise<FlinkServer> {
  let losing = false;
  let lost = 0;
  const server: Server = createServer((request, response) => {
    void readJson(request).then((body) => {
      const service = { name: serviceName, namespace: NAMESPACE };
      const jobManager = endpoint(world, { service });
      // Nobody listens: what the client sees of a closed port, as far as a listening one can show it.
      if (jobManager === undefined || jobManager.phase() === 'refused') return void request.socket.destroy();
      const reply = restCall(jobManager, world.clock, request.method ?? 'GET', request.url ?? '/', body);
      if (losing && request.method === 'POST') {
        losing = false;
        lost++;
        return void request.socket.destroy();
      }
      response.writeHead(reply.status, { 'content-type': 'application/json' });
      return void response.end(reply.text);
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    resolve: () => ({ host: HOST, port }),
    loseNextAnswer: () => {
      losing = true;
    },
    lostAnswers: () => lost,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readJson(request: IncomingMessage): Promise<Tree> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : tree(JSON.parse(text));
}
