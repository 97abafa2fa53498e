import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalQuantity, parseMemory, parseQuantity } from '../../../src/core/quantity.ts';

// As printed by apimachinery's resource.Quantity.
const canonical: readonly (readonly [string | number, string | undefined])[] = [
  ['1024Mi', '1Gi'],
  ['1536Mi', '1536Mi'],
  ['1.5Gi', '1536Mi'],
  ['512', '512'],
  ['1000', '1k'],
  ['1000m', '1'],
  ['0.5', '500m'],
  [0.5, '500m'],
  [2, '2'],
  ['1.0', '1'],
  ['100Ki', '100Ki'],
  ['0.5Ki', '512'],
  ['1e3', '1e3'],
  ['1E', '1E'],
  ['12e6', '12e6'],
  ['1000000', '1M'],
  ['-1500m', '-1500m'],
  ['0Mi', '0'],
  ['.5', '500m'],
  ['1g', undefined],
  ['1GB', undefined],
  ['', undefined],
  ['-', undefined],
  ['1 Gi', undefined],
];

for (const [text, expected] of canonical) {
  test(`quantity ${JSON.stringify(text)} prints as ${expected ?? 'nothing, being none'}`, () => {
    assert.equal(canonicalQuantity(text), expected);
  });
}

const memory: readonly (readonly [string | number, bigint | undefined])[] = [
  ['1g', 1n << 30n],
  ['1G', 1n << 30n],
  ['1 gb', 1n << 30n],
  ['2048m', 2n << 30n],
  ['1024 mebibytes', 1n << 30n],
  [1024, 1024n],
  ['1Gi', 1n << 30n],
  ['1.5Gi', 3n << 29n],
  ['1.5G', 1_500_000_000n],
  ['1.5g', undefined],
  ['much', undefined],
  ['-1Gi', undefined],
];

for (const [text, expected] of memory) {
  test(`memory ${JSON.stringify(text)} is ${expected ?? 'nothing, being no size'}`, () => {
    assert.equal(parseMemory(text), expected);
  });
}

test('quantities compare by value', () => {
  assert.equal(parseQuantity('1000m'), parseQuantity(1));
  assert.equal(parseQuantity('1Gi'), parseQuantity('1048576Ki'));
  assert.notEqual(parseQuantity('1G'), parseQuantity('1Gi'));
});
