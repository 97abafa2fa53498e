import type { Status } from '../api/status.ts';
import type { Answer } from './answer.ts';
import { ignoredKeys } from './change.ts';
import type { Facts } from './facts/facts.ts';
import { schedulerOf } from './facts/scale.ts';
import { standingTaskManagers } from './task-managers.ts';
import { rfc3339 } from './time.ts';
import { canTake } from './lifecycle/aside.ts';
import { pendingNonce } from './requests.ts';

/** The longest plan: status has room for so many notes. */
const MOST = 20;

/** Fields of the spec that do not act now, and why: nothing that a user writes is silently ignored. */
export function planOf(facts: Facts, answer: Answer): NonNullable<Status['plan']> {
  const { wanted, epoch, record } = facts;
  if (!wanted || !epoch || !record) return [];
  const accepted = record.spec.restore?.from;
  const from = wanted.restore?.from;
  const notes = [];
  if (from !== undefined && from !== accepted && facts.restoreNonce === undefined && epoch.restoredFrom !== from) {
    notes.push({ field: 'spec.restore.from', note: 'It acts only together with a new spec.restore.nonce.' });
  }
  const over = epoch.ended && !epoch.ended.byFlork && epoch.ended.how !== 'failed';
  const again = epoch.ended?.how === 'finished' && wanted.policies?.restart?.finished === 'onSpecChange';
  if (over && !again && facts.upgrades.length > 0) {
    notes.push({
      field: 'spec',
      note: 'The job has ended for good; a changed spec does not run it again (policies.restart.finished).',
    });
  }
  notes.push(...scaleNotes(facts), ...waitingNotes(facts, answer));
  if (wanted.policies?.deletion?.trigger === 'Termination' && !(facts.input.duties ?? []).includes('delete-self')) {
    notes.push({
      field: 'spec.policies.deletion.trigger',
      note: 'Flork has not been given the right to delete FlinkJobs (duty delete-self); the pods of an ended job go by policies.ttlSecondsAfterFinished.',
    });
  }
  notes.push(...unansweredRequests(facts));
  if (wanted.podMonitor !== undefined && record.spec.podMonitor === undefined) {
    notes.push({
      field: 'spec.podMonitor',
      note: 'The PodMonitor is made; the reporter and its port come with the next epoch.',
    });
  }
  for (const field of ignoredKeys(record.spec, wanted)) {
    notes.push({ field: `spec.${field}`, note: 'No process of the job reads it; it is written with the next epoch.' });
  }
  return notes.length <= MOST
    ? notes
    : [...notes.slice(0, MOST - 1), { field: 'spec', note: `${notes.length - MOST + 1} more fields do not act now.` }];
}

/** Which way a change of scale takes, as long as it has not come to its end. */
function scaleNotes({ scale, record, ...facts }: Facts): NonNullable<Status['plan']> {
  if (!scale || !record) return [];
  const fields = scale.fields.map((field) => `spec.${field}`);
  const reactive = schedulerOf(record) === 'reactive' && scale.way === 'reactive';
  const without = fields.filter((field) => reactive && field === 'spec.parallelism');
  const standing = standingTaskManagers({ scale, record, ...facts }, record);
  const done = scale.reached && standing.taskManager === scale.wanted.taskManagers;
  const waiting = fields.filter((field) => !without.includes(field) && !done);
  const note = scaleNote(scale);
  return [
    ...without.map((field) => ({ field, note: 'Without effect in reactive mode, where Flink uses all slots.' })),
    ...(note === undefined ? [] : waiting.map((field) => ({ field, note }))),
  ];
}

function scaleNote({ way, why, until }: NonNullable<Facts['scale']>): string | undefined {
  switch (way) {
    case 'none':
      return undefined;
    case 'in-place':
    case 'reactive':
      return `In place, without a restart of the JobManager. ${why}`;
    case 'upgrade':
      return `By an upgrade. ${why}`;
    case 'cooldown':
      return `By an upgrade, not before ${rfc3339(until ?? 0)} (policies.scaleCooldown). ${why}`;
    case 'impossible':
      return `Not made. ${why}`;
    default:
      return way satisfies never;
  }
}

/** A nonce that asks for what cannot be taken now. */
function unansweredRequests(facts: Facts): NonNullable<Status['plan']> {
  if (facts.prior === undefined) return [];
  const kinds = (['savepoint', 'checkpoint'] as const).filter((kind) => pendingNonce(facts, kind) !== undefined);
  return kinds.flatMap((kind) => {
    const field = `spec.${kind}Nonce`;
    if (facts.epoch?.ended) return [{ field, note: 'No job runs; it acts when one does.' }];
    if (canTake(facts, { kind })) return [];
    const why =
      kind === 'savepoint'
        ? 'There is no savepoint directory; it acts when policies.savepoint.directory is set.'
        : 'Checkpointing is off in the job; it acts when it is on.';
    return [{ field, note: why }];
  });
}

/** Fields that ask for another epoch while this answer does nothing about it: the message says what it waits for. */
function waitingNotes(facts: Facts, answer: Answer): NonNullable<Status['plan']> {
  const { epoch, deployed, upgrades, scale } = facts;
  const leaves = [answer.operation, facts.operation].some((one) => one && LEAVING.includes(one.kind));
  if (!epoch || epoch.ended || answer.ended || deployed !== epoch.number || leaves) return [];
  const told = scale?.fields ?? [];
  return upgrades
    .filter(({ field }) => !told.includes(field) || scale?.way !== 'upgrade')
    .map(({ field }) => ({ field: `spec.${field}`, note: `By an upgrade, which waits (${answer.say.reason}).` }));
}

/** Operations that end an epoch. */
const LEAVING: readonly string[] = ['stop', 'cancel', 'delete'];
