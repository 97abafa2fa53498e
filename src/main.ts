import { existsSync, readdirSync } from 'node:fs';
import { readConfig, type Config } from './config.ts';
import { readProfile, type TenantProfile } from './core/profile/profile.ts';
import { identifiedTransport } from './flink/identity.ts';
import type { UndiciTransport } from './flink/transport.ts';
import { fileOf, follow } from './follow.ts';
import { admissionApp } from './http/admission-app.ts';
import { createApp } from './http/app.ts';
import { allOf, bearerOf, certified, type Authenticate } from './http/authenticate.ts';
import { startServer, type RunningServer } from './http/server.ts';
import type { AppDeps } from './http/shell.ts';
import { inClusterApi } from './kube/api.ts';
import { createPerform } from './kube/perform.ts';
import { createReadPods } from './kube/pods.ts';
import { loadPlatform } from './plugins/platform.ts';
import { createLog, errorFields, type Log } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';

/** Process entry: configuration → wiring → serve → drain on SIGTERM; nothing else. */

const read = readConfig(process.env);
if (read.kind === 'invalid') fail(read.line);
await run(read.config).catch((error: unknown) => fail(error instanceof Error ? error.message : 'cannot start'));

async function run(config: Config): Promise<void> {
  const log = createLog(config.logLevel, (line) => process.stdout.write(line));
  const transport = identifiedTransport(config.flink, log);
  const metrics = createMetrics();
  const platform = await loadPlatform(config.platform, metrics.decorated);
  let draining = false;
  const app = createApp({
    transport,
    now: Date.now,
    config: config.hook,
    log,
    metrics,
    platform,
    authenticate: authentication(config, log),
    draining: () => draining,
    profile: profileOf(config, log),
    ...throughApi(config, log),
  });
  const { tls, port, admissionPort } = config;
  const servers = [await startServer({ app, port, tls, log })];
  if (admissionPort !== undefined)
    servers.push(await startServer({ app: admissionApp(app), port: admissionPort, tls, log }));
  const [hooks, admission] = servers.map((server) => server.port);
  log.info('listening', { port: hooks ?? 0, ...(admission ? { admission } : {}), tls: tls !== undefined });
  const stop = (signal: string): void => {
    if (draining) process.exit(1);
    draining = true;
    void end(servers, transport, log, config, signal);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('uncaughtException', (error) => {
    log.error('bug, process ends', errorFields(error));
    process.exit(1);
  });
}

async function end(
  servers: readonly RunningServer[],
  transport: UndiciTransport,
  log: Log,
  config: Config,
  signal: string,
): Promise<void> {
  log.info('draining', { signal });
  await Promise.all(servers.map((server) => server.drain(config.drainMs)));
  await transport.close();
  log.info('drained');
  process.exit(0);
}

/** What needs the API server, if any of it is switched on: only then is there a token, and only then is the API server called. */
function throughApi(
  { duties: kinds, readsPods, api: where, hook }: Config,
  log: Log,
): Pick<AppDeps, 'duties' | 'readPods'> {
  if (kinds.length === 0 && !readsPods) return {};
  const { host, port, folder } = where;
  const api = inClusterApi({ host, port, tokenFile: `${folder}/token`, caFile: `${folder}/ca.crt`, log });
  return {
    ...(kinds.length > 0 ? { duties: { kinds, perform: createPerform({ api, now: Date.now }) } } : {}),
    ...(readsPods ? { readPods: createReadPods({ api, maxBytes: hook.maxBodyBytes }) } : {}),
  };
}

/** What a caller of the hooks has to show: a token, a certificate, both, or nothing. Tokens are read again when their files change. */
function authentication({ tokenFiles, tls }: Config, log: Log): Authenticate {
  const checks = tls?.clientCaFile === undefined ? [] : [certified];
  if (tokenFiles.length === 0) return allOf(checks);
  let tokens: readonly string[] = [];
  const use = (found: readonly string[]): void => {
    if (found.length === 0) throw new Error('HOOK_TOKEN_FILES: hold no token; want one in each');
    tokens = found;
  };
  follow({ what: 'hook token', read: () => tokensIn(tokenFiles), use }, log);
  return allOf([...checks, bearerOf(() => tokens)]);
}

/** The tenant profile, as its files are now. One that cannot be read ends the start; a later one leaves the former in place. */
function profileOf({ profileFolder: folder }: Config, log: Log): () => TenantProfile | undefined {
  if (folder === undefined) return () => undefined;
  let profile: TenantProfile | undefined;
  const use = (texts: ReadonlyArray<readonly [string, string]>): void => {
    const read = readProfile(new Map(texts));
    if (read.kind === 'wrong') throw new Error(`TENANT_PROFILE_DIR: ${read.line}`);
    ({ profile } = read);
  };
  follow({ what: 'tenant profile', read: () => textsIn(folder), use }, log);
  return () => profile;
}

/** The files of a mounted ConfigMap; the kubelet keeps its own beside them, whose names begin with a dot. */
function textsIn(folder: string): readonly (readonly [string, string])[] {
  if (!existsSync(folder))
    throw new Error(`TENANT_PROFILE_DIR: is ${JSON.stringify(folder)}; want a folder that is there`);
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return names.map((name) => [name, fileOf('TENANT_PROFILE_DIR', `${folder}/${name}`)] as const);
}

/** A second file may be missing: it is there while tokens are rotated. */
function tokensIn([first = '', ...others]: readonly string[]): readonly string[] {
  const present = others.filter((file) => existsSync(file));
  return [first, ...present].map((file) => fileOf('HOOK_TOKEN_FILES', file).trim()).filter((token) => token !== '');
}

function fail(line: string): never {
  process.stderr.write(`flork: ${line.split('\n')[0]}\n`);
  process.exit(2);
}
