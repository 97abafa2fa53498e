import type { SyncRequest } from '../api/hook.ts';

/** How far the objects of a request have got: `metadata.resourceVersion` of the parent and of each child that Flork decides by. */
export type Versions = ReadonlyMap<string, string>;

/** Whether a request shows something older than this process was shown before, and is to be refused. */
export type Views = (uid: string, versions: Versions, now: number) => boolean;

/** FlinkJobs remembered; the one that was not shown for the longest time is forgotten. */
const MOST_JOBS = 10_000;
/** Objects remembered of one: those of its epochs, many times over. */
const MOST_OBJECTS = 64;
/** So long one FlinkJob is refused in a row: what is still older then has gone back for good, as after etcd was restored. */
const PATIENCE_MS = 30_000;

type Memory = { readonly newest: Map<string, string>; refusedSince: number | undefined };

/**
 * Guards against old views (docs/adr/0008): under server-side apply nothing else tells an answer to one from an answer to the newest.
 * Memory of one process, and given up after a while: safety does not rest on it.
 */
export function createViews(mostJobs = MOST_JOBS): Views {
  const jobs = new Map<string, Memory>();
  return (uid, versions, now) => {
    const memory = jobs.get(uid) ?? { newest: new Map<string, string>(), refusedSince: undefined };
    // The newest is last in the order of a Map.
    jobs.delete(uid);
    jobs.set(uid, memory);
    for (const oldest of jobs.keys()) {
      if (jobs.size <= mostJobs) break;
      jobs.delete(oldest);
    }
    const older = [...versions].some(([object, version]) => isOlder(version, memory.newest.get(object)));
    if (older && isRefusable(memory, now)) return true;
    if (older) memory.newest.clear();
    memory.refusedSince = undefined;
    remember(memory.newest, versions);
    return false;
  };
}

/** A clock that is put back starts the patience anew, so that it ends in any case. */
function isRefusable(memory: Memory, now: number): boolean {
  if (memory.refusedSince === undefined || now < memory.refusedSince) memory.refusedSince = now;
  return now - memory.refusedSince < PATIENCE_MS;
}

/** A child that is not shown may be gone, or not yet there: what was seen of it stays. */
function remember(newest: Map<string, string>, versions: Versions): void {
  for (const [object, version] of versions) {
    newest.delete(object);
    newest.set(object, version);
  }
  for (const oldest of newest.keys()) {
    if (newest.size <= Math.max(MOST_OBJECTS, versions.size)) break;
    newest.delete(oldest);
  }
}

/**
 * Versions of one resource compare as whole numbers of any length (Kubernetes API concepts, "Resource versions", since 1.35; etcd's
 * revisions always did). They grow over deletions, too: an object that was made again has a newer one. Anything else is not compared.
 */
function isOlder(version: string, than: string | undefined): boolean {
  if (than === undefined || !isNumber(version) || !isNumber(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}

function isNumber(version: string): boolean {
  return /^[1-9]\d*$/.test(version);
}

/** Of Services nothing is concluded; pods are related objects, whose view is looked at by the core. */
const COUNTED = ['Deployment.', 'ConfigMap.'];

/** The versions that a request shows. */
export function versionsOf({ parent, children }: Pick<SyncRequest, 'parent' | 'children'>): Versions {
  const versions = new Map<string, string>();
  note(versions, 'parent', parent.metadata);
  for (const [kind, group] of Object.entries(children)) {
    if (!COUNTED.some((counted) => kind.startsWith(counted))) continue;
    for (const [name, object] of Object.entries(group)) note(versions, `${kind} ${name}`, object['metadata']);
  }
  return versions;
}

function note(versions: Map<string, string>, object: string, metadata: unknown): void {
  if (typeof metadata !== 'object' || metadata === null || !('resourceVersion' in metadata)) return;
  const { resourceVersion } = metadata;
  if (typeof resourceVersion === 'string' && resourceVersion.length <= 64) versions.set(object, resourceVersion);
}
