import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeStores, restTls, STORE_PASSWORD, type Certificates } from '../unit/tls-fixture.ts';
import { start, type Running } from './process.ts';
import { scratch } from '../scratch.ts';

/** A JobManager of a real Flink on this machine. */
export type JobManager = Running & { readonly port: number };

/** A port that nobody has at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts `jobmanager.sh` of a Flink distribution, whose REST wants mutual TLS; its other ports are its own affair. */
export async function startJobManager(home: string, certificates: Certificates): Promise<JobManager> {
  const folder = scratch('flink');
  const port = await freePort();
  const conf = {
    'jobmanager.rpc.address': '127.0.0.1',
    'jobmanager.rpc.port': await freePort(),
    'jobmanager.memory.process.size': '800m',
    'rest.address': '127.0.0.1',
    'rest.bind-address': '127.0.0.1',
    'rest.port': port,
    ...restTls(makeStores(folder, certificates), STORE_PASSWORD),
  };
  const [config, logs] = [join(folder, 'conf'), join(folder, 'log')];
  cpSync(join(home, 'conf'), config, { recursive: true });
  mkdirSync(logs);
  writeFileSync(
    join(config, 'config.yaml'),
    Object.entries(conf)
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
  );
  const env = { ...process.env, FLINK_CONF_DIR: config, FLINK_LOG_DIR: logs };
  return { port, ...start(join(home, 'bin/jobmanager.sh'), ['start-foreground'], env, folder) };
}
