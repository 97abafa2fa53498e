/**
 * Time as the models see it. Everything that waits does so through a Clock, so that one event happens at a time:
 *
 *   run() ─► pops the earliest event ─► its processes run until each of them sleeps, waits for a signal or ends ─► next event
 *
 * Virtual time stands still while a process (the hook, say) is at work; a process that awaits anything else stays at work.
 */
export type Clock = {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Calls `run` later; returns how to cancel it. */
  readonly after: (ms: number, run: () => void) => () => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Starts a process. Its failure fails the run. */
  readonly spawn: (run: () => Promise<void>) => void;
  readonly signal: <T>() => Signal<T>;
  /** Runs a computation that is no process: it may wait for several things at once, but only by `pause`. */
  readonly outside: <T>(run: () => Promise<T>) => Promise<T>;
  readonly pause: (ms: number) => Promise<void>;
};

/** One value that a process may wait for; the first `fire` counts. */
export type Signal<T> = { readonly fire: (value: T) => void; readonly wait: () => Promise<T> };

/** A clock whose time is a number. */
export type VirtualClock = Clock & {
  /** Runs events until the time is `until` or `stop` says so; true if it said so. `stop` is asked after every event. */
  readonly run: (until: number, stop?: () => boolean) => Promise<boolean>;
};

type Event = { readonly at: number; readonly order: number; run: (() => void) | undefined };

/** Creates a virtual clock that starts at `start`. */
export function virtualClock(start: number): VirtualClock {
  let now = start;
  let order = 0;
  let active = 0;
  let failure: { readonly error: unknown } | undefined;
  let idle: (() => void) | undefined;
  let foreign = 0;
  let paused = 0;
  /** Counts what happened in foreign computations, to see whether they came to rest. */
  let activity = 0;
  const heap: Event[] = [];

  const settle = (): void => {
    active--;
    if (active === 0 && idle !== undefined) {
      const resume = idle;
      idle = undefined;
      resume();
    }
  };
  const after = (ms: number, run: () => void): (() => void) => {
    const event: Event = { at: now + Math.max(0, ms), order: order++, run };
    push(heap, event);
    return () => {
      event.run = undefined;
    };
  };
  const sleep = (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    after(ms, () => {
      active++;
      resolve();
    });
    settle();
    return promise;
  };
  const work = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      failure ??= { error };
    }
    settle();
  };
  const spawn = (run: () => Promise<void>): void => {
    active++;
    void work(run);
  };
  const signal = <T>(): Signal<T> => {
    const { promise, resolve } = Promise.withResolvers<T>();
    let fired = false;
    let waiting = false;
    return {
      fire: (value) => {
        if (fired) return;
        fired = true;
        if (waiting) active++;
        resolve(value);
      },
      wait: () => {
        if (!fired) {
          waiting = true;
          settle();
        }
        return promise;
      },
    };
  };
  const pause = (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    paused++;
    activity++;
    after(ms, () => {
      paused--;
      activity++;
      resolve();
    });
    return promise;
  };
  const outside = async <T>(run: () => Promise<T>): Promise<T> => {
    const done = signal<{ readonly value: T } | { readonly error: unknown }>();
    const end = (result: { readonly value: T } | { readonly error: unknown }): void => {
      foreign--;
      activity++;
      done.fire(result);
    };
    foreign++;
    run().then(
      (value) => end({ value }),
      (error: unknown) => end({ error }),
    );
    const result = await done.wait();
    if ('error' in result) throw result.error;
    return result.value;
  };
  const inactive = (): Promise<void> => {
    if (active === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    idle = resolve;
    return promise;
  };
  /** Waits until every process and every foreign computation waits for the clock. */
  const quiet = async (): Promise<void> => {
    await inactive();
    const resting = (seen: number): boolean => foreign === 0 || (seen === activity && paused > 0);
    for (let seen = -1; !resting(seen);) {
      seen = activity;
      // oxlint-disable-next-line no-await-in-loop -- a foreign computation tells nobody when it comes to rest
      await turn();
      // oxlint-disable-next-line no-await-in-loop
      await inactive();
    }
    if (failure !== undefined) throw failure.error;
  };
  const run = async (until: number, stop?: () => boolean): Promise<boolean> => {
    await quiet();
    if (stop?.() === true) return true;
    for (let event = heap[0]; event !== undefined && event.at <= until; event = heap[0]) {
      pop(heap);
      if (event.run === undefined) continue;
      now = event.at;
      event.run();
      // oxlint-disable-next-line no-await-in-loop -- one event at a time is the point
      if (active > 0 || foreign > 0 || failure !== undefined) await quiet();
      if (stop?.() === true) return true;
    }
    now = Math.max(now, until);
    return false;
  };
  return { now: () => now, after, sleep, spawn, signal, outside, pause, run };
}

/** A turn of the event loop: all that is ready runs. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

function earlier(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let index = heap.push(event) - 1;
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !earlier(event, parent)) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let below = index * 2 + 1;
    let child = heap[below];
    if (child === undefined) break;
    const right = heap[below + 1];
    if (right !== undefined && earlier(right, child)) {
      child = right;
      below++;
    }
    if (!earlier(child, last)) break;
    heap[index] = child;
    index = below;
  }
  heap[index] = last;
}
