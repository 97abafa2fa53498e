import type { SyncRequest } from '../api/hook.ts';
import { isObject } from '../api/json.ts';
import type { Observed } from '../api/kube.ts';
import type { ObservedJob } from '../core/types.ts';
import { readJson, type Refused } from './body.ts';
import { readSyncRequest } from './envelope.ts';
import { versionsOf, type Versions } from './older-view.ts';
import { refuse } from './reply.ts';
import type { Core } from './shell.ts';

/** What a request shows, read. The objects are shared by later calls with the same text: nobody changes them. */
export type Shown = {
  readonly head: Pick<SyncRequest, 'controller' | 'parent' | 'finalizing'>;
  readonly versions: Versions;
  /** Whether pods are shown, if only that there are none. */
  readonly hasPods: boolean;
  readonly seen: () => Seen;
};

type Seen = { readonly job: ObservedJob; readonly observed: Observed };

/** Reads the text of a /sync or /finalize request. */
export type Reader = (text: string) => { readonly kind: 'shown'; readonly shown: Shown } | Refused;

type Known = { readonly text: string; readonly by: unknown; readonly shown: Shown };

/** Texts kept, all together in characters; what was read from them takes some five times as much. */
const MOST_CHARACTERS = 8 * 1024 * 1024;

/**
 * Between two polls of a settled job nothing in the cluster changes, and Metacontroller sends the very same text: it is read once.
 * Memory of the last text of each FlinkJob, used only when every character is the same, and what it is judged by (`judgedBy`, compared
 * by identity): it may change cost, never a decision.
 */
export function createReader(
  core: Pick<Core, 'readJob' | 'readObserved'>,
  mostCharacters = MOST_CHARACTERS,
  judgedBy: () => unknown = () => undefined,
): Reader {
  const known = new Map<string, Known>();
  let characters = 0;
  const forget = (key: string, { text }: Known): void => {
    known.delete(key);
    characters -= text.length;
  };
  return (text) => {
    const key = keyOf(text);
    const last = known.get(key);
    if (last !== undefined) forget(key, last);
    const by = judgedBy();
    const isSame = last !== undefined && last.text === text && last.by === by;
    const shown = isSame ? last.shown : readShown(core, text);
    if ('kind' in shown) return shown;
    if (text.length > mostCharacters / 16) return { kind: 'shown', shown };
    // The newest is last in the order of a Map, so the first is the one that was not asked for the longest time.
    known.set(key, { text, by, shown });
    characters += text.length;
    for (const [oldest, entry] of known) {
      if (characters <= mostCharacters) break;
      forget(oldest, entry);
    }
    return { kind: 'shown', shown };
  };
}

/** Tells FlinkJobs apart by where the uid of the parent should stand; a wrong guess only costs. */
function keyOf(text: string): string {
  const parent = text.indexOf('"parent":');
  const uid = text.indexOf('"uid":"', parent);
  return text.slice(uid, uid + 44);
}

/** Reads one text, without memory. */
export function readShown(core: Pick<Core, 'readJob' | 'readObserved'>, text: string): Shown | Refused {
  const body = readJson(text);
  if (body.kind === 'refused') return body;
  const envelope = readSyncRequest(body.json);
  if (envelope.kind === 'malformed') {
    return {
      kind: 'refused',
      reply: refuse(400, 'bad-envelope', `the body is no request of Metacontroller: ${envelope.path}`),
    };
  }
  const { children, related, ...head } = envelope.request;
  const versions = versionsOf(envelope.request);
  // Later than the envelope: of a foreign parent nothing more is read. The raw objects are let go once they are read: they are
  // mostly managedFields, several times what is read of them.
  let source: Pick<SyncRequest, 'children' | 'related'> | undefined = { children, related };
  let seen: Seen | undefined;
  const see = (): Seen => {
    const job = core.readJob(head.parent);
    const read = { job, observed: core.readObserved(source?.children ?? {}, source?.related, job.ref) };
    source = undefined;
    return read;
  };
  return { head, versions, hasPods: isObject(related?.['Pod.v1']), seen: () => (seen ??= see()) };
}
