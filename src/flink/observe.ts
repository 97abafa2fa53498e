import type { CheckpointConfigView, FlinkView, JobView, Part, Questions } from '../core/flink-view.ts';
import { flinkClient, type FlinkClient } from './client.ts';
import { createPatience, type Patience } from './patience.ts';
import type { Transport } from './transport.ts';

/** Bounds of what one sync asks Flink. */
export type ObserveOptions = {
  readonly transport: Transport;
  /** How long all calls of one sync may take together. */
  readonly patience?: Patience;
  readonly callTimeoutMs?: number;
  /** Jobs kept from /jobs/overview besides the asked ones; an application cluster has one. */
  readonly maxForeignJobs?: number;
};

/** Asks what the core wants to know. Never rejects: silence is a view, too. */
export type Observe = (questions: Questions, signal?: AbortSignal) => Promise<FlinkView>;

const NOT_ASKED = { kind: 'not-asked' } as const;

/**
 * /jobs/overview first, because a JobManager that does not answer it is asked nothing more; then the wanted parts at once.
 * The first time-out ends the Flink calls of this sync: a black hole costs one call, not one per part.
 */
export function createObserve(options: ObserveOptions): Observe {
  const { transport, patience = createPatience(), callTimeoutMs = 3000, maxForeignJobs = 20 } = options;
  return async (questions, signal) => {
    if (questions.kind === 'none') return { kind: 'not-asked', why: questions.why };
    const { name, namespace } = questions.service;
    const turn = patience.begin(`${namespace}/${name}`);
    const budget = new AbortController();
    const stop = (): void => budget.abort();
    const timer = setTimeout(stop, turn.budgetMs);
    let view: FlinkView | undefined;
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    try {
      const client = flinkClient({
        transport,
        service: questions.service,
        signal: budget.signal,
        timeoutMs: Math.min(callTimeoutMs, turn.budgetMs),
      });
      view = await ask(client, questions, stop, maxForeignJobs);
      return view;
    } catch (error) {
      // A transport that breaks its promise must not break the sync.
      return {
        kind: 'unreachable',
        error: 'unreachable',
        text: error instanceof Error ? error.name : 'the call failed',
      };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      turn.end(view !== undefined && wasSilent(view));
    }
  };
}

/** Whether a call of this sync was given up for want of an answer. */
function wasSilent(view: FlinkView): boolean {
  if (view.kind !== 'answered') return view.kind === 'unreachable' && view.error === 'timeout';
  const { kind: _, jobs: __, ...parts } = view;
  return Object.values(parts).some((part) => part?.kind === 'failed' && part.error === 'timeout');
}

type Ask = Extract<Questions, { kind: 'ask' }>;

async function ask(client: FlinkClient, questions: Ask, stop: () => void, maxForeignJobs: number): Promise<FlinkView> {
  const overview = await client.overview();
  if (overview.kind !== 'value') return unreachable(overview);
  const listed = overview.value;
  const job = questions.jobIds.map((id) => listed.find((one) => one.id === id)).find((one) => one !== undefined);
  const until = async <T>(wanted: boolean, call: () => Promise<Part<T>>): Promise<Part<T>> => {
    if (!wanted) return NOT_ASKED;
    const part = await call();
    if (part.kind === 'failed' && part.error === 'timeout') stop();
    return part;
  };
  const of = <T>(wanted: boolean, call: (id: string) => Promise<Part<T>>): Promise<Part<T>> =>
    job === undefined ? Promise.resolve(NOT_ASKED) : until(wanted, () => call(job.id));
  const { wants, trigger } = questions;
  const runs = job?.state === 'RUNNING';
  const [flinkVersion, detail, checkpoints, checkpointConfig, exceptions, triggered, bounds, restarts] =
    await Promise.all([
      until(wants.flinkVersion, client.version),
      of(wants.detail || !runs, client.detail),
      of(wants.checkpoints, client.checkpoints),
      of(wants.checkpointConfig, client.checkpointConfig),
      // The newest failure of a job that runs is over: it explains nothing that is.
      of(wants.exceptions && !runs, client.exceptions),
      trigger === undefined ? NOT_ASKED : until(true, () => client.trigger(trigger)),
      of(wants.bounds, client.bounds),
      of(wants.restarts, client.restarts),
    ]);
  const built = isBuilt(job);
  const asked = listed.filter((one) => questions.jobIds.includes(one.id));
  const foreign = listed.filter((one) => !questions.jobIds.includes(one.id)).slice(0, maxForeignJobs);
  return {
    kind: 'answered',
    jobs: [...asked, ...foreign],
    flinkVersion,
    detail,
    checkpoints: built || checkpoints.kind !== 'absent' ? checkpoints : NOT_BUILT,
    checkpointConfig: built || !isOff(checkpointConfig) ? checkpointConfig : NOT_BUILT,
    exceptions,
    trigger: triggered,
    bounds,
    restarts,
  };
}

function unreachable(overview: Exclude<Part<unknown>, { kind: 'value' }>): FlinkView {
  switch (overview.kind) {
    case 'failed':
      return { kind: 'unreachable', error: overview.error, text: overview.text };
    case 'absent':
      return { kind: 'unreachable', error: 'unexpected-reply', text: overview.text };
    case 'not-asked':
      return { kind: 'not-asked', why: 'nothing was asked' };
    default:
      return overview satisfies never;
  }
}

/**
 * Whether Flink has a graph of this job. Without one it says "checkpointing is not enabled" of any job, also of one whose
 * main() threw (state FAILED, no tasks; seen on 1.20 and 2.3): no positive answer, and state would be lost on it.
 */
function isBuilt(job: JobView | undefined): boolean {
  return job !== undefined && job.state !== 'INITIALIZING' && job.state !== 'UNKNOWN' && job.tasks.total > 0;
}

function isOff(part: Part<CheckpointConfigView>): boolean {
  return part.kind === 'value' && !part.value.enabled;
}

const NOT_BUILT = { kind: 'failed', error: 'unavailable', text: 'Flink has no graph of the job' } as const;
