import type { ClusterEvent } from '../cluster.ts';
import type { KubeObject } from '../objects.ts';
import { keyOf, refOf } from '../objects.ts';

/** A cache of one kind, filled by a watch. It remembers its last events, so that tests can show an older view of it. */
export type Informer = {
  readonly accept: (event: ClusterEvent) => void;
  /** The cache as it was before its last `behind` events (about `only`, when given). */
  readonly view: (behind: number, only?: string) => ReadonlyMap<string, KubeObject>;
};

const REMEMBERED = 12;

export function createInformer(): Informer {
  let objects: ReadonlyMap<string, KubeObject> = new Map();
  const past: { readonly key: string; readonly before: KubeObject | undefined }[] = [];
  return {
    accept: ({ kind, object }) => {
      const key = keyOf(refOf(object));
      const before = objects.get(key);
      if (before !== undefined && before.metadata.resourceVersion === object.metadata.resourceVersion && kind === 'set')
        return;
      const next = new Map(objects);
      if (kind === 'set') next.set(key, object);
      else next.delete(key);
      objects = next;
      past.push({ key, before });
      if (past.length > REMEMBERED) past.shift();
    },
    view: (behind, only) => {
      if (behind === 0) return objects;
      const older = new Map(objects);
      const undone = past.filter((change) => only === undefined || change.key === only).slice(-behind);
      for (const { key, before } of undone.toReversed()) {
        if (before === undefined) older.delete(key);
        else older.set(key, before);
      }
      return older;
    },
  };
}
