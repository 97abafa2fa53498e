import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../../src/http/app.ts';
import { appHook } from '../../src/sim/hook.ts';
import { virtualClock } from '../../src/sim/models/clock.ts';
import { at } from '../../src/sim/models/objects.ts';
import type { HookClient } from '../../src/sim/models/metacontroller/hook.ts';
import { createWorld, jobRef } from '../../src/sim/world.ts';
import { flinkJob, NAME, reconfigured, SPEC, suspended } from './harness/sample.ts';

test('while pods are not shown a running job is left as it is, and goes on when they are', async () => {
  const clock = virtualClock(Date.parse('2026-01-05T08:00:00Z'));
  const started: number[] = [];
  const world = createWorld({ clock, seed: 1, onFlink: ({ kind }) => kind === 'process-started' && started.push(1) });
  const real = appHook(createApp({ transport: world.transport, now: clock.now }));
  let shown = true;
  const refused: string[] = [];
  // A CompositeController whose customize hook asks for less.
  const hook: HookClient = async (call, text) => {
    const reply = await real(call, text);
    if (reply.kind === 'answered' && call === 'customize' && !shown)
      return { ...reply, body: JSON.stringify({ relatedResources: [] }) };
    if (reply.kind === 'answered' && call === 'sync' && reply.status !== 200 && !shown) refused.push(reply.body);
    return reply;
  };
  world.metacontroller(hook);
  world.api.create('user', flinkJob());
  const ref = jobRef(NAME);
  const apply = (spec: object): void => {
    const job = world.api.get(ref);
    if (job !== undefined) world.api.update('user', { ...job, spec });
  };
  const state = (): unknown => at(world.api.get(ref), 'status', 'state');
  await clock.run(clock.now() + 60_000);
  assert.equal(state(), 'Running');
  shown = false;
  const before = world.api.list('Deployment').map(({ spec }) => spec);
  for (const spec of [reconfigured(SPEC, '64'), suspended(SPEC)]) {
    apply(spec);
    // oxlint-disable-next-line no-await-in-loop -- one change after the other
    await clock.run(clock.now() + 120_000);
  }
  assert.ok(refused.length > 0);
  assert.ok(
    refused.every((reply) => reply.startsWith('no pods are shown')),
    refused[0],
  );
  assert.deepEqual(
    world.api.list('Deployment').map(({ spec }) => spec),
    before,
  );
  assert.deepEqual([state(), started.length], ['Running', 1]);
  shown = true;
  apply(reconfigured(SPEC, '32'));
  await clock.run(clock.now() + 120_000);
  assert.deepEqual([state(), started.length], ['Running', 2]);
});
