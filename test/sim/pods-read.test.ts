import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeFault } from '../../src/sim/models/kube-api.ts';
import { refOf } from '../../src/sim/models/objects.ts';
import { statusOf } from './harness/checker.ts';
import { epochOf, isReady, LIMIT_MS, pods, reachSettled, remove, start, suspend } from './harness/flows.ts';
import { createHistory, type History } from './harness/history.ts';
import { reconfigured, SPEC, suspended } from './harness/sample.ts';

/** A Flork that reads the pods itself. FLORK_SIM_PODS=read tells all scenarios, plans and random histories of it. */

const message = (h: History): string => statusOf(h.job() ?? assert.fail('the FlinkJob is gone')).message ?? '';
const refusals = (h: History): number => h.counts.rules.get('pods-unread') ?? 0;
const deployments = (h: History): readonly unknown[] => h.world.api.list('Deployment').map(({ spec }) => spec);

describe('a Flork that reads the pods', () => {
  test('is shown none', async () => {
    const h = createHistory({ seed: 3, readsPods: true, traced: true });
    await start(h);
    await reachSettled(h);
    await h.run(30_000);
    const shown = h.tracer.lines.flatMap(({ related }) => Object.keys(related ?? {}));
    assert.deepEqual([...new Set(shown)], ['Namespace.v1']);
    assert.ok(h.counts.podReads > 0);
    await remove(h);
  });

  for (const fault of ['unreachable', 'timeout', 'answer-lost', 'forbidden'] as const satisfies readonly KubeFault[])
    test(`leaves what runs as it is while it cannot read them (${fault}), whatever is asked, and goes on then`, async () => {
      const h = createHistory({ seed: 5, readsPods: true });
      await start(h);
      await h.run(25_000);
      const before = deployments(h);
      const processes = h.ledger.counts['process-started'];
      h.controls.pods = () => fault;
      h.apply(reconfigured(SPEC, '64'));
      await h.run(120_000);
      h.apply(suspended(SPEC));
      await h.run(120_000);
      assert.ok(refusals(h) > 2);
      assert.deepEqual(deployments(h), before);
      assert.deepEqual([h.ledger.counts['process-started'], statusOf(h.job()!).state], [processes, 'Running']);
      h.controls.pods = () => 'none';
      h.apply(reconfigured(SPEC, '32'));
      await h.until(() => epochOf(h) === 2 && isReady(h), LIMIT_MS, 'upgraded');
      await suspend(h, reconfigured(SPEC, '32'));
      await remove(h);
    });

  test('lets no FlinkJob go while it cannot read them: its JobManager may live', async () => {
    const h = createHistory({ seed: 6, readsPods: true });
    await start(h);
    h.controls.pods = () => 'unreachable';
    h.remove();
    await h.run(300_000);
    assert.ok(refusals(h) > 2);
    assert.equal(pods(h, 'jobmanager').length, 1);
    assert.ok(h.job() !== undefined);
    h.controls.pods = () => 'none';
    await h.until(() => h.job() === undefined, LIMIT_MS, 'deleted');
  });

  for (const readsPods of [false, true])
    test(`names what only a pod tells within one resync, ${readsPods ? 'read' : 'shown'}`, async (t) => {
      const [first, later]: [number[], number[]] = [[], []];
      const named = async (h: History, since: number): Promise<number> => {
        await h.until(() => /ImagePull/.test(message(h)), 25_000, 'named');
        return (h.clock.now() - since) / 1000;
      };
      for (let seed = 1; seed <= 6; seed++) {
        const fresh = createHistory({ seed, readsPods });
        fresh.world.faults.pulls = () => false;
        fresh.apply(SPEC);
        // oxlint-disable-next-line no-await-in-loop -- one history after the other
        first.push(await named(fresh, fresh.clock.now()));
        const settled = createHistory({ seed, readsPods });
        await start(settled);
        await reachSettled(settled);
        await settled.run(30_000 + seed * 1700);
        settled.world.faults.pulls = () => false;
        for (const pod of pods(settled, 'taskmanager')) settled.world.api.remove('user', refOf(pod));
        later.push(await named(settled, settled.clock.now()));
        settled.world.faults.pulls = () => true;
      }
      const most = (seconds: readonly number[]): string => Math.max(...seconds).toFixed(1);
      t.diagnostic(
        `an image that cannot be pulled: ${most(first)} s after creation, ${most(later)} s after a pod of a settled job was evicted, at most`,
      );
    });
});
