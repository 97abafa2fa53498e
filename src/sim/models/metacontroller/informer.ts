import type { ClusterEvent } from '../cluster.ts';
import type { KubeObject } from '../objects.ts';
import { keyOf, refOf } from '../objects.ts';

/** A cache of one kind, filled by a watch. It remembers its last events, so that tests can show an older view of it. */
export type Informer = {
  readonly accept: (event: ClusterEvent) => void;
  /** The cache as it was before its last `behind` events: about `only`, however old, or else of the last moments. */
  readonly view: (behind: number, only?: string) => ReadonlyMap<string, KubeObject>;
  /** How many events a view can be behind. */
  readonly depth: (only?: string) => number;
};

const REMEMBERED = 12;
/** A watch is not behind by more; an older event would be a change that never came. */
const RECENT_MS = 2_000;

export function createInformer(now: () => number): Informer {
  let objects: ReadonlyMap<string, KubeObject> = new Map();
  const past: { readonly at: number; readonly key: string; readonly before: KubeObject | undefined }[] = [];
  const undoable = (only: string | undefined): typeof past => {
    const recent = now() - RECENT_MS;
    return past.filter((change) => (only === undefined ? change.at >= recent : change.key === only));
  };
  return {
    depth: (only) => undoable(only).length,
    accept: ({ kind, object }) => {
      const key = keyOf(refOf(object));
      const before = objects.get(key);
      if (before !== undefined && before.metadata.resourceVersion === object.metadata.resourceVersion && kind === 'set')
        return;
      const next = new Map(objects);
      if (kind === 'set') next.set(key, object);
      else next.delete(key);
      objects = next;
      past.push({ at: now(), key, before });
      if (past.length > REMEMBERED) past.shift();
    },
    view: (behind, only) => {
      if (behind === 0) return objects;
      const older = new Map(objects);
      for (const { key, before } of undoable(only).slice(-behind).toReversed()) {
        if (before === undefined) older.delete(key);
        else older.set(key, before);
      }
      return older;
    },
  };
}
