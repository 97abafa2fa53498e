import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlinkView } from '../../../../src/core/flink-view.ts';
import {
  answered,
  checkpoint,
  edit,
  jobManagerPod,
  NOT_ASKED,
  runningCluster,
  SPEC,
  sync,
  UNREACHABLE,
} from '../drive.ts';

/** By which way a job is left that cannot simply be stopped, and by which one it is not. */

const pods = [jobManagerPod(1)];
const CHK = { completed: 3, latestCompleted: checkpoint(3, 'file:///c/chk-3', 3_000) };
const { policies: _, ...NO_DIRECTORY } = SPEC;

function changed(policies?: Record<string, unknown>, spec: Record<string, unknown> = SPEC) {
  const at = runningCluster(spec);
  const id = at.status!.epoch!.jobId;
  edit(at, { jobArgs: ['x'], ...(policies ? { policies: { ...SPEC.policies, ...policies } } : {}) });
  const show = (flink: FlinkView, shown = pods) => sync(at, { pods: shown, flink });
  return { at, id, show };
}

/** A container that ended, and is not started again yet. */
function dead(message: string) {
  const end = { exitCode: 1, reason: 'Error', message, startedAt: '', finishedAt: '' };
  return [
    jobManagerPod(1, 3, { waiting: { reason: 'CrashLoopBackOff', message: '' } }, { lastState: { terminated: end } }),
  ];
}

test('a job that restarts is waited for, and after a minute left by its newest checkpoint', () => {
  const { at, id, show } = changed();
  const restarting = answered(id, 'RESTARTING', { checkpoints: CHK });
  assert.equal(show(restarting).rule, 'changeWaits');
  at.now += 50_000;
  assert.equal(show(restarting).rule, 'changeWaits');
  at.now += 10_000;
  const left = show(restarting);
  assert.equal(left.rule, 'cancelIntended');
  assert.equal(left.status.operation?.startsEmpty, undefined);
});

test('a job that merely starts is waited for as long as readiness says', () => {
  const at = runningCluster();
  const id = at.status!.epoch!.jobId;
  const { stableAt: __, runningAt: ___, ...epoch } = at.status!.epoch!;
  at.status = { ...at.status!, epoch };
  edit(at, { jobArgs: ['x'], policies: { ...SPEC.policies, upgrade: { readiness: '2m' } } });
  const starting = answered(id, 'RUNNING', { running: 1, checkpoints: CHK });
  sync(at, { pods, flink: starting });
  at.now += 100_000;
  assert.equal(sync(at, { pods, flink: starting }).rule, 'changeWaits');
  at.now += 20_000;
  assert.equal(sync(at, { pods, flink: starting }).rule, 'cancelIntended');
});

test('fallback wait: told after a minute, and waited for', () => {
  const { at, id, show } = changed({ upgrade: { fallback: 'wait' } });
  const restarting = answered(id, 'RESTARTING', { checkpoints: CHK });
  show(restarting);
  at.now += 61_000;
  const told = show(restarting);
  assert.equal(told.rule, 'changeHolds');
  assert.match(told.status.message, /fallback is wait/);
  assert.equal(show(answered(id, 'RUNNING', { checkpoints: CHK })).rule, 'stopIntended');
});

test('silence is waited for without end, and foreign answers, too', () => {
  const { at, id, show } = changed();
  const foreign = answered('f'.repeat(32), 'RUNNING');
  for (let minute = 0; minute < 10; minute += 1) {
    at.now += 60_000;
    assert.equal(show(UNREACHABLE).rule, 'changeUnheard');
    assert.equal(show(foreign).rule, 'changeUnheard');
  }
  assert.equal(show(answered(id, 'RUNNING')).rule, 'stopIntended');
});

test('silence that may pass by itself has no ways out told, what lasts has', () => {
  const { at, id, show } = changed();
  const foreign = answered('f'.repeat(32), 'RUNNING');
  for (const silence of [UNREACHABLE, foreign]) {
    assert.doesNotMatch(show(silence).status.message, /approveStateLoss|spec\.restore/);
    at.now += 50_000;
    assert.doesNotMatch(show(silence).status.message, /approveStateLoss|spec\.restore/);
    at.now += 10_000;
    assert.match(show(silence).status.message, /The change waits\. .*spec\.restore.*approveStateLoss: "lose-/);
  }
  show(answered(id, 'RESTARTING', { checkpoints: CHK }));
  assert.doesNotMatch(show(UNREACHABLE).status.message, /approveStateLoss/, 'it has answered since');
});

test('three savepoints that fail in a row: the next way is the newest checkpoint, unless fallback is wait', () => {
  for (const fallback of ['last-state', 'wait']) {
    const { at, id, show } = changed({ upgrade: { fallback } });
    const runs = answered(id, 'RUNNING', { checkpoints: CHK });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      assert.equal(show(runs).rule, 'stopIntended');
      const trigger = { kind: 'failed', text: 'disk full', path: undefined } as const;
      assert.equal(show(answered(id, 'RUNNING', { checkpoints: CHK, trigger })).rule, 'stopFailed');
      at.now += 300_000;
    }
    assert.equal(show(runs).rule, fallback === 'wait' ? 'stopIntended' : 'cancelIntended');
  }
});

