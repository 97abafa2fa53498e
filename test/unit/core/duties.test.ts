import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../../src/api/status.ts';
import { epochNames, jobIdOf } from '../../../src/core/build/names.ts';
import type { Duty, DutyKind, DutyResult } from '../../../src/core/duty.ts';
import { acknowledge, reconcile } from '../../../src/core/reconcile.ts';
import type { Outcome } from '../../../src/core/types.ts';
import { answered, apply, cluster, edit, inputOf, jobManagerPod, SPEC, sync, UID, type Shown } from './drive.ts';

type At = ReturnType<typeof cluster>;
const REF = { name: 'wordcount', uid: UID };
const HA = {
  ...SPEC,
  flinkConf: {
    ...SPEC.flinkConf,
    'high-availability.type': 'kubernetes',
    'high-availability.storageDir': 's3://bucket/ha/{{name}}/',
  },
};
const clusterId = (epoch: number): string => epochNames(REF, epoch).clusterId;

/** One sync with duties, answered as told. */
function dutiful(
  at: At,
  shown: Shown,
  kinds: readonly DutyKind[],
  fate: () => Omit<DutyResult, 'duty'> = () => ({ kind: 'done', text: '' }),
): Outcome {
  const decided = reconcile({ ...inputOf(at, shown), duties: kinds });
  const outcome = acknowledge(
    decided,
    [],
    decided.duties.map((duty) => ({ duty, ...fate() })),
  );
  apply(at, outcome);
  return outcome;
}

const runs = (epoch: number): Shown => ({
  pods: [jobManagerPod(epoch)],
  flink: answered(jobIdOf(UID, epoch, 'ha'), 'RUNNING'),
});

function started(spec: Record<string, unknown> = HA): At {
  const at = cluster(spec);
  sync(at);
  sync(at, { pods: [jobManagerPod(1)] });
  sync(at, runs(1));
  return at;
}

/** Epoch 1 is left with its savepoint, and epoch 2 declared and started; not yet stable. */
function upgraded(kinds: readonly DutyKind[]): At {
  const at = started();
  edit(at, { parallelism: 2 });
  dutiful(at, runs(1), kinds);
  const { triggerId = '' } = at.status?.operation ?? {};
  assert.notEqual(triggerId, '');
  const done = answered(jobIdOf(UID, 1, 'ha'), 'FINISHED', { trigger: { kind: 'completed', path: 's3://sp/1' } });
  for (let step = 0; step < 3; step++) dutiful(at, { pods: [jobManagerPod(1)], flink: done }, kinds);
  for (let step = 0; step < 3 && at.status?.epoch?.number !== 2; step++) dutiful(at, { pods: [] }, kinds);
  assert.equal(at.status?.epoch?.number, 2);
  assert.equal(dutiful(at, { pods: [] }, kinds).rule, 'startDeclared');
  return at;
}

test('what high availability left is listed when its epoch is left, and removed only when the next one is stable', () => {
  const kinds = ['clean-high-availability'] as const;
  const at = upgraded(kinds);
  assert.deepEqual(at.status?.highAvailability, [
    { epoch: 1, kind: 'kubernetes', storage: 's3://bucket/ha/wordcount' },
  ]);
  assert.equal(at.status?.leftovers, undefined, 'it is going to be removed');
  assert.deepEqual(dutiful(at, { pods: [] }, kinds).duties, [], 'nothing runs yet');
  const stable = dutiful(at, runs(2), kinds);
  assert.deepEqual(stable.duties, [], 'that epoch 2 is stable has not been observed');
  const [duty] = dutiful(at, runs(2), kinds).duties;
  assert.ok(duty?.kind === 'clean-high-availability');
  assert.deepEqual(duty.configMaps, [
    `${clusterId(1)}-cluster-config-map`,
    `${clusterId(1)}-${jobIdOf(UID, 1, 'ha')}-config-map`,
  ]);
  assert.equal(at.status?.highAvailability?.[0]?.cleaned, true);
  assert.deepEqual(at.status?.leftovers, [`Epoch 1: files below s3://bucket/ha/wordcount: ${clusterId(1)}`]);
  assert.deepEqual(dutiful(at, runs(2), kinds).duties, [], 'once');
});

test('without the duty, and where the user keeps it, status lists what is left', () => {
  const at = upgraded([]);
  assert.deepEqual(at.status?.leftovers, [
    `Epoch 1: ConfigMaps with label app=${clusterId(1)} and type=flink-native-kubernetes; files below s3://bucket/ha/wordcount: ${clusterId(1)}`,
  ]);
  edit(at, { florkConf: { cleanHighAvailability: false } });
  dutiful(at, runs(2), ['clean-high-availability']);
  assert.deepEqual(dutiful(at, runs(2), ['clean-high-availability']).duties, []);
  assert.equal(at.status?.leftovers?.length, 1);
});

