import { undiciTransport } from '../../src/flink/transport.ts';
import { createApp } from '../../src/http/app.ts';
import { startServer } from '../../src/http/server.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { addressOf, type Told } from './parents.ts';

/** The measured process: the hook as it is, its JobManagers found on loopback addresses. Tells its port. */
const flinkPort = Number(process.env['FLINK_PORT']);
const transport = undiciTransport({ resolve: ({ name }) => ({ host: addressOf(name), port: flinkPort }) });
const app = createApp({ transport, now: Date.now, log: silentLog });
const { port } = await startServer({ app, port: 0, tls: undefined, log: silentLog });
process.send?.({ port } satisfies Told);
process.on('disconnect', () => process.exit(0));
