import type { HighAvailabilityMetadata, Status } from '../api/status.ts';
import type { Answer } from './answer.ts';
import { highAvailabilityOf as kindOf } from './build/context.ts';
import { readConfFile } from './build/flink-conf.ts';
import { epochNames, jobIdOf } from './build/names.ts';
import type { Duty, DutyResult } from './duty.ts';
import type { Facts } from './facts/facts.ts';
import { rememberedByObject } from './memo.ts';
import type { EpochRecord, JobRef } from './record.ts';
import { LONGEST_LEFTOVER } from './status-size.ts';

/**
 * What Flink's high availability leaves when an epoch is over: nobody owns it, so nobody removes it (KubernetesLeaderElectionHaServices:
 * ConfigMaps `<cluster-id>-cluster-config-map` and `<cluster-id>-<job id>-config-map`, and files below the storage directory).
 * Status lists it by epoch before anything is removed, bounded: the oldest entries are joined to ranges.
 *
 *   epoch over for good ──► entry in status ──observed, next epoch stable──► ConfigMaps removed ──► `cleaned`; its files stay
 */
type Entry = HighAvailabilityMetadata;
export type Cleaning = Extract<Duty, { readonly kind: 'clean-high-availability' }>;

const MOST_ENTRIES = 5;
/** Epochs of one duty at most; a range is that long only where the duty was off for as many epochs. */
const MOST_EPOCHS = 200;

/** Kind and storage directory of the high availability of an epoch, as it was rendered; `undefined` without. */
const highAvailabilityOf = rememberedByObject((record: EpochRecord): Pick<Entry, 'kind' | 'storage'> | undefined => {
  const conf = readConfFile((record.children.configuration['data'] ?? {}) as Readonly<Record<string, string>>);
  const kind = kindOf(conf['high-availability.type']);
  if (kind === 'none') return undefined;
  const storage = conf['high-availability.storageDir']?.replace(/\/+$/, '');
  return { kind, ...(storage === undefined || storage === '' ? {} : { storage }) };
});

/** The entry of an epoch that is over. */
function entryOf(record: EpochRecord): Entry | undefined {
  const found = record.highAvailability ? highAvailabilityOf(record) : undefined;
  if (!found) return undefined;
  const { kind, storage } = found;
  return { epoch: record.number, kind, ...(storage === undefined ? {} : { storage: storage.slice(0, 300) }) };
}

/** The job came to its end by itself, or somebody canceled it, and its pods are proven gone: this epoch is over for good. */
function isOver(facts: Facts): boolean {
  const ended = facts.endedInStatus;
  return ended !== undefined && !ended.byFlork && ended.how !== 'failed' && facts.absent.both;
}

/** The list of an answer: what status had, and the epoch that this answer leaves, or found to be over. */
export function metadataOf(facts: Facts, answer: Answer): readonly Entry[] {
  const { record, epoch, prior, input } = facts;
  if (!record || !epoch || record.number !== epoch.number) return prior?.highAvailability ?? [];
  const known = [...(prior?.highAvailability ?? []), ...skipped(facts, epoch.number)];
  const left = answer.epoch !== undefined && answer.epoch.number > epoch.number;
  const over = left || answer.rule === 'deleteListsMetadata' || answer.workloads === 'gone' || isOver(facts);
  if (!over || known.some((entry) => covers(entry, epoch.number))) return known;
  const entry = entryOf(record);
  if (!entry) return known;
  const first = Math.min(...[...known, entry].map(firstOf));
  // What a wiped status forgot is removed at the latest when the FlinkJob is deleted.
  const forgotten: readonly Entry[] =
    input.finalizing && first > 1 && mayClean(facts) ? [{ from: 1, epoch: first - 1, kind: 'kubernetes' }] : [];
  return bounded([...forgotten, ...known, entry]);
}

/** Epochs that were left unseen by the status that is shown: it is older than the workloads, and the newer one may be lost. */
function skipped({ prior, record }: Facts, current: number): readonly Entry[] {
  const from = prior?.epoch?.number;
  const entry = record && from !== undefined && from < current ? entryOf(record) : undefined;
  if (!entry || from === undefined || (prior?.highAvailability ?? []).some((one) => covers(one, from))) return [];
  return [{ ...entry, epoch: current - 1, ...(from < current - 1 ? { from } : {}) }];
}

function firstOf(entry: Entry): number {
  return entry.from ?? entry.epoch;
}

function covers(entry: Entry, epoch: number): boolean {
  return firstOf(entry) <= epoch && epoch <= entry.epoch;
}

/** What was cleaned is one range; of what was not, the oldest are joined. */
function bounded(entries: readonly Entry[]): readonly Entry[] {
  const sorted = entries.toSorted((one, other) => one.epoch - other.epoch);
  const joined: Entry[] = [];
  for (const entry of sorted) {
    const last = joined.at(-1);
    if (last?.cleaned === true && entry.cleaned === true) joined.splice(-1, 1, join(last, entry));
    else joined.push(entry);
  }
  while (joined.length > MOST_ENTRIES) {
    const [oldest, next] = joined;
    if (!oldest || !next) break;
    joined.splice(0, 2, join(oldest, next));
  }
  return joined;
}

