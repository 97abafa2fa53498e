import type { Status } from '../../../src/api/status.ts';
import { epochNames } from '../../../src/core/build/names.ts';
import { readRecord } from '../../../src/core/build/record.ts';
import type { EpochRecord } from '../../../src/core/record.ts';
import type { FlinkEvent } from '../../../src/sim/models/flink/events.ts';
import type { SyncAnswer, SyncRequest } from '../../../src/sim/models/metacontroller/hook.ts';
import { at, equal, text, tree, type KubeObject } from '../../../src/sim/models/objects.ts';
import { ACTOR } from '../../../src/sim/world.ts';
import { statusOf, type Report } from './checker.ts';
import { difference } from './difference.ts';
import { meaningOf, scaleOf } from './meaning.ts';

/**
 * S10: no job restarts because Flork was upgraded, its pods moved, or a field that means nothing was edited. From its first process on
 * an epoch keeps the bytes of its pods and of its configuration, whichever Flork answers; and it is left only for a reason that stands in
 * the spec, as it was shown, beside the spec that the epoch was made of.
 */
export type Unchanged = {
  readonly heard: (event: FlinkEvent) => void;
  /** An object as stored, and who wrote it. */
  readonly stored: (object: KubeObject, actor: string | undefined) => void;
  readonly answered: (request: SyncRequest, answer: SyncAnswer) => void;
};

export function createUnchanged(report: Report): Unchanged {
  /** Epochs, as owner and number, of which a process began. */
  const begun = new Set<string>();
  /** What each epoch was rendered to, by owner, epoch and what it is. */
  const bytes = new Map<string, unknown>();
  /** The epoch of each configuration, by owner and name. */
  const epochs = new Map<string, string>();
  const namesOf = new Map<string, string>();
  /** Specs as the user wrote them, by owner and then generation; the core's own copy of them is not asked. */
  const specs = new Map<string, Map<number, object>>();
  const records = new Map<string, EpochRecord>();

  const keep = (epoch: string, what: string, now: unknown): void => {
    const key = `${epoch} ${what}`;
    const before = bytes.get(key);
    bytes.set(key, now);
    if (before !== undefined && begun.has(epoch) && !equal(before, now))
      report(
        'S10',
        `${what} of a running epoch is rendered anew: ${difference(JSON.stringify(before), JSON.stringify(now))}`,
      );
  };
  const configuration = (owner: string, object: KubeObject): void => {
    const name = `${owner} ${object.metadata.name}`;
    const epoch = epochs.get(name);
    if (epoch === undefined) bytes.set(name, object['data']);
    else keep(epoch, object.metadata.name, object['data']);
  };
  return {
    heard: ({ kind, process: { owner, epoch } }) => {
      const name = namesOf.get(owner);
      const key = `${owner} ${epoch}`;
      if (kind !== 'process-started' || name === undefined || begun.has(key)) return;
      begun.add(key);
      const conf = epochNames({ name, uid: owner }, epoch).configuration;
      epochs.set(`${owner} ${conf}`, key);
      bytes.set(`${key} ${conf}`, bytes.get(`${owner} ${conf}`));
    },
    stored: (object, actor) => {
      const { kind, metadata } = object;
      const { name, uid = '', generation = 0, annotations } = metadata;
      if (kind === 'FlinkJob') {
        namesOf.set(uid, name);
        const written = specs.get(uid) ?? new Map<number, object>();
        specs.set(uid, written.set(generation, object['spec'] as object));
      }
      const owner = text(at(tree(metadata.ownerReferences?.[0]), 'uid'));
      if (actor !== ACTOR) return;
      if (kind === 'Deployment')
        keep(`${owner} ${annotations?.['flork.itom.com/epoch']}`, name, at(object['spec'], 'template'));
      if (kind !== 'ConfigMap') return;
      if (name.includes('-conf-')) configuration(owner, object);
      if (!name.includes('-epoch-')) return;
      const read = readRecord(object as never);
      if (read?.record.uid === owner) records.set(read.hash, read.record);
    },
    answered: ({ parent }, answer) => {
      const observed = statusOf(parent);
      const answered = answer.status as Partial<Status>;
      const begins = purposeBegun(observed, answered);
      if (begins === undefined) return;
      const record = records.get(observed.epoch?.recordHash ?? '');
      if (record === undefined) return;
      const written = [...(specs.get(parent.metadata.uid ?? '') ?? [])];
      const ran = written.filter(([one]) => one === record.generation || one === record.failed?.generation);
      const since = written.filter(([one]) => one >= record.generation);
      const spec = parent['spec'] as object;
      if (!hasReason(begins, spec, { ran: ran.map(second), since: since.map(second) }, observed))
        report('S10', `epoch ${observed.epoch?.number} is left for "${begins}", and its spec gives no reason`);
    },
  };
}

const second = <T>([, value]: readonly [unknown, T]): T => value;

type Purpose = NonNullable<Status['operation']>['purpose'] | 'replaced';

/** What for the answer begins to leave, or to rescale, the epoch that was observed. */
function purposeBegun(observed: Partial<Status>, answered: Partial<Status>): Purpose | undefined {
  if (observed.epoch === undefined || observed.epoch.ended !== undefined) return undefined;
  const ended = answered.epoch?.ended;
  if (ended?.how === 'replaced') return ended.rollback === true ? 'rollback' : 'replaced';
  const [before, after] = [observed.operation, answered.operation];
  if (after === undefined || !['stop', 'cancel', 'rescale'].includes(after.kind)) return undefined;
  const goesOn = before?.kind === after.kind && before.attempt === after.attempt && before.purpose === after.purpose;
  return goesOn ? undefined : after.purpose;
}

type Specs = {
  /** The spec that the epoch was made of and, where that was a rollback, the one that it stands in for. */
  readonly ran: readonly object[];
  /** All specs since the epoch was made: it may have been rescaled to any of them. */
  readonly since: readonly object[];
};

function hasReason(purpose: Purpose, spec: object, { ran, since }: Specs, { handled }: Partial<Status>): boolean {
  if (ran.length === 0) return true;
  const otherwise = ran.every((one) => meaningOf(one) !== meaningOf(spec));
  const rescaled = since.some((one) => scaleOf(one) !== scaleOf(spec));
  const suspended = [spec, ...ran].some((one) => at(one, 'state') === 'suspended');
  const isNew = (nonce: unknown, before: number | undefined): boolean => nonce !== undefined && nonce !== before;
  const restarted = isNew(at(spec, 'restartNonce'), handled?.restartNonce);
  const restored = isNew(at(spec, 'restore', 'nonce'), handled?.restoreNonce);
  switch (purpose) {
    case 'upgrade':
      return otherwise;
    case 'scale':
      return rescaled;
    case 'suspend':
      return suspended;
    case 'restart':
      return restarted;
    case 'restore':
      return restored;
    case 'health':
      return at(spec, 'policies', 'health') !== undefined;
    case 'replaced':
      return otherwise || rescaled || suspended || restarted || restored;
    default:
      // A deletion, a rollback and what goes on beside the job are judged elsewhere.
      return true;
  }
}