test('a stop that was never sent counts as one when the tasks no longer run', () => {
  const { id, show } = changed();
  const restarting = answered(id, 'RESTARTING', { checkpoints: CHK, trigger: 'absent' });
  for (let time = 1; time <= 3; time += 1) {
    assert.equal(show(answered(id, 'RUNNING', { checkpoints: CHK })).rule, 'stopIntended');
    const withdrawn = show(restarting);
    assert.equal(withdrawn.rule, 'stopUnsent');
    assert.equal(withdrawn.status.operation, undefined);
    assert.equal(withdrawn.status.retry?.failures, time);
    assert.equal(withdrawn.status.epoch?.attempt, 0, 'its number was not used');
  }
  assert.equal(show(answered(id, 'RUNNING', { checkpoints: CHK })).rule, 'cancelIntended');
});

test('however long ago it was intended by the clock, a stop that Flink does not know is asked for under its own id', () => {
  const { at, id, show } = changed();
  const runs = answered(id, 'RUNNING', { trigger: 'absent' });
  const first = show(runs).status.operation!.triggerId;
  at.now += 6_000_000;
  const asked = show(runs);
  assert.equal(asked.rule, 'stopAsked');
  assert.equal(asked.status.operation!.triggerId, first);
});

test('last-state: the newest checkpoint of the canceled job, when it can be read', () => {
  const { at, id, show } = changed({ upgrade: { mode: 'last-state' } });
  assert.equal(show(answered(id, 'RUNNING', { checkpoints: CHK })).rule, 'cancelIntended');
  assert.equal(show(answered(id, 'RUNNING', { checkpoints: CHK })).rule, 'cancelAsked');
  assert.equal(show(answered(id, 'CANCELLING', { checkpoints: CHK })).rule, 'cancelUnderWay');
  const gone = answered(id, 'CANCELED', { checkpoints: CHK });
  const early =
    gone.kind === 'answered' ? { ...gone, jobs: gone.jobs.map((job) => ({ ...job, endTime: 58_000 })) } : gone;
  assert.equal(show(early).rule, 'cancelUntold', 'statistics lag by three seconds');
  const canceled = show(
    answered(id, 'CANCELED', { checkpoints: { ...CHK, latestCompleted: checkpoint(4, 'file:///c/chk-4', 4) } }),
  );
  assert.equal(canceled.rule, 'canceled');
  assert.equal(canceled.status.epoch?.ended?.path, 'file:///c/chk-4');
  assert.equal(at.status!.epoch!.ended!.startsEmpty, undefined);
});

test('last-state: a cancel is not sent while nobody says that checkpoints outlive it', () => {
  const { id, show } = changed({ upgrade: { mode: 'last-state' } });
  show(answered(id, 'RUNNING', { checkpoints: CHK }));
  const unsaid = show(answered(id, 'RUNNING', { checkpoints: CHK, checkpointing: 'unknown' }));
  assert.deepEqual(unsaid.commands, []);
  assert.equal(unsaid.rule, 'cancelUnderWay');
  const off = show(answered(id, 'RUNNING', { checkpoints: CHK, checkpointing: false }));
  assert.equal(off.rule, 'cancelWithdrawn');
  assert.deepEqual(off.commands, []);
});

test('last-state without a checkpoint yet: waited for', () => {
  const { id, show } = changed(undefined, NO_DIRECTORY);
  assert.equal(show(answered(id, 'RUNNING')).rule, 'changeWaits');
  assert.equal(show(answered(id, 'RUNNING', { checkpoints: CHK })).rule, 'cancelIntended');
});

test('last-state, too old, and no directory for a savepoint: a younger checkpoint is waited for', () => {
  const at = runningCluster(NO_DIRECTORY);
  const id = at.status!.epoch!.jobId;
  edit(at, { jobArgs: ['x'], policies: { upgrade: { mode: 'last-state', maxCheckpointAge: '10s' } } });
  const old = sync(at, { pods, flink: answered(id, 'RUNNING', { checkpoints: CHK }) });
  assert.equal(old.rule, 'changeHolds');
  assert.match(old.status.message, /maxCheckpointAge/);
  const young = { ...CHK, latestCompleted: checkpoint(4, 'file:///c/chk-4', 55_000) };
  assert.equal(sync(at, { pods, flink: answered(id, 'RUNNING', { checkpoints: young }) }).rule, 'cancelIntended');
});

