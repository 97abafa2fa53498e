import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FlinkJobSpec } from '../../../src/api/flinkjob.ts';
import { OPTIONAL_KINDS } from '../../../src/api/optional-children.ts';
import { readObserved } from '../../../src/api/observed.ts';
import { renderEpoch } from '../../../src/core/build/epoch.ts';
import { readConfFile } from '../../../src/core/build/flink-conf.ts';
import { OPTIONAL_CHILDREN } from '../../../src/core/build/optional.ts';
import { reconcile } from '../../../src/core/reconcile.ts';
import type { Input, Outcome } from '../../../src/core/types.ts';
import { validateSpec } from '../../../src/core/validate/validate-spec.ts';
import { answered, inputOf, jobManagerPod, runningCluster, SPEC, sync, type Shown } from './drive.ts';

const REF = { name: 'wordcount', namespace: 'team', uid: 'uid' };
const JOB = { image: 'flink:2.3' } as const;
const ASKING = { ingress: { host: 'a.example.com' }, podDisruptionBudget: {} };
const LISTED = { 'Ingress.networking.k8s.io/v1': {}, 'PodDisruptionBudget.policy/v1': {} };

/** The input of a sync with these groups of children more. */
function withGroups(input: Input, groups: Readonly<Record<string, object>>): Input {
  const { configMaps, services, deployments, pods, namespace, echo } = input.observed;
  const more = readObserved(groups as never, {}, input.job.ref);
  const observed = { configMaps, services, deployments, pods, namespace, optional: more.optional };
  return { ...input, observed: { ...observed, echo: [...echo, ...more.echo] } };
}

const kinds = ({ children }: Outcome): readonly string[] =>
  children.map(({ kind }) => kind).filter((kind) => OPTIONAL_KINDS.some((one) => one.kind === kind));

describe('optional children', () => {
  const at = runningCluster({ ...SPEC, ...ASKING });
  const shown: Shown = { pods: [jobManagerPod(1)], flink: answered(at.status!.epoch!.jobId, 'RUNNING') };
  sync(at, shown);
  const ingress = { metadata: { name: 'wordcount', namespace: 'team' }, spec: { rules: [] } };
  const there = {
    'Ingress.networking.k8s.io/v1': { 'team/wordcount': ingress },
    'PodDisruptionBudget.policy/v1': { 'team/wordcount': ingress },
  };
  const answer = (groups: object, more: Shown = {}) =>
    reconcile(withGroups(inputOf(at, { ...shown, ...more }), groups as never));

  test('are answered where their kind is listed, and told where it is not', () => {
    assert.deepEqual(kinds(answer(LISTED)), ['Ingress', 'PodDisruptionBudget']);
    const none = answer({});
    assert.deepEqual(kinds(none), []);
    const told = none.status.conditions.find(({ type }) => type === 'ChildrenApplied');
    assert.deepEqual([told?.status, told?.reason], ['False', 'KindNotEnabled']);
    assert.match(told?.message ?? '', /spec\.ingress, spec\.podDisruptionBudget.*child-ingress/);
    assert.equal(none.status.conditions.find(({ type }) => type === 'Ready')?.status, 'True');
  });

  test('that do not appear are told by the second answer to a spec', () => {
    at.now += 120_000;
    const told = answer(LISTED).status.conditions.find(({ type }) => type === 'ChildrenApplied');
    assert.deepEqual(told?.reason, 'ChildMissing');
    assert.match(told?.message ?? '', /Ingress wordcount, PodDisruptionBudget wordcount/);
    assert.equal(
      answer(there).status.conditions.find(({ type }) => type === 'ChildrenApplied'),
      undefined,
    );
    at.generation += 1;
    const changed = answer(LISTED).status.conditions.find(({ type }) => type === 'ChildrenApplied');
    assert.equal(changed, undefined, 'a new spec is answered for the first time');
    at.generation -= 1;
  });

  test('stay as they are where the spec is not to act', () => {
    for (const [what, more] of [
      ['paused', { annotations: { 'flork.itom.com/paused': 'true' } }],
      ['handed over', { finalizing: true }],
      ['deleted', { finalizing: true, deleted: true }],
    ] as const) {
      const outcome = answer(there, more);
      assert.deepEqual(kinds(outcome), ['Ingress', 'PodDisruptionBudget'], what);
      assert.deepEqual(outcome.children.find(({ kind }) => kind === 'Ingress')?.['spec'], { rules: [] }, what);
    }
  });

  test('of a FlinkJob that was let go are waited for', () => {
    const gone = { ...at, children: new Map() };
    const left = reconcile(withGroups(inputOf(gone, { finalizing: true, deleted: true, pods: [] }), there));
    assert.equal(left.finalized, false);
    const nothing = reconcile(withGroups(inputOf(gone, { finalizing: true, deleted: true, pods: [] }), LISTED));
    assert.equal(nothing.finalized, true);
  });
});

