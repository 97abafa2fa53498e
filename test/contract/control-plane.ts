import assert from 'node:assert/strict';
import type { Cluster, ClusterEvent, Result } from '../../src/sim/models/cluster.ts';
import type { KubeObject, ObjectRef } from '../../src/sim/models/objects.ts';
import { at, refOf } from '../../src/sim/models/objects.ts';
import { SPEC } from '../sim/harness/sample.ts';

/**
 * What Flork and Metacontroller build on in Kubernetes. Each story is told to a real API server with its controllers
 * (test/install/control-plane.test.ts) and to the simulator's model (control-plane.test.ts): the model is as Kubernetes is, or one of
 * them fails.
 */

/** An empty namespace, where nobody else is at work and no pod finds a node. */
export type Stage = {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Polls until there is a value; rejects when it takes longer. */
  readonly until: <T>(what: string, seconds: number, probe: () => Promise<T | undefined>) => Promise<T>;
  /** DELETE with foreground propagation. */
  readonly removeForeground: (ref: ObjectRef) => Promise<void>;
  /** From now on no ConfigMap is admitted, as by an exhausted quota, until the function that is returned is called. */
  readonly exhaustQuota: () => Promise<() => Promise<void>>;
  /** The pods of a Deployment, terminating ones included. */
  readonly podsOf: (deployment: KubeObject) => Promise<readonly KubeObject[]>;
};
export type Story = readonly [string, (stage: Stage) => Promise<void>];

const meta = ({ namespace }: Stage, name: string, more: object = {}): KubeObject['metadata'] => ({
  name,
  namespace,
  ...more,
});
const configMap = (stage: Stage, name: string, data: object = {}, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: meta(stage, name, more),
  data,
});
const flinkJob = (stage: Stage, name: string, more: object = {}): KubeObject => ({
  apiVersion: 'flork.itom.com/v1',
  kind: 'FlinkJob',
  metadata: meta(stage, name, more),
  spec: SPEC,
});
const deployment = (stage: Stage, name: string, replicas: number, more: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta(stage, name),
  spec: {
    replicas,
    strategy: { type: 'Recreate' },
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name }, annotations: { epoch: '1' } },
      spec: { nodeSelector: { no: 'node' }, containers: [{ name: 'main', image: 'none:1', ...more }] },
    },
  },
});
const ownedBy = (owner: KubeObject): object => ({
  ownerReferences: [
    {
      apiVersion: owner.apiVersion,
      kind: owner.kind,
      name: owner.metadata.name,
      uid: owner.metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ],
});

async function done(result: Promise<Result>): Promise<KubeObject> {
  const answer = await result;
  if (answer.kind !== 'done') return assert.fail(`${answer.code} ${answer.message}`);
  return answer.object;
}

async function refused(result: Promise<Result>, code: number, words: RegExp): Promise<void> {
  const answer = await result;
  if (answer.kind === 'done') return assert.fail('not refused');
  assert.equal(answer.code, code, answer.message);
  return assert.match(answer.message, words);
}

const version = ({ metadata }: KubeObject): string | undefined => metadata.resourceVersion;
const newest = async ({ cluster }: Stage, object: KubeObject): Promise<KubeObject> =>
  (await cluster.get(refOf(object))) ?? assert.fail(`no ${object.kind} ${object.metadata.name}`);
const isGone = ({ cluster, until }: Stage, object: KubeObject): Promise<boolean> =>
  until(`${object.metadata.name} is gone`, 60, async () => {
    const found = await cluster.get(refOf(object));
    return found === undefined || found.metadata.uid !== object.metadata.uid ? true : undefined;
  });
const withSpec = (object: KubeObject, more: object): KubeObject => ({
  ...object,
  spec: { ...(object['spec'] as object), ...more },
});
const withMetadata = (object: KubeObject, more: object): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ...more },
});

/** A Deployment whose status is that of its newest generation, and as wanted. */
const settled = (stage: Stage, object: KubeObject, ok: (status: object) => boolean): Promise<KubeObject> =>
  stage.until(`status of ${object.metadata.name}`, 60, async () => {
    const found = await newest(stage, object);
    const status = (found['status'] ?? {}) as object;
    return at(status, 'observedGeneration') === found.metadata.generation && ok(status) ? found : undefined;
  });

