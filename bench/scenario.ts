import type { FlinkResponse, Transport } from '../src/flink/transport.ts';
import { createApp } from '../src/http/app.ts';
import { appHook } from '../src/sim/hook.ts';
import { virtualClock } from '../src/sim/models/clock.ts';
import { createWorld, jobRef, NAMESPACE } from '../src/sim/world.ts';

/** What is measured: one poll of a settled job, as Metacontroller sends it, and what Flink answers to its questions. */
export type Scenario = {
  readonly request: string;
  readonly answer: string;
  /** Flink's replies by path. */
  readonly replies: Readonly<Record<string, FlinkResponse>>;
  readonly now: number;
};

const NAME = 'orders';
const SPEC = {
  flinkVersion: '1.20',
  image: 'flink:1.20.4',
  jarURI: 'local:///opt/flink/usrlib/counter.jar',
  jobClassName: 'demo.Counter',
  parallelism: 1,
  flinkConf: { 'execution.checkpointing.interval': '10s', 'state.checkpoints.dir': 'file:///data/checkpoints' },
  policies: { savepoint: { directory: 'file:///data/savepoints' } },
};

/** Lets the model run a job until it has settled, and keeps the last sync; then fills it up to a size with what real objects carry. */
export async function settledScenario(bytes: number): Promise<Scenario> {
  const clock = virtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const world = createWorld({ clock, seed: 1, strategy: 'server-side-apply' });
  let last: { request: string; answer: string; now: number; replies: Record<string, FlinkResponse> } | undefined;
  let replies: Record<string, FlinkResponse> = {};
  const transport: Transport = async (request, signal) => {
    const response = await world.transport(request, signal);
    replies[request.path] = response;
    return response;
  };
  const hook = appHook(createApp({ transport, now: clock.now }));
  world.metacontroller(async (call, body) => {
    replies = {};
    const now = clock.now();
    const reply = await hook(call, body);
    if (call === 'sync' && reply.kind === 'answered') last = { request: body, answer: reply.body, now, replies };
    return reply;
  });
  const metadata = { name: NAME, namespace: NAMESPACE };
  world.api.create('user', { apiVersion: 'flork.itom.com/v1', kind: 'FlinkJob', metadata, spec: SPEC });
  await clock.run(clock.now() + 300_000);
  const job = world.api.get(jobRef(NAME)) as { status?: { state?: string } } | undefined;
  if (last === undefined || job?.status?.state !== 'Running')
    throw new Error(`the job is ${job?.status?.state}, not Running`);
  return { ...last, request: filledUp(last.request, bytes) };
}

type Loose = { metadata: Record<string, unknown> };
type Groups = Record<string, Record<string, Loose>>;

/** Adds managedFields, which every real object has, until the request is this long. */
function filledUp(request: string, bytes: number): string {
  const body = JSON.parse(request) as { parent: Loose; children: Groups; related: Groups };
  const groups = [...Object.values(body.children), ...Object.values(body.related)];
  const objects = [body.parent, ...groups.flatMap((group) => Object.values(group))];
  let text = request;
  for (let field = 0; text.length < bytes; field++) {
    for (const object of objects) {
      const managed = (object.metadata['managedFields'] ??= [managedBy()]) as [ReturnType<typeof managedBy>];
      managed[0].fieldsV1['f:spec'][`f:field${field}`] = { '.': {}, 'f:name': {}, 'f:value': {} };
    }
    text = JSON.stringify(body);
  }
  return text;
}

function managedBy() {
  const fields: Record<string, unknown> = { '.': {} };
  return {
    manager: 'metacontroller',
    operation: 'Apply',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': { 'f:labels': { 'f:app.kubernetes.io/name': {} } }, 'f:spec': fields },
  };
}
