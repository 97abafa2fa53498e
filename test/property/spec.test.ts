import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FlinkJobSpec } from '../../src/api/flinkjob.ts';
import { changes } from '../../src/core/change.ts';
import { validateSpec } from '../../src/core/validate/validate-spec.ts';

const META = { name: 'job', namespace: 'jobs' };
const FIELDS = Object.keys(FlinkJobSpec.entries);
const KEYS = [
  'parallelism.default',
  'state.backend',
  'kubernetes.namespace',
  'a.valueFrom.secretKeyRef.name',
  'a',
  'b.c',
];

/** Specs with the right names and any values. */
const wild = fc.dictionary(fc.constantFrom(...FIELDS, 'unknown'), fc.jsonValue({ maxDepth: 4 }));
/** flinkConf as people write it: flat and nested, of all kinds of values. */
const conf = fc.dictionary(
  fc.constantFrom(...KEYS),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string())),
);

test('any spec gets an answer, the same twice, with its findings sorted', () => {
  fc.assert(
    fc.property(wild, conf, (spec, flinkConf) => {
      const raw = { ...spec, flinkConf };
      const before = JSON.stringify(raw);
      const result = validateSpec(raw, META);
      assert.deepEqual(validateSpec(raw, META), result);
      assert.equal(JSON.stringify(raw), before, 'the input stays as it was');
      if (result.kind === 'valid') return;
      assert.ok(result.findings.length > 0);
      const paths = result.findings.map((finding) => finding.path);
      assert.deepEqual(
        paths,
        paths.toSorted((a, b) => (a < b ? -1 : Number(a > b))),
      );
    }),
    { numRuns: 500 },
  );
});

test('a valid spec parses to itself', () => {
  fc.assert(
    fc.property(conf, fc.option(fc.nat({ max: 9 })), (flinkConf, parallelism) => {
      const result = validateSpec({ image: 'flink:2.2', flinkConf, parallelism }, META);
      if (result.kind === 'valid') assert.deepEqual(validateSpec(result.spec, META), result);
    }),
  );
});

test('nothing changes between a spec and itself, and what changes there changes back', () => {
  fc.assert(
    fc.property(conf, conf, (one, other) => {
      const [a, b] = [one, other].map((flinkConf) => ({ image: 'flink:2.2', flinkConf }));
      if (a === undefined || b === undefined) return;
      assert.deepEqual(changes(a, structuredClone(a)), []);
      assert.deepEqual(changes(a, b), changes(b, a));
    }),
  );
});
