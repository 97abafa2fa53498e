import assert from 'node:assert/strict';
import type { VirtualClock } from '../../src/sim/models/clock.ts';

/** How a contract is told to a model: what it waits for comes about only as the modelled time goes on. */

type Run = () => Promise<unknown>;

/**
 * The same methods, each of which lets the modelled time go on until it has answered; it fails after `mostMs` of that time. `enter` is
 * for calls that are no processes of the clock.
 */
export function drivenCalls<T extends object>(
  clock: VirtualClock,
  plain: T,
  mostMs: number,
  enter: (run: Run) => Promise<unknown> = (run) => run(),
): T {
  const driven = async (run: Run): Promise<unknown> => {
    let result: { readonly value: unknown } | undefined;
    clock.spawn(async () => {
      result = { value: await enter(run) };
    });
    await clock.run(clock.now() + mostMs, () => result !== undefined);
    return (result ?? assert.fail('no answer')).value;
  };
  const calls = Object.entries(plain).map(([name, call]) => [
    name,
    (...args: never[]) => driven(() => (call as (...args: never[]) => Promise<unknown>)(...args)),
  ]);
  return Object.fromEntries(calls) as T;
}

/** Polls every `stepMs` of modelled time until there is a value; rejects after so many modelled seconds. */
export async function modelledUntil<T>(
  clock: VirtualClock,
  stepMs: number,
  what: string,
  seconds: number,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const ask = async (): Promise<T | undefined> => {
    const value = await probe();
    if (value === undefined) await clock.run(clock.now() + stepMs);
    return value;
  };
  for (let left = (seconds * 1000) / stepMs; left > 0; left -= 1) {
    // oxlint-disable-next-line no-await-in-loop -- the modelled time goes on between two questions
    const value = await ask();
    if (value !== undefined) return value;
  }
  return assert.fail(`${what}: not within ${seconds} s`);
}
