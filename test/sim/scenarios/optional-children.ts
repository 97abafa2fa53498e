import assert from 'node:assert/strict';
import { OPTIONAL_KINDS } from '../../../src/api/optional-children.ts';
import { at, type KubeObject } from '../../../src/sim/models/objects.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import {
  condition,
  epochOf,
  isReady,
  killJobManager,
  leftovers,
  LIMIT_MS,
  reachRunning,
  reachSettled,
  remove,
  start,
  suspend,
  upgrade,
} from '../harness/flows.ts';
import type { History } from '../harness/history.ts';
import { NAME, reconfigured, SPEC, suspended } from '../harness/sample.ts';
import { scenario, status } from '../harness/scenario.ts';

/** Ingress and the like: there as long as the spec asks for them, and never a reason to touch the job. */

const KINDS = OPTIONAL_KINDS.map(({ kind }) => kind);
const ASKING = {
  ...SPEC,
  ingress: { host: '{{name}}.example.com' },
  httpRoute: { parentRefs: [{ name: 'public' }] },
  podDisruptionBudget: {},
  networkPolicy: { egress: [] },
  podMonitor: { interval: '30s' },
};

function optional(h: History): readonly KubeObject[] {
  return KINDS.flatMap((kind) => h.world.api.list(kind, NAMESPACE));
}

const kindsOf = (h: History): readonly string[] => optional(h).map(({ kind }) => kind);
const hostOf = (h: History): unknown =>
  (at(h.world.api.get({ kind: 'Ingress', namespace: NAMESPACE, name: NAME }), 'spec', 'rules') as { host: string }[])[0]
    ?.host;

scenario(
  'optional children live with the FlinkJob',
  async (h) => {
    await start(h, ASKING);
    await reachSettled(h);
    assert.deepEqual(kindsOf(h).toSorted(), KINDS.toSorted());
    assert.equal(hostOf(h), `${NAME}.example.com`);
    h.apply({ ...ASKING, ingress: { host: 'other.example.com' } });
    await h.until(() => hostOf(h) === 'other.example.com', LIMIT_MS, 'the Ingress follows the spec');
    const { podDisruptionBudget: _, ...without } = ASKING;
    h.apply(without);
    await h.until(() => kindsOf(h).length === KINDS.length - 1, LIMIT_MS, 'the budget goes');
    await reachSettled(h);
    assert.equal(epochOf(h), 1, 'the job is not touched');
    h.world.api.remove('somebody', { kind: 'NetworkPolicy', namespace: NAMESPACE, name: NAME });
    await h.until(() => kindsOf(h).includes('NetworkPolicy'), LIMIT_MS, 'one that was removed by hand comes back');
    killJobManager(h);
    await reachRunning(h);
    await upgrade(h, reconfigured(ASKING, '64'));
    await suspend(h, suspended(reconfigured(ASKING, '64')));
    assert.deepEqual(kindsOf(h).toSorted(), KINDS.toSorted());
    await remove(h);
    assert.deepEqual(leftovers(h), []);
  },
  KINDS,
);

scenario(
  'a spec that became invalid keeps its optional children',
  async (h) => {
    await start(h, ASKING);
    await reachSettled(h);
    const { ingress: _, ...without } = ASKING;
    h.apply({ ...without, jarURI: 'nothing to fetch' });
    await h.until(() => condition(h, 'Stalled') === 'True', LIMIT_MS, 'told');
    await reachSettled(h);
    assert.deepEqual(kindsOf(h).toSorted(), KINDS.toSorted());
    h.apply(without);
    await h.until(() => !kindsOf(h).includes('Ingress'), LIMIT_MS, 'now it goes');
    await reachRunning(h);
  },
  KINDS,
);

scenario(
  'a kind that is not listed is told, and the job runs without it',
  async (h) => {
    await start(h, { ...SPEC, ingress: { host: 'a.example.com' }, podDisruptionBudget: {} });
    await reachSettled(h);
    assert.ok(isReady(h));
    assert.deepEqual(kindsOf(h), ['Ingress']);
    const told = status(h).conditions?.find(({ type }) => type === 'ChildrenApplied');
    assert.equal(told?.reason, 'KindNotEnabled');
    assert.match(told?.message ?? '', /spec\.podDisruptionBudget.*child-pod-disruption-budget/);
    h.apply({ ...SPEC, ingress: { host: 'a.example.com' } });
    await h.until(() => condition(h, 'ChildrenApplied') === undefined, LIMIT_MS, 'no longer asked for');
    await remove(h);
    assert.deepEqual(leftovers(h), []);
  },
  ['Ingress'],
);

scenario(
  'handed over with its optional children',
  async (h) => {
    await start(h, ASKING);
    h.world.faults.selects = () => false;
    await h.until(() => (h.job()?.metadata.finalizers ?? []).length === 0, LIMIT_MS, 'handed over');
    await h.run(5000);
    assert.deepEqual(kindsOf(h).toSorted(), KINDS.toSorted());
    h.world.faults.selects = () => true;
    await reachRunning(h);
    await reachSettled(h);
    assert.equal(epochOf(h), 1);
  },
  KINDS,
);
