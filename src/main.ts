import { readFileSync } from 'node:fs';
import { readConfig, type Config } from './config.ts';
import { undiciTransport, type UndiciTransport } from './flink/transport.ts';
import { createApp } from './http/app.ts';
import { startServer, type RunningServer } from './http/server.ts';
import { createLog, errorFields, type Log } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';

/** Process entry: configuration → wiring → serve → drain on SIGTERM; nothing else. */

const read = readConfig(process.env);
if (read.kind === 'invalid') fail(read.line);
await run(read.config).catch((error: unknown) => fail(error instanceof Error ? error.message : 'cannot start'));

async function run(config: Config): Promise<void> {
  const log = createLog(config.logLevel, (line) => process.stdout.write(line));
  const transport = flinkTransport(config);
  let draining = false;
  const app = createApp({
    transport,
    now: Date.now,
    config: config.hook,
    log,
    metrics: createMetrics(),
    draining: () => draining,
  });
  const server = await startServer({ app, port: config.port, tls: config.tls, log });
  log.info('listening', { port: server.port, tls: config.tls !== undefined });
  const stop = (signal: string): void => {
    if (draining) process.exit(1);
    draining = true;
    void end(server, transport, log, config, signal);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('uncaughtException', (error) => {
    log.error('bug, process ends', errorFields(error));
    process.exit(1);
  });
}

async function end(
  server: RunningServer,
  transport: UndiciTransport,
  log: Log,
  config: Config,
  signal: string,
): Promise<void> {
  log.info('draining', { signal });
  await server.drain(config.drainMs);
  await transport.close();
  log.info('drained');
  process.exit(0);
}

function flinkTransport({ flink }: Config): UndiciTransport {
  const ca = pem('FLINK_CA_FILE', flink.caFile);
  const cert = pem('FLINK_CERT_FILE', flink.certFile);
  const key = pem('FLINK_KEY_FILE', flink.keyFile);
  return undiciTransport({
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}

function pem(name: string, file: string | undefined): string | undefined {
  try {
    return file === undefined ? undefined : readFileSync(file, 'utf8');
  } catch {
    throw new Error(`${name}: is ${JSON.stringify(file)}; want a file that can be read`);
  }
}

function fail(line: string): never {
  process.stderr.write(`flork: ${line.split('\n')[0]}\n`);
  process.exit(2);
}
