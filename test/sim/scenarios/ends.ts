import assert from 'node:assert/strict';
import {
  epochOf,
  isReady,
  jobOf,
  killJobManager,
  LIMIT_MS,
  podNames,
  reachRunning,
  reachSettled,
  start,
  stateOf,
} from '../harness/flows.ts';
import { reconfigured, SPEC, type Spec } from '../harness/sample.ts';
import { restoreConfigMap, running, scenario, status, uid } from '../harness/scenario.ts';

/** What follows the end of a job: finished, canceled by somebody, failed for good. */

const bounded = (ms: number): Spec => ({ ...SPEC, jobArgs: ['--bounded-ms', String(ms)] });
const policy = (spec: Spec, policies: object): Spec => ({
  ...spec,
  policies: { ...(spec['policies'] as object), ...policies },
});

scenario('34 bounded job finishes: its JobManager stays for the TTL and never runs it again', async (h) => {
  await start(h, policy(bounded(20_000), { ttlSecondsAfterFinished: 120 }));
  await h.until(() => isReady(h, 'Finished') && podNames(h, 'taskmanager').length === 0, LIMIT_MS, 'Finished');
  assert.equal(podNames(h, 'jobmanager').length, 1, 'its web interface stays');
  assert.match(status(h).message ?? '', /JobManager stays until/);
  assert.equal(
    (restoreConfigMap(h)?.['data'] as Record<string, string> | undefined)?.['job-id'],
    undefined,
    'nothing can be started',
  );
  await h.run(30_000);
  killJobManager(h);
  await h.run(60_000);
  assert.equal(jobOf(h), undefined, 'a JobManager that dies does not start again');
  assert.equal(h.ledger.counts['restored'], 1);
  await h.until(() => podNames(h).length === 0, 120_000, 'the TTL is over');
  assert.ok(isReady(h, 'Finished'));
  await reachSettled(h);
});

scenario('a finished job and another spec: by default it stays finished, and plan says so', async (h) => {
  await start(h, bounded(15_000));
  await h.until(() => isReady(h, 'Finished') && podNames(h).length === 0, LIMIT_MS, 'Finished');
  h.apply(reconfigured(bounded(15_000), '64'));
  await h.run(60_000);
  assert.equal(epochOf(h), 1);
  assert.ok(status(h).plan?.some(({ note }) => note.includes('policies.restart.finished')));
  h.ledger.permit(uid(h));
  const again = { restart: { finished: 'onSpecChange' }, ttlSecondsAfterFinished: 600 };
  h.apply(policy(reconfigured(bounded(15_000), '64'), again));
  await h.until(() => epochOf(h) === 2 && isReady(h, 'Finished'), LIMIT_MS, 'it ran a second time');
  assert.equal(status(h).epoch?.restoredFrom, undefined, 'a finished job leaves no state');
  assert.equal(podNames(h, 'jobmanager').length, 1);
  await h.run(10_000);
  h.ledger.permit(uid(h));
  h.apply(policy(reconfigured(bounded(15_000), '65'), again));
  await h.until(() => epochOf(h) === 3 && isReady(h, 'Finished'), LIMIT_MS, 'a third time, within the TTL');
});

scenario(
  '17 job FAILED with restart.failed: deployed anew from its newest snapshot, with growing pauses',
  async (h) => {
    const failing = policy(
      { ...SPEC, jobArgs: ['--fail-after-ms', '25000'] },
      { restart: { failed: 'fromLastSnapshot' } },
    );
    await start(h, failing);
    await h.until(() => epochOf(h) === 2 && running(h), LIMIT_MS, 'deployed anew');
    assert.match(status(h).epoch?.restoredFrom ?? '', /chk-/);
    assert.equal(status(h).redeploy?.attempts, 1);
    await h.until(() => epochOf(h) === 3 && running(h), LIMIT_MS, 'and once more');
    assert.equal(status(h).redeploy?.attempts, 2);
    assert.ok(status(h).history?.some(({ reason }) => reason === 'Redeployed'));
    const before = epochOf(h);
    await h.run(600_000);
    assert.ok(epochOf(h) - before <= 6, `no storm: ${epochOf(h) - before} epochs in ten minutes`);
    h.apply({ ...SPEC });
    await h.until(() => running(h), 900_000, 'a corrected spec does not wait for the pause');
    await h.run(11 * 60_000);
    assert.equal(status(h).redeploy, undefined, 'forgotten when the job has run for long enough');
    await reachRunning(h);
  },
);

scenario('job FAILED with restart.failed and nothing to go on from: held', async (h) => {
  const failing = policy(
    { ...SPEC, jobArgs: ['--fail-after-ms', '4000'] },
    { restart: { failed: 'fromLastSnapshot' } },
  );
  h.world.storage.forbid('file:///data/checkpoints');
  h.apply(failing);
  await h.until(() => /approveStateLoss/.test(status(h).message ?? ''), LIMIT_MS, 'held, with the ways out');
  await h.run(60_000);
  assert.equal(epochOf(h), 1);
  assert.equal(stateOf(h), 'Stalled');
});
