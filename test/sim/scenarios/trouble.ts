import assert from 'node:assert/strict';
import { condition, pods, reachRunning, reachSettled, start } from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { SPEC } from '../harness/sample.ts';
import { scenario, status } from '../harness/scenario.ts';

/** What pods and Deployments tell is in `message` within one resync. */

const reason = (h: History): string | undefined => status(h).conditions?.[0]?.reason;

scenario('a TaskManager is killed for its memory again and again: named while the job does not run', async (h) => {
  await start(h);
  await h.run(15_000);
  for (const pod of pods(h, 'taskmanager')) h.world.kubelet.kill(pod, 'OOMKilled');
  await h.until(() => reason(h) === 'OutOfMemory', 20_000, 'named');
  assert.match(status(h).message ?? '', /taskmanager.*OOMKilled/);
  await reachRunning(h, 'Flink goes on');
  await reachSettled(h);
});

scenario('a JobManager is killed for its memory', async (h) => {
  await start(h);
  await h.run(15_000);
  for (const pod of pods(h, 'jobmanager')) h.world.kubelet.kill(pod, 'OOMKilled');
  await h.until(() => reason(h) === 'OutOfMemory', 20_000, 'named');
  assert.match(status(h).message ?? '', /jobmanager.*OOMKilled/);
  await reachRunning(h, 'recovered');
});

scenario('27 pods refused by Pod Security are named, and what was refused', async (h) => {
  const why = 'pods "orders" is forbidden: violates PodSecurity "restricted:latest"';
  h.world.faults.refuse = (verb, object) => (verb === 'create' && object.kind === 'Pod' ? why : undefined);
  h.apply(SPEC);
  await h.until(() => reason(h) === 'PodsRefused', 90_000, 'named');
  assert.match(status(h).message ?? '', /PodSecurity/);
  assert.equal(condition(h, 'ChildrenApplied'), 'False');
  await reachSettled(h);
  h.world.faults.refuse = () => undefined;
  await reachRunning(h, 'admitted');
  assert.equal(condition(h, 'ChildrenApplied'), undefined);
});