function join(oldest: Entry, next: Entry): Entry {
  const { cleaned: _, ...rest } = next;
  return {
    ...rest,
    from: firstOf(oldest),
    kind: oldest.kind === 'kubernetes' ? 'kubernetes' : next.kind,
    ...(oldest.cleaned === true && next.cleaned === true ? { cleaned: true } : {}),
  };
}

/** Whether Flork is to remove the metadata of this FlinkJob, and may. */
export function mayClean(facts: Facts): boolean {
  const { input, wanted } = facts;
  return (input.duties ?? []).includes('clean-high-availability') && wanted?.florkConf?.cleanHighAvailability !== false;
}

/** Entries of the *observed* status whose ConfigMaps may go now. */
export function dueEntries(facts: Facts): readonly Entry[] {
  const { prior, epoch, input } = facts;
  if (facts.adopted || !epoch || prior?.epoch?.number !== epoch.number) return [];
  const open = (prior.highAvailability ?? []).filter((entry) => entry.kind === 'kubernetes' && entry.cleaned !== true);
  // In a deletion lifecycle/clean-up.ts says when: its pods are gone.
  if (input.finalizing) return input.job.deletionTimestamp === undefined ? [] : open;
  if (prior.epoch.stableAt !== undefined || isOver(facts))
    return open.filter((entry) => entry.epoch < epoch.number || isOver(facts));
  return [];
}

/** The duty to remove the ConfigMaps of these entries, those of the newest epochs first. */
export function cleaningOf(ref: JobRef, entries: readonly Entry[]): Cleaning {
  const epochs = epochsOf(entries).slice(0, MOST_EPOCHS);
  const configMaps = epochs.flatMap((epoch) => {
    const { clusterId } = epochNames(ref, epoch);
    return [`${clusterId}-cluster-config-map`, `${clusterId}-${jobIdOf(ref.uid, epoch, 'ha')}-config-map`];
  });
  const { namespace, name, uid } = ref;
  return { kind: 'clean-high-availability', namespace, job: name, uid, epochs, configMaps };
}

function epochsOf(entries: readonly Entry[]): readonly number[] {
  const ranges = entries.map((entry) =>
    Array.from({ length: entry.epoch - firstOf(entry) + 1 }, (_, index) => entry.epoch - index),
  );
  return [...new Set(ranges.flat())].toSorted((one, other) => other - one);
}

/** The list once the duty has ended: removed, or why not. */
export function cleanedBy(
  entries: readonly Entry[],
  { epochs }: Cleaning,
  { kind, text }: Pick<DutyResult, 'kind' | 'text'>,
): readonly Entry[] {
  return bounded(
    entries.map((entry): Entry => {
      if (entry.kind !== 'kubernetes' || entry.cleaned === true || !epochs.includes(entry.epoch)) return entry;
      const { failure: _, refused: __, ...open } = entry;
      if (kind === 'done') return { ...open, cleaned: true };
      // The same words at each attempt, or each would be a write.
      if (kind === 'unknown') return { ...open, failure: 'the API server did not answer' };
      return { ...open, failure: text.slice(0, 200), refused: true };
    }),
  );
}

/** For people: what is left and that Flork does not remove, or could not. */
export function leftoversOf(
  ref: Pick<JobRef, 'name' | 'uid'>,
  entries: readonly Entry[],
  cleans: boolean,
): NonNullable<Status['leftovers']> {
  return entries.flatMap((entry) => {
    const clusters = epochsOf([entry]).map((epoch) => epochNames(ref, epoch).clusterId);
    const some = clusters.length > 3 ? [...clusters.slice(0, 3), '…'] : clusters;
    const pending = cleans && entry.kind === 'kubernetes' && entry.failure === undefined;
    const parts = [
      ...(entry.cleaned === true || pending ? [] : [`${metadataText(entry, some)}${failureText(entry)}`]),
      ...(entry.storage === undefined ? [] : [`files below ${entry.storage}: ${some.join(', ')}`]),
    ];
    if (parts.length === 0 || (pending && entry.cleaned !== true)) return [];
    const first = firstOf(entry);
    const epochs = first === entry.epoch ? `Epoch ${first}` : `Epochs ${first} to ${entry.epoch}`;
    const line = `${epochs}: ${parts.join('; ')}`;
    return [line.length > LONGEST_LEFTOVER ? `${line.slice(0, LONGEST_LEFTOVER - 1)}…` : line];
  });
}

function metadataText(entry: Entry, clusters: readonly string[]): string {
  return entry.kind === 'kubernetes'
    ? `ConfigMaps with label app=${clusters.join(' or ')} and type=flink-native-kubernetes`
    : `the nodes of ${clusters.join(', ')} in ZooKeeper`;
}

function failureText(entry: Entry): string {
  return entry.failure === undefined ? '' : ` (not removed: ${entry.failure})`;
}

/** Status with these lines about high availability in its leftovers, beside those about anything else. */
export function withLeftovers(status: Status, lines: readonly string[]): Status {
  const { leftovers, ...rest } = status;
  const others = (leftovers ?? []).filter((line) => !/^Epochs? \d/.test(line));
  const all = [...others, ...lines];
  return all.length > 0 ? { ...rest, leftovers: all } : rest;
}
