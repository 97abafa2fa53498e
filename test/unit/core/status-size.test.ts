import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../../src/api/status.ts';
import { fitted } from '../../../src/core/status-size.ts';
import { runningCluster } from './drive.ts';

const LIMIT = 16 * 1024;

/** A status whose paths are so long: some that a start may begin from, 6 snapshots in the list, 4 transitions. */
function statusOf(length: number): Status {
  const path = (name: string): string => `file:///${name}${'x'.repeat(length)}`;
  const snapshot = (name: string) => ({ path: path(name), kind: 'savepoint', epoch: 1, at: '2026-01-01T00:00:00Z' });
  const status = runningCluster().status!;
  return {
    ...status,
    knownSavepointPath: path('s0'),
    epoch: { ...status.epoch!, restoredFrom: path('s1') },
    history: [0, 1, 2, 3].map((index) => ({
      at: '2026-01-01T00:00:00Z',
      generation: 9 - index,
      from: 'Running',
      to: 'Upgrading',
      reason: 'SpecChanged',
      snapshot: path(`s${index}`),
    })),
    snapshots: {
      lastSavepoint: snapshot('s0'),
      history: [0, 1, 2, 3, 4, 5].map((index) => snapshot(`s${index}`)),
    },
  } as Status;
}

const sizeOf = (status: Status): number => JSON.stringify(status).length;
const numbers = (list: readonly { readonly path: string }[] | undefined): string =>
  (list ?? []).map(({ path }) => path[9]).join('');

test('a status that is small enough stays as it is', () => {
  const status = statusOf(100);
  assert.equal(fitted(status), status);
});

test('of one that is too large the oldest snapshots of the list go first, and no more than have to', () => {
  const { snapshots, history, ...rest } = fitted(statusOf(1300));
  assert.equal(numbers(snapshots?.history), '0123');
  const whole = statusOf(1300);
  assert.deepEqual(history, whole.history);
  assert.deepEqual(snapshots?.lastSavepoint, whole.snapshots?.lastSavepoint);
  const size = sizeOf({ ...rest, history, snapshots } as Status);
  assert.ok(size <= LIMIT, `${size}`);
});

test('then the snapshots that the oldest transitions name, and never what a start may begin from', () => {
  const whole = statusOf(2800);
  const { snapshots, history, epoch, knownSavepointPath } = fitted(whole);
  assert.equal(snapshots?.history, undefined);
  assert.deepEqual(
    history?.map(({ snapshot }) => snapshot !== undefined),
    [true, true, false, false],
  );
  assert.deepEqual(
    [epoch, knownSavepointPath, snapshots?.lastSavepoint],
    [whole.epoch, whole.knownSavepointPath, whole.snapshots?.lastSavepoint],
  );
  assert.equal(history?.length, 4);
  const huge = fitted(statusOf(20_000));
  assert.equal(huge.epoch?.restoredFrom?.length, 20_010);
});
