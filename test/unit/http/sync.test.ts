import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Child } from '../../../src/api/kube.ts';
import type { FlinkCommand, FlinkView } from '../../../src/core/flink-view.ts';
import type { Input } from '../../../src/core/types.ts';
import { createApp } from '../../../src/http/app.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import {
  CHILD,
  NOTHING,
  noTransport,
  outcome,
  parent,
  post,
  recorder,
  request,
  STATUS,
  testApp,
  UID,
} from './hook-fixture.ts';

const CANCEL: FlinkCommand = {
  kind: 'cancel',
  jobId: 'a'.repeat(32),
  service: { name: 'wordcount-rest', namespace: 'default', port: 8081, scheme: 'http' },
};

describe('/sync', () => {
  it('answers exactly status, children and resyncAfterSeconds', async () => {
    const response = await post(testApp(), '/sync', request());
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), { status: STATUS, children: [CHILD], resyncAfterSeconds: 2 });
  });

  it('leaves resyncAfterSeconds out when there is no timer, and never sends finalized', async () => {
    const app = testApp({ reconcile: () => outcome({ resyncAfterSeconds: 0, finalized: true }) });
    assert.deepEqual(Object.keys((await (await post(app, '/sync', request())).json()) as object), [
      'status',
      'children',
    ]);
  });

  it('gives the decision what was observed, the clock and what Flink said', async () => {
    const seen: Input[] = [];
    const app = testApp({
      transport: async () => ({ kind: 'error', error: 'unreachable', text: 'ECONNREFUSED' }),
      questions: (input) => {
        assert.equal(input.now, 1_000);
        return {
          kind: 'ask',
          service: CANCEL.service,
          jobIds: [],
          wants: {
            detail: false,
            checkpoints: false,
            checkpointConfig: false,
            exceptions: false,
            flinkVersion: false,
            bounds: false,
            restarts: false,
          },
          trigger: undefined,
        };
      },
      reconcile: (input) => {
        seen.push(input);
        return outcome();
      },
    });
    await post(app, '/sync', request());
    assert.equal(seen[0]?.finalizing, false);
    assert.deepEqual(seen[0]?.flink, {
      kind: 'unreachable',
      error: 'unreachable',
      text: 'ECONNREFUSED',
    } satisfies FlinkView);
  });

  it('runs the commands before it answers, and lets their results change the answer', async () => {
    const order: string[] = [];
    const app = testApp({
      transport: async ({ method }) => {
        order.push(method);
        return { kind: 'response', status: 202, text: '{}' };
      },
      reconcile: () => outcome({ commands: [CANCEL] }),
      acknowledge: (decided, results) => {
        order.push(...results.map(({ kind }) => kind));
        return { ...decided, resyncAfterSeconds: 1 };
      },
    });
    const answer = (await (await post(app, '/sync', request())).json()) as { resyncAfterSeconds: number };
    assert.deepEqual(order, ['PATCH', 'done']);
    assert.equal(answer.resyncAfterSeconds, 1);
  });

  it('answers the same bytes for the same request', async () => {
    const app = testApp();
    const [a, b] = [await post(app, '/sync', request()), await post(app, '/sync', request())];
    assert.equal(await a.text(), await b.text());
  });
});

describe('a request that does not show pods', () => {
  for (const related of [undefined, null, {}, { 'Namespace.v1': {} }])
    it(`is refused by /sync and /finalize, and nothing is decided: ${JSON.stringify(related)}`, async () => {
      const app = testApp({ reconcile: () => assert.fail('something was decided') });
      for (const finalizing of [false, true]) {
        const response = await post(app, finalizing ? '/finalize' : '/sync', request({ related, finalizing }));
        assert.equal(response.status, 400);
        assert.match(await response.text(), /^no pods are shown: /);
      }
    });
});

