/**
 * A proxy between Metacontroller and the hook that remembers each call, cut down to what shows order and staleness.
 * Runs by itself in Flork's image: POST /sync /finalize /customize are passed on, GET /trace answers JSON lines, DELETE /trace forgets.
 */
import { createServer } from 'node:http';

type Obj = { [key: string]: any }; // oxlint-disable-line typescript/no-explicit-any -- wire data, only copied

const TARGET = process.env['TARGET'] ?? 'http://flork.flork-system.svc:8080';
const NAME = process.env['JOB'] ?? '';
/** Statuses that were answered, to tell which answer a request shows; by canonical JSON. */
let answered = new Map<string, number>();
let lines: Obj[] = [];
let started = 0;

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
}

const keyOf = (status: unknown): string => JSON.stringify(canonical(status));

function brief(kind: string, object: Obj): Obj {
  const { metadata, spec, status } = object;
  const annotations = Object.fromEntries(
    Object.entries((metadata.annotations ?? {}) as Record<string, string>).filter(([name]) =>
      name.startsWith('flork.'),
    ),
  );
  const common = {
    resourceVersion: metadata.resourceVersion,
    ...(metadata.generation === undefined ? {} : { generation: metadata.generation }),
    ...(metadata.deletionTimestamp === undefined ? {} : { deletionTimestamp: metadata.deletionTimestamp }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  if (kind.startsWith('Deployment'))
    return {
      ...common,
      replicas: spec.replicas,
      status: {
        ...status,
        conditions: (status?.conditions ?? []).map((c: Obj) => `${c['type']}=${c['status']} ${c['reason']}`),
      },
    };
  if (kind.startsWith('Pod')) {
    const containers = (status?.containerStatuses ?? []).map((c: Obj) => ({
      restartCount: c['restartCount'],
      ready: c['ready'],
      state: Object.keys(c['state'] ?? {})[0] ?? 'none',
    }));
    return { ...common, component: metadata.labels?.['flork.itom.com/component'], phase: status?.phase, containers };
  }
  return common;
}

function briefGroups(groups: Obj | null | undefined): Obj {
  return Object.fromEntries(
    Object.entries(groups ?? {}).map(([kind, group]) => [
      kind,
      Object.fromEntries(Object.entries(group as Obj).map(([key, object]) => [key, brief(kind, object as Obj)])),
    ]),
  );
}

/** What a status says, in short, and which call's answer it is (null: no status; -1: no answer of this trace). */
function briefStatus(status: Obj | null | undefined): Obj {
  if (status === undefined || status === null) return { answerOf: null };
  // The default that the CRD puts there: nobody has answered yet.
  if (status['observedGeneration'] === -1) return { answerOf: null, observedGeneration: -1 };
  const { state, observedGeneration, epoch, operation } = status;
  return {
    answerOf: answered.get(keyOf(status)) ?? -1,
    state,
    observedGeneration,
    epoch: epoch?.number,
    incarnation: epoch?.incarnation,
    operation: operation?.kind,
  };
}

function record(call: string, startedAt: number, request: Obj, code: number, reply: string): void {
  const parent = request['parent'];
  if (NAME !== '' && parent.metadata.name !== NAME) return;
  if (lines.length === 0) started = startedAt;
  const number = lines.length + 1;
  const head = {
    call: number,
    ms: startedAt - started,
    took: Date.now() - startedAt,
    hook: call,
    parent: {
      resourceVersion: parent.metadata.resourceVersion,
      generation: parent.metadata.generation,
      deletionTimestamp: parent.metadata.deletionTimestamp,
      finalizers: parent.metadata.finalizers,
      status: briefStatus(parent.status),
    },
  };
  let answer: Obj = {};
  try {
    answer = JSON.parse(reply) as Obj;
  } catch {
    answer = {};
  }
  if (call === 'customize') {
    lines.push({ ...head, answer: { code, relatedResources: answer['relatedResources'] } });
    return;
  }
  if (code === 200)
    answered.set(keyOf({ ...answer['status'], observedGeneration: parent.metadata.generation }), number);
  lines.push({
    ...head,
    finalizing: request['finalizing'],
    children: briefGroups(request['children']),
    related: briefGroups(request['related']),
    answer: {
      code,
      ...(code === 200 ? {} : { body: reply.slice(0, 300) }),
      status: briefStatus(answer['status']),
      message: answer['status']?.message,
      children: ((answer['children'] ?? []) as Obj[]).map(
        (child) =>
          `${child['kind']}/${child['metadata'].name}${child['spec']?.replicas === undefined ? '' : ` replicas=${child['spec'].replicas}`} ${child['metadata'].annotations?.['flork.itom.com/desired-hash'] ?? ''}`,
      ),
      resyncAfterSeconds: answer['resyncAfterSeconds'],
      finalized: answer['finalized'],
    },
  });
}

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    const path = request.url ?? '/';
    const call = path.slice(1).split('?')[0] ?? '';
    if (call === 'trace') {
      const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      if (request.method === 'DELETE') {
        lines = [];
        answered = new Map();
      }
      response.end(body);
      return;
    }
    const body = Buffer.concat(chunks);
    const startedAt = Date.now();
    try {
      const reply = await fetch(TARGET + path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      const text = await reply.text();
      response.writeHead(reply.status, {
        'content-type': 'application/json',
        ...(reply.headers.has('retry-after') ? { 'retry-after': reply.headers.get('retry-after') ?? '' } : {}),
      });
      response.end(text);
      record(call, startedAt, JSON.parse(body.toString()) as Obj, reply.status, text);
    } catch (error) {
      response.writeHead(502);
      response.end(String(error));
    }
  });
}).listen(8080);
process.on('SIGTERM', () => process.exit(0));
