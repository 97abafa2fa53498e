import type { Clock } from '../clock.ts';
import type { Happening } from './events.ts';
import type { JobState } from './job-state.ts';
import type { Bounds, Vertices } from './vertices.ts';

/** When a job is executed, and with which parallelism, as slots come and go (DefaultScheduler, AdaptiveScheduler). */
export type Scheduling = {
  /** Executes the job if there are slots enough, else waits for them. */
  readonly schedule: () => void;
  /** Other slots or bounds: a running job is executed with the parallelism that they allow, not too soon after the last time. */
  readonly adapt: () => void;
  /** Takes over other bounds; a text says why not. */
  readonly tell: (bounds: readonly Bounds[]) => string | undefined;
  /** The job waits for slots anew. */
  readonly restart: () => void;
};

export type SchedulingOptions = {
  readonly clock: Clock;
  readonly vertices: Vertices;
  readonly slots: () => number;
  /** Runs something later unless the job is executed anew in between. */
  readonly later: (ms: number, run: () => void) => void;
  readonly state: () => JobState;
  /** Nothing may be rescaled now: the job is being stopped. */
  readonly held: () => boolean;
  readonly wait: () => void;
  readonly execute: () => void;
  /** The job is executed again from its newest checkpoint. */
  readonly goBack: () => void;
  readonly emit: (event: Happening) => void;
  readonly giveUp: () => void;
};

export function createScheduling(options: SchedulingOptions): Scheduling {
  const { clock, vertices, slots, later, state } = options;
  let executedAt = 0;
  let waitingSince: number | undefined;

  const execute = (parallelisms: readonly number[]): void => {
    waitingSince = undefined;
    executedAt = clock.now();
    vertices.execute(parallelisms);
    options.execute();
    options.emit({ kind: 'executed', parallelism: Math.max(...parallelisms), slotsOfEach: vertices.slotsOfEach });
  };
  /** With the adaptive scheduler a job that waits for slots is CREATED, also when it ran before. */
  const schedule = (): void => {
    const adaptive = vertices.scheduler !== 'default';
    if (state() === 'INITIALIZING' || (adaptive && state() === 'RESTARTING')) options.wait();
    if (adaptive && waitingSince === undefined) {
      waitingSince = clock.now();
      if (vertices.waitMs < Infinity) later(vertices.waitMs, options.giveUp);
    }
    const parallelisms = vertices.fit(slots());
    if (parallelisms === undefined) return;
    const settled = (waitingSince ?? 0) + vertices.stabilizationMs;
    if (adaptive && slots() < vertices.desired() && clock.now() < settled) later(settled - clock.now(), schedule);
    else execute(parallelisms);
  };
  const adapt = (): void => {
    const next = vertices.fit(slots());
    if (state() !== 'RUNNING' || options.held() || next === undefined || same(next, vertices.current())) return;
    const grows = Math.max(...next) > Math.max(...vertices.current());
    const patience = grows && slots() < vertices.desired() ? 60_000 : 0;
    const due = executedAt + vertices.cooldownMs + patience;
    if (clock.now() < due) later(due - clock.now(), adapt);
    else {
      options.emit({ kind: 'rescaled', to: Math.max(...next) });
      options.goBack();
    }
  };
  return {
    schedule,
    adapt,
    tell: (bounds) => {
      const wrong = vertices.tell(bounds);
      if (wrong !== undefined) return wrong;
      options.emit({ kind: 'bounds-told', upper: vertices.desired() });
      later(10, state() === 'CREATED' ? schedule : adapt);
      return undefined;
    },
    restart: () => {
      waitingSince = undefined;
    },
  };
}

function same(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}