describe('a request that is no sync', () => {
  for (const [what, body] of [
    ['no JSON', 'not json'],
    ['half a JSON', '{"parent":'],
    ['nothing', ''],
    ['null', 'null'],
    ['an array', '[]'],
    ['no parent', request({ parent: undefined })],
    ['a parent without uid', request({ parent: parent({ uid: undefined }) })],
    ['children as an array', request({ children: [] })],
    ['children null', request({ children: null })],
    ['a child that is a number', request({ children: { 'ConfigMap.v1': { x: 7 } } })],
    ['no finalizing', request({ finalizing: undefined })],
    ['finalizing', request({ finalizing: true })],
  ] as const) {
    it(`is a 400: ${what}`, async () => {
      const response = await post(testApp(), '/sync', body);
      assert.equal(response.status, 400);
      const text = await response.text();
      assert.ok(text.length < 200 && !text.includes('Unexpected'), text);
    });
  }

  it('is a 404 for another kind, a 403 for a foreign namespace or tenant; never an empty answer', async () => {
    const config = { namespaces: ['team'], tenant: 'first' };
    const ours = { namespace: 'team', labels: { 'flork.itom.com/tenant': 'first' } };
    const status = async (path: string, change: Record<string, unknown>): Promise<number> =>
      (await post(testApp({ config }), path, request({ finalizing: path === '/finalize', ...change }))).status;
    assert.equal(await status('/sync', { parent: parent(ours) }), 200);
    assert.equal(await status('/sync', { parent: { ...parent(ours), kind: 'Deployment' } }), 404);
    assert.equal(await status('/sync', { parent: { ...parent(ours), apiVersion: 'flork.itom.com/v2' } }), 404);
    for (const path of ['/sync', '/finalize', '/customize']) {
      assert.equal(await status(path, { parent: parent({ ...ours, namespace: 'default' }) }), 403);
      assert.equal(
        await status(path, { parent: parent({ namespace: 'team', labels: { 'flork.itom.com/tenant': 'second' } }) }),
        403,
      );
      assert.equal(await status(path, { parent: parent({ namespace: 'team' }) }), 403);
    }
  });

  it('is answered by /finalize and /customize for a parent that moved to another tenant but has our finalizer', async () => {
    const moved = parent({
      finalizers: ['metacontroller.io/compositecontroller-flork'],
      labels: { 'flork.itom.com/tenant': 'second' },
    });
    const app = testApp({ config: { tenant: 'first' } });
    assert.equal((await post(app, '/finalize', request({ parent: moved, finalizing: true }))).status, 200);
    assert.equal((await post(app, '/customize', request({ parent: moved }))).status, 200);
    assert.equal((await post(app, '/sync', request({ parent: moved }))).status, 403);
    const another = request({ parent: moved, finalizing: true, controller: { metadata: { name: 'other' } } });
    assert.equal((await post(app, '/finalize', another)).status, 403);
  });

  it('hands over a parent whose namespace moved with it: its children as they are, and finalized', async () => {
    const config = { tenant: 'first', namespaces: ['stayed'] };
    const app = createApp({ transport: noTransport, now: () => 1_000, config });
    const finalizers = ['metacontroller.io/compositecontroller-flork'];
    const of = (tenant: string) => parent({ finalizers, labels: { 'flork.itom.com/tenant': tenant } });
    const children = { ...(request()['children'] as object), 'ConfigMap.v1': { [CHILD.metadata.name]: CHILD } };
    const finalize = async (tenant: string): Promise<Response> =>
      post(app, '/finalize', request({ parent: of(tenant), children, finalizing: true }));
    const answer = await finalize('second');
    assert.equal(answer.status, 200);
    const { finalized, children: kept } = (await answer.json()) as { finalized: boolean; children: Child[] };
    assert.equal(finalized, true);
    assert.deepEqual(
      kept.map(({ metadata }) => metadata.name),
      [CHILD.metadata.name],
    );
    assert.equal((await finalize('first')).status, 403, 'as long as it is ours by its label');
    assert.equal((await post(app, '/customize', request({ parent: of('second') }))).status, 200);
    assert.equal((await post(app, '/sync', request({ parent: of('second') }))).status, 403);
  });
});

