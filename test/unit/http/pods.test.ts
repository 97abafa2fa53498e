import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readObserved } from '../../../src/api/observed.ts';
import type { Input } from '../../../src/core/types.ts';
import type { AppDeps } from '../../../src/http/shell.ts';
import type { Pods, ReadPods } from '../../../src/kube/pods.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { outcome, parent, post, recorder, request, testApp } from './hook-fixture.ts';

/** Of a Flork that reads the pods itself. */

const pod = (name: string, namespace = 'default'): { metadata: { name: string; namespace: string } } => ({
  metadata: { name, namespace },
});
const names = ({ observed }: Input): readonly string[] | undefined =>
  observed.pods?.map(({ metadata }) => metadata.name);

/** An app that reads these, one after the other, and what it decided by. */
function reading(reads: readonly Pods[], deps: Partial<AppDeps> = {}) {
  const left = [...reads];
  const asked: Parameters<ReadPods>[] = [];
  const inputs: Input[] = [];
  const app = testApp({
    readObserved,
    readPods: async (...args) => {
      asked.push(args);
      return left.shift() ?? assert.fail('the pods were read');
    },
    reconcile: (input) => {
      inputs.push(input);
      return outcome();
    },
    ...deps,
  });
  return { app, asked, inputs };
}

const RELATED = [undefined, null, {}, { 'Namespace.v1': {} }, { 'Pod.v1': { 'default/old': pod('old') } }];

describe('where Flork reads the pods', () => {
  for (const related of RELATED)
    it(`it decides by them, whatever is shown: ${JSON.stringify(related)}`, async () => {
      const { app, asked, inputs } = reading([
        { kind: 'read', pods: [pod('a'), pod('b')] },
        { kind: 'read', pods: [] },
      ]);
      for (const finalizing of [false, true]) {
        const response = await post(app, finalizing ? '/finalize' : '/sync', request({ related, finalizing }));
        assert.equal(response.status, 200);
      }
      assert.deepEqual(inputs.map(names), [['a', 'b'], []]);
      assert.deepEqual(
        asked.map(([{ namespace, name }]) => `${namespace}/${name}`),
        ['default/wordcount', 'default/wordcount'],
      );
    });

  it('none of them is remembered with the request: the same text is decided by what is read then', async () => {
    const { app, inputs } = reading([
      { kind: 'read', pods: [pod('a')] },
      { kind: 'read', pods: [pod('b')] },
      { kind: 'unread', why: 'no answer' },
      { kind: 'read', pods: [] },
    ]);
    const codes = [];
    for (let time = 0; time < 4; time++) codes.push((await post(app, '/sync', request())).status);
    assert.deepEqual(codes, [200, 200, 503, 200]);
    assert.deepEqual(inputs.map(names), [['a'], ['b'], []]);
  });

  it('what else was shown is decided by as it is shown', async () => {
    const meta = { name: 'wordcount-conf', namespace: 'default' };
    const children = { 'ConfigMap.v1': { 'default/wordcount-conf': { metadata: meta, data: { a: 'b' } } } };
    const related = { 'Namespace.v1': { default: { metadata: { name: 'default' } } } };
    const { app, inputs } = reading([{ kind: 'read', pods: [] }]);
    await post(app, '/sync', request({ children, related }));
    const { pods: _, ...seen } = inputs[0]!.observed;
    const { pods: __, ...shown } = readObserved(children, related, { namespace: 'default' });
    assert.deepEqual(seen, shown);
    assert.equal(seen.echo.length, 1);
  });

  it('they are asked for before Flink is, by what they say', async () => {
    const asked: string[] = [];
    const { app } = reading([], {
      readPods: async () => {
        asked.push('pods');
        return { kind: 'read', pods: [pod('a')] };
      },
      questions: ({ observed }) => {
        asked.push(`Flink, by ${observed.pods?.length}`);
        return { kind: 'none', why: 'test' };
      },
    });
    await post(app, '/sync', request());
    assert.deepEqual(asked, ['pods', 'Flink, by 1']);
  });

  it('pods that cannot be read are a 503 that says why: nothing is decided, asked or answered', async () => {
    const why = 'Flork has no right to list pods in namespace default; the API server answers 403: no';
    const { log, lines } = recorder();
    const metrics = createMetrics(new Map());
    const nothing = () => assert.fail('something was decided');
    for (const finalizing of [false, true]) {
      const deps = { log, metrics, questions: nothing, reconcile: nothing };
      const { app } = reading([{ kind: 'unread', why }], deps);
      const hook = finalizing ? 'finalize' : 'sync';
      const response = await post(app, `/${hook}`, request({ finalizing, related: { 'Pod.v1': {} } }));
      assert.equal(response.status, 503);
      const text = await response.text();
      assert.equal(text, `the pods could not be read: ${why}\n`);
      assert.ok(!text.includes('children'));
      const { level, message, fields } = lines.at(-1)!;
      assert.deepEqual(
        [level, message, fields['rule'], fields['why']],
        ['warn', 'refused', 'pods-unread', text.trimEnd()],
      );
      assert.deepEqual([fields['namespace'], fields['name']], ['default', 'wordcount']);
      const counted = `flork_hook_answers_total{hook="${hook}",rule="pods-unread",code="503"} 1`;
      assert.ok((await metrics.text()).split('\n').includes(counted));
    }
  });

  it('one that fails to say so is a bug, and still no answer', async () => {
    const { app } = reading([], { readPods: () => Promise.reject(new Error('x')) });
    assert.equal((await post(app, '/sync', request())).status, 500);
  });

  it('a FlinkJob that is refused costs the API server nothing', async () => {
    const { app } = reading([], { config: { namespaces: ['team'] } });
    assert.equal((await post(app, '/sync', request())).status, 403);
    const other = reading([], { config: { tenant: 'first' } });
    assert.equal((await post(other.app, '/sync', request())).status, 403);
    const older = reading([], { views: () => true });
    assert.equal((await post(older.app, '/sync', request())).status, 429);
    assert.equal((await post(older.app, '/sync', request({ parent: { ...parent(), kind: 'Job' } }))).status, 404);
  });

  it('one that is being answered is not read again', async () => {
    const reads: ((pods: Pods) => void)[] = [];
    const app = testApp({ readPods: () => new Promise((resolve) => void reads.push(resolve)) });
    const first = post(app, '/sync', request());
    for (let turn = 0; turn < 100 && reads.length === 0; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await post(app, '/sync', request())).status, 429);
    assert.equal(reads.length, 1);
    reads[0]!({ kind: 'read', pods: [] });
    assert.equal((await first).status, 200);
  });
});
