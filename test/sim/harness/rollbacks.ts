import type { Status } from '../../../src/api/status.ts';
import { readRecord } from '../../../src/core/build/record.ts';
import type { EpochRecord } from '../../../src/core/record.ts';
import type { ProcessInfo } from '../../../src/sim/models/flink/events.ts';
import { at, equal, text, tree, type KubeObject } from '../../../src/sim/models/objects.ts';
import type { Report } from './checker.ts';

/**
 * What a rollback may do, told from what is stored alone: it is decided of an epoch that is none itself, once; the next epoch runs the
 * spec of one that status had recorded stable, and starts from the very snapshot that the failed one started from.
 */
export type Rollbacks = {
  readonly stored: (object: KubeObject) => void;
  /** Whether the first start of an epoch may restore `path` although a newer snapshot is known. */
  readonly allows: (process: ProcessInfo, path: string | undefined) => boolean;
};

type Life = {
  /** Epochs that status told to be stable. */
  readonly stable: Set<number>;
  readonly records: Map<number, EpochRecord>;
  /** Epochs whose end is told as a rollback, and the snapshot that each started from. */
  readonly failed: Map<number, string | undefined>;
  /** Epochs that made room, as status tells, before they ran. */
  readonly replaced: Set<number>;
  /** The epoch that took the place of a failed one. */
  readonly instead: Map<number, number>;
};

export function createRollbacks(report: Report): Rollbacks {
  const lives = new Map<string, Life>();
  const lifeOf = (owner: string): Life => {
    const life = lives.get(owner) ?? {
      stable: new Set(),
      records: new Map(),
      failed: new Map(),
      replaced: new Set(),
      instead: new Map(),
    };
    lives.set(owner, life);
    return life;
  };
  const status = (life: Life, { epoch, stableEpoch, operation }: Partial<Status>): void => {
    if (epoch === undefined) return;
    if (epoch.stableAt !== undefined) life.stable.add(epoch.number);
    if (epoch.ended?.how === 'replaced') life.replaced.add(epoch.number);
    else life.replaced.delete(epoch.number);
    const decided = epoch.ended?.rollback === true || operation?.purpose === 'rollback';
    if (!decided) return;
    const { number, restoredFrom } = epoch;
    if (life.records.get(number)?.failed !== undefined)
      report('rollback', `epoch ${number}, which is a rollback, is rolled back`);
    // Told again of an end that was told before: which epoch was stable may have been taken away with the status.
    if (!life.failed.has(number) && (stableEpoch === undefined || !life.stable.has(stableEpoch.number)))
      report('rollback', `epoch ${number} is rolled back to ${stableEpoch?.number ?? 'none'}, which was not stable`);
    if (epoch.stableAt !== undefined) report('rollback', `epoch ${number} is rolled back, and it is stable`);
    if (epoch.ended?.rollback !== true) return;
    // One that never ran tells no path, and hands on what it was given.
    const leaves = epoch.ended.how === 'replaced' ? (epoch.ended.path ?? restoredFrom) : epoch.ended.path;
    if (leaves !== restoredFrom)
      report('rollback', `epoch ${number} started from ${restoredFrom}, and leaves ${leaves}`);
    life.failed.set(number, restoredFrom);
  };
  const record = (life: Life, told: EpochRecord): void => {
    const { number, failed } = told;
    life.records.set(number, told);
    if (failed === undefined) return;
    const to = life.records.get(failed.to);
    if (!life.stable.has(failed.to) || failed.to >= failed.number)
      report('rollback', `epoch ${number} runs what epoch ${failed.to} ran, which was not stable before`);
    if (to === undefined || !equal(to.spec, told.spec))
      report('rollback', `epoch ${number} does not run the spec of epoch ${failed.to}`);
    if (!life.failed.has(failed.number))
      report('rollback', `epoch ${number} takes the place of epoch ${failed.number}, whose end does not say so`);
    // One that made room before it ran was not the one.
    const before = life.instead.get(failed.number) ?? failed.number;
    if (number === before + 1 && (before === failed.number || life.replaced.has(before)))
      life.instead.set(failed.number, number);
  };
  return {
    stored: (object) => {
      const { uid = '', name } = object.metadata;
      if (object.kind === 'FlinkJob') {
        status(lifeOf(uid), tree(object['status']) as Partial<Status>);
        return;
      }
      if (object.kind !== 'ConfigMap' || !name.includes('-epoch-')) return;
      const owner = text(at(tree(object.metadata.ownerReferences?.[0]), 'uid'));
      const read = readRecord(object as never);
      if (read?.record.uid === owner) record(lifeOf(owner), read.record);
    },
    allows: ({ owner, epoch }, path) => {
      const life = lifeOf(owner);
      const failed = life.records.get(epoch)?.failed;
      if (failed === undefined || path === undefined || life.instead.get(failed.number) !== epoch) return false;
      return bare(path) === bare(life.failed.get(failed.number));
    },
  };
}

function bare(path: string | undefined): string | undefined {
  return path?.replace(/\/+$/, '');
}
