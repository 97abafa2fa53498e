import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Log } from '../telemetry/log.ts';

/** How the app is served. */
export type ServerOptions = {
  readonly app: Hono;
  readonly port: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly log: Log;
};

/** A listening server. `drain` resolves when nothing is in flight any more, or the time is over, and all connections are closed. */
export type RunningServer = { readonly port: number; readonly drain: (limitMs: number) => Promise<void> };

/**
 * Go keeps idle connections for 90 s and does not repeat a POST on one that the server has just closed, so Node has to keep
 * them longer (its default is 5 s). Node wants requestTimeout above headersTimeout above keepAliveTimeout.
 */
const TIMEOUTS = { keepAliveTimeout: 100_000, headersTimeout: 105_000, requestTimeout: 120_000 } as const;
const CERTIFICATE_CHECK_MS = 60_000;
const LAST_CLOSE_MS = 1000;

/** Listens, with TLS when certificate files are given. */
export async function startServer({ app, port, tls, log }: ServerOptions): Promise<RunningServer> {
  const server = createAdaptorServer(
    tls === undefined
      ? { fetch: app.fetch, createServer: createHttpServer, serverOptions: TIMEOUTS }
      : {
          fetch: app.fetch,
          createServer: createHttpsServer,
          serverOptions: { ...TIMEOUTS, ...certificate(tls), minVersion: 'TLSv1.2' },
        },
  ) as Server;
  const active = new Set<ServerResponse>();
  server.on('request', (_request, response) => {
    active.add(response);
    response.once('close', () => active.delete(response));
  });
  server.listen(port);
  await once(server, 'listening');
  if (tls !== undefined) followCertificate(server as HttpsServer, tls, log);
  return {
    port: (server.address() as AddressInfo).port,
    drain: async (limitMs) => {
      const deadline = performance.now() + limitMs;
      // oxlint-disable-next-line no-await-in-loop -- waiting is the point
      while (active.size > 0 && performance.now() < deadline) await sleep(20);
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await Promise.race([closed, sleep(LAST_CLOSE_MS)]);
      server.closeAllConnections();
    },
  };
}

type CertificateFiles = NonNullable<ServerOptions['tls']>;

function certificate(files: CertificateFiles): { readonly cert: string; readonly key: string } {
  return { cert: readFileSync(files.certFile, 'utf8'), key: readFileSync(files.keyFile, 'utf8') };
}

/** Takes up a renewed certificate (the kubelet swaps the mounted files) without a restart; a bad one keeps the old. */
function followCertificate(server: HttpsServer, files: CertificateFiles, log: Log): void {
  let current = JSON.stringify(certificate(files));
  const check = (): void => {
    try {
      const next = certificate(files);
      if (JSON.stringify(next) === current) return;
      server.setSecureContext({ ...next, minVersion: 'TLSv1.2' });
      current = JSON.stringify(next);
      log.info('certificate renewed');
    } catch (error) {
      log.error('certificate kept: the new one cannot be used', {
        error: error instanceof Error ? error.name : 'unknown',
      });
    }
  };
  setInterval(check, CERTIFICATE_CHECK_MS).unref();
}
