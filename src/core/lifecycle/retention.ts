import type { Snapshot } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import { readRecord } from '../build/record.ts';
import { readRestore } from '../build/restore.ts';
import { parsePolicyDuration } from '../duration.ts';
import type { Facts } from '../facts/facts.ts';
import { comparable } from '../snapshot-path.ts';
import { parseTime } from '../time.ts';
import { intendAside } from './aside.ts';
import { TRANSITION_SECONDS } from './pace.ts';
import { sayOn } from './say-on.ts';
import { isOwnCheckpoint, isOwnSavepoint } from './snapshots.ts';

/**
 * Which snapshots are no longer kept: savepoints that Flork took beyond policies.savepoint.history, and the last checkpoints of ended
 * epochs beyond policies.checkpoint.keepEpochs.
 *
 * A checkpoint of an ended epoch may go although checkpoints can be incremental: every epoch restores without claiming what it
 * restores from (standalone application mode knows no other claim mode up to 2.3), and then Flink makes the first checkpoint a full
 * one, so that none of the later ones refers to files of an earlier epoch (Flink documentation, Savepoints, claim mode NO_CLAIM).
 * Hence nothing goes before the running epoch has a checkpoint of its own, and never what an epoch that may start again started from.
 * Flink removes what the metadata of a snapshot names, shared files of an incremental checkpoint included (Checkpoints.disposeSavepoint,
 * IncrementalRemoteKeyedStateHandle.discardState): only the newest checkpoint of an epoch is known, and only that is removed.
 */

const DEFAULT_COUNT = 10;
const DEFAULT_KEPT_EPOCHS = 1;

/** The next snapshot to remove, once there is nothing else to do: the oldest that nothing needs. */
export function disposalDue(facts: Facts): Answer | undefined {
  const { epoch, flink, prior } = facts;
  if (!epoch || epoch.ended || prior?.epoch?.stableAt === undefined || facts.aside || !flink.allTasksRun)
    return undefined;
  const history = prior.snapshots?.history ?? [];
  const surplus = [...surplusSavepoints(facts, history), ...surplusCheckpoints(facts, history)];
  const needed = neededPaths(facts);
  const oldest = surplus.findLast(({ path }) => !needed.has(comparable(path)));
  if (!oldest) return undefined;
  return intendAside(
    facts,
    { kind: 'dispose', purpose: 'retention', path: oldest.path },
    'disposalIntended',
    `Snapshot ${oldest.path} is no longer needed and will be removed.`,
  );
}

/** The intent to remove a snapshot that something has come to need before Flink was asked. */
export function disposalWithdrawn(facts: Facts): Answer | undefined {
  const { aside } = facts;
  if (aside?.kind !== 'dispose' || aside.triggerId !== undefined || aside.path === undefined) return undefined;
  if (!facts.flink.allTasksRun) return undefined;
  if (!neededPaths(facts).has(comparable(aside.path))) return undefined;
  return {
    rule: 'disposalWithdrawn',
    say: sayOn(facts, `${aside.path} is needed again and stays.`),
    workloads: 'run',
    operation: null,
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** Savepoints beyond their number or age, newest first. Only what Flork took, as its own directory shows; never the newest. */
function surplusSavepoints(facts: Facts, history: readonly Snapshot[]): readonly Snapshot[] {
  const { count, age } = facts.wanted?.policies?.savepoint?.history ?? {};
  const ageMs = age === undefined ? undefined : parsePolicyDuration(age);
  const own = history.filter(({ kind, path }) => kind === 'savepoint' && isOwnSavepoint(facts, path));
  const old = (at: string): boolean => ageMs !== undefined && facts.now - (parseTime(at) ?? facts.now) > ageMs;
  return own.filter(({ at }, index) => index > 0 && (index >= (count ?? DEFAULT_COUNT) || old(at)));
}

/** The last checkpoints of ended epochs beyond the newest few, once the running epoch has its own. */
function surplusCheckpoints(facts: Facts, history: readonly Snapshot[]): readonly Snapshot[] {
  const { epoch, view } = facts;
  const own = view.kind === 'answered' && view.checkpoints.kind === 'value' && view.checkpoints.value.latestCompleted;
  if (!epoch || !own) return [];
  const kept = facts.wanted?.policies?.checkpoint?.keepEpochs ?? DEFAULT_KEPT_EPOCHS;
  return history.filter(
    (entry) => entry.kind === 'checkpoint' && entry.epoch < epoch.number - kept && isOwnCheckpoint(facts, entry),
  );
}

/** Paths that a start begins, or may begin, from. */
function neededPaths(facts: Facts): ReadonlySet<string> {
  const { epoch, prior, view, wanted, record } = facts;
  const restored =
    view.kind === 'answered' && view.checkpoints.kind === 'value' ? view.checkpoints.value.latestRestored : undefined;
  const stored = [...facts.input.observed.configMaps.values()].flatMap((configMap) => {
    const kept = readRecord(configMap)?.record;
    return [configMap.data['path'], readRestore(configMap)?.path, kept?.restoredFrom, kept?.ended?.path];
  });
  const named = [
    ...stored,
    facts.restore?.path,
    record?.restoredFrom,
    epoch?.restoredFrom,
    epoch?.ended?.path,
    prior?.epoch?.restoredFrom,
    prior?.stableEpoch?.path,
    prior?.failedEpoch?.path,
    prior?.failedEpoch?.newest,
    prior?.snapshots?.lastCheckpoint?.path,
    prior?.snapshots?.lastSavepoint?.path,
    prior?.knownSavepointPath,
    restored?.path,
    wanted?.restore?.from,
  ];
  return new Set(named.filter((path) => path !== undefined).map(comparable));
}
