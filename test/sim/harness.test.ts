import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachSettled, start } from './harness/flows.ts';
import { createHistory } from './harness/history.ts';
import { tellScript } from './harness/random.ts';
import type { Script } from './harness/script.ts';

/** What the harness itself must not get wrong: histories that it once called broken, and one that it must call so. */

const QUIET: Script = {
  seed: 1,
  strategy: 'dynamic-apply',
  countsTerminating: true,
  repeatEvery: 0,
  traits: [],
  firstMs: 3_000,
  deeds: [],
  faults: [],
  last: false,
  settles: true,
};

test('outages that overlap: the hook is up again when the last of them is over', async () => {
  const deeds = [
    { deed: 'hook down for a minute', value: 1, thenMs: 2_000 },
    { deed: 'hook down for a minute', value: 1, thenMs: 8_000 },
  ] as const;
  const { end } = await tellScript({ ...QUIET, deeds });
  assert.equal(end, 'Running');
});

test('a snapshot that goes late is waited for, and then nothing more is written', async () => {
  const { history } = await tellScript({
    ...QUIET,
    seed: 649,
    strategy: 'server-side-apply',
    traits: ['last-state'],
    firstMs: 14_744,
    deeds: [{ deed: 'edit', value: 1, thenMs: 25_000 }],
    last: true,
  });
  assert.equal(history.ledger.counts.disposed, 1);
});

test('a write without a cause is no rest', async () => {
  const h = createHistory({ seed: 1 });
  await start(h);
  h.clock.after(40_000, () => h.edit((live) => ({ ...live, status: { ...(live['status'] as object), message: '?' } })));
  await assert.rejects(
    reachSettled(h).then(() => h.run(1)),
    /settled/,
  );
});
