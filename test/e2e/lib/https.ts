import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import type { Certificates } from '../../unit/tls-fixture.ts';

/** Where something answers by mutual TLS in the cluster: a Service, and who is trusted and shown to it. */
type Place = { readonly namespace: string; readonly service: string; readonly port: number };

/**
 * GET by HTTPS with a client certificate, over a port-forward of its own, as the proxy of the API server shows none. Rejects when it is
 * not answered by 200.
 */
export async function getByTls(place: Place, certificates: Certificates, path: string): Promise<string> {
  const { namespace, service, port } = place;
  const forward = spawn('kubectl', ['-n', namespace, 'port-forward', `service/${service}`, `:${port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  forward.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    const [line] = (await Promise.race([
      once(createInterface(forward.stdout), 'line'),
      once(forward, 'exit').then(() => ['']),
    ])) as [string];
    const local = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (local === undefined) throw new Error(`port-forward to ${service}: ${line} ${said}`);
    return await get(Number(local), `${service}.${namespace}.svc`, certificates, path);
  } finally {
    forward.kill();
  }
}

function get(port: number, servername: string, { ca, client }: Certificates, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, servername, ca, ...client, agent: false, timeout: 10_000 };
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${path}: ${response.statusCode} ${text.slice(0, 300)}`));
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${path}: no answer within 10 s`)));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
