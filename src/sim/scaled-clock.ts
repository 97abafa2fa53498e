import type { Clock, Signal } from './models/clock.ts';

/** Real time, made faster: one second of the models passes in `1 / speed` seconds. Used where the hook is reached over real HTTP. */
export function scaledClock(start: number, speed: number): Clock {
  const origin = performance.now();
  const now = (): number => Math.round(start + (performance.now() - origin) * speed);
  const after = (ms: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, Math.max(0, ms / speed));
    return () => clearTimeout(timer);
  };
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => after(ms, resolve));
  return {
    now,
    after,
    sleep,
    pause: sleep,
    spawn: (run) => void run(),
    outside: (run) => run(),
    signal: <T>(): Signal<T> => {
      const { promise, resolve } = Promise.withResolvers<T>();
      return { fire: resolve, wait: () => promise };
    },
  };
}
