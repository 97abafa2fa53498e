import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import type { Program } from './entry-point.ts';
import type { Happening } from './events.ts';
import type { CheckpointStore } from './high-availability.ts';
import type { JobFaults } from './job.ts';
import type { Storage } from './storage.ts';
import type { Bounds } from './vertices.ts';

/** What a job is started with. */
export type JobOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  readonly id: string;
  readonly name: string;
  readonly writer: string;
  readonly program: Program;
  readonly config: ReadonlyMap<string, string>;
  readonly restore:
    | { readonly path: string; readonly counter: number; readonly checkpointId: number; readonly savepoint: boolean }
    | undefined;
  readonly slots: () => number;
  readonly faults: JobFaults;
  /** Where checkpoints are noted with high availability. */
  readonly store: CheckpointStore | undefined;
  /** Bounds that were stored with the job. */
  readonly bounds: readonly Bounds[] | undefined;
  readonly emit: (event: Happening) => void;
};
