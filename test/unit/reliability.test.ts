import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { reliabilityPage } from '../e2e/lib/reliability.ts';
import { readResults, withoutPlace, type Result } from '../e2e/lib/results.ts';

test('docs/reliability.md says what the results say (else: npm run e2e:report)', async () => {
  const page = await readFile(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
  assert.equal(page, reliabilityPage(await readResults()));
});

test('a result does not tell where the checkout was', async () => {
  const error = 'Error: x\n    at f (file:///home/me/flork/test/e2e/full.ts:67:21)\n    at g (/home/me/flork/a.ts:1:1)';
  assert.equal(
    withoutPlace(error, '/home/me/flork'),
    'Error: x\n    at f (test/e2e/full.ts:67:21)\n    at g (a.ts:1:1)',
  );
  const told = (await readResults()).filter((result) => /file:\/\/\/.*\.ts:/.test(result.error ?? ''));
  assert.deepEqual(told, []);
});

const RESULT: Result = {
  at: '2026-01-01T00:00:00Z',
  name: 'kill/1',
  what: 'a kill',
  flink: '1.20',
  ha: false,
  round: 1,
  commit: 'aaaa',
  kubernetes: 'v1.36.0',
  host: 'a model',
  ok: true,
  seconds: 60,
  repeated: 0,
  note: '',
};

test('a failed run is counted as one, and results of an older commit are not those of a newer one', () => {
  const row = (results: readonly Result[]) => /^\| kill\/1: .*$/m.exec(reliabilityPage(results))?.[0];
  assert.equal(row([RESULT, { ...RESULT, ok: false }]), '| kill/1: a kill | 1.20 | 1 | 1 | 0 | 0 |');
  assert.equal(
    row([
      { ...RESULT, ok: false },
      { ...RESULT, commit: 'bbbb', repeated: 3 },
    ]),
    '| kill/1: a kill | 1.20 | 1 | 0 | 1 | 0 |',
  );
  assert.match(reliabilityPage([]), /No case has been run/);
});