const writes: readonly Story[] = [
  [
    'what is created has a uid, a version and a time, a FlinkJob its first generation and the default of its status',
    async (stage) => {
      const job = await done(stage.cluster.create(flinkJob(stage, 'created')));
      assert.match(job.metadata.uid ?? '', /^[0-9a-f-]{36}$/);
      assert.match(job.metadata.resourceVersion ?? '', /^\d+$/);
      assert.match(job.metadata.creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(job.metadata.generation, 1);
      assert.deepEqual((await newest(stage, job))['status'], { observedGeneration: -1 });
      const map = await done(stage.cluster.create(configMap(stage, 'created')));
      assert.equal(map.metadata.generation, undefined);
      await refused(stage.cluster.create(configMap(stage, 'created')), 409, /already exists/);
    },
  ],
  [
    'a field that the CRD does not know is dropped, one of the wrong type is refused',
    async (stage) => {
      const job = await done(stage.cluster.create(withSpec(flinkJob(stage, 'pruned'), { noSuchField: 1 })));
      assert.equal(at(job, 'spec', 'noSuchField'), undefined);
      await refused(
        stage.cluster.create(withSpec(flinkJob(stage, 'wrong'), { parallelism: 'many' })),
        422,
        /spec\.parallelism|parallelism/,
      );
    },
  ],
  [
    'a write on an old version is a conflict, of the object and of its status',
    async (stage) => {
      const first = await done(stage.cluster.create(flinkJob(stage, 'conflict')));
      await done(stage.cluster.update(withMetadata(first, { labels: { a: 'b' } })));
      await refused(stage.cluster.update(withMetadata(first, { labels: { a: 'c' } })), 409, /has been modified/);
      await refused(
        stage.cluster.updateStatus({ ...first, status: { observedGeneration: 1 } }),
        409,
        /has been modified/,
      );
      await refused(stage.cluster.update(flinkJob(stage, 'nobody')), 404, /not found/);
    },
  ],
  [
    'a write that changes nothing makes no version',
    async (stage) => {
      const map = await done(stage.cluster.create(configMap(stage, 'same', { a: '1' })));
      assert.equal(version(await done(stage.cluster.update(map))), version(map));
      const job = await done(stage.cluster.create(flinkJob(stage, 'same')));
      const told = await done(stage.cluster.updateStatus({ ...job, status: { observedGeneration: 1 } }));
      assert.notEqual(version(told), version(job));
      assert.equal(version(await done(stage.cluster.updateStatus(told))), version(told));
    },
  ],
  [
    'a generation counts changes of the spec, and no others',
    async (stage) => {
      const job = await done(stage.cluster.create(flinkJob(stage, 'counted')));
      const labelled = await done(stage.cluster.update(withMetadata(job, { labels: { a: 'b' } })));
      assert.equal(labelled.metadata.generation, 1);
      const told = await done(stage.cluster.updateStatus({ ...labelled, status: { observedGeneration: 1 } }));
      assert.equal(told.metadata.generation, 1);
      const changed = await done(stage.cluster.update(withSpec(told, { parallelism: 7 })));
      assert.equal(changed.metadata.generation, 2);
    },
  ],
  [
    'a write of the object leaves its status as it is, a write of status the spec',
    async (stage) => {
      const job = await done(stage.cluster.create(flinkJob(stage, 'apart')));
      const told = await done(
        stage.cluster.updateStatus({ ...withSpec(job, { parallelism: 9 }), status: { observedGeneration: 5 } }),
      );
      assert.equal(at(told, 'spec', 'parallelism'), at(SPEC, 'parallelism'));
      const written = await done(stage.cluster.update({ ...told, status: { observedGeneration: 6 } }));
      assert.equal(at(written, 'status', 'observedGeneration'), 5);
    },
  ],
  [
    'server-side apply takes away what it no longer names, and leaves what others wrote',
    async (stage) => {
      const { cluster } = stage;
      const wanted = configMap(stage, 'applied', { mine: '1', old: '1' });
      const first = await done(cluster.apply(wanted));
      assert.equal(version(await done(cluster.apply(wanted))), version(first), 'applied twice is applied once');
      await done(cluster.update({ ...(await newest(stage, first)), data: { mine: '1', old: '1', theirs: '1' } }));
      const second = await done(cluster.apply(configMap(stage, 'applied', { mine: '2' })));
      assert.deepEqual(second['data'], { mine: '2', theirs: '1' });
    },
  ],
  [
    'an exhausted quota forbids, and says so',
    async (stage) => {
      const restore = await stage.exhaustQuota();
      await refused(stage.cluster.create(configMap(stage, 'too-many')), 403, /exceeded quota/);
      await restore();
    },
  ],
];

const deletions: readonly Story[] = [
  [
    'a deletion names whom it means',
    async (stage) => {
      const { cluster } = stage;
      const map = await done(cluster.create(configMap(stage, 'meant')));
      await refused(
        cluster.remove(refOf(map), '11111111-1111-4111-8111-111111111111'),
        409,
        /UID in the precondition/i,
      );
      await done(cluster.remove(refOf(map), map.metadata.uid!));
      assert.equal(await cluster.get(refOf(map)), undefined);
      await refused(cluster.remove(refOf(map), map.metadata.uid!), 404, /not found/);
    },
  ],
  [
    'a finalizer holds what is deleted, as a new generation, and its end lets it go',
    async (stage) => {
      const { cluster } = stage;
      const job = await done(cluster.create(flinkJob(stage, 'held', { finalizers: ['example.com/held'] })));
      await done(cluster.remove(refOf(job), job.metadata.uid!));
      const held = await newest(stage, job);
      assert.match(held.metadata.deletionTimestamp ?? '', /Z$/);
      assert.equal(held.metadata.generation, 2);
      await done(cluster.update(withMetadata(held, { finalizers: [] })));
      assert.equal(await cluster.get(refOf(job)), undefined);
    },
  ],
  [
    'what was owned goes after its owner, and so does what is made for one that is gone',
    async (stage) => {
      const { cluster } = stage;
      const job = await done(cluster.create(flinkJob(stage, 'owner')));
      const child = await done(cluster.create(configMap(stage, 'child', {}, ownedBy(job))));
      await done(cluster.remove(refOf(job), job.metadata.uid!));
      assert.equal(await cluster.get(refOf(job)), undefined, 'the owner does not wait');
      await isGone(stage, child);
      const late = await done(cluster.create(configMap(stage, 'late', {}, ownedBy(job))));
      await isGone(stage, late);
    },
  ],
  [
    'deleted in the foreground, an owner goes after what blocks it',
    async (stage) => {
      const { cluster } = stage;
      const job = await done(cluster.create(flinkJob(stage, 'foreground')));
      const child = await done(
        cluster.create(configMap(stage, 'blocking', {}, { ...ownedBy(job), finalizers: ['example.com/held'] })),
      );
      await stage.removeForeground(refOf(job));
      const leaving = await stage.until('the child is being deleted', 60, async () => {
        const found = await newest(stage, child);
        return found.metadata.deletionTimestamp === undefined ? undefined : found;
      });
      const owner = await newest(stage, job);
      assert.deepEqual(owner.metadata.finalizers, ['foregroundDeletion']);
      assert.ok(owner.metadata.deletionTimestamp);
      await done(cluster.update(withMetadata(leaving, { finalizers: [] })));
      await isGone(stage, job);
    },
  ],
  [
    'a watch tells what there was, then each change in order, and at last what was removed',
    async (stage) => {
      const { cluster } = stage;
      const before = await done(cluster.create(configMap(stage, 'watched', { n: '0' })));
      const heard: ClusterEvent[] = [];
      const stop = await cluster.watch('ConfigMap', (event) => {
        const { namespace, name } = event.object.metadata;
        if (namespace === stage.namespace && name === 'watched') heard.push(event);
      });
      const second = await done(cluster.update({ ...before, data: { n: '1' } }));
      await done(cluster.update({ ...second, data: { n: '2' } }));
      await done(cluster.remove(refOf(before), before.metadata.uid!));
      await stage.until('the removal is heard', 30, async () => (heard.at(-1)?.kind === 'removed' ? true : undefined));
      stop();
      const told = heard.map(({ kind, object }) => `${kind} ${String(at(object, 'data', 'n'))}`);
      assert.deepEqual(told, ['set 0', 'set 1', 'set 2', 'removed 2']);
      const versions = heard.slice(0, 3).map(({ object }) => Number(object.metadata.resourceVersion));
      assert.deepEqual(
        versions,
        versions.toSorted((a, b) => a - b),
      );
    },
  ],
];

const workloads: readonly Story[] = [
  [
    'at 0 a Deployment tells its generation, no replicas, and none that terminate',
    async (stage) => {
      const zero = await done(stage.cluster.create(deployment(stage, 'zero', 0)));
      assert.equal(zero.metadata.generation, 1);
      const { status } = await settled(stage, zero, () => true);
      assert.equal(at(status, 'replicas'), undefined, 'a count of 0 is left out');
      const counted = await settled(stage, zero, (found) => at(found, 'terminatingReplicas') !== undefined);
      assert.equal(at(counted, 'status', 'terminatingReplicas'), 0);
    },
  ],
  [
    'scaled to 1 it has one pod with the labels and annotations of its template, and to 0 none',
    async (stage) => {
      const made = await done(stage.cluster.create(deployment(stage, 'one', 1)));
      const up = await settled(stage, made, (status) => at(status, 'replicas') === 1);
      assert.equal(at(up, 'status', 'unavailableReplicas'), 1, 'its pod finds no node');
      const [pod, ...more] = await stage.podsOf(up);
      assert.deepEqual(more, []);
      assert.equal(pod?.metadata.labels?.['app'], 'one');
      assert.equal(pod?.metadata.annotations?.['epoch'], '1');
      assert.equal(at(pod, 'status', 'phase'), 'Pending');
      await done(stage.cluster.update(withSpec(up, { replicas: 0 })));
      await settled(stage, made, (status) => at(status, 'replicas') === undefined);
      await stage.until('no pod', 60, async () => ((await stage.podsOf(up)).length === 0 ? true : undefined));
    },
  ],
  [
    'Recreate never has pods of two templates at once',
    async (stage) => {
      const made = await done(stage.cluster.create(deployment(stage, 'recreate', 1)));
      const up = await settled(stage, made, (status) => at(status, 'updatedReplicas') === 1);
      const [first] = await stage.podsOf(up);
      const images = new Set<string>();
      await done(
        stage.cluster.update({ ...up, spec: deployment(stage, 'recreate', 1, { image: 'none:2' })['spec'] as object }),
      );
      await stage.until('the new pod', 60, async () => {
        const pods = await stage.podsOf(up);
        images.add(pods.map((pod) => pod.metadata.uid).join(' '));
        return pods.some(({ metadata }) => metadata.uid !== first?.metadata.uid) ? true : undefined;
      });
      assert.ok(
        [...images].every((uids) => !uids.includes(' ')),
        [...images].join(', '),
      );
    },
  ],
  [
    'a deleted pod is replaced by another of the same template',
    async (stage) => {
      const made = await done(stage.cluster.create(deployment(stage, 'replaced', 1)));
      const up = await settled(stage, made, (status) => at(status, 'replicas') === 1);
      const [first] = await stage.podsOf(up);
      await stage.cluster.remove(refOf(first!), first!.metadata.uid!);
      await stage.until('another pod', 60, async () => {
        const pods = await stage.podsOf(up);
        return pods.length === 1 && pods[0]!.metadata.uid !== first!.metadata.uid ? true : undefined;
      });
    },
  ],
  [
    'defaults fill in what was not said',
    async (stage) => {
      const made = await done(stage.cluster.create(deployment(stage, 'defaults', 0)));
      const pod = at(made, 'spec', 'template', 'spec') as object;
      assert.equal(at(pod, 'restartPolicy'), 'Always');
      assert.equal(at(pod, 'terminationGracePeriodSeconds'), 30);
      assert.equal(at(made, 'spec', 'progressDeadlineSeconds'), 600);
      const [main] = at(pod, 'containers') as readonly object[];
      assert.equal(at(main, 'imagePullPolicy'), 'IfNotPresent');
      assert.equal(at(main, 'terminationMessagePolicy'), 'File');
    },
  ],
];

const ends: readonly Story[] = [
  [
    'a namespace that terminates takes nothing new, and waits for what a finalizer holds',
    async (stage) => {
      const { cluster, namespace } = stage;
      const job = await done(cluster.create(flinkJob(stage, 'last', { finalizers: ['example.com/held'] })));
      const map = await done(cluster.create(configMap(stage, 'last')));
      const home = { kind: 'Namespace', namespace: '', name: namespace };
      const { metadata } = (await cluster.get(home)) ?? assert.fail('no namespace');
      await done(cluster.remove(home, metadata.uid!));
      await isGone(stage, map);
      await refused(cluster.create(configMap(stage, 'new')), 403, /because it is being terminated/);
      const held = await stage.until('the FlinkJob is deleted too', 60, async () => {
        const found = await newest(stage, job);
        return found.metadata.deletionTimestamp === undefined ? undefined : found;
      });
      await done(cluster.update(withMetadata(held, { finalizers: [] })));
      await stage.until('the namespace is gone', 60, async () =>
        (await cluster.get(home)) === undefined ? true : undefined,
      );
    },
  ],
];

/** In this order: the last one ends the namespace. */
export const STORIES: readonly Story[] = [...writes, ...deletions, ...workloads, ...ends];
