import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { canonical, canonicalJson } from '../../../../src/core/build/canonical.ts';

test('what the API server drops is left out', () => {
  const given = {
    a: null,
    b: '',
    c: [],
    d: {},
    e: { f: { g: null } },
    hostNetwork: false,
    ports: [{ hostPort: 0, containerPort: 1 }],
  };
  assert.deepEqual(canonical(given), { ports: [{ containerPort: 1, protocol: 'TCP' }] } as unknown);
});

test('what says something by being empty, false or 0 stays', () => {
  const given = {
    args: ['', 'x'],
    automountServiceAccountToken: false,
    data: { 'empty.txt': '' },
    emptyDir: {},
    labelSelector: {},
    labels: { empty: '' },
    optional: false,
    replicas: 0,
    storageClassName: '',
    terminationGracePeriodSeconds: 0,
  };
  assert.deepEqual(canonical(given), given);
});

test('quantities are written as the API server writes them', () => {
  const given = {
    resources: { requests: { cpu: '1000m', memory: '1024Mi' }, limits: { cpu: 0.5, memory: '2G', 'x.com/gpu': 1 } },
  };
  assert.deepEqual(canonical(given) as unknown, {
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '500m', memory: '2G', 'x.com/gpu': '1' } },
  });
});

test('defaults inside lists that have no keys are said', () => {
  const given = { sources: [{ serviceAccountToken: { path: 't' } }, { items: [{ fieldRef: { fieldPath: 'x' } }] }] };
  assert.deepEqual(canonical(given) as unknown, {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3600, path: 't' } },
      { items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'x' } }] },
    ],
  });
});

test('canonical values stay as they are, and keys come sorted', () => {
  fc.assert(
    fc.property(
      fc.object({
        maxDepth: 4,
        withNullPrototype: false,
        values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
      }),
      (value) => {
        const once = canonical(value);
        assert.equal(JSON.stringify(canonical(once)), JSON.stringify(once));
        assert.equal(JSON.stringify(once), canonicalJson(once));
      },
    ),
  );
});

test('canonicalJson leaves nothing out', () => {
  assert.equal(canonicalJson({ b: null, a: [{ d: '', c: {} }] }), '{"a":[{"c":{},"d":""}],"b":null}');
  assert.equal(canonicalJson(JSON.parse('{"__proto__":1,"a":2}')), '{"__proto__":1,"a":2}');
});
