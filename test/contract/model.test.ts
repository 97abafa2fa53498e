import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { flinkClient } from '../../src/flink/client.ts';
import { createApp } from '../../src/http/app.ts';
import { appHook } from '../../src/sim/hook.ts';
import { virtualClock } from '../../src/sim/models/clock.ts';
import { processName } from '../../src/sim/models/flink/events.ts';
import { createWorld, NAMESPACE } from '../../src/sim/world.ts';
import { flinkJob, NAME, SPEC, type Spec } from '../sim/harness/sample.ts';
import { CONTRACTS, type Stage } from './flink.ts';
import { drivenCalls, modelledUntil } from './modelled.ts';

/** The contract told to the simulator's Flink: Flork starts a job in the modelled cluster, and is gone. */

const FORBIDDEN = 'file:///nowhere';
const CHECKPOINTS = {
  'execution.checkpointing.interval': '5s',
  'execution.checkpointing.dir': 'file:///data/checkpoints',
};
const FLINK: readonly (readonly [string, Spec])[] = [
  ['1.20', SPEC],
  ['2.3', { ...SPEC, flinkVersion: '2.3', image: 'flink:2.3.0', flinkConf: CHECKPOINTS }],
];

/** A cluster in which a job with this spec runs. */
async function stageWith(spec: Spec): Promise<Stage> {
  const clock = virtualClock(Date.parse('2026-01-05T08:00:00Z'));
  const world = createWorld({ clock, seed: 3 });
  let gone = false;
  const flork = appHook(createApp({ transport: world.transport, now: clock.now }));
  world.metacontroller((call, body) => (gone ? Promise.resolve({ kind: 'unreachable' }) : flork(call, body)));
  world.api.create('user', flinkJob(spec));
  await clock.run(clock.now() + 30_000);
  gone = true;
  world.storage.forbid(FORBIDDEN);
  const service = { name: `${NAME}-rest`, namespace: NAMESPACE, port: 8081, scheme: 'http' as const };
  const { signal } = new AbortController();
  const plain = flinkClient({ transport: world.transport, service, signal, timeoutMs: 500 });
  return {
    client: drivenCalls(clock, plain, 2_000, (run) => clock.outside(run)),
    savepoints: 'file:///data/savepoints/contract',
    forbidden: FORBIDDEN,
    until: (what, seconds, probe) => modelledUntil(clock, 250, what, seconds, probe),
    killJobManager: async () => {
      const [jobManager] = world.runtime.jobManagers();
      const name = processName((jobManager ?? assert.fail('no JobManager')).info);
      const pod = world.api.list('Pod').find(({ metadata }) => name.startsWith(metadata.uid ?? '-'));
      world.kubelet.kill(pod ?? assert.fail(`no pod of ${name}`));
    },
  };
}

for (const [version, spec] of FLINK) {
  for (const { name, conf, steps } of CONTRACTS) {
    describe(`the model of Flink ${version} keeps the contract: ${name}`, { concurrency: false }, () => {
      const stage = stageWith({ ...spec, flinkConf: { ...(spec['flinkConf'] as object), ...conf } });
      for (const [what, run] of steps) test(what, async () => run(await stage));
    });
  }
}
