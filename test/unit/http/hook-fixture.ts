import type { Hono } from 'hono';
import type { Child, Observed } from '../../../src/api/kube.ts';
import type { Status } from '../../../src/api/status.ts';
import type { ObservedJob, Outcome } from '../../../src/core/types.ts';
import type { Transport } from '../../../src/flink/transport.ts';
import { createApp } from '../../../src/http/app.ts';
import type { AppDeps } from '../../../src/http/shell.ts';
import type { Log } from '../../../src/telemetry/log.ts';

export const UID = '11111111-2222-3333-4444-555555555555';

/** A FlinkJob as Metacontroller shows it. */
export function parent(
  metadata: Record<string, unknown> = {},
  spec: unknown = { image: 'flink:2.3' },
): Record<string, unknown> {
  return {
    apiVersion: 'flork.itom.com/v1',
    kind: 'FlinkJob',
    metadata: { name: 'wordcount', namespace: 'default', uid: UID, generation: 1, ...metadata },
    spec,
  };
}

/** A request to /sync or /finalize. */
export function request(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    controller: { metadata: { name: 'flork' } },
    parent: parent(),
    children: { 'ConfigMap.v1': {}, 'Service.v1': {}, 'Deployment.apps/v1': {} },
    related: { 'Pod.v1': {} },
    finalizing: false,
    ...change,
  };
}

export const CHILD: Child = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'wordcount-conf-x', namespace: 'default' },
};
export const STATUS = {
  observedGeneration: 1,
  state: 'Deploying',
  message: 'starting',
  conditions: [],
} as unknown as Status;

/** A decision to answer. */
export function outcome(change: Partial<Outcome> = {}): Outcome {
  return {
    children: [CHILD],
    status: STATUS,
    commands: [],
    duties: [],
    resyncAfterSeconds: 2,
    finalized: false,
    rule: 'test',
    at: '2026-01-01T00:00:00Z',
    ...change,
  };
}

export const NOTHING: Observed = {
  configMaps: new Map(),
  services: new Map(),
  deployments: new Map(),
  pods: undefined,
  namespace: undefined,
  optional: new Map(),
  echo: [],
};

/** A transport that must not be called. */
export const noTransport: Transport = async () => {
  throw new Error('Flink was called');
};

/** The app with literal decisions instead of the core. */
export function testApp(deps: Partial<AppDeps> = {}): Hono {
  const job = { ref: { name: 'wordcount', namespace: 'default', uid: UID } } as unknown as ObservedJob;
  return createApp({
    transport: noTransport,
    now: () => 1_000,
    readJob: () => job,
    readObserved: () => NOTHING,
    questions: () => ({ kind: 'none', why: 'test' }),
    reconcile: () => outcome(),
    acknowledge: (decided) => decided,
    validateSpec: () => ({ kind: 'valid' }),
    ...deps,
  });
}

/** POSTs a body as Metacontroller does, with its length. */
export function post(app: Hono, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const length = String(Buffer.byteLength(text));
  const all = { 'content-type': 'application/json', 'content-length': length, ...headers };
  return Promise.resolve(app.request(path, { method: 'POST', body: text, headers: all }));
}

/** Keeps the lines that were logged. */
export function recorder(): { log: Log; lines: { level: string; message: string; fields: Record<string, unknown> }[] } {
  const lines: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  const at =
    (level: string) =>
    (message: string, fields = {}) =>
      void lines.push({ level, message, fields });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}
