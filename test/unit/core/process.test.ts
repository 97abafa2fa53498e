import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObserved } from '../../../src/api/observed.ts';
import { processAmong, processOf } from '../../../src/core/facts/process.ts';
import { jobManagerPod, UID } from './drive.ts';

/** JobManager pods of an epoch, by name. */
function pods(...list: readonly Record<string, unknown>[]) {
  const ref = { name: 'wordcount', namespace: 'team', uid: UID };
  const shown = Object.fromEntries(list.map((pod, index) => [`p${index}`, pod]));
  return readObserved({} as never, { 'Pod.v1': shown } as never, ref).pods;
}

const RUNS = { running: { startedAt: '2026-01-01T00:00:10Z' } };
const one = (name: string, state: Record<string, unknown> = RUNS, more: Record<string, unknown> = {}, restarts = 0) =>
  jobManagerPod(1, restarts, state, { metadata: { name, uid: name, ...more } });
const ended = (exitCode: number) => ({
  terminated: { exitCode, reason: 'Error', message: '', startedAt: '', finishedAt: '' },
});
const among = (known: string | undefined, ...list: readonly Record<string, unknown>[]) =>
  processAmong(pods(...list), UID, 1, known);

test('the known JobManager stands for all while it runs', () => {
  const found = among('b/0', one('a'), one('b'));
  assert.equal(found.kind === 'running' && found.id, 'b/0');
});

test("a standby's death is not the job's, nor is the leader's while a standby runs", () => {
  const found = among('b/0', one('a'), one('b', ended(137)));
  assert.equal(found.kind === 'running' && found.id, 'a/0');
  assert.equal(among('a/0', one('a'), one('b', ended(137))).kind, 'running');
});

test('one that is leaving, or not ready, stands for all only when there is no better', () => {
  const leaving = one('a', RUNS, { deletionTimestamp: '2026-01-01T00:01:00Z' });
  const found = among('a/0', leaving, one('b'));
  assert.equal(found.kind === 'running' && found.id, 'b/0');
  const last = among('a/0', leaving);
  assert.equal(last.kind === 'running' && last.leaving, true);
});

test('all have ended: how the worst of them ended is told', () => {
  const found = among(undefined, one('a', ended(1)), one('b', ended(137)));
  assert.equal(found.kind === 'dead' && found.exitCode, 137);
});

test('none has started, or pods are not shown', () => {
  assert.equal(among(undefined).kind, 'none');
  assert.equal(among(undefined, one('a', { waiting: { reason: 'ContainerCreating', message: '' } })).kind, 'none');
  assert.equal(processAmong(undefined, UID, 1, undefined).kind, 'unknown');
});

test('without standbys the newest pod that stays is the one', () => {
  const old = one('a', RUNS, { deletionTimestamp: '2026-01-01T00:01:00Z' });
  assert.equal(processOf(pods(old, one('b', { waiting: { reason: 'Pending', message: '' } })), UID, 1).kind, 'none');
});