test('a JobManager that is gone for good: what is on record; the checkpoint is known to be missing: held', () => {
  const { at, id, show } = changed();
  // Recorded while all was well.
  edit(at, { jobArgs: undefined });
  show(answered(id, 'RUNNING', { checkpoints: CHK }));
  edit(at, { jobArgs: ['x'] });
  assert.equal(show(NOT_ASKED, dead('boom')).rule, 'changeWaits');
  // Only the sentence that counts for a step back counts here, too.
  const file = dead('java.io.FileNotFoundException: /c/chk-3/b5c1 (No such file or directory)');
  assert.equal(show(NOT_ASKED, file).rule, 'changeWaits');
  assert.equal(
    show(
      NOT_ASKED,
      dead("java.io.FileNotFoundException: Cannot find checkpoint or savepoint file/directory '/c/chk-3'"),
    ).rule,
    'changeHolds',
  );
  at.status = { ...at.status!, conditions: [] };
  show(NOT_ASKED, dead('boom'));
  at.now += 61_000;
  assert.equal(show(NOT_ASKED, dead('boom')).rule, 'cancelIntended');
  const ended = show(NOT_ASKED, dead('boom'));
  assert.equal(ended.rule, 'canceledByRecord');
  assert.equal(ended.status.epoch?.ended?.path, 'file:///c/chk-3');
  assert.equal(ended.status.history?.[0]?.reason, 'Rewound');
});

test('a cancel whose process ended, and nothing is on record: decided anew', () => {
  const { at, id, show } = changed({ upgrade: { mode: 'last-state' } });
  show(answered(id, 'RUNNING', { checkpoints: CHK }));
  for (const [key, child] of at.children) {
    if (key.includes('-restore-')) at.children.set(key, { ...child, data: {} });
  }
  at.status = { ...at.status!, snapshots: {} };
  const killed = jobManagerPod(1, 0, {
    terminated: { exitCode: 137, reason: 'Error', message: '', startedAt: '', finishedAt: '' },
  });
  const lost = show(NOT_ASKED, [killed]);
  assert.equal(lost.rule, 'cancelLostItsProcess');
  assert.equal(lost.status.operation, undefined);
  assert.equal(lost.status.epoch?.ended, undefined);
});

test('a savepoint that was taken on the way does not make a job that finished look stopped', () => {
  const { id, show } = changed();
  const path = 'file:///state/savepoints/team-wordcount-b7e23ec2-9af1-4b0e-8f5e-000000000001/1/savepoint-x';
  const latestSavepoint = { id: 9, path, kind: 'savepoint' as const, at: 9, sizeBytes: undefined, synchronous: false };
  assert.equal(show(answered(id, 'FINISHED', { checkpoints: { latestSavepoint } })).rule, 'jobFinished');
});

test('its process ended after a stop was asked for, and nobody read what came of it: not left for a checkpoint that Flink may have deleted', () => {
  const { at, id, show } = changed();
  const idle = answered(id, 'RUNNING', { checkpoints: CHK, trigger: 'absent' });
  assert.equal(show(idle).rule, 'stopIntended');
  assert.equal(show(idle).rule, 'stopAsked');
  const { directory } = at.status!.operation!;
  assert.equal(show(NOT_ASKED, dead('killed')).rule, 'stopLostItsProcess');
  assert.equal(at.status?.epoch?.unread, directory);
  const waits = show(NOT_ASKED, dead('killed'));
  assert.equal(waits.rule, 'changeWaits', 'the next process tells whether the checkpoint is still there');
  at.now += 61_000;
  const held = show(NOT_ASKED, dead('killed'));
  assert.equal(held.rule, 'changeHolds');
  assert.ok(held.status.message.includes(`it lies below ${directory} if it was completed. The change waits.`));
});

test('with high availability Flink knows nothing of a job but that it finished: held if it was being stopped, else finished', () => {
  const shadow = (id: string) => answered(id, 'FINISHED', { tasks: 0, checkpointing: 'unknown', vertices: [] });
  const { at, id, show } = changed();
  const idle = answered(id, 'RUNNING', { checkpoints: CHK, trigger: 'absent' });
  show(idle);
  show(idle);
  const { directory } = at.status!.operation!;
  const held = show({ ...shadow(id) }, [jobManagerPod(1, 1)]);
  assert.equal(held.rule, 'operationOrphaned');
  const then = show(shadow(id), [jobManagerPod(1, 1)]);
  assert.equal(then.rule, 'stopUnread');
  assert.ok(then.status.message.includes(`it lies below ${directory} if it was completed. Nothing is started`));
  assert.doesNotMatch(then.status.message, /chk-3/, 'Flink deletes the checkpoints of a job that finishes');

  const bounded = runningCluster(SPEC);
  const finished = sync(bounded, { pods: [jobManagerPod(1, 1)], flink: shadow(bounded.status!.epoch!.jobId) });
  assert.equal(finished.rule, 'jobFinished');
});