describe('an outcome that must not go out is a 500, and none of its commands run', () => {
  const bad: readonly (readonly [string, unknown])[] = [
    ['no children', { children: undefined }],
    ['children null', { children: null }],
    ['a null child', { children: [CHILD, null] }],
    ['a child without kind', { children: [{ ...CHILD, kind: undefined }] }],
    ['a child of another kind', { children: [{ ...CHILD, kind: 'Secret' }] }],
    ['a child of another version', { children: [{ ...CHILD, apiVersion: 'v2' }] }],
    ['a child without metadata', { children: [{ apiVersion: 'v1', kind: 'ConfigMap' }] }],
    ['a child without name', { children: [{ ...CHILD, metadata: { namespace: 'default' } }] }],
    ['a child elsewhere', { children: [{ ...CHILD, metadata: { name: 'x', namespace: 'kube-system' } }] }],
    ['a child without namespace', { children: [{ ...CHILD, metadata: { name: 'x' } }] }],
    ['a child twice', { children: [CHILD, CHILD] as readonly Child[] }],
    ['no status', { status: null }],
    ['a timer that is no number', { resyncAfterSeconds: Number.NaN }],
  ];
  for (const [what, change] of bad) {
    it(what, async () => {
      const app = testApp({ reconcile: () => outcome({ commands: [CANCEL], ...(change as object) }) });
      const response = await post(app, '/sync', request());
      assert.equal(response.status, 500);
      assert.ok((await response.text()).length < 200);
    });
  }
  it('what acknowledge made of it is looked at, too', async () => {
    const app = testApp({
      transport: async () => ({ kind: 'response', status: 202, text: '{}' }),
      reconcile: () => outcome({ commands: [CANCEL] }),
      acknowledge: () => outcome({ children: null as never }),
    });
    assert.equal((await post(app, '/sync', request())).status, 500);
  });
});

describe('a bug', () => {
  it('is a short 500 without a stack, logged without contents of the request', async () => {
    const { log, lines } = recorder();
    const app = testApp({
      log,
      reconcile: () => {
        throw new TypeError('cannot read x');
      },
    });
    const response = await post(app, '/sync', request({ parent: parent({}, { secret: 'hunter2' }) }));
    assert.equal(response.status, 500);
    const text = await response.text();
    assert.ok(text.length < 200 && !text.includes('cannot read') && !text.includes(' at '), text);
    assert.ok(lines.some(({ level, fields }) => level === 'error' && String(fields['stack']).includes('at ')));
    assert.ok(!JSON.stringify(lines).includes('hunter2'));
  });

  it('frees the FlinkJob and the slot', async () => {
    let fail = true;
    const app = testApp({
      config: { maxInFlight: 1 },
      reconcile: () => {
        if (fail) throw new Error('once');
        return outcome();
      },
    });
    assert.equal((await post(app, '/sync', request())).status, 500);
    fail = false;
    assert.equal((await post(app, '/sync', request())).status, 200);
  });
});

describe('load', () => {
  const slow = (): { release: () => void; deps: Parameters<typeof testApp>[0] } => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    return {
      release: () => release(),
      deps: {
        transport: async () => {
          await gate;
          return { kind: 'error', error: 'unreachable', text: '' };
        },
        questions: () => ({
          kind: 'ask',
          service: CANCEL.service,
          jobIds: [],
          wants: {
            detail: false,
            checkpoints: false,
            checkpointConfig: false,
            exceptions: false,
            flinkVersion: false,
            bounds: false,
            restarts: false,
          },
          trigger: undefined,
        }),
      },
    };
  };

  it('beyond the limit is a 429 with Retry-After, while admission is still answered', async () => {
    const { release, deps } = slow();
    const app = testApp({ ...deps, config: { maxInFlight: 1 } });
    const first = post(app, '/sync', request());
    const second = await post(app, '/sync', request({ parent: parent({ uid: 'other' }) }));
    assert.equal(second.status, 429);
    assert.equal(second.headers.get('retry-after'), '1');
    assert.equal((await post(app, '/validate', '{}')).status, 400);
    release();
    assert.equal((await first).status, 200);
    assert.equal((await post(app, '/sync', request())).status, 200);
  });

  it('of one FlinkJob is one call at a time', async () => {
    const { release, deps } = slow();
    const app = testApp(deps);
    const first = post(app, '/sync', request());
    await new Promise((resolve) => setTimeout(resolve, 10));
    const again = await post(app, '/finalize', request({ finalizing: true }));
    assert.equal(again.status, 429);
    assert.equal(again.headers.get('retry-after'), '1');
    release();
    assert.equal((await first).status, 200);
  });

  it('beyond the time of a sync is no decision', async () => {
    const app = testApp({
      config: { syncBudgetMs: 30 },
      questions: () => ({
        kind: 'ask',
        service: CANCEL.service,
        jobIds: [],
        wants: {
          detail: false,
          checkpoints: false,
          checkpointConfig: false,
          exceptions: false,
          flinkVersion: false,
          bounds: false,
          restarts: false,
        },
        trigger: undefined,
      }),
      // One that does not keep to its time.
      transport: () =>
        new Promise((resolve) => {
          setTimeout(() => resolve({ kind: 'error', error: 'timeout', text: '' }), 60);
        }),
      reconcile: () => {
        throw new Error('decided after all');
      },
    });
    assert.equal((await post(app, '/sync', request())).status, 503);
  });
});

