import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { counterJob } from './lib/flink-job.ts';
import { kubectl } from './lib/kube.ts';

const namespace = 'flork-e2e-refused';

/** A wrong spec and the field that the refusal must name. */
const WRONG: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ['an unknown field', { paralellism: 2 }, /spec\.paralellism/],
  ['a parallelism of 0', { parallelism: 0 }, /spec\.parallelism/],
  ['an unknown Flink version', { flinkVersion: '0.9' }, /spec\.flinkVersion/],
  [
    'a typo in a pod spec',
    { jobManagerPodSpec: { containers: [{ name: 'flink-main-container', volumeMount: [] }] } },
    /spec\.jobManagerPodSpec\.containers\[.+\]\.volumeMount/,
  ],
  [
    'a cluster id of the user',
    { flinkConf: { 'kubernetes.cluster-id': 'mine' } },
    /spec\.flinkConf.*kubernetes\.cluster-id/s,
  ],
  ['an unknown state', { state: 'paused' }, /spec\.state/],
];

describe("Flork's own pods", () => {
  test('run under restricted Pod Security, without a capability, a root filesystem to write to, or a user of their own', async () => {
    const label = await kubectl([
      'get',
      'namespace',
      'flork-system',
      '-o',
      'jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}',
    ]);
    assert.equal(label, 'restricted');
    const look = `
      const { readFileSync, writeFileSync } = require('node:fs');
      let written = 'yes';
      try { writeFileSync('/app/dist/written', ''); } catch ({ code }) { written = code; }
      const of = (name) => RegExp('^' + name + ':\\\\s*(\\\\S+)', 'm').exec(readFileSync('/proc/1/status', 'utf8'))[1];
      console.log([of('CapEff'), of('CapBnd'), of('NoNewPrivs'), of('Seccomp'), process.getuid(), written].join(' '));
    `;
    const told = await kubectl(['-n', 'flork-system', 'exec', 'deployment/flork', '--', 'node', '-e', look]);
    assert.equal(told.trim(), '0000000000000000 0000000000000000 1 2 65532 EROFS');
  });
});

describe('kubectl apply', () => {
  before(() => kubectl(['create', 'namespace', namespace]).catch(() => undefined));
  after(() => kubectl(['delete', 'namespace', namespace, '--wait=false']));

  for (const [what, change, wanted] of WRONG) {
    test(`refuses ${what} and names the field`, async () => {
      const manifest = JSON.stringify(counterJob('wrong', namespace, '2.3', change));
      for (const how of [
        ['apply', '-f', '-'],
        ['apply', '--server-side', '-f', '-'],
      ]) {
        await assert.rejects(kubectl(how, manifest), (error: Error) => {
          assert.match(error.message, wanted, how.join(' '));
          return true;
        });
      }
    });
  }
});
