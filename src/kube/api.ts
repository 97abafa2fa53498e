import { Agent, request as undiciRequest } from 'undici';
import type { JsonObject } from '../api/kube.ts';
import { fileOf, follow } from '../follow.ts';
import type { Log } from '../telemetry/log.ts';

/** One call to the API server. */
export type KubeRequest = KubeCall & {
  readonly path: string;
  readonly timeoutMs: number;
};
/** Of an answer that is asked for its content a part is no use: beyond `maxBytes` it is an error. */
type KubeCall =
  | { readonly method: 'GET'; readonly maxBytes: number }
  | { readonly method: 'POST' | 'DELETE'; readonly body: JsonObject };

/** What came back: any HTTP response, or a failure with a line for people. */
export type KubeResponse =
  | { readonly kind: 'response'; readonly status: number; readonly text: string }
  | { readonly kind: 'error'; readonly text: string };

/** Carries one call to the API server. Never rejects. */
export type KubeApi = (request: KubeRequest, signal: AbortSignal) => Promise<KubeResponse>;

/** Where the API server is and what is shown to it; the files are those that the kubelet mounts and renews. */
export type KubeApiOptions = {
  readonly host: string;
  readonly port: number;
  readonly tokenFile: string;
  readonly caFile: string;
  readonly log: Log;
  readonly connectTimeoutMs?: number;
  /** How often the files are looked at; milliseconds. */
  readonly checkMs?: number;
};

/** Of an answer to a change only its Status is of interest; more is not read. */
const MAX_BYTES = 256 * 1024;

/** Calls the API server as this pod's ServiceAccount over kept connections; the token and the CA are read again when they change. */
export function inClusterApi(options: KubeApiOptions): KubeApi & { readonly close: () => Promise<void> } {
  const { host, port, tokenFile, caFile, log, connectTimeoutMs = 2000, checkMs } = options;
  const origin = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  let token = '';
  let agent: Agent | undefined;
  const useToken = (text: string): void => {
    token = text.trim();
  };
  const useCa = (ca: string): void => {
    const before = agent;
    const connect = { timeout: connectTimeoutMs, ca };
    agent = new Agent({ connections: 8, pipelining: 1, keepAliveTimeout: 30_000, maxHeaderSize: 16_384, connect });
    void before?.close();
  };
  const followed = [
    follow(
      { what: 'ServiceAccount token', read: () => fileOf('SERVICE_ACCOUNT_DIR', tokenFile), use: useToken },
      log,
      checkMs,
    ),
    follow(
      { what: 'CA of the API server', read: () => fileOf('SERVICE_ACCOUNT_DIR', caFile), use: useCa },
      log,
      checkMs,
    ),
  ];
  const call: KubeApi = async (request, signal) => {
    const timeout = AbortSignal.timeout(request.timeoutMs);
    const isGet = request.method === 'GET';
    try {
      const { statusCode, body } = await undiciRequest(origin + request.path, {
        ...(agent === undefined ? {} : { dispatcher: agent }),
        method: request.method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'user-agent': 'flork',
          ...(isGet ? {} : { 'content-type': 'application/json' }),
        },
        ...(isGet ? {} : { body: JSON.stringify(request.body) }),
        signal: AbortSignal.any([signal, timeout]),
      });
      const { text, isWhole } = await capped(body, isGet ? request.maxBytes : MAX_BYTES);
      if (isGet && !isWhole)
        return { kind: 'error', text: `the answer of the API server is longer than ${request.maxBytes} bytes` };
      return { kind: 'response', status: statusCode, text };
    } catch (error) {
      const late = timeout.aborted || signal.aborted;
      return { kind: 'error', text: late ? 'no answer of the API server in time' : failureOf(error) };
    }
  };
  const close = async (): Promise<void> => {
    for (const one of followed) one.stop();
    await agent?.close();
  };
  return Object.assign(call, { close });
}

/** Leaving the loop destroys the stream and with it the connection. */
async function capped(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) break;
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString('utf8'), isWhole: size <= maxBytes };
}

function failureOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'the connection failed';
  return `the API server was not reached (${code})`;
}
