import { once } from 'node:events';
import { createServer as createHttpServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { firstNotAfter, remember, type Expires } from '../certificates.ts';
import { fileOf, follow } from '../follow.ts';
import type { Log } from '../telemetry/log.ts';

/** How the app is served. */
export type ServerOptions = {
  readonly app: Hono;
  readonly port: number;
  readonly tls:
    | { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string | undefined }
    | undefined;
  readonly log: Log;
  /** Hears when the certificates run out, at first and whenever they change; default: the record of this process, for its metrics. */
  readonly expires?: Expires;
  /** How often the certificate files are looked at; milliseconds. */
  readonly checkMs?: number;
};

/** A listening server. `drain` resolves when nothing is in flight any more, or the time is over, and all connections are closed. */
export type RunningServer = { readonly port: number; readonly drain: (limitMs: number) => Promise<void> };

/**
 * Go keeps idle connections for 90 s and does not repeat a POST on one that the server has just closed, so Node has to keep
 * them longer (its default is 5 s). Node wants requestTimeout above headersTimeout above keepAliveTimeout.
 */
const TIMEOUTS = { keepAliveTimeout: 100_000, headersTimeout: 105_000, requestTimeout: 120_000 } as const;
const LAST_CLOSE_MS = 1000;

/** Listens, with TLS when certificate files are given. */
export async function startServer({
  app,
  port,
  tls,
  log,
  expires = remember,
  checkMs,
}: ServerOptions): Promise<RunningServer> {
  const server = createAdaptorServer(
    tls === undefined
      ? { fetch: app.fetch, createServer: createHttpServer, serverOptions: TIMEOUTS }
      : {
          fetch: app.fetch,
          createServer: createHttpsServer,
          serverOptions: {
            ...TIMEOUTS,
            ...contextOf(identityOf(tls)),
            ...(tls.clientCaFile === undefined ? {} : { requestCert: true, rejectUnauthorized: false }),
          },
        },
  ) as Server;
  const active = new Set<ServerResponse>();
  server.on('request', (_request, response) => {
    active.add(response);
    response.once('close', () => active.delete(response));
  });
  server.listen(port);
  await once(server, 'listening');
  if (tls !== undefined) {
    const use = (identity: Identity): void => {
      (server as HttpsServer).setSecureContext(contextOf(identity));
      expires('TLS_CERT_FILE', firstNotAfter(identity.cert));
      if (identity.ca !== undefined) expires('TLS_CLIENT_CA_FILE', firstNotAfter(identity.ca));
    };
    follow({ what: 'certificate', read: () => identityOf(tls), use }, log, checkMs);
  }
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

type TlsFiles = NonNullable<ServerOptions['tls']>;
type Identity = { readonly cert: string; readonly key: string; readonly ca?: string };

function identityOf(files: TlsFiles): Identity {
  const { certFile, keyFile, clientCaFile } = files;
  return {
    cert: fileOf('TLS_CERT_FILE', certFile),
    key: fileOf('TLS_KEY_FILE', keyFile),
    ...(clientCaFile === undefined ? {} : { ca: fileOf('TLS_CLIENT_CA_FILE', clientCaFile) }),
  };
}

/** A client is asked for its certificate where a CA for it is known; who has none is refused by the route, as probes have none. */
const contextOf = (identity: Identity) => ({ ...identity, minVersion: 'TLSv1.2' as const });