test('a refusal is told, changes nothing else, and is not written again', () => {
  const kinds = ['clean-high-availability'] as const;
  const at = upgraded(kinds);
  const refused = (): Omit<DutyResult, 'duty'> => ({ kind: 'not-allowed', text: 'no right' });
  for (let step = 0; step < 3; step++) dutiful(at, runs(2), kinds, refused);
  assert.equal(at.status?.state, 'Running');
  assert.match(at.status?.leftovers?.[0] ?? '', /\(not removed: no right\)/);
  const before = structuredClone(at.status);
  assert.equal(dutiful(at, runs(2), kinds, refused).duties.length, 1, 'a right may come');
  assert.deepEqual(at.status, before);
});

test('a status shown without this epoch proves nothing: no duty', () => {
  const at = upgraded(['clean-high-availability']);
  sync(at, runs(2));
  const duties = (status: Partial<Status> | undefined): readonly Duty[] =>
    reconcile({
      ...inputOf(at, { ...runs(2), status: status as Status }),
      duties: ['clean-high-availability'],
    }).duties;
  assert.equal(duties(at.status).length, 1);
  assert.equal(duties(undefined).length, 0);
  const { epoch, ...rest } = at.status!;
  const { stableAt: _, ...unstable } = epoch!;
  assert.equal(duties({ ...rest, epoch: unstable }).length, 0);
});

test('an answer to a status that is older than the workloads lists the epochs that it does not know to be over', () => {
  const at = upgraded(['clean-high-availability']);
  const older = started().status;
  assert.ok(older?.epoch?.number === 1 && older.highAvailability === undefined);
  const decided = reconcile({
    ...inputOf(at, { ...runs(2), status: older }),
    duties: ['clean-high-availability'],
  });
  assert.equal(decided.status?.epoch?.number, 2);
  assert.deepEqual(decided.status?.highAvailability, [
    { epoch: 1, kind: 'kubernetes', storage: 's3://bucket/ha/wordcount' },
  ]);
  assert.deepEqual(decided.duties, [], 'nothing is removed before it has been observed');
});

const gone = { finalizing: true, deleted: true, pods: [] };

/** Deleted: canceled, pods gone. */
function deletedTo(at: At, rule: string, kinds: readonly DutyKind[]): Outcome {
  dutiful(at, { ...gone, ...runs(1) }, kinds);
  for (let step = 0; step < 6; step++) {
    const outcome = dutiful(at, gone, kinds, () => ({ kind: 'unknown', text: 'silent' }));
    if (outcome.rule === rule) return outcome;
  }
  return assert.fail(`never ${rule}`);
}

test('a deletion lists, then removes, and only then lets the children go', () => {
  const kinds = ['clean-high-availability'] as const;
  const at = started();
  at.now = Date.parse('2026-01-01T01:00:00Z');
  const listed = deletedTo(at, 'deleteListsMetadata', kinds);
  assert.deepEqual(listed.duties, [], 'not yet observed');
  assert.ok(listed.children.length > 0);
  const cleaned = dutiful(at, gone, kinds);
  assert.equal(cleaned.rule, 'deleteCleansMetadata');
  assert.equal(cleaned.duties.length, 1);
  const last = dutiful(at, gone, kinds);
  assert.equal(last.rule, 'deleteChildren');
  assert.deepEqual(last.duties, []);
  assert.equal(dutiful(at, gone, kinds).finalized, true);
});

test('a deletion waits for a silent API server until policies.deletion.timeout, then says what is left', () => {
  const kinds = ['clean-high-availability'] as const;
  const at = started({ ...HA, policies: { ...HA.policies, deletion: { timeout: '2m' } } });
  at.now = Date.parse('2026-01-01T01:00:00Z');
  deletedTo(at, 'deleteCleansMetadata', kinds);
  const silent = (): Omit<DutyResult, 'duty'> => ({ kind: 'unknown', text: 'silent' });
  assert.equal(dutiful(at, gone, kinds, silent).rule, 'deleteCleansMetadata');
  at.now += 130_000;
  const last = dutiful(at, gone, kinds, silent);
  assert.equal(last.rule, 'deleteChildren');
  assert.match(
    last.status.leftovers?.[0] ?? '',
    /^Epoch 1: ConfigMaps with label .*not removed: the API server did not answer/,
  );
});

test('a deletion does not wait for a right that Flork has not', () => {
  const kinds = ['clean-high-availability'] as const;
  const at = started();
  at.now = Date.parse('2026-01-01T01:00:00Z');
  deletedTo(at, 'deleteListsMetadata', kinds);
  dutiful(at, gone, kinds, () => ({ kind: 'not-allowed', text: 'no right' }));
  assert.equal(dutiful(at, gone, kinds).rule, 'deleteChildren');
});

test('without high availability, or without the duty, a deletion goes on as before', () => {
  for (const [spec, kinds] of [
    [SPEC, ['clean-high-availability']],
    [HA, []],
  ] as const) {
    const at = started(spec);
    const last = deletedTo(at, 'deleteChildren', kinds);
    assert.deepEqual(last.duties, []);
    assert.equal(last.status.leftovers?.length, spec === HA ? 1 : undefined);
  }
});

