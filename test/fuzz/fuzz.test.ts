import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createRandom } from '../../src/sim/models/random.ts';
import { recordCorpus, type Corpus } from './corpus.ts';
import { fuzz } from './fuzz.ts';
import { mutated } from './mutate.ts';

/** A share of `npm run fuzz`. */
const CASES = 2000;

describe('the hook, whatever it is sent and whatever Flink answers', () => {
  let corpus: Corpus;
  before(async () => {
    corpus = await recordCorpus();
  });

  it('the corpus holds every hook and every kind of answer of Flink', () => {
    assert.deepEqual([...new Set(corpus.bodies.map(({ call }) => call))].toSorted(), [
      'customize',
      'finalize',
      'sync',
      'validate',
    ]);
    for (const form of ['GET /jobs/overview', 'GET /jobs/*/checkpoints', 'POST /jobs/*/stop', 'PATCH /jobs/*'])
      assert.ok(
        [...corpus.replies.keys()].some((key) => key.startsWith(form)),
        form,
      );
  });

  it(`${CASES} mutated bodies: no crash, no pollution, nothing over its limits`, async (context) => {
    const { byStatus, broken } = await fuzz(corpus, 1, CASES);
    context.diagnostic(JSON.stringify([...byStatus].toSorted()));
    assert.deepEqual(broken, []);
    for (const status of [200, 400])
      assert.ok((byStatus.get(status) ?? 0) > CASES / 50, `${status} is among the answers`);
  });

  it('a case is replayed by its seed', () => {
    const [{ text }] = corpus.bodies;
    assert.equal(mutated(text, createRandom(7)), mutated(text, createRandom(7)));
    assert.notEqual(mutated(text, createRandom(7)), mutated(text, createRandom(8)));
  });

  it('a hook that throws is found out', async () => {
    const wrong: Corpus = { ...corpus, bodies: [{ call: 'sync', text: '{}' }], now: Number.NaN };
    const { broken } = await fuzz({ ...wrong, bodies: corpus.bodies }, 1, 300);
    assert.ok(broken.length > 0, 'a clock that tells no time breaks every answer');
  });
});
