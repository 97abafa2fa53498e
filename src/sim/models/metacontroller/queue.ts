import type { Clock } from '../clock.ts';

/** Metacontroller's work queue: one sync of a parent at a time, events merge, failures back off. */
export type Queue = {
  /** An event or a resync tick: at once, whatever the back-off. */
  readonly add: (key: string) => void;
  /** A timer of `resyncAfterSeconds`: several merge to the earliest. */
  readonly addAfter: (key: string, ms: number) => void;
  readonly stop: () => void;
};

export type SyncEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed' }
  /** 429: after so long; the failure count stays. */
  | { readonly kind: 'later'; readonly ms: number };

type Entry = {
  queued: boolean;
  running: boolean;
  dirty: boolean;
  failures: number;
  timer: { at: number; cancel: () => void } | undefined;
};

const FIRST_BACK_OFF_MS = 5;
const LAST_BACK_OFF_MS = 1_000_000;

export function createQueue(clock: Clock, sync: (key: string) => Promise<SyncEnd>): Queue {
  const entries = new Map<string, Entry>();
  let stopped = false;
  const entryOf = (key: string): Entry => {
    const known = entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry = { queued: false, running: false, dirty: false, failures: 0, timer: undefined };
    entries.set(key, entry);
    return entry;
  };
  const add = (key: string): void => {
    const entry = entryOf(key);
    if (stopped || entry.queued) return;
    if (entry.running) {
      entry.dirty = true;
      return;
    }
    entry.queued = true;
    clock.after(1, () => {
      entry.queued = false;
      if (!stopped) clock.spawn(() => work(key, entry));
    });
  };
  const addAfter = (key: string, ms: number): void => {
    const entry = entryOf(key);
    const at = clock.now() + ms;
    if (entry.timer !== undefined && entry.timer.at <= at) return;
    entry.timer?.cancel();
    const cancel = clock.after(ms, () => {
      entry.timer = undefined;
      add(key);
    });
    entry.timer = { at, cancel };
  };
  const work = async (key: string, entry: Entry): Promise<void> => {
    if (entry.running) {
      entry.dirty = true;
      return;
    }
    entry.running = true;
    const end = await sync(key);
    entry.running = false;
    if (stopped) return;
    if (end.kind === 'done') entry.failures = 0;
    else if (end.kind === 'later') clock.after(end.ms, () => add(key));
    else clock.after(Math.min(LAST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** entry.failures++), () => add(key));
    if (entry.dirty) {
      entry.dirty = false;
      add(key);
    }
  };
  return {
    add,
    addAfter,
    stop: () => {
      stopped = true;
      for (const entry of entries.values()) entry.timer?.cancel();
    },
  };
}
