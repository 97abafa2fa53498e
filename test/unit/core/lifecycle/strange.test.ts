import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Status } from '../../../../src/api/status.ts';
import { answered, edit, jobManagerPod, jobManagerReplicas, runningCluster, SPEC, sync } from '../drive.ts';

/** An operation that another version of Flork has begun: this one keeps away from it (S1). */

const pods = [jobManagerPod(1)];
const KNOWN = { kind: 'stop', purpose: 'upgrade', attempt: 3, generation: 1, startedAt: '2026-01-01T00:00:00Z' };

function begun(operation: Record<string, unknown>, spec = SPEC) {
  const at = runningCluster(spec);
  at.status = { ...at.status!, operation: operation as NonNullable<Status['operation']> };
  const flink = answered(at.status.epoch!.jobId, 'RUNNING');
  return { at, show: (shown = {}) => sync(at, { pods, flink, ...shown }) };
}

for (const [what, strange] of [
  ['kind', { ...KNOWN, kind: 'relocate', to: { zone: 'b' } }],
  ['purpose', { ...KNOWN, purpose: 'tidy' }],
] as const) {
  test(`an operation of an unknown ${what} holds everything, and goes back as it came`, () => {
    const { at, show } = begun(strange);
    edit(at, { jobArgs: ['x'] });
    for (let times = 0; times < 3; times += 1) {
      const { rule, commands, status } = show();
      assert.deepEqual([rule, commands.length, jobManagerReplicas(at)], ['operationUnknown', 0, 1]);
      assert.deepEqual(status.operation, strange);
      assert.match(status.message, /--subresource=status/);
    }
    const { operation: _, ...rest } = at.status!;
    at.status = rest;
    assert.equal(show().rule, 'stopIntended', 'it is over');
  });
}

test('an operation with a field too many is read without it', () => {
  const { at, show } = begun({ ...KNOWN, newer: true });
  edit(at, { jobArgs: ['x'] });
  assert.notEqual(show().rule, 'operationUnknown');
});

test('a deletion goes on beside it, unless it is to take a savepoint first', () => {
  const gone = { finalizing: true, deleted: true };
  assert.equal(begun({ ...KNOWN, kind: 'relocate' }).show(gone).rule, 'deletionIntended');
  const asking = { ...SPEC, policies: { ...SPEC.policies, deletion: { savepoint: true } } };
  const { show } = begun({ ...KNOWN, kind: 'relocate' }, asking);
  assert.deepEqual([show(gone).rule, show(gone).status.state], ['operationUnknown', 'Deleting']);
});
