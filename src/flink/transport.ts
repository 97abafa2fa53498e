import { BlockList, isIPv6 } from 'node:net';
import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { Agent, request as undiciRequest, type Dispatcher } from 'undici';
import type { JsonObject } from '../api/kube.ts';
import type { FlinkErrorKind } from '../core/flink-view.ts';

/** The REST Service of one job: the only thing that is ever called. */
export type Service = {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
};

/** One call to Flink's REST API. */
export type FlinkRequest = {
  readonly service: Service;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT';
  readonly path: string;
  readonly body?: JsonObject;
  readonly timeoutMs: number;
};

/** What came back: any HTTP response, or the kind of failure with a line for people. */
export type FlinkResponse =
  | { readonly kind: 'response'; readonly status: number; readonly text: string }
  | { readonly kind: 'error'; readonly error: FlinkErrorKind; readonly text: string };

/** Carries one call to Flink. Never rejects. */
export type Transport = (request: FlinkRequest, signal: AbortSignal) => Promise<FlinkResponse>;

/** How the real transport reaches and trusts JobManagers; all certificates as PEM text. */
export type UndiciOptions = {
  /** CA that signed the JobManagers' certificates; Node's own trust when absent. */
  readonly ca?: string;
  /** Client certificate and key, for `security.ssl.rest.authentication-enabled`. */
  readonly cert?: string;
  readonly key?: string;
  /** Client certificate and key as PKCS#12, in place of the two above, and what opens it. */
  readonly pfx?: Buffer;
  readonly passphrase?: string;
  /** Where a Service is found when not through cluster DNS (playground, tests). */
  readonly resolve?: (service: Service) => { readonly host: string; readonly port: number };
  readonly connectTimeoutMs?: number;
  readonly maxResponseBytes?: number;
  /** How long a connection is used at most; see there. */
  readonly connectionMs?: number;
};

/** The real transport, and what closes its pooled connections. */
export type UndiciTransport = Transport & { readonly close: () => Promise<void> };

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const PATH = /^\/[A-Za-z0-9/_.-]*(?:\?[A-Za-z0-9=&_.-]*)?$/;

/** Why this request must not be sent; `undefined` when it may. Names come from a user's object, so they are not trusted to be names. */
export function refusal(request: FlinkRequest): string | undefined {
  const { name, namespace, port, scheme } = request.service;
  if (!LABEL.test(name)) return 'the Service name is no DNS label';
  if (!LABEL.test(namespace)) return 'the namespace is no DNS label';
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 'the port is not within 1..65535';
  if (scheme !== 'http' && scheme !== 'https') return 'the scheme is neither http nor https';
  if (!PATH.test(request.path) || request.path.includes('..')) return 'the path is not one of Flink';
  return undefined;
}

/** Calls JobManagers through a pool of kept connections, follows no redirect, and reads at most `maxResponseBytes`. */
export function undiciTransport(options: UndiciOptions = {}): UndiciTransport {
  const { resolve, maxResponseBytes = 2 * 1024 * 1024, connectTimeoutMs = 2000, connectionMs = 5000 } = options;
  const agent = new Agent({
    // Shorter than Flink's rest.idleness-timeout (5 min), so that Flink never closes a connection under a new request.
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 10_000,
    connections: 8,
    // However busy: a connection stays with whom it reached, and while the Service had no JobManager that may be a stranger.
    clientTtl: connectionMs,
    pipelining: 1,
    maxHeaderSize: 16_384,
    connect: {
      timeout: connectTimeoutMs,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.cert === undefined ? {} : { cert: options.cert }),
      ...(options.key === undefined ? {} : { key: options.key }),
      ...(options.pfx === undefined ? {} : { pfx: options.pfx }),
      ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
      ...(resolve === undefined ? { lookup: guardedLookup } : {}),
    },
  });
  const doubtful = new Set<string>();
  const call = async (request: FlinkRequest, signal: AbortSignal): Promise<FlinkResponse> => {
    const why = refusal(request);
    if (why !== undefined) return { kind: 'error', error: 'refused', text: `Flork does not call this: ${why}` };
    if (signal.aborted) return timedOut('the time of this sync is used up');
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), request.timeoutMs);
    const stop = (): void => deadline.abort();
    signal.addEventListener('abort', stop, { once: true });
    const origin = originOf(request.service, resolve);
    // The call after an error reply is the last on its connection: most often the one that gave it.
    const reset = doubtful.delete(origin);
    try {
      const response = await exchange(agent, request, { origin, reset }, deadline.signal, maxResponseBytes);
      if (response.kind === 'error' || response.status >= 400) doubt(doubtful, origin);
      return response;
    } catch (error) {
      if (deadline.signal.aborted) return timedOut(`no answer within ${request.timeoutMs} ms`);
      return { kind: 'error', ...errorOf(error) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  };
  return Object.assign(call, { close: (): Promise<void> => agent.close() });
}

