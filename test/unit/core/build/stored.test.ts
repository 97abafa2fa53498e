import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { fromBase64, toBase64 } from '../../../../src/core/build/base64.ts';
import { renderEpoch } from '../../../../src/core/build/epoch.ts';
import { epochNames } from '../../../../src/core/build/names.ts';
import { encodeRecord, readRecord, recordConfigMap } from '../../../../src/core/build/record.ts';
import { readRestore, restoreConfigMap } from '../../../../src/core/build/restore.ts';
import type { RestoreContent } from '../../../../src/core/record.ts';

const ref = { name: 'orders', namespace: 'shop', uid: '0b2f1d9c-6f0e-4a53-9d0e-1f4c5a7b9e01' };
const record = renderEpoch({
  ref,
  number: 3,
  generation: 7,
  spec: { image: 'flink:1.20', jobArgs: ['', 'ä'] },
  handled: { restoreNonce: 2 },
});
const content: RestoreContent = {
  incarnation: 1,
  pathAt: 0,
  jobId: 'a54ef46d88389c01fd309e8e5773e722',
  allowNonRestoredState: false,
  startable: true,
};

const stored = (map: { readonly [field: string]: unknown }) => ({
  data: (map['data'] ?? {}) as Record<string, string>,
  binaryData: (map['binaryData'] ?? {}) as Record<string, string>,
});

test('a record comes back with the hash under which it was stored', () => {
  const map = recordConfigMap(ref, record);
  assert.equal(map.metadata.name, epochNames(ref, 3).record);
  assert.deepEqual(readRecord(stored(map)), { hash: encodeRecord(record).hash, record });
  const again = readRecord(stored(map));
  assert.ok(again);
  assert.equal(encodeRecord(again.record).text, encodeRecord(record).text);
});

test('any change of a record changes its hash', () => {
  const { hash } = encodeRecord(record);
  assert.notEqual(encodeRecord({ ...record, generation: 8 }).hash, hash);
  assert.notEqual(encodeRecord({ ...record, spec: { ...record.spec, jobArgs: [] } }).hash, hash);
});

test('what is no record is none: garbage, other versions, and more than one would hold', () => {
  const pack = (text: string) => ({ binaryData: { 'record.json.gz': gzipSync(text).toString('base64') } });
  const bomb = pack(JSON.stringify({ version: 1, number: 1, children: {}, x: ' '.repeat(9 * 1024 * 1024) }));
  for (const map of [
    { binaryData: {} },
    { binaryData: { 'record.json.gz': '!' } },
    pack('null'),
    pack('{"version":2}'),
    pack('{'),
    bomb,
  ]) {
    assert.equal(readRecord(map), undefined);
  }
});

test('no edited record makes the reader throw', () => {
  const { text } = encodeRecord(record);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.base64String({ minLength: 4, maxLength: 8 }), (at, patch) => {
      readRecord({ binaryData: { 'record.json.gz': text.slice(0, at) + patch + text.slice(at + patch.length) } });
    }),
  );
});

test('base64 is that of everyone else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'));
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    }),
  );
});

test('what a process starts with is told by three keys', () => {
  const data = (change: Partial<RestoreContent>) =>
    stored(restoreConfigMap(ref, record, { ...content, ...change })).data;
  const keys = (change: Partial<RestoreContent>) =>
    ['job-id', 'restore', 'restore-flag'].map((key) => data(change)[key]);
  assert.deepEqual(keys({}), [content.jobId, '-Dflork.none=1', '-Dflork.none=2']);
  assert.deepEqual(keys({ allowNonRestoredState: true }), [content.jobId, '-Dflork.none=1', '-Dflork.none=2']);
  assert.deepEqual(keys({ path: 's3://a/b' }), [content.jobId, '--fromSavepoint=s3://a/b', '-Dflork.none=2']);
  assert.deepEqual(keys({ path: 's3://a/b', allowNonRestoredState: true }), [
    content.jobId,
    '--fromSavepoint=s3://a/b',
    '--allowNonRestoredState',
  ]);
  assert.deepEqual(keys({ path: 's3://a/b', startable: false, ended: 'stopped' }), [undefined, undefined, undefined]);
});

test('restore content comes back as it was stored', () => {
  const contents: RestoreContent[] = [
    content,
    {
      ...content,
      incarnation: 4,
      lastProcess: 'uid/3',
      path: 's3://a/b',
      pathAt: 1_700_000_000_123,
      allowNonRestoredState: true,
    },
    { ...content, path: 's3://a/b', startable: false, ended: 'stopped', endedByFlork: false },
  ];
  for (const one of contents) assert.deepEqual(readRestore(stored(restoreConfigMap(ref, record, one))), one);
});

test('restore content that was edited is not believed', () => {
  const { data } = stored(restoreConfigMap(ref, record, { ...content, path: 's3://a/b' }));
  for (const key of Object.keys(data).filter((one) => one !== 'allow-non-restored-state')) {
    assert.equal(readRestore({ data: { ...data, [key]: 'edited' } }), undefined, key);
  }
  assert.equal(readRestore({ data: {} }), undefined);
});
