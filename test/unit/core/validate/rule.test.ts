import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configured, type Subject } from '../../../../src/core/validate/rule.ts';

test('a configuration is gone through once, however often it is asked, and the first of two spellings counts', () => {
  let passes = 0;
  class Counted extends Map<string, string> {
    override [Symbol.iterator](): MapIterator<[string, string]> {
      passes++;
      return super[Symbol.iterator]();
    }
  }
  const conf = new Counted([
    ['akka.ask.timeout', '1 s'],
    ['pekko.ask.timeout', '2 s'],
  ]);
  const subject = { conf } as unknown as Subject;
  passes = 0;
  for (let times = 0; times < 100; times++)
    assert.deepEqual(configured(subject, 'pekko.ask.timeout'), { key: 'akka.ask.timeout', text: '1 s' });
  assert.equal(configured(subject, 'parallelism.default'), undefined);
  assert.equal(passes, 1);
});
