import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confText, flattenConf } from '../../../src/core/flink-conf-keys.ts';

const cases: readonly {
  readonly name: string;
  readonly conf: Record<string, unknown> | undefined;
  readonly entries: Record<string, unknown>;
  readonly duplicates?: readonly string[];
}[] = [
  { name: 'no configuration has no keys', conf: undefined, entries: {} },
  { name: 'a flat key stays as it is', conf: { 'a.b': 1 }, entries: { 'a.b': 1 } },
  {
    name: 'nested maps become dotted keys',
    conf: { a: { b: { c: 'x' }, d: true } },
    entries: { 'a.b.c': 'x', 'a.d': true },
  },
  { name: 'a dotted key inside a map is joined', conf: { a: { 'b.c': 1 } }, entries: { 'a.b.c': 1 } },
  { name: 'a list is a value', conf: { a: { b: ['x', 1] } }, entries: { 'a.b': ['x', 1] } },
  { name: 'null is a key not set', conf: { a: null, b: { c: null } }, entries: {} },
  { name: 'an empty map sets nothing', conf: { a: {} }, entries: {} },
  {
    name: 'two spellings with two values are a duplicate',
    conf: { a: { b: 1 }, 'a.b': 2 },
    entries: { 'a.b': 2 },
    duplicates: ['a.b'],
  },
  { name: 'two spellings with one value are none', conf: { a: { b: 1 }, 'a.b': '1' }, entries: { 'a.b': '1' } },
  {
    name: '__proto__ is a key like any other',
    conf: JSON.parse('{"__proto__": {"polluted": 1}}'),
    entries: { '__proto__.polluted': 1 },
  },
];

for (const { name, conf, entries, duplicates = [] } of cases) {
  test(name, () => {
    const flat = flattenConf(conf);
    assert.deepEqual([...flat.entries], Object.entries(entries));
    assert.deepEqual(flat.duplicates, duplicates);
  });
}

test('neither a deep nor a broad configuration exhausts the stack', () => {
  const deep = JSON.parse('{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000));
  assert.equal(flattenConf(deep).entries.size, 0);
  const broad = Object.fromEntries(Array.from({ length: 300_000 }, (_, index) => [`k${index}`, index]));
  assert.equal(flattenConf({ broad }).entries.size, 300_000);
});

test('a list prints in Flink’s legacy form', () => {
  assert.equal(confText(['a', 1, { b: 2 }]), 'a;1;{"b":2}');
});
