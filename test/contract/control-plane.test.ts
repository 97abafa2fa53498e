import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { modelCluster } from '../../src/sim/models/cluster.ts';
import { virtualClock } from '../../src/sim/models/clock.ts';
import { podsOf } from '../../src/sim/models/deployments.ts';
import { createWorld, NAMESPACE } from '../../src/sim/world.ts';
import { STORIES, type Stage } from './control-plane.ts';
import { drivenCalls, modelledUntil } from './modelled.ts';

/** The contract of the control plane told to the simulator's model of it. */

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
  return {
    cluster: drivenCalls(clock, plain, 10_000),
    namespace: NAMESPACE,
    until: (what, seconds, probe) => modelledUntil(clock, 100, what, seconds, probe),
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
