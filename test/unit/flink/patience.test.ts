import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPatience } from '../../../src/flink/patience.ts';

const BOUNDS = { budgetMs: 5000, most: 6, shortMs: 1000, doubtMs: 250 };

describe('the patience with JobManagers', () => {
  it('is the whole budget while few wait, and short beyond', () => {
    const patience = createPatience(BOUNDS);
    const turns = Array.from({ length: 8 }, (_, index) => patience.begin(`job-${index}`));
    assert.deepEqual(
      turns.map((turn) => turn.budgetMs),
      [5000, 5000, 5000, 5000, 5000, 5000, 1000, 1000],
    );
    turns[0]?.end(false);
    assert.equal(patience.begin('next').budgetMs, 5000);
    assert.equal(patience.begin('after').budgetMs, 1000);
  });

  it('keeps most turns for those that answered the last time', () => {
    const patience = createPatience(BOUNDS);
    for (const name of ['a', 'b', 'c']) patience.begin(name).end(true);
    const doubted = ['a', 'b', 'c'].map((name) => patience.begin(name));
    assert.deepEqual(
      doubted.map((turn) => turn.budgetMs),
      [5000, 5000, 250],
    );
    assert.equal(patience.begin('healthy').budgetMs, 5000);
    for (const turn of doubted) turn.end(true);
    assert.equal(patience.begin('c').budgetMs, 5000, 'each is waited for again when there is room');
  });

  it('has no doubt about one that answered again', () => {
    const patience = createPatience({ ...BOUNDS, most: 1 });
    patience.begin('a').end(true);
    const held = patience.begin('b');
    const doubted = patience.begin('a');
    assert.equal(doubted.budgetMs, 250);
    doubted.end(false);
    assert.equal(patience.begin('a').budgetMs, 1000);
    held.end(false);
  });

  it('is never longer than the budget', () => {
    assert.equal(createPatience({ ...BOUNDS, budgetMs: 100, most: 0 }).begin('a').budgetMs, 100);
  });
});
