import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRandom } from '../../src/sim/models/random.ts';
import { recordCorpus, type Corpus } from './corpus.ts';
import { fuzz, nothingFound } from './fuzz.ts';
import { startHook, type Hook } from './hook.ts';
import { mutated } from './mutate.ts';

/** A share of `npm run fuzz`. */
const CASES = 2000;

describe('the hook, whatever it is sent and whatever Flink answers', () => {
  let corpus: Corpus;
  let hook: Hook;
  before(async () => {
    [corpus, hook] = await Promise.all([recordCorpus(), startHook()]);
  });
  after(() => hook.stop());

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
    const { byStatus, byRule, broken } = await fuzz(hook, corpus, 1, CASES, nothingFound());
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
    const { broken } = await fuzz(hook, wrong, 1, 300, nothingFound());
    assert.ok(broken.length > 0, 'a clock that tells no time breaks every answer');
  });

  it('a hook that does not come back, or takes its process along, is told by the seed, and the next case has another', async () => {
    const hanging = await startHook(300, new URL('./hanging-thread.ts', import.meta.url));
    const { broken } = await fuzz(hanging, corpus, 1, 2, nothingFound());
    assert.match(broken[0] ?? '', /^--seed 1 --count 1: .*: Error: no answer for 300 ms$/);
    assert.match(broken[1] ?? '', /^--seed 2 --count 1: /);
    await assert.rejects(
      hanging.post('sync', '', () => assert.fail()),
      /the thread ended \(3\)/,
    );
    await hanging.stop();
  });
});
