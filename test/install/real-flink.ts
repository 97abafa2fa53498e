import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificates } from '../unit/tls-fixture.ts';

/** A JobManager of a real Flink on this machine. */
export type JobManager = { readonly port: number; readonly output: () => string; readonly stop: () => Promise<void> };

const PASSWORD = 'changeit';

/** A port that nobody has at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The stores that Flink reads: its certificate and key, and the CA of those whom it lets in. */
function stores(
  folder: string,
  certificates: Certificates,
): { readonly keystore: string; readonly truststore: string } {
  const [keystore, truststore] = [join(folder, 'keystore.p12'), join(folder, 'truststore.p12')];
  const from = { cwd: certificates.folder, stdio: 'ignore' } as const;
  const pair = ['-inkey', 'server.key', '-in', 'server.crt', '-name', 'server'];
  execFileSync('openssl', ['pkcs12', '-export', ...pair, '-out', keystore, '-passout', `pass:${PASSWORD}`], from);
  // Java trusts an entry of PKCS#12 only where keytool has marked it.
  const store = ['-keystore', truststore, '-storetype', 'PKCS12', '-storepass', PASSWORD];
  execFileSync('keytool', ['-importcert', '-noprompt', '-alias', 'ca', '-file', 'ca.crt', ...store], from);
  return { keystore, truststore };
}

/** Starts `jobmanager.sh` of a Flink distribution, whose REST wants mutual TLS; its other ports are its own affair. */
export async function startJobManager(home: string, certificates: Certificates): Promise<JobManager> {
  const folder = mkdtempSync(join(tmpdir(), 'flork-flink-'));
  const { keystore, truststore } = stores(folder, certificates);
  const port = await freePort();
  const conf = {
    'jobmanager.rpc.address': '127.0.0.1',
    'jobmanager.rpc.port': await freePort(),
    'jobmanager.memory.process.size': '800m',
    'rest.address': '127.0.0.1',
    'rest.bind-address': '127.0.0.1',
    'rest.port': port,
    'security.ssl.rest.enabled': true,
    'security.ssl.rest.authentication-enabled': true,
    'security.ssl.rest.keystore': keystore,
    'security.ssl.rest.keystore-password': PASSWORD,
    'security.ssl.rest.key-password': PASSWORD,
    'security.ssl.rest.truststore': truststore,
    'security.ssl.rest.truststore-password': PASSWORD,
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
  const child = spawn(join(home, 'bin/jobmanager.sh'), ['start-foreground'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'exit');
  return {
    port,
    output: () => output,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
