import type { FlinkVersion } from '../lib/flink-job.ts';
import type { Lane } from './lane.ts';

/** One item of the full matrix, by a name that runs it alone. */
export type Case = {
  /** `<group>/<item>`, for example `kill/4` or `scenario/9`. */
  readonly name: string;
  /** What it shows, as the report tells it. */
  readonly what: string;
  readonly versions: readonly FlinkVersion[];
  readonly ha: readonly boolean[];
  /** How often the full matrix runs it. */
  readonly times: number;
  /** Seconds it takes about, for choosing a sample. */
  readonly seconds: number;
  /** Rejects when something promised did not hold; else what the report adds. */
  readonly run: (lane: Lane) => Promise<Outcome>;
};

export type Outcome = {
  /** Numbers whose output was committed once more: 0 but in the named cases. */
  readonly repeated: number;
  readonly note: string;
};

/** Both settings of high availability, or one. */
export const EITHER = [false, true] as const;
export const WITHOUT = [false] as const;
export const BOTH_VERSIONS = ['1.20', '2.3'] as const;
