import assert from 'node:assert/strict';
import { test } from 'node:test';
import { approvalToken, epochNames, jobIdOf, names, triggerIdOf } from '../../../../src/core/build/names.ts';

/** Never update a literal here: jobs that run under it would lose their directories, ConfigMaps and ids. */
const uid = '0b2f1d9c-6f0e-4a53-9d0e-1f4c5a7b9e01';
const ref = { name: 'orders', namespace: 'shop', uid };

test('names of a FlinkJob are frozen', () => {
  assert.deepEqual(names(ref), {
    jobManager: 'orders-jobmanager',
    taskManager: 'orders-taskmanager',
    internalService: 'orders-jobmanager',
    restService: 'orders-rest',
  });
});

test('names of an epoch are frozen', () => {
  assert.deepEqual(epochNames(ref, 1), {
    hash: 'ac02cdf100',
    configuration: 'orders-conf-ac02cdf100',
    restore: 'orders-restore-ac02cdf100',
    record: 'orders-epoch-ac02cdf100',
    clusterId: 'orders-ac02cdf100',
  });
  assert.equal(epochNames(ref, 2).hash, '23f01a24b1');
});

test('ids are frozen', () => {
  assert.equal(jobIdOf(uid, 1, 1), 'a54ef46d88389c01fd309e8e5773e722');
  assert.equal(jobIdOf(uid, 1, 2), '842e6c2060226e6f7018f2b85d4ca653');
  assert.equal(jobIdOf(uid, 1, 'ha'), '0ba63a77eb6f84344e926221fd8d8b7b');
  assert.equal(triggerIdOf(uid, 1, 'stop', 3), '3466e88f1b32f2524dbfba449ff9e19f');
  assert.equal(triggerIdOf(uid, 1, 'cancel', 3), '4013655e48f6867066c644ac36eadc82');
  assert.equal(approvalToken(uid, 1), 'lose-e5e7aae937ac');
});

test('ids of different things differ', () => {
  const ids = [1, 2, 3].flatMap((epoch) => [
    ...[1, 2, 3, 'ha' as const].map((incarnation) => jobIdOf(uid, epoch, incarnation)),
    ...[1, 2, 3].map((attempt) => triggerIdOf(uid, epoch, 'stop', attempt)),
    jobIdOf('other', epoch, 1),
  ]);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => /^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id)));
});

test('the longest name makes names that Kubernetes takes', () => {
  const longest = { ...ref, name: 'a'.repeat(45) };
  const { hash: _, clusterId, ...configMaps } = epochNames(longest, 999_999);
  assert.ok([...Object.values(names(longest)), clusterId].every((name) => name.length <= 63));
  assert.ok(Object.values(configMaps).every((name) => name.length <= 253));
});
