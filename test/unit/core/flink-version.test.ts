import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlinkJobSpec } from '../../../src/api/flinkjob.ts';
import { flinkVersionOf, isAtLeast, mainImageOf, versionInTag } from '../../../src/core/flink-version.ts';

const tags: readonly (readonly [string, string | undefined])[] = [
  ['flink:1.20', '1.20'],
  ['flink:2.2.1-java21', '2.2'],
  ['localhost:5000/apache/flink:1.14.3-scala_2.12-java8', '1.14'],
  ['registry:5000/flink', undefined],
  ['flink:2.2@sha256:abcd', '2.2'],
  ['flink@sha256:abcd', undefined],
  ['team/job:1.4.2-rc1', undefined],
  ['flink:latest', undefined],
];

for (const [image, version] of tags) {
  test(`image ${image} ${version === undefined ? 'tells no version' : `tells ${version}`}`, () => {
    assert.equal(versionInTag(image), version);
  });
}

const container = (image: string) => ({ containers: [{ name: 'flink-main-container', image }] });
const images: readonly {
  readonly name: string;
  readonly spec: FlinkJobSpec;
  readonly jm?: string;
  readonly tm?: string;
}[] = [
  { name: 'no image is no image', spec: {} },
  { name: 'image is of both roles', spec: { image: 'a:1' }, jm: 'a:1', tm: 'a:1' },
  { name: 'a container’s image counts', spec: { jobManagerPodSpec: container('b:1') }, jm: 'b:1', tm: 'b:1' },
  {
    name: 'the TaskManager’s own pod spec replaces the JobManager’s',
    spec: { jobManagerPodSpec: container('b:1'), taskManagerPodSpec: container('c:1') },
    jm: 'b:1',
    tm: 'c:1',
  },
  {
    name: 'the key of native mode counts, flat or nested',
    spec: { flinkConf: { kubernetes: { 'container.image': 'd:1' } } },
    jm: 'd:1',
    tm: 'd:1',
  },
];

for (const { name, spec, jm, tm } of images) {
  test(name, () => {
    assert.equal(mainImageOf(spec, 'jobmanager'), jm);
    assert.equal(mainImageOf(spec, 'taskmanager'), tm);
  });
}

test('flinkVersion wins over the image tag', () => {
  assert.equal(flinkVersionOf({ flinkVersion: '2.2', image: 'flink:1.20' }), '2.2');
  assert.equal(flinkVersionOf({ image: 'flink:1.20' }), '1.20');
  assert.equal(flinkVersionOf({ image: 'flink:1.14' }), undefined);
});

test('versions order by their numbers', () => {
  assert.ok(isAtLeast('1.20', '1.20'));
  assert.ok(isAtLeast('2.0', '1.20'));
  assert.ok(!isAtLeast('1.19', '1.20'));
});
