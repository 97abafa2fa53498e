import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadDefaults } from '../../../src/plugins/defaults.ts';
import { scratch } from '../../scratch.ts';

const file = join(scratch('defaults'), 'defaults.yaml');

function load(text: string): ReturnType<typeof loadDefaults> {
  writeFileSync(file, text);
  return loadDefaults(file);
}

const entry = (spec: string, more = '') => `defaults:\n- name: all\n${more}  spec: ${spec}\n`;

describe('defaults.yaml', () => {
  test('is read in its order', () => {
    const text = `${entry('{flinkConf: {a: 1}}')}- {name: two, namespaces: [a-*], flinkVersions: ['2.3'], spec: {florkConf: {x: y}}}\n`;
    assert.deepEqual(load(text), [
      { name: 'all', spec: { flinkConf: { a: 1 } } },
      { name: 'two', namespaces: ['a-*'], flinkVersions: ['2.3'], spec: { florkConf: { x: 'y' } } },
    ]);
    assert.deepEqual(load('defaults: []'), []);
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['is no YAML', 'defaults: [', /Flow sequence/],
    ['is empty', '', /object/i],
    ['has another field', `${entry('{}')}more: 1\n`, /more/],
    ['has no name', 'defaults:\n- spec: {}\n', /defaults\.0\.name/],
    ['has a name twice', `${entry('{}')}- {name: all, spec: {}}\n`, /defaults\[1\] \(all\): has the name/],
    ['names no namespace', entry('{}', '  namespaces: [A]\n'), /defaults\.0\.namespaces\.0: a namespace, or a pattern/],
    ['names no Flink version', entry('{}', "  flinkVersions: ['1.14']\n"), /defaults\.0\.flinkVersions\.0/],
    ["says what is each job's own", entry('{parallelism: 2}'), /defaults\.0\.spec/],
    [
      'says it by its key',
      entry('{flinkConf: {parallelism: {default: 2}}}'),
      /flinkConf\["parallelism\.default"\]: is said by each FlinkJob/,
    ],
    [
      'has a key that Flork owns',
      entry('{flinkConf: {kubernetes.cluster-id: x}}'),
      /defaults\[0\] \(all\) with Flink 1\.19: spec\.flinkConf\["kubernetes\.cluster-id"\]/,
    ],
    [
      'names an image',
      entry('{jobManagerPodSpec: {containers: [{name: flink-main-container, image: flink:2.3}]}}'),
      /names an image for Flink/,
    ],
    [
      'has resources in the pod',
      entry('{taskManagerPodSpec: {containers: [{name: flink-main-container, resources: {limits: {cpu: 1}}}]}}'),
      /want spec\.taskManagerResources/,
    ],
    [
      'has a wrong quantity',
      entry('{jobManagerResources: {limits: {memory: much}}}'),
      /jobManagerResources\.limits\.memory/,
    ],
    ['has a wrong shape', entry('{flinkConf: 7}'), /spec\.flinkConf: is 7/],
    ['has containers that are none', entry('{jobManagerPodSpec: {containers: 7}}'), /containers/],
  ];
  for (const [what, text, said] of wrong) {
    test(`is refused where it ${what}`, () => {
      assert.throws(
        () => load(text),
        (error: Error) => said.test(error.message) || assert.fail(error.message),
      );
    });
  }
});
