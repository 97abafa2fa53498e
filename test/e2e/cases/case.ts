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
  /** Changes what is installed, for which it needs the history of the repository: in no sample, and with no other lane. */
  readonly alone?: true;
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

/** A starred row of the scenario table, without high availability and once, unless it says otherwise. */
export function scenario(
  item: string,
  what: string,
  run: (lane: Lane) => Promise<string>,
  more: Partial<Pick<Case, 'versions' | 'ha' | 'seconds' | 'alone'>> = {},
): Case {
  return {
    name: `scenario/${item}`,
    what,
    versions: BOTH_VERSIONS,
    ha: WITHOUT,
    times: 1,
    seconds: 70,
    ...more,
    run: async (lane) => ({ repeated: 0, note: await run(lane) }),
  };
}
