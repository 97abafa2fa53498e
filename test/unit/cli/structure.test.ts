import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { checkStructure, type Structure } from '../../../src/cli/structure.ts';
import { podSpecSchema } from '../../../tools/crd/pod-spec.ts';

type Case = {
  readonly what?: string;
  readonly pod?: object;
  readonly main?: object;
  readonly more?: readonly object[];
  readonly names?: string;
};

/** The cases that the e2e test shows to an API server. */
const cases = (file: string): readonly Case[] =>
  parse(readFileSync(new URL(`../../e2e/pods/${file}`, import.meta.url), 'utf8'));
const schema = podSpecSchema() as Structure;
const podSpecOf = ({ pod, main, more = [] }: Case) => ({
  ...pod,
  containers: [{ name: 'flink-main-container', image: 'flink:2.3', ...main }, ...more],
});

for (const one of cases('accepted.yaml')) {
  test(`a pod spec with ${one.what} is accepted without a cluster, too`, () => {
    assert.deepEqual(checkStructure(schema, podSpecOf(one), 'spec'), []);
  });
}

for (const one of cases('refused.yaml')) {
  test(`${JSON.stringify(one.pod ?? one.main)} is refused without a cluster, too`, () => {
    const paths = checkStructure(schema, podSpecOf(one), 'spec').map((finding) => finding.path);
    assert.ok(
      paths.some((path) => path.includes(one.names ?? '')),
      paths.join(),
    );
  });
}
