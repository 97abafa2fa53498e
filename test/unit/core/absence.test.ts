import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObservedDeployment, ObservedPod } from '../../../src/api/kube.ts';
import { absenceOf } from '../../../src/core/facts/absence.ts';

const status = {
  observedGeneration: 2,
  replicas: undefined,
  readyReplicas: undefined,
  terminatingReplicas: undefined,
  conditions: [],
};
const deployment = (change: Partial<ObservedDeployment['status']> = {}, replicas = 0): ObservedDeployment => ({
  metadata: { name: 'a-jobmanager', generation: 2 },
  replicas,
  templateAnnotations: {},
  status: { ...status, ...change },
});
const pod: ObservedPod = {
  metadata: { name: 'p', labels: { 'flork.itom.com/component': 'jobmanager' } },
  phase: 'Running',
  reason: '',
  message: '',
  nodeName: '',
  conditions: [],
  containers: [],
};

const CASES = [
  ['at 0, status current, no pod shown', deployment(), [], 'proven'],
  ['a pod is shown', deployment(), [pod], 'disproven'],
  ['replicas are wanted', deployment({}, 1), [], 'disproven'],
  ['the workload still counts pods', deployment({ replicas: 1 }), [], 'disproven'],
  [
    'the workload counts terminating pods that a lagging cache does not show',
    deployment({ terminatingReplicas: 1 }),
    [],
    'disproven',
  ],
  ['its status is of an earlier generation', deployment({ observedGeneration: 1 }), [], 'unknown'],
  ['its status has never been written', deployment({ observedGeneration: undefined }), [], 'unknown'],
  ['the workload is missing', undefined, [], 'unknown'],
  ['the workload is missing and a pod is shown', undefined, [pod], 'disproven'],
  ['pods are not shown and terminating ones not reported', deployment(), undefined, 'unknown'],
  [
    'pods are not shown, and the count of terminating ones is 0',
    deployment({ terminatingReplicas: 0 }),
    undefined,
    'unknown',
  ],
] as const;

for (const [name, workload, pods, expected] of CASES) {
  test(`${name}: ${expected}`, () => assert.equal(absenceOf(workload, pods, 'jobmanager'), expected));
}

test('pods of the other component prove nothing against it', () => {
  assert.equal(absenceOf(deployment(), [pod], 'taskmanager'), 'proven');
});
