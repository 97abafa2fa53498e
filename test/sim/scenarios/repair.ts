import assert from 'node:assert/strict';
import { epochNames } from '../../../src/core/build/names.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import {
  condition,
  counter,
  epochOf,
  isReady,
  jobOf,
  LIMIT_MS,
  podNames,
  reachRunning,
  reachSettled,
  start,
  stateOf,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import { NAME, reconfigured, SPEC } from '../harness/sample.ts';
import { scenario, status, uid, running, assertRewoundTold } from '../harness/scenario.ts';

/** Scenarios 13 to 20: what never starts, what ends, what is edited by hand. */

scenario('13 bad image: never starts, then repaired', async (h) => {
  h.world.faults.pulls = (image) => !image.includes('9.9');
  h.apply({ ...SPEC, image: 'flink:9.9' });
  await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'Stalled');
  assert.match(status(h).message ?? '', /9\.9/);
  h.apply(SPEC);
  await reachRunning(h, 'repaired without a manual step');
  await reachSettled(h);
});

scenario('13 bad image in an upgrade: the snapshot is handed on', async (h) => {
  h.world.faults.pulls = (image) => !image.includes('9.9');
  await start(h);
  await h.run(15_000);
  h.apply({ ...SPEC, image: 'flink:9.9' });
  await h.until(() => condition(h, 'Stalled') === 'True' && epochOf(h) === 2, LIMIT_MS, 'Stalled');
  h.apply(SPEC);
  await reachRunning(h, 'repaired');
  assert.equal(h.ledger.rewinds.length, 0);
  assert.ok(counter(h) > 100);
});

scenario('14 main() throws', async (h) => {
  h.apply({ ...SPEC, jobArgs: ['--throw'] });
  await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
  await reachSettled(h);
  h.apply(SPEC);
  await reachRunning(h, 'repaired');
});

scenario('16 job finishes during an upgrade', async (h) => {
  await start(h, { ...SPEC, jobArgs: ['--bounded-ms', '20000'] });
  h.controls.flink = (_index, method) => (method === 'POST' ? 'timeout' : 'none');
  h.apply(reconfigured({ ...SPEC, jobArgs: ['--bounded-ms', '20000'] }, '64'));
  await h.until(() => jobOf(h)?.state() === 'FINISHED', LIMIT_MS, 'finished by itself');
  h.controls.flink = () => 'none';
  await h.until(() => isReady(h, 'Finished'), LIMIT_MS, 'Finished');
  await reachSettled(h);
  assert.equal(epochOf(h), 1, 'a finished job is not run again');
});

scenario('17 job FAILED, then spec repaired', async (h) => {
  await start(h, { ...SPEC, jobArgs: ['--fail-after-ms', '40000'] });
  await h.until(() => stateOf(h) === 'Failed', LIMIT_MS, 'Failed');
  await reachSettled(h);
  h.apply(SPEC);
  await h.until(
    () => running(h) || condition(h, 'Stalled') === 'True',
    LIMIT_MS,
    'repaired, or held with the ways out',
  );
});

scenario('19 status wiped while the job runs', async (h) => {
  await start(h);
  await upgrade(h, reconfigured(SPEC, '64'));
  await h.run(30_000);
  const process = jobOf(h);
  h.tell('user: the status is wiped');
  h.edit((live) => ({ ...live, status: {} }));
  await reachRunning(h, 'adopted');
  assert.equal(jobOf(h), process, 'the same process runs on');
  assert.equal(epochOf(h), 2);
  await reachSettled(h);
  await upgrade(h, reconfigured(SPEC, '65'));
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('19 status wiped while suspended', async (h) => {
  await start(h);
  await h.run(15_000);
  await suspend(h, SPEC);
  h.edit((live) => ({ ...live, status: {} }));
  await h.run(20_000);
  assert.equal(podNames(h).length, 0, 'it stays suspended');
  h.apply(SPEC);
  await reachRunning(h, 'resumed');
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('20 children deleted and edited by hand', async (h) => {
  await start(h);
  await h.run(12_000);
  const process = jobOf(h);
  const own = epochNames({ name: NAME, uid: uid(h) }, 1);
  for (const name of [own.configuration, own.restore, own.record]) {
    h.world.api.remove('somebody', { kind: 'ConfigMap', namespace: NAMESPACE, name });
    await h.run(3_000);
    assert.ok(h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name }), `${name} is back`);
  }
  h.world.api.remove('somebody', { kind: 'Service', namespace: NAMESPACE, name: `${NAME}-rest` });
  await reachRunning(h, 'children are back');
  const live = h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: own.record }) ?? assert.fail();
  h.world.api.update('somebody', { ...live, binaryData: { 'record.json.gz': 'H4sIAAAA' } });
  await h.run(30_000);
  assert.equal(jobOf(h), process, 'the job runs on');
  await upgrade(h, reconfigured(SPEC, '64'));
  assert.equal(h.ledger.rewinds.length, 0);
});

scenario('20 JobManager Deployment deleted by hand', async (h) => {
  await start(h);
  await h.run(25_000);
  h.world.api.remove('somebody', { kind: 'Deployment', namespace: NAMESPACE, name: `${NAME}-jobmanager` });
  await h.until(() => jobOf(h) === undefined, LIMIT_MS, 'the JobManager is gone');
  await reachRunning(h, 'started again after proof of absence');
  assertRewoundTold(h);
});

scenario('20 JobManager scaled by hand', async (h) => {
  await start(h);
  const ref = { kind: 'Deployment', namespace: NAMESPACE, name: `${NAME}-jobmanager` };
  const live = h.world.api.get(ref) ?? assert.fail();
  h.world.api.update('somebody', { ...live, spec: { ...(live['spec'] as object), replicas: 0 } });
  await h.until(() => jobOf(h) === undefined, LIMIT_MS, 'the JobManager is gone');
  await reachRunning(h, 'started again');
});
