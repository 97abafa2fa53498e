import { Hono, type Context } from 'hono';
import { readObserved } from '../api/observed.ts';
import { metaOf, readJob } from '../core/observe-job.ts';
import type { TenantProfile } from '../core/profile/profile.ts';
import { questions } from '../core/questions.ts';
import { acknowledge, reconcile } from '../core/reconcile.ts';
import { validateSpec } from '../core/validate/validate-spec.ts';
import { NO_PLATFORM, type Platform } from '../core/platform/platform.ts';
import { rememberedByObject } from '../core/memo.ts';
import type { Guard } from '../core/profile/guard.ts';
import { createExecute } from '../flink/execute.ts';
import { createObserve } from '../flink/observe.ts';
import { createPatience } from '../flink/patience.ts';
import type { Transport } from '../flink/transport.ts';
import { errorFields, silentLog } from '../telemetry/log.ts';
import { noMetrics, type Metrics } from '../telemetry/metrics.ts';
import { anybody } from './authenticate.ts';
import { customizeRoute } from './customize.ts';
import { finalizeRoute } from './finalize.ts';
import { healthRoutes } from './health.ts';
import { createViews } from './older-view.ts';
import { createReader } from './reader.ts';
import { later, refuse, type Reply } from './reply.ts';
import { DEFAULT_CONFIG, type AppDeps, type Core, type Shell } from './shell.ts';
import { createSlots, type Slots } from './slots.ts';
import { syncRoute } from './sync.ts';
import { validateRoute } from './validate.ts';

/** The whole HTTP service; it can be mounted in another Hono app. */
export function createApp(deps: AppDeps): Hono {
  const shell = createShell(deps);
  const { hooks, admission } = shell.slots;
  const app = new Hono();
  app.post('/sync', guard(shell, 'sync', hooks, known(shell, syncRoute(shell))));
  app.post('/finalize', guard(shell, 'finalize', hooks, known(shell, finalizeRoute(shell))));
  app.post('/customize', guard(shell, 'customize', hooks, known(shell, customizeRoute(shell))));
  app.post('/validate', guard(shell, 'validate', admission, validateRoute(shell)));
  healthRoutes(app, shell);
  return app;
}

function createShell(deps: AppDeps): Shell {
  const config = { ...DEFAULT_CONFIG, ...deps.config };
  const metrics = deps.metrics ?? noMetrics;
  const transport = counted(deps.transport, metrics);
  const { readPods } = deps;
  const podsBudgetMs = readPods === undefined ? 0 : Math.min(config.podsBudgetMs, config.syncBudgetMs * 0.35);
  // Silence of Flink has to be known while there is time left to answer.
  const flinkBudgetMs = Math.min(config.flinkBudgetMs, config.syncBudgetMs * 0.9 - podsBudgetMs);
  const profile = deps.profile ?? (() => undefined);
  const platform = deps.platform ?? NO_PLATFORM;
  const core = coreOf(deps, guardOf(profile, platform));
  return {
    core,
    reader: deps.reader ?? createReader(core, undefined, profile),
    config: { ...config, podsBudgetMs },
    now: deps.now,
    observe: createObserve({ transport, patience: createPatience({ budgetMs: flinkBudgetMs }) }),
    execute: createExecute({ transport }),
    duties: deps.duties ?? { kinds: [], perform: async () => [] },
    readPods,
    platform,
    log: deps.log ?? silentLog,
    metrics,
    authenticate: deps.authenticate ?? anybody,
    draining: deps.draining ?? (() => false),
    slots: { hooks: createSlots(config.maxInFlight), admission: createSlots(config.maxInFlight) },
    busy: new Set(),
    views: deps.views ?? createViews(),
  };
}

/** What specs are held against: one object for each profile, by which what was judged is remembered. */
function guardOf(profile: () => TenantProfile | undefined, platform: Platform): () => Guard | undefined {
  const guards = rememberedByObject((given: TenantProfile): Guard => ({ profile: given, platform }));
  return () => {
    const given = profile();
    return given && guards(given);
  };
}

function coreOf(deps: Partial<Core>, against: () => Guard | undefined): Core {
  return {
    readJob: deps.readJob ?? ((parent) => readJob(parent, against())),
    readObserved: deps.readObserved ?? readObserved,
    questions: deps.questions ?? questions,
    reconcile: deps.reconcile ?? reconcile,
    acknowledge: deps.acknowledge ?? acknowledge,
    validateSpec: deps.validateSpec ?? ((raw, meta) => validateSpec(raw, metaOf(meta), against())),
  };
}

function counted(transport: Transport, metrics: Metrics): Transport {
  return async (request, signal) => {
    const response = await transport(request, signal);
    metrics.flinkCall(response.kind === 'error' ? response.error : `${Math.floor(response.status / 100)}xx`);
    return response;
  };
}

type Route = (c: Context) => Promise<Reply>;

/** A route for Metacontroller alone. The API server, which calls /validate, has neither its token nor its certificate. */
function known(shell: Shell, route: Route): Route {
  return (c) => {
    const why = shell.authenticate(c);
    return why === undefined ? route(c) : Promise.resolve(refuse(401, 'not-authenticated', why));
  };
}

/** Bounds the number of requests, makes a bug a short 500, and writes one log line and the metrics of each answer. */
function guard(shell: Shell, hook: string, slots: Slots, route: Route): (c: Context) => Promise<Response> {
  return async (c) => {
    const started = performance.now();
    const entered = slots.enter();
    shell.metrics.inFlight(shell.slots.hooks.taken());
    try {
      const reply = entered ? await route(c) : later('overload', 'too many requests at the same time');
      return finish(shell, hook, reply, performance.now() - started);
    } catch (error) {
      shell.log.error('bug', { hook, ...errorFields(error) });
      const kind = error instanceof Error ? error.name : 'unknown';
      return finish(
        shell,
        hook,
        refuse(500, 'bug', `internal error (${kind}); the log of Flork says more`),
        performance.now() - started,
      );
    } finally {
      if (entered) slots.leave();
      shell.metrics.inFlight(shell.slots.hooks.taken());
    }
  };
}

function finish(shell: Shell, hook: string, reply: Reply, ms: number): Response {
  shell.metrics.answered(hook, reply.rule, reply.status, ms / 1000);
  const fields = { hook, code: reply.status, rule: reply.rule, ...reply.log, ms: Math.round(ms * 100) / 100 };
  if (reply.status === 200) shell.log.info('answered', fields);
  else shell.log.warn('refused', { ...fields, why: reply.body.trimEnd() });
  const headers: Record<string, string> = { 'content-type': reply.contentType };
  if (reply.retryAfterSeconds !== undefined) headers['retry-after'] = String(reply.retryAfterSeconds);
  // Metacontroller keeps connections for 90 s; while draining it has to find another replica.
  if (shell.draining()) headers['connection'] = 'close';
  return new Response(reply.body, { status: reply.status, headers });
}
