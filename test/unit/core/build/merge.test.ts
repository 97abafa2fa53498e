import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../../../../src/core/merge.ts';

test('containers are merged by name, the lower ones first', () => {
  const lower = { containers: [{ name: 'main', image: 'a', args: ['x'] }] };
  const upper = { containers: [{ name: 'side' }, { name: 'main', image: 'b' }] };
  assert.deepEqual(merge(lower, upper), { containers: [{ name: 'main', image: 'b', args: ['x'] }, { name: 'side' }] });
});

test('an environment variable, a volume and a probe are replaced whole: their sources are alternatives', () => {
  const lower = {
    env: [{ name: 'A', valueFrom: { fieldRef: {} } }],
    volumes: [{ name: 'v', emptyDir: {} }],
    livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: 30 },
  };
  const upper = { env: [{ name: 'A', value: 'a' }], volumes: [{ name: 'v', secret: {} }], livenessProbe: { exec: {} } };
  assert.deepEqual(merge(lower, upper), upper);
});

test('ports are told apart by protocol, mounts by path', () => {
  const merged = merge(
    { ports: [{ containerPort: 1, name: 'a' }], volumeMounts: [{ mountPath: '/x', name: 'a' }] },
    {
      ports: [
        { containerPort: 1, protocol: 'UDP' },
        { containerPort: 1, protocol: 'TCP', name: 'b' },
      ],
      volumeMounts: [{ mountPath: '/x', name: 'b' }],
    },
  );
  assert.deepEqual(merged, {
    ports: [
      { containerPort: 1, protocol: 'TCP', name: 'b' },
      { containerPort: 1, protocol: 'UDP' },
    ],
    volumeMounts: [{ mountPath: '/x', name: 'b' }],
  });
});

test('tolerations and arguments are replaced, maps are merged, null says nothing', () => {
  const merged = merge({ tolerations: [{ key: 'a' }], args: ['a', 'b'], nodeSelector: { a: '1' } }, undefined, {
    tolerations: [{ key: 'b' }],
    args: ['c'],
    nodeSelector: { b: '2' },
    hostname: null,
  });
  assert.deepEqual(merged, { tolerations: [{ key: 'b' }], args: ['c'], nodeSelector: { a: '1', b: '2' } });
});
