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
    const { byStatus, byRule, broken } = await fuzz(corpus, 1, CASES);
    context.diagnostic(`${JSON.stringify([...byStatus].toSorted())}, ${byRule.size} rules`);
    assert.deepEqual(broken, []);
    // A fuzzer whose bodies are mostly refused at the door finds nothing behind it.
    assert.ok((byStatus.get(200) ?? 0) > CASES / 2, 'most cases are decided');
    assert.ok((byStatus.get(400) ?? 0) > CASES / 50, 'some are refused');
    assert.ok(byRule.size > 30, `${byRule.size} rules answered`);
  });

  it('a case is replayed by its seed', () => {
    const [{ text }] = corpus.bodies;
    assert.equal(mutated(text, createRandom(7)), mutated(text, createRandom(7)));
    assert.notEqual(mutated(text, createRandom(7)), mutated(text, createRandom(8)));
  });

  it('a hook that throws is found out', async () => {
    const wrong: Corpus = { ...corpus, now: Number.NaN };
    const { broken } = await fuzz(wrong, 1, 300);
    assert.ok(broken.length > 0, 'a clock that tells no time breaks every answer');
  });
});
