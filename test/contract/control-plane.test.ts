import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { modelCluster, type Cluster } from '../../src/sim/models/cluster.ts';
import { virtualClock, type VirtualClock } from '../../src/sim/models/clock.ts';
import { podsOf } from '../../src/sim/models/deployments.ts';
import { createWorld, NAMESPACE } from '../../src/sim/world.ts';
import { STORIES, type Stage } from './control-plane.ts';

/** The contract of the control plane told to the simulator's model of it. */

/** A promise that needs the modelled time to go on. */
async function driven<T>(clock: VirtualClock, run: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined;
  clock.spawn(async () => {
    result = { value: await run() };
  });
  await clock.run(clock.now() + 10_000, () => result !== undefined);
  return (result ?? assert.fail('no answer')).value;
}

function modelStage(): Stage {
  const clock = virtualClock(Date.parse('2026-01-05T08:00:00Z'));
  const world = createWorld({ clock, seed: 3 });
  world.faults.schedulable = () => false;
  const plain = modelCluster({
    api: world.api,
    clock,
    random: world.random.fork('contract'),
    actor: 'contract',
    watchLagMs: () => 15,
  });
  const calls = Object.entries(plain).map(([name, call]) => [
    name,
    (...args: never[]) => driven<unknown>(clock, () => (call as (...args: never[]) => Promise<unknown>)(...args)),
  ]);
  return {
    cluster: Object.fromEntries(calls) as Cluster,
    namespace: NAMESPACE,
    until: async (what, seconds, probe) => {
      for (let left = seconds * 10; left > 0; left -= 1) {
        // oxlint-disable-next-line no-await-in-loop -- one question after the other
        const value = await probe();
        if (value !== undefined) return value;
        // oxlint-disable-next-line no-await-in-loop -- one question after the other
        await clock.run(clock.now() + 100);
      }
      return assert.fail(`${what}: not within ${seconds} s`);
    },
    removeForeground: async (ref) => {
      assert.equal(world.api.remove('contract', ref, { propagation: 'foreground' }).kind, 'done');
    },
    exhaustQuota: async () => {
      world.faults.refuse = (verb, { kind }) =>
        verb === 'create' && kind === 'ConfigMap' ? 'forbidden: exceeded quota: full' : undefined;
      return async () => {
        world.faults.refuse = () => undefined;
      };
    },
    podsOf: async (deployment) => podsOf(world.api, deployment),
  };
}

describe('the model of the control plane keeps the contract', { concurrency: false }, () => {
  const stage = modelStage();
  for (const [what, run] of STORIES) test(what, () => run(stage));
});
