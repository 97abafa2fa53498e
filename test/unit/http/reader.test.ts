import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ObservedJob } from '../../../src/core/types.ts';
import { createReader } from '../../../src/http/reader.ts';
import { NOTHING, parent, request } from './hook-fixture.ts';

const text = (uid: string, name = 'wordcount'): string => JSON.stringify(request({ parent: parent({ uid, name }) }));

function counted(mostCharacters?: number): { read: ReturnType<typeof createReader>; reads: () => string[] } {
  const reads: string[] = [];
  const read = createReader(
    {
      readJob: ({ metadata }) => {
        reads.push(`${metadata.uid} ${metadata.name}`);
        return { ref: metadata } as unknown as ObservedJob;
      },
      readObserved: () => NOTHING,
    },
    mostCharacters,
  );
  return { read, reads: () => reads };
}

function see(read: ReturnType<typeof createReader>, body: string): ObservedJob {
  const result = read(body);
  assert.ok(result.kind === 'shown');
  return result.shown.seen().job;
}

describe('the reader', () => {
  it('reads the same text once, and any other text anew', () => {
    const { read, reads } = counted();
    const first = see(read, text('u1'));
    assert.equal(see(read, text('u1')), first);
    assert.notEqual(see(read, text('u1', 'renamed')), first);
    assert.equal(see(read, text('u1', 'renamed')).ref.name, 'renamed');
    see(read, text('u1'));
    assert.deepEqual(reads(), ['u1 wordcount', 'u1 renamed', 'u1 wordcount']);
  });

  it('keeps one text of each FlinkJob', () => {
    const { read, reads } = counted();
    for (const uid of ['u1', 'u2', 'u1', 'u2']) see(read, text(uid));
    assert.equal(reads().length, 2);
  });

  it('forgets what was not asked for the longest time, and keeps nothing that is too long', () => {
    const { read, reads } = counted(20 * text('u1').length);
    for (let job = 10; job < 40; job++) see(read, text(`${job}`));
    see(read, text('39'));
    assert.equal(reads().length, 30);
    see(read, text('10'));
    assert.equal(reads().length, 31);
    const small = counted(text('u1').length);
    see(small.read, text('u1'));
    see(small.read, text('u1'));
    assert.equal(small.reads().length, 2);
  });

  it('remembers no refusal, and reads nothing of a parent before it is asked to', () => {
    const { read, reads } = counted();
    assert.equal(read('{').kind, 'refused');
    assert.equal(read('{').kind, 'refused');
    assert.equal(read('{}').kind, 'refused');
    read(text('u1'));
    assert.deepEqual(reads(), []);
  });
});