describe('what they hold', () => {
  const made = (kind: keyof typeof OPTIONAL_CHILDREN, spec: FlinkJobSpec, more: object = {}) =>
    OPTIONAL_CHILDREN[kind]({ ref: REF, spec: { ...JOB, ...spec }, callsApiServer: false, ...more });

  test('nothing without being asked for', () => {
    for (const { kind } of OPTIONAL_KINDS) assert.equal(made(kind, {}), undefined, kind);
  });

  test('a NetworkPolicy lets in the namespace where Flork is', () => {
    assert.match(JSON.stringify(made('NetworkPolicy', { networkPolicy: {} })), /"flork-system"/);
    const elsewhere = JSON.stringify(made('NetworkPolicy', { networkPolicy: {} }, { home: 'platform' }));
    assert.match(elsewhere, /"platform"/);
    assert.doesNotMatch(elsewhere, /flork-system|Egress|monitoring/);
  });

  test('and out to the API server where high availability needs it', () => {
    const spec = { networkPolicy: { egress: [] } };
    assert.doesNotMatch(JSON.stringify(made('NetworkPolicy', spec)), /6443/);
    assert.match(JSON.stringify(made('NetworkPolicy', spec, { callsApiServer: true })), /6443/);
  });

  test("labels and annotations of the user's never replace Flork's", () => {
    const labels = { 'flork.itom.com/job': 'other', team: 'a' };
    const child = made('Ingress', { ingress: { host: 'a', labels } });
    assert.equal(child?.metadata.labels?.['flork.itom.com/job'], 'wordcount');
    assert.equal(child?.metadata.labels?.['team'], 'a');
  });

  test('a PodMonitor comes with the reporter, at the port that the user says', () => {
    const render = (spec: FlinkJobSpec) => {
      const { children } = renderEpoch({ ref: REF, number: 1, generation: 1, spec, handled: {} });
      const conf = readConfFile(children.configuration['data'] as Record<string, string>);
      const port = /"containerPort":(\d+),"name":"metrics"/.exec(JSON.stringify(children.taskManager))?.[1];
      return [conf['metrics.reporter.prom.port'], port];
    };
    assert.deepEqual(render(JOB), [undefined, undefined]);
    assert.deepEqual(render({ ...JOB, podMonitor: {} }), ['9249', '9249']);
    const range = { ...JOB, podMonitor: {}, flinkConf: { 'metrics.reporter.prom.port': '9300-9310' } };
    assert.deepEqual(render(range), ['9300-9310', '9300']);
  });
});

test('a field that does not exist is found inside their lists, too', () => {
  const fields = { networkPolicy: { ingress: [{}], egress: [{ to: [{ namespaceSelector: {} }, { pods: {} }] }] } };
  const verdict = validateSpec({ ...JOB, ...fields }, REF);
  assert.deepEqual(verdict.kind === 'invalid' && verdict.findings.map(({ path }) => path), [
    'spec.networkPolicy.egress[0].to[1].pods',
  ]);
});
