import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES } from './cases/all.ts';
import { readResults, type Result } from './lib/results.ts';
import { chooseSample, seenPassing, variantsOf, type Variant } from './lib/sample.ts';

const ALL = variantsOf(CASES);
const nameOf = (name: string, version: string, ha: boolean): string => `${name} ${version} ${ha}`;
const names = (seed: string, of: readonly Variant[] = ALL): readonly string[] =>
  chooseSample(of, seed, 300).flatMap(({ version, ha, cases }) => cases.map(({ name }) => nameOf(name, version, ha)));
const seeds = Array.from({ length: 1000 }, (_, index) => `commit-${index}`);

test('a seed decides the sample: kills and others, within the time', () => {
  const known = new Set(ALL.map(({ item, version, ha }) => nameOf(item.name, version, ha)));
  for (const seed of seeds.slice(0, 200)) {
    assert.deepEqual(names(seed), names(seed));
    assert.deepEqual(
      names(seed).filter((name) => !known.has(name)),
      [],
    );
    const sample = chooseSample(ALL, seed, 300);
    assert.deepEqual(
      sample.map(({ cases }) => cases[0]?.name.startsWith('kill/')),
      [true, false],
    );
    const seconds = sample.flatMap(({ cases }) => cases).reduce((sum, item) => sum + item.seconds, 0);
    assert.ok(seconds <= 400, `${seed}: ${seconds} s`);
  }
});

test('every variant comes in some sample, but for those that change what is installed', () => {
  const seen = new Set(seeds.flatMap((seed) => names(seed)));
  const alone = ALL.filter(({ item }) => item.alone === true);
  assert.deepEqual([...new Set(alone.map(({ item }) => item.name))], ['scenario/24']);
  assert.ok(alone.every(({ item, version, ha }) => !seen.has(nameOf(item.name, version, ha))));
  const all = ALL.filter(({ item }) => item.alone !== true).map(({ item, version, ha }) =>
    nameOf(item.name, version, ha),
  );
  assert.deepEqual(
    all.filter((item) => !seen.has(item)),
    [],
  );
});

test('only what was last seen to pass is drawn', async () => {
  const [first, second] = ALL as [Variant, Variant];
  const result = ({ item, version, ha }: Variant, ok: boolean): Result =>
    ({ name: item.name, flink: version, ha, ok }) as Result;
  assert.deepEqual(seenPassing(ALL, [result(first, false), result(first, true)]), [first]);
  assert.deepEqual(seenPassing(ALL, [result(second, true), result(second, false)]), []);
  assert.ok(seenPassing(ALL, await readResults()).length > 0, 'the results on record leave something to draw');
});

test('names are unique', () => {
  assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
});