/** Remembers an origin until its next call; those of jobs that are gone must not pile up. */
function doubt(doubtful: Set<string>, origin: string): void {
  if (doubtful.size >= 10_000) doubtful.clear();
  doubtful.add(origin);
}

function timedOut(text: string): FlinkResponse {
  return { kind: 'error', error: 'timeout', text };
}

function originOf(service: Service, resolve: UndiciOptions['resolve']): string {
  const { host, port } = resolve?.(service) ?? { host: `${service.name}.${service.namespace}.svc`, port: service.port };
  return `${service.scheme}://${host}:${port}`;
}

async function exchange(
  dispatcher: Dispatcher,
  request: FlinkRequest,
  { origin, reset }: { readonly origin: string; readonly reset: boolean },
  signal: AbortSignal,
  maxBytes: number,
): Promise<FlinkResponse> {
  const { statusCode, body } = await undiciRequest(origin + request.path, {
    dispatcher,
    reset,
    method: request.method,
    headers: {
      accept: 'application/json',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: request.body === undefined ? null : JSON.stringify(request.body),
    signal,
    headersTimeout: request.timeoutMs,
    bodyTimeout: request.timeoutMs,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    // Leaving the loop destroys the stream and with it the connection.
    if (size > maxBytes)
      return { kind: 'error', error: 'unexpected-reply', text: `the reply is longer than ${maxBytes} bytes` };
    chunks.push(chunk as Buffer);
  }
  return { kind: 'response', status: statusCode, text: Buffer.concat(chunks).toString('utf8') };
}

/** Failure kinds by the error codes of undici, Node's sockets and OpenSSL. */
function errorOf(error: unknown): { readonly error: FlinkErrorKind; readonly text: string } {
  const code = codeOf(error);
  if (code === undefined) return { error: 'unreachable', text: 'the connection failed' };
  if (/^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$|^ETIMEDOUT$/.test(code)) return { error: 'timeout', text: code };
  if (/^HTTPParserError$|^HPE_|^UND_ERR_(HEADERS_OVERFLOW|RES|INVALID)/.test(code)) {
    return { error: 'unexpected-reply', text: `what answers there does not speak HTTP (${code})` };
  }
  if (/TLS|SSL|CERT|SIGNATURE|CRL|^EPROTO$/.test(code)) return { error: 'tls', text: tlsText(code) };
  return { error: 'unreachable', text: code };
}

/**
 * Whose trust is missing: of Flork in the JobManager, or the other way round, which OpenSSL reports as an alert of the peer. By TLS 1.2,
 * Flink's default (security.ssl.protocol), the alert ends the handshake, and Node looks at the peer's certificate only after that: the
 * alert says nothing about the other direction.
 */
function tlsText(code: string): string {
  if (/HANDSHAKE_FAILURE|PROTOCOL_VERSION|NO_SHARED_CIPHER/.test(code))
    return `TLS with the JobManager has no cipher or version in common (${code}): security.ssl.algorithms, security.ssl.protocol`;
  if (/ALERT/.test(code))
    return `the JobManager does not accept the certificate of Flork (${code}): FLINK_CERT_FILE or FLINK_PKCS12_FILE; not known yet: whether Flork trusts its certificate, by FLINK_CA_FILE`;
  if (/ALTNAME/.test(code)) return `the certificate of the JobManager is for another name (${code})`;
  if (/CERT|SIGNATURE|CRL/.test(code))
    return `the certificate of the JobManager is not trusted (${code}): FLINK_CA_FILE`;
  return `TLS with the JobManager fails (${code})`;
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // undici's parser error carries its code only for some faults.
  if (error.name === 'HTTPParserError') return error.name;
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && code !== 'UND_ERR_SOCKET') return code;
  return codeOf(error.cause) ?? (typeof code === 'string' ? code : undefined);
}

/** Addresses that no JobManager has: a Service made by hand may point to the node itself or to a cloud's metadata. */
const FORBIDDEN = new BlockList();
FORBIDDEN.addSubnet('0.0.0.0', 8);
FORBIDDEN.addSubnet('127.0.0.0', 8);
FORBIDDEN.addSubnet('169.254.0.0', 16);
FORBIDDEN.addSubnet('224.0.0.0', 3);
FORBIDDEN.addAddress('::', 'ipv6');
FORBIDDEN.addAddress('::1', 'ipv6');
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6');
FORBIDDEN.addSubnet('ff00::', 8, 'ipv6');

/** Whether a JobManager may have this address. */
export function isAllowedAddress(address: string): boolean {
  return !FORBIDDEN.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void;

/** DNS look-up that answers allowed addresses only, so that what was checked is what is connected to. */
function guardedLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    const allowed = addresses.filter(({ address }) => isAllowedAddress(address));
    const first = allowed[0];
    if (first === undefined) {
      return callback(
        Object.assign(new Error('the Service resolves to a forbidden address'), { code: 'EADDRFORBIDDEN' }),
        [],
      );
    }
    if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
}
