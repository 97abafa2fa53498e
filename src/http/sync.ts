import type { Context } from 'hono';
import type { JsonObject, Observed } from '../api/kube.ts';
import { withPods } from '../api/observed.ts';
import type { JobRef } from '../core/record.ts';
import type { Outcome } from '../core/types.ts';
import { readText } from './body.ts';
import { foreign, parentFields } from './envelope.ts';
import { syncResponse, violation } from './outgoing.ts';
import { later, printed, refuse, type Reply } from './reply.ts';
import type { Shown } from './reader.ts';
import type { Core, Shell } from './shell.ts';

/** POST /sync: parse, read the pods if they are not shown, ask Flink, decide, command Flink, answer. */
export function syncRoute(shell: Shell): (c: Context) => Promise<Reply> {
  return (c) => hook(shell, c, 'sync');
}

/** What /sync and /finalize share; they differ in `finalizing` and in the field `finalized`. */
export async function hook(shell: Shell, c: Context, name: 'sync' | 'finalize'): Promise<Reply> {
  const body = await readText(c, shell.config.maxBodyBytes);
  if (body.kind === 'refused') return body.reply;
  const read = shell.reader(body.text);
  if (read.kind === 'refused') return read.reply;
  const { shown } = read;
  const { head } = shown;
  if (head.finalizing !== (name === 'finalize')) {
    return refuse(400, 'bad-envelope', `/${name} was called with finalizing: ${head.finalizing}`);
  }
  const refused = foreign(head, shell.config, name);
  if (refused !== undefined) return refused;
  // Nothing else tells one process of a JobManager from the next, or that the last one has gone (docs/adr/0060).
  if (!shown.hasPods && !shell.readPods)
    return refuse(400, 'no-pods', 'no pods are shown: the CompositeController has to call /customize');
  const { uid } = head.parent.metadata;
  if (shell.busy.has(uid)) return later('busy', 'this FlinkJob is being answered already');
  if (shell.views(uid, shown.versions, shell.now())) {
    return later('olderView', 'this shows the FlinkJob or a child of it as it was before; it is to be shown again');
  }
  shell.busy.add(uid);
  try {
    return await within(shell.config.syncBudgetMs, c.req.raw.signal, (signal) => decide(shell, shown, name, signal));
  } finally {
    shell.busy.delete(uid);
  }
}

/** Runs with a signal that aborts when the time is used up or the caller has gone. */
async function within<T>(budgetMs: number, caller: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const budget = new AbortController();
  const stop = (): void => budget.abort();
  const timer = setTimeout(stop, budgetMs);
  caller.addEventListener('abort', stop, { once: true });
  try {
    return await run(budget.signal);
  } finally {
    clearTimeout(timer);
    caller.removeEventListener('abort', stop);
  }
}

async function decide(
  shell: Shell,
  { head, seen }: Shown,
  name: 'sync' | 'finalize',
  signal: AbortSignal,
): Promise<Reply> {
  const { core } = shell;
  const { job, observed: shown } = seen();
  const now = shell.now();
  // After Metacontroller has looked into its caches, and before Flink, which is asked by what the pods say (docs/adr/0061).
  const pods = shell.readPods && (await shell.readPods(job.ref, shell.config.podsBudgetMs, signal));
  if (pods?.kind === 'unread')
    return refuse(503, 'pods-unread', `the pods could not be read: ${pods.why}`, parentFields(head.parent));
  const observed = pods ? withPods(shown, podsOf(core, pods.pods, job.ref)) : shown;
  const { kinds: duties } = shell.duties;
  const known = { job, observed, finalizing: name === 'finalize', duties, platform: shell.platform, now };
  const flink = await shell.observe(core.questions(known), signal);
  if (signal.aborted) return refuse(503, 'out-of-time', 'no decision within the time of a sync');
  const decided = core.reconcile({ ...known, flink });
  // Metacontroller's caches lag each other: the job is to be shown again in a second, and nothing is written.
  if (decided.retryAfterSeconds !== undefined) return later(decided.rule, decided.status.message);
  const outcome = await carryOut(shell, decided, job.ref.namespace, signal);
  if (typeof outcome === 'string') {
    return refuse(500, 'bad-outcome', `internal error: ${outcome}`, {
      ...parentFields(head.parent),
      decidedBy: decided.rule,
    });
  }
  const { leftovers } = outcome.status;
  // Of a FlinkJob that goes, the log is what stays: it has the snapshot that its job ended with.
  const snapshot = name === 'finalize' ? outcome.status.epoch?.ended?.path : undefined;
  const log = {
    ...parentFields(head.parent),
    state: outcome.status.state,
    commands: decided.commands.length,
    // A FlinkJob that goes takes its status with it.
    ...(outcome.finalized && leftovers !== undefined ? { leftovers: leftovers.join(' | ') } : {}),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
  return printed(syncResponse(outcome, name), outcome.rule, log);
}

/** Pods as they would be read if Metacontroller had shown them. */
function podsOf(core: Core, pods: readonly JsonObject[], ref: JobRef): Observed['pods'] {
  return core.readObserved({}, { 'Pod.v1': Object.fromEntries(pods.entries()) }, ref).pods;
}

/** Commands and duties run only for an outcome that may go out; their results may change it, so it is looked at again. */
async function carryOut(
  shell: Shell,
  decided: Outcome,
  namespace: string,
  signal: AbortSignal,
): Promise<Outcome | string> {
  const wrong = violation(decided, namespace);
  if (wrong !== undefined || decided.commands.length + decided.duties.length === 0) return wrong ?? decided;
  const results = decided.commands.length === 0 ? [] : await shell.execute(decided.commands, signal);
  const duties = decided.duties.length === 0 ? [] : await shell.duties.perform(decided.duties, signal);
  const outcome = shell.core.acknowledge(decided, results, duties);
  return violation(outcome, namespace) ?? outcome;
}
