import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Condition, parseStatus } from '../../../src/api/status.ts';

/** A status that another version of Flork wrote, or that somebody edited: what is known of it is kept. */

const EPOCH = {
  number: 3,
  incarnation: 2,
  jobId: '0'.repeat(32),
  generation: 7,
  recordHash: 'x',
  attempt: 5,
  startedAt: '2026-01-01T00:00:00Z',
};

test('fields that this version does not know are left out, alone', () => {
  const read = parseStatus({ state: 'Running', epoch: { ...EPOCH, colour: 'blue' }, mood: 'fine' });
  assert.deepEqual(read, { state: 'Running', epoch: EPOCH });
});

test("another version's way to end costs the end and not the epoch", () => {
  const ended = { how: 'vanished', byFlork: true, at: '2026-01-01T00:00:00Z' };
  assert.deepEqual(parseStatus({ state: 'Running', epoch: { ...EPOCH, ended } })?.epoch, EPOCH);
});

test('a bad condition costs itself, and an unknown state itself', () => {
  const good = {
    type: 'Ready',
    status: 'True',
    reason: 'Running',
    message: '',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const read = parseStatus({ state: 'Dreaming', epoch: EPOCH, conditions: [{ ...good, status: 'Maybe' }, good] });
  assert.deepEqual(read?.conditions, [good]);
  assert.equal(read?.state, undefined);
  assert.deepEqual(read?.epoch, EPOCH);
});

test('an epoch without what it needs is none, and a status without state and epoch is none', () => {
  const { jobId: _, ...rest } = EPOCH;
  assert.equal(parseStatus({ state: 'Running', epoch: rest })?.epoch, undefined);
  assert.equal(parseStatus({ epoch: rest }), undefined);
  assert.equal(parseStatus({ state: 'Running', epoch: 'three' })?.epoch, undefined);
  assert.equal(parseStatus({ observedGeneration: -1 }), undefined);
  assert.equal(parseStatus(null), undefined);
});

test('an operation of a kind that this version does not know is none', () => {
  const operation = { kind: 'teleport', purpose: 'upgrade', attempt: 1, generation: 1, startedAt: '' };
  assert.equal(parseStatus({ state: 'Running', operation })?.operation, undefined);
});

test('a list where an object is expected costs itself: what it inherits, as its method "at", is no part of it', () => {
  const operation = { kind: 'savepoint', result: [] };
  for (const history of [[[]], [[0]], [{ at: [] }]])
    assert.deepEqual(parseStatus({ state: 'Running', history }), { state: 'Running', history: [] });
  assert.equal(parseStatus({ state: 'Running', operation })?.operation, undefined);
});

/** How often conditions are parsed when the status has `bad` that are wrong in one way or another. */
function parsesOf(context: TestContext, bad: number): number {
  const run = context.mock.method(Condition, '~run');
  const conditions = Array.from({ length: bad }, (_, index) => (index % 2 === 0 ? { status: 'Maybe' } : 'odd'));
  assert.deepEqual(parseStatus({ state: 'Running', conditions })?.conditions, []);
  run.mock.restore();
  return run.mock.callCount();
}

test('twice as many bad items cost twice as much, and not four times', (context) => {
  const few = parsesOf(context, 100);
  assert.ok(few >= 100);
  assert.ok(parsesOf(context, 200) <= 2 * few);
});

test('what is bad deep in a list costs itself alone, and a null is no value', () => {
  const path = { path: 's3://sp/1', kind: 'savepoint', epoch: 1, at: '2026-01-01T00:00:00Z' };
  const history = [{ ...path, sizeBytes: 'big' }, { ...path, epoch: null }, path];
  const snapshots = { history, lastSavepoint: { ...path, kind: 'copy' }, lastCheckpoint: null };
  assert.deepEqual(parseStatus({ state: 'Running', snapshots })?.snapshots, { history: [path, path] });
});
