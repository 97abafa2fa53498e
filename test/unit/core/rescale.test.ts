import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conforms, fixedVertices, targetBounds, tooHigh } from '../../../src/core/rescale.ts';

const bounds = (...uppers: readonly number[]) => uppers.map((upper, index) => ({ id: `v${index}`, lower: 1, upper }));
const vertices = (...parallelisms: readonly number[]) =>
  parallelisms.map((parallelism, index) => ({ id: `v${index}`, name: `Map ${index}`, parallelism, maxParallelism: 8 }));

for (const { of, started, wanted, past, fixed } of [
  { of: [2, 2], started: 2, wanted: 4, past: 'never-rescaled', fixed: [] },
  { of: [1, 2], started: 2, wanted: 4, past: 'never-rescaled', fixed: ['v0'] },
  { of: [3, 3], started: 2, wanted: 4, past: 'never-rescaled', fixed: undefined },
  { of: [1, 4], started: 2, wanted: 4, past: 'forgotten', fixed: ['v0'] },
  { of: [1, 3], started: 2, wanted: 4, past: 'forgotten', fixed: ['v0'] },
  { of: [5, 3], started: 2, wanted: 4, past: 'forgotten', fixed: undefined },
  { of: [1, 1], started: 2, wanted: 4, past: 'forgotten', fixed: undefined },
  { of: [1, 1], started: 1, wanted: 4, past: 'never-rescaled', fixed: [] },
] as const) {
  test(`of bounds ${of.join(', ')} of a job started with ${started}, ${past}, for ${wanted}: ${fixed?.join() ?? 'unknown'} stay`, () => {
    assert.deepEqual(fixedVertices(bounds(...of), started, wanted, past), fixed);
  });
}

test('vertices that follow get the new bound, the others keep theirs', () => {
  const up = targetBounds(bounds(1, 2), ['v0'], 4);
  assert.deepEqual(up.bounds, [
    { id: 'v0', lower: 1, upper: 1 },
    { id: 'v1', lower: 1, upper: 4 },
  ]);
  assert.deepEqual([up.differs, up.raises], [true, true]);
  const down = targetBounds([{ id: 'v0', lower: 3, upper: 4 }], [], 2);
  assert.deepEqual(down.bounds, [{ id: 'v0', lower: 2, upper: 2 }], 'a lower bound is never above the upper one');
  assert.deepEqual([down.differs, down.raises], [true, false]);
  assert.equal(targetBounds(bounds(1, 4), ['v0'], 4).differs, false);
});

test('reached is what runs, of the vertices that follow', () => {
  const target = targetBounds(bounds(1, 4), ['v0'], 4);
  assert.ok(conforms(target, vertices(1, 4)));
  assert.ok(!conforms(target, vertices(1, 2)));
  assert.ok(!conforms(target, vertices(1)), 'a vertex that is not told of does not run');
});

test('a vertex that cannot have so much is named', () => {
  assert.match(tooHigh(targetBounds(bounds(2), [], 9), vertices(2)) ?? '', /"Map 0" has a maximum parallelism of 8/);
  assert.equal(tooHigh(targetBounds(bounds(2), [], 8), vertices(2)), undefined);
  assert.equal(tooHigh(targetBounds(bounds(2), [], 9), []), undefined, 'what is not told limits nothing');
});
