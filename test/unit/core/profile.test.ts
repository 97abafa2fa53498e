import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METADATA, POD } from '../../../src/core/profile/allowed.ts';
import { CHECKS } from '../../../src/core/profile/checks.ts';
import { readProfile, type TenantProfile } from '../../../src/core/profile/profile.ts';
import { walk } from '../../../src/core/profile/walk.ts';

function profileOf(lists: Readonly<Record<string, string>>): TenantProfile {
  const read = readProfile(new Map(Object.entries(lists)));
  assert.ok(read.kind === 'profile', JSON.stringify(read));
  return read.profile;
}

const pathsOf = (pod: unknown, lists: Readonly<Record<string, string>> = {}): readonly string[] =>
  walk({ kind: 'fields', fields: POD, required: [] }, pod, 'pod', profileOf(lists)).map(({ path }) => path);

test('lists are separated by commas, blanks and line ends; those that are not given allow nothing', () => {
  const profile = profileOf({ serviceAccounts: ' a, b\n c\t,d ' });
  assert.deepEqual(profile.serviceAccounts, ['a', 'b', 'c', 'd']);
  assert.deepEqual(profile.imageRegistries, []);
});

test('a list that does not exist, and a kind of volume that no tenant may have, are refused', () => {
  assert.match(
    JSON.stringify(readProfile(new Map([['serviceAccount', 'a']]))),
    /serviceAccount: is no list; want one of/,
  );
  assert.match(
    JSON.stringify(readProfile(new Map([['volumeKinds', 'secret, hostPath']]))),
    /volumeKinds: has hostPath/,
  );
});

test('an image is known by its registry and folder, never by a part of a name', () => {
  const from = (image: string, registry: string) => CHECKS.image.is(image, profileOf({ imageRegistries: registry }));
  for (const [image, registry, expected] of [
    ['flink:2.3', 'docker.io/library', true],
    ['flink:2.3', 'docker.io/library/flink', true],
    ['flink@sha256:0', 'docker.io/library/flink', true],
    ['team/flink:2.3', 'docker.io/team/', true],
    ['registry.example.com/team/flink:2.3', 'registry.example.com', true],
    ['registry.example.com:5000/flink', 'registry.example.com:5000', true],
    ['localhost/flink', 'localhost', true],
    ['anything', '*', true],
    ['flink:2.3', 'docker.io/library/fli', false],
    ['flink-evil:2.3', 'docker.io/library/flink', false],
    ['registry.example.com.evil.io/flink', 'registry.example.com', false],
    ['evil.io/registry.example.com/flink', 'registry.example.com', false],
    ['library/flink', 'library', false],
    ['flink:2.3', '', false],
  ] as const) {
    assert.equal(from(image, registry), expected, `${image} from ${registry}`);
  }
});

test('a Secret is known by the beginning of its name, a key by its whole prefix', () => {
  assert.ok(CHECKS.secret.is('flink-a', profileOf({ secretPrefixes: 'x- flink-' })));
  assert.ok(!CHECKS.secret.is('my-flink-a', profileOf({ secretPrefixes: 'flink-' })));
  assert.ok(CHECKS.metadataKey.is('prometheus.io/scrape', profileOf({ metadataPrefixes: 'prometheus.io' })));
  assert.ok(!CHECKS.metadataKey.is('prometheus.io.evil/scrape', profileOf({ metadataPrefixes: 'prometheus.io' })));
  assert.ok(CHECKS.metadataKey.is('scrape', profileOf({})));
});

test('what has another type than it should have is not allowed', () => {
  assert.deepEqual(pathsOf({ containers: { name: 'a' } }), ['pod.containers']);
  assert.deepEqual(pathsOf({ securityContext: ['a'] }), ['pod.securityContext']);
  assert.deepEqual(pathsOf({ hostNetwork: 'false' }), ['pod.hostNetwork']);
  const context = { runAsUser: '1', runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
  assert.deepEqual(pathsOf({ securityContext: context }), ['pod.securityContext.runAsUser']);
  assert.deepEqual(pathsOf({ nodeSelector: 'a' }), ['pod.nodeSelector["\\"a\\""]']);
});

test('a field that nobody thought of is not allowed; one that is null is not there', () => {
  assert.deepEqual(pathsOf({ aFieldOfTheFuture: {} }), ['pod.aFieldOfTheFuture']);
  assert.deepEqual(pathsOf({ nodeName: null, __proto__: null }), []);
  assert.deepEqual(pathsOf(JSON.parse('{"__proto__": {"hostNetwork": true}, "constructor": 1}')), [
    'pod.__proto__',
    'pod.constructor',
  ]);
});

test('metadata is looked at by its keys', () => {
  const node = { kind: 'fields', fields: METADATA, required: [] } as const;
  const given = { labels: { a: 'b', 'x.y/z': '1' }, annotations: { 'x.y/z': '1' } };
  const paths = walk(node, given, 'meta', profileOf({ metadataPrefixes: 'a.b' })).map(({ path }) => path);
  assert.deepEqual(paths, ['meta.labels["x.y/z"]', 'meta.annotations["x.y/z"]']);
});
