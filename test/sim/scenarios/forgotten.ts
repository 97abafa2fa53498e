import assert from 'node:assert/strict';
import { outage, reachRunning, start } from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { reconfigured, SPEC, type Spec } from '../harness/sample.ts';
import { savepointsOf, scenario, status } from '../harness/scenario.ts';

/** What Flink was asked for, refused in its result, and no longer knows of. The ledger judges: no trigger starts anything twice. */

const SAVEPOINTS = 'file:///data/savepoints';

function forget(h: History): void {
  h.tell('Flink forgets its results');
  for (const manager of h.world.runtime.jobManagers()) manager.forget();
}

/** It is asked, Flink hears of it, and until the hook is back nothing is left of it. */
async function unseen(h: History, spec: Spec, answer: 'told' | 'lost'): Promise<void> {
  h.world.storage.forbid(SAVEPOINTS);
  h.controls.flink = (_, method) => (method === 'POST' && answer === 'lost' ? 'answer-lost' : 'none');
  const before = (h.ledger.counts['stop-asked'] ?? 0) + (h.ledger.counts['savepoint-asked'] ?? 0);
  h.apply(spec);
  const asked = (): boolean =>
    (h.ledger.counts['stop-asked'] ?? 0) + (h.ledger.counts['savepoint-asked'] ?? 0) > before &&
    status(h).operation?.askedAt !== undefined;
  await h.until(asked, 60_000, 'Flink is asked');
  outage(h, 300_000);
  await h.run(290_000);
  forget(h);
  h.controls.flink = () => 'none';
  h.world.storage.forbid('');
}

for (const answer of ['told', 'lost'] as const) {
  scenario(
    `a stop that failed and is forgotten while the hook is down is tried anew, its answer was ${answer}`,
    async (h) => {
      await start(h);
      const edited = reconfigured(SPEC, '64');
      await unseen(h, edited, answer);
      await h.until(() => status(h).epoch?.number === 2, 200_000, 'upgraded');
      await reachRunning(h);
      assert.ok((h.counts.rules.get(answer === 'told' ? 'stopFailed' : 'stopForgotten') ?? 0) > 0);
      assert.equal(savepointsOf(h), 1);
    },
  );

  scenario(`a savepoint that failed and is forgotten is tried anew, its answer was ${answer}`, async (h) => {
    await start(h);
    await unseen(h, { ...SPEC, savepointNonce: 1 }, answer);
    await h.until(() => status(h).handled?.savepointNonce === 1, 200_000, 'taken');
    assert.ok((h.counts.rules.get(answer === 'told' ? 'snapshotFailed' : 'asideForgotten') ?? 0) > 0);
    assert.equal(savepointsOf(h), 1);
  });
}
