import type { FlinkCommand, Questions } from '../../../src/core/flink-view.ts';
import type { FlinkRequest, FlinkResponse, Transport } from '../../../src/flink/transport.ts';

export const JOB = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
export const OTHER_JOB = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
export const TRIGGER = 'cccccccccccccccccccccccccccccccc';
export const SERVICE = { name: 'wordcount-rest', namespace: 'default', port: 8081, scheme: 'http' } as const;

type Ask = Extract<Questions, { kind: 'ask' }>;

/** Questions with every part wanted. */
export function ask(change: Partial<Ask> = {}): Ask {
  return {
    kind: 'ask',
    service: SERVICE,
    jobIds: [JOB],
    wants: {
      detail: true,
      checkpoints: true,
      checkpointConfig: true,
      exceptions: true,
      flinkVersion: true,
      bounds: true,
      restarts: true,
    },
    trigger: undefined,
    ...change,
  };
}

export const STOP: Extract<FlinkCommand, { kind: 'stop' }> = {
  kind: 'stop',
  service: SERVICE,
  jobId: JOB,
  triggerId: TRIGGER,
  directory: 's3://bucket/savepoints/1',
  formatType: 'CANONICAL',
  drain: false,
};
export const CANCEL: Extract<FlinkCommand, { kind: 'cancel' }> = { kind: 'cancel', service: SERVICE, jobId: JOB };

export const RESCALE: FlinkCommand = {
  kind: 'rescale',
  service: SERVICE,
  jobId: JOB,
  bounds: [
    { id: JOB, lower: 1, upper: 4 },
    { id: OTHER_JOB, lower: 1, upper: 1 },
  ],
};

/** A JSON reply. */
export function reply(body: unknown, status = 200): FlinkResponse {
  return { kind: 'response', status, text: JSON.stringify(body) };
}

/** An error reply as Flink's handlers write it. */
export function flinkError(status: number, ...errors: readonly string[]): FlinkResponse {
  return reply({ errors }, status);
}

/** A row of /jobs/overview as Flink 2.3 writes it. */
export function row(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    jid: JOB,
    name: 'word count',
    state: 'RUNNING',
    'start-time': 1_700_000_000_000,
    'end-time': -1,
    duration: 5,
    'last-modification': 1,
    tasks: { total: 2, created: 0, running: 2, finished: 0, canceling: 0 },
    jobType: 'STREAMING',
    'pending-operators': 0,
    ...change,
  };
}

/** Replies by path without query; what is not listed is an unknown route. Keeps what was called. */
export function fakeFlink(replies: Record<string, FlinkResponse>): { transport: Transport; calls: FlinkRequest[] } {
  const calls: FlinkRequest[] = [];
  const all: Record<string, FlinkResponse> = { '/jobs/overview': reply({ jobs: [row()] }), ...replies };
  const transport: Transport = async (request) => {
    calls.push(request);
    const path = request.path.replace(/\?.*$/, '');
    return all[path] ?? flinkError(404, `Not found: ${request.path}`);
  };
  return { transport, calls };
}
