import { OPTIONAL_KINDS } from '../../api/optional-children.ts';
import type { ApiServer } from './api-server.ts';
import type { Clock } from './clock.ts';
import type { KubeObject } from './objects.ts';
import type { Random } from './random.ts';
import { refOf } from './objects.ts';

const ACTOR = 'garbage-collector';
const KINDS = ['ConfigMap', 'Service', 'Deployment', ...OPTIONAL_KINDS.map(({ kind }) => kind), 'Pod'];

/** Deletes what a removed owner leaves behind; with foreground deletion first the dependents, then the owner. */
export function startGarbageCollector(options: {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
}): void {
  const { api, clock, random } = options;
  const owned = (uid: string | undefined): readonly KubeObject[] =>
    KINDS.flatMap((kind) => api.list(kind)).filter((object) =>
      (object.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid),
    );
  const remove = (object: KubeObject): void => {
    if (object.metadata.deletionTimestamp !== undefined) return;
    const uid = object.metadata.uid;
    api.remove(ACTOR, refOf(object), uid === undefined ? {} : { uid });
  };
  const finish = (object: KubeObject): void => {
    const live = api.get(refOf(object));
    if (live === undefined || live.metadata.uid !== object.metadata.uid) return;
    const dependents = owned(live.metadata.uid);
    for (const dependent of dependents) remove(dependent);
    if (owned(live.metadata.uid).length > 0) {
      clock.after(200, () => finish(object));
      return;
    }
    const finalizers = (live.metadata.finalizers ?? []).filter((name) => name !== 'foregroundDeletion');
    api.update(ACTOR, { ...live, metadata: { ...live.metadata, finalizers } });
  };
  api.watch(({ kind, object, before }) => {
    const { uid, deletionTimestamp, finalizers } = object.metadata;
    if (kind === 'removed') {
      clock.after(random.between(5, 40), () => {
        for (const dependent of owned(uid)) remove(dependent);
      });
    } else if (deletionTimestamp !== undefined && finalizers?.includes('foregroundDeletion') === true) {
      if (before?.metadata.deletionTimestamp === undefined) clock.after(random.between(5, 40), () => finish(object));
    } else if (before === undefined && (object.metadata.ownerReferences ?? []).length > 0) {
      clock.after(random.between(20, 60), () => removeOrphan(object));
    }
  });

  /** An object created for an owner that is already gone. */
  const removeOrphan = (object: KubeObject): void => {
    const live = api.get(refOf(object));
    if (live === undefined || live.metadata.uid !== object.metadata.uid) return;
    const owners = live.metadata.ownerReferences ?? [];
    const namespace = live.metadata.namespace ?? '';
    const gone = owners.every(
      (owner) => api.get({ kind: owner.kind, namespace, name: owner.name })?.metadata.uid !== owner.uid,
    );
    if (gone) remove(live);
  };
}
