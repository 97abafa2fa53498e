import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow } from '../../src/follow.ts';
import { recorder } from './http/hook-fixture.ts';

test('files are taken up when they change, and what cannot be used is told once', () => {
  const { log, lines } = recorder();
  let content: string | undefined = 'a';
  const used: string[] = [];
  const read = (): string => content ?? assert.fail('gone');
  const { check, stop } = follow({ what: 'token', read, use: (text) => void used.push(text) }, log);
  check();
  assert.deepEqual(used, ['a'], 'nothing changed');
  content = undefined;
  check();
  check();
  content = 'b';
  check();
  stop();
  assert.deepEqual(used, ['a', 'b']);
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['token kept: the new one cannot be used', 'token renewed'],
  );
});

test('what cannot be used at first is an error', () => {
  const { log } = recorder();
  assert.throws(() => follow({ what: 'token', read: () => assert.fail('gone'), use: () => undefined }, log), /gone/);
});