describe('bodies', () => {
  const MIB = 1024 * 1024;

  it('of 4 MiB are answered', async () => {
    const big = request({ parent: parent({}, { note: 'x'.repeat(4 * MIB) }) });
    assert.equal((await post(testApp(), '/sync', big)).status, 200);
  });

  it('beyond 16 MiB are a 413 by their length, before they are read', async () => {
    for (const length of [String(16 * MIB + 1), 'many', '-1e99999']) {
      // oxlint-disable-next-line no-await-in-loop -- a table
      const response = await post(testApp(), '/sync', '{}', { 'content-length': length });
      assert.equal(response.status, length === '-1e99999' ? 400 : 413, length);
    }
  });

  it('without a length are counted and cut', async () => {
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 64 * 1024;
        controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
      },
    });
    const chunked = new Request('http://flork/sync', { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
    assert.equal((await testApp({ config: { maxBodyBytes: MIB } }).request(chunked)).status, 413);
    assert.ok(sent < 2 * MIB);
    const small = new Blob([JSON.stringify(request())]).stream();
    const fine = new Request('http://flork/sync', { method: 'POST', body: small, duplex: 'half' } as RequestInit);
    assert.equal((await testApp().request(fine)).status, 200);
  });

  it('nested 10,000 deep are a 400, anywhere', async () => {
    const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
    const text = JSON.stringify(request({ parent: parent({}, 'HERE') })).replace('"HERE"', deep);
    for (const body of [text, '['.repeat(100_000), deep]) {
      // oxlint-disable-next-line no-await-in-loop -- a table
      assert.equal((await post(testApp(), '/sync', body)).status, 400);
    }
    const brackets = request({ parent: parent({}, { text: '[{"\\"[[['.repeat(10_000) }) });
    assert.equal((await post(testApp(), '/sync', brackets)).status, 200);
  });

  it('with __proto__ and constructor keys harm nobody', async () => {
    const spec = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    const text = JSON.stringify(request({ parent: parent({}, 'HERE') }))
      .replace('"HERE"', spec)
      .replace('"children":{', `"children":{"__proto__":${spec},`);
    const seen: unknown[] = [];
    const app = testApp({
      readObserved: (children) => {
        seen.push(children);
        return NOTHING;
      },
    });
    assert.ok((await post(app, '/sync', text)).status < 500);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.equal((seen[0] as Record<string, unknown> | undefined)?.['polluted'], undefined);
  });
});

describe('telemetry', () => {
  it('has one line per decision with names and numbers, and counts it', async () => {
    const { log, lines } = recorder();
    const metrics = createMetrics();
    const app = testApp({ log, metrics });
    await post(app, '/sync', request({ parent: parent({}, { secret: 'hunter2' }) }));
    assert.equal(lines.length, 1);
    const { ms, ...fields } = lines[0]?.fields ?? {};
    assert.equal(typeof ms, 'number');
    assert.deepEqual(fields, {
      hook: 'sync',
      code: 200,
      rule: 'test',
      namespace: 'default',
      name: 'wordcount',
      uid: UID,
      generation: 1,
      state: 'Deploying',
      commands: 0,
    });
    const text = await (await app.request('/metrics')).text();
    assert.match(text, /flork_hook_answers_total\{hook="sync",rule="test",code="200"\} 1/);
    assert.match(text, /flork_hook_duration_seconds_count\{hook="sync"\} 1/);
    assert.match(text, /flork_in_flight_requests 0/);
  });

  it('counts calls to Flink by result', async () => {
    const metrics = createMetrics();
    const app = testApp({
      metrics,
      transport: async () => ({ kind: 'error', error: 'tls', text: '' }),
      reconcile: () => outcome({ commands: [CANCEL] }),
    });
    await post(app, '/sync', request());
    assert.match(await metrics.text(), /flork_flink_calls_total\{result="tls"\} 1/);
  });
});
