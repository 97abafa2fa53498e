/** How long one sync may wait for its JobManager. */
export type Turn = {
  readonly budgetMs: number;
  /** `silent`: a call was given up for want of an answer. */
  readonly end: (silent: boolean) => void;
};

/** Hands out turns, so that JobManagers that do not answer hold no more than a few of those who wait. */
export type Patience = { readonly begin: (who: string) => Turn };

/** Bounds; milliseconds. */
export type PatienceOptions = {
  /** Of one sync. */
  readonly budgetMs?: number;
  /** Syncs that may wait so long at the same time. */
  readonly most?: number;
  /** Of a sync beyond those: long for a JobManager that answers at all. */
  readonly shortMs?: number;
  /** Of a sync beyond those whose JobManager did not answer the last time either. */
  readonly doubtMs?: number;
};

/** JobManagers remembered as silent; of many more than that the hook knows nothing, and waits for them as for any. */
const MOST_SILENT = 10_000;

/**
 * A JobManager that accepts and never answers costs its sync three seconds, and Metacontroller one of its workers for as long. With a
 * hundred of them no worker would be left for the others. So only a few wait that long at the same time, and most of these turns
 * are kept for JobManagers that answered the last time. What is remembered changes how long is waited, never what follows:
 * who did not answer in time is unreachable, and nothing is concluded from that.
 */
export function createPatience(options: PatienceOptions = {}): Patience {
  const { budgetMs = 5000, most = 6, shortMs = 1000, doubtMs = 250 } = options;
  const silent = new Set<string>();
  let waiting = 0;
  let doubtful = 0;
  return {
    begin: (who) => {
      const doubted = silent.has(who);
      const full = waiting < most && (!doubted || doubtful < most / 3);
      if (full) waiting++;
      if (full && doubted) doubtful++;
      return {
        budgetMs: full ? budgetMs : Math.min(budgetMs, doubted ? doubtMs : shortMs),
        end: (wasSilent) => {
          if (full) waiting--;
          if (full && doubted) doubtful--;
          if (!wasSilent) silent.delete(who);
          else if (silent.size < MOST_SILENT) silent.add(who);
        },
      };
    },
  };
}