test('in a foreground deletion the metadata goes when the pods are gone', () => {
  const kinds = ['clean-high-availability'] as const;
  const at = started();
  const foreground = { ...gone, finalizers: ['foregroundDeletion'] };
  assert.equal(dutiful(at, { ...foreground, pods: [jobManagerPod(1)] }, kinds).rule, 'deletedByOthers');
  at.now = Date.parse('2026-01-01T01:00:01Z');
  const waits = dutiful(at, { ...foreground, pods: [jobManagerPod(1)] }, kinds);
  assert.equal(waits.rule, 'deleteWaitsForPods');
  assert.deepEqual(waits.duties, []);
  assert.equal(dutiful(at, foreground, kinds).duties.length, 1);
  assert.equal(dutiful(at, foreground, kinds).finalized, true);
});

const ENDING = { ...SPEC, policies: { ...SPEC.policies, deletion: { trigger: 'Termination' } } };

/** Finished, and its pods gone. */
function finished(spec: Record<string, unknown>, kinds: readonly DutyKind[]): At {
  const at = started(spec);
  at.now += 60_000;
  const end = answered(at.status!.epoch!.jobId, 'FINISHED');
  for (let step = 0; step < 2; step++) dutiful(at, { pods: [jobManagerPod(1)], flink: end }, kinds);
  assert.equal(at.status?.state, 'Finished');
  return at;
}

test('trigger Termination: the end is observed, the time to stay over, then it deletes itself by its uid', () => {
  const kinds = ['delete-self'] as const;
  const at = finished({ ...ENDING, policies: { ...ENDING.policies, ttlSecondsAfterFinished: 60 } }, kinds);
  const early = dutiful(at, { pods: [] }, kinds);
  assert.deepEqual(early.duties, []);
  assert.ok(early.resyncAfterSeconds > 0 && early.resyncAfterSeconds <= 60, 'comes back in time');
  at.now += 61_000;
  const due = dutiful(at, { pods: [] }, kinds, () => ({ kind: 'refused', text: 'a policy' }));
  assert.deepEqual(due.duties, [{ kind: 'delete-self', namespace: 'team', job: 'wordcount', uid: UID }]);
  assert.match(due.status.plan?.at(-1)?.note ?? '', /a policy/);
});

test('no self-deletion without trigger, without the right, before the end is observed, or while paused', () => {
  assert.deepEqual(dutiful(finished(SPEC, ['delete-self']), { pods: [] }, ['delete-self']).duties, []);
  const at = finished(ENDING, []);
  const plain = dutiful(at, { pods: [] }, []);
  assert.deepEqual(plain.duties, []);
  assert.match(plain.status.plan?.[0]?.note ?? '', /duty delete-self/);
  const paused = { pods: [], annotations: { 'flork.itom.com/paused': 'true' } };
  assert.deepEqual(dutiful(at, paused, ['delete-self']).duties, []);
  const running = started(ENDING);
  const end = answered(running.status!.epoch!.jobId, 'FINISHED');
  const seen = reconcile({ ...inputOf(running, { pods: [jobManagerPod(1)], flink: end }), duties: ['delete-self'] });
  assert.deepEqual(seen.duties, []);
});

test('an Event for each line of the observed history, named by what it says, while it is young', () => {
  const kinds = ['events'] as const;
  const at = cluster();
  assert.deepEqual(dutiful(at, {}, kinds).duties, [], 'not yet observed');
  const [first] = dutiful(at, {}, kinds).duties;
  assert.ok(first?.kind === 'events');
  assert.equal(first.reason, 'FirstStart');
  assert.match(first.name, /^wordcount\.[0-9a-f]{16}$/);
  const other = {
    ...at.status!,
    history: at.status!.history!.map((line) => ({ ...line, at: '2026-01-01T00:00:03Z' })),
  };
  const [again] = reconcile({ ...inputOf(at, { status: other }), duties: kinds }).duties;
  assert.ok(again?.kind === 'events' && again.name === first.name, 'two answers to the same: one Event');
  at.now += 10 * 60_000;
  assert.deepEqual(dutiful(at, {}, kinds).duties, []);
});

test('many epochs are few entries', () => {
  const kinds = ['clean-high-availability'] as const;
  const at = upgraded(kinds);
  const highAvailability = [1, 2, 3, 4, 5, 6, 7].map((epoch) => ({ epoch, kind: 'kubernetes' as const }));
  const status = { ...at.status!, highAvailability, epoch: { ...at.status!.epoch!, stableAt: '2026-01-01T00:00:03Z' } };
  const decided = reconcile({ ...inputOf(at, { ...runs(2), status }), duties: kinds });
  const [duty] = decided.duties;
  assert.ok(duty?.kind === 'clean-high-availability');
  assert.ok(
    duty.epochs.every((epoch) => epoch < 2),
    'never the running one, or one that is yet to come',
  );
  const done = acknowledge(decided, [], [{ duty, kind: 'done', text: '' }]);
  assert.ok((done.status.highAvailability?.length ?? 0) <= 5);
});
