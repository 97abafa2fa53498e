import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, edit, jobManagerPod, runningCluster, SPEC, sync, UNREACHABLE } from './drive.ts';

const shownOf = (at: ReturnType<typeof runningCluster>) => ({
  pods: [jobManagerPod(1)],
  flink: answered(at.status!.epoch!.jobId, 'RUNNING'),
});

test('a configuration key that nobody reads is named, and nothing is restarted', () => {
  const at = runningCluster();
  edit(at, { flinkConf: { ...SPEC.flinkConf, 'historyserver.web.port': 8082 } });
  const outcome = sync(at, shownOf(at));
  assert.equal(outcome.rule, 'running');
  assert.deepEqual(outcome.status.plan, [
    {
      field: 'spec.flinkConf["historyserver.web.port"]',
      note: 'No process of the job reads it; it is written with the next epoch.',
    },
  ]);
});

test('a snapshot without a new nonce is named', () => {
  const at = runningCluster();
  edit(at, { restore: { from: 'file:///elsewhere' } });
  assert.deepEqual(
    sync(at, shownOf(at)).status.plan?.map(({ field }) => field),
    ['spec.restore.from'],
  );
});

test('a spec that is what runs has no plan', () => {
  const at = runningCluster();
  edit(at, { policies: { ...SPEC.policies, stateLoss: 'never' } });
  assert.equal(sync(at, shownOf(at)).status.plan, undefined);
});

test('a plan is never longer than status has room for', () => {
  const at = runningCluster();
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`yarn.key-${index}`, index]));
  edit(at, { flinkConf: { ...SPEC.flinkConf, ...many } });
  const plan = sync(at, shownOf(at)).status.plan!;
  assert.equal(plan.length, 20);
  assert.deepEqual(plan.at(-1), { field: 'spec', note: '41 more fields do not act now.' });
});

test('a change that waits is named, with what it waits for; one that is under way is not', () => {
  const at = runningCluster();
  edit(at, { jobArgs: ['x'] });
  const waits = sync(at, {
    pods: [jobManagerPod(1)],
    flink: answered(at.status!.epoch!.jobId, 'RUNNING', { running: 1 }),
  });
  assert.equal(waits.rule, 'changeWaits');
  assert.deepEqual(waits.status.plan, [{ field: 'spec.jobArgs', note: 'By an upgrade, which waits (ChangeWaits).' }]);
  assert.equal(sync(at, { pods: [jobManagerPod(1)], flink: UNREACHABLE }).status.plan?.[0]?.field, 'spec.jobArgs');
  assert.equal(sync(at, shownOf(at)).rule, 'stopIntended');
  assert.equal(at.status?.plan, undefined);
});
