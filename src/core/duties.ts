import type { Status, Transition } from '../api/status.ts';
import type { Answer } from './answer.ts';
import { sha256Hex } from './build/hash.ts';
import type { Duty, DutyKind, DutyResult } from './duty.ts';
import type { Facts } from './facts/facts.ts';
import { cleanedBy, cleaningOf, dueEntries, leftoversOf, mayClean, withLeftovers } from './metadata.ts';
import { parseTime } from './time.ts';
import type { Outcome } from './types.ts';

/** Which duties fall due in this sync, each by what the *observed* status shows; and what status says of them afterwards. */

/** An Event is made of a line of history that is no older; later it would tell of something long gone. */
const EVENT_MS = 5 * 60_000;

/** The duties of an answer. None while the FlinkJob is paused, or shown so that nothing is answered. */
export function dutiesOf(facts: Facts, answer: Answer): readonly Duty[] {
  if (facts.input.job.paused || answer.retry429 || answer.rule === 'handedOver') return [];
  return [...cleaning(facts, answer), ...selfDeletion(facts, answer), ...events(facts)];
}

function has(facts: Facts, kind: DutyKind): boolean {
  return (facts.input.duties ?? []).includes(kind);
}

function cleaning(facts: Facts, answer: Answer): readonly Duty[] {
  if (!mayClean(facts) || (facts.input.finalizing && answer.rule !== 'deleteCleansMetadata')) return [];
  const due = dueEntries(facts);
  return due.length === 0 ? [] : [cleaningOf(facts.input.job.ref, due)];
}

/** When the FlinkJob deletes itself: its end is in the observed status and the time it stays is over. Milliseconds, or never. */
function selfDeletionAt(facts: Facts, answer: Answer): number | undefined {
  const { wanted, endedInStatus, input, prior } = facts;
  if (!has(facts, 'delete-self') || wanted?.policies?.deletion?.trigger !== 'Termination') return undefined;
  if (input.finalizing || input.job.deletionTimestamp !== undefined || input.job.spec.kind === 'invalid')
    return undefined;
  const over = prior?.state === 'Finished' && answer.say.state === 'Finished' && answer.epoch === undefined;
  if (!over || !endedInStatus || endedInStatus.byFlork) return undefined;
  return (parseTime(endedInStatus.at) ?? facts.now) + (wanted.policies.ttlSecondsAfterFinished ?? 0) * 1000;
}

function selfDeletion(facts: Facts, answer: Answer): readonly Duty[] {
  const at = selfDeletionAt(facts, answer);
  const { namespace, name, uid } = facts.input.job.ref;
  return at === undefined || facts.now < at ? [] : [{ kind: 'delete-self', namespace, job: name, uid }];
}

/** Seconds until a duty falls due that no event announces; 0: none. */
export function secondsToDuty(facts: Facts, answer: Answer): number {
  const at = selfDeletionAt(facts, answer);
  return at === undefined || at <= facts.now ? 0 : Math.ceil((at - facts.now) / 1000);
}

function events(facts: Facts): readonly Duty[] {
  if (!has(facts, 'events')) return [];
  return (facts.prior?.history ?? [])
    .filter((line) => facts.now - (parseTime(line.at) ?? 0) < EVENT_MS)
    .map((line) => eventOf(facts, line));
}

const ALARMING: readonly string[] = ['Stalled', 'Failed', 'RolledBack'];

/** Named by what it says but the time, which differs between two answers to the same: told twice, it is there once. */
function eventOf(facts: Facts, { at, generation, from, to, reason, snapshot }: Transition): Duty {
  const { namespace, name, uid } = facts.input.job.ref;
  const hash = sha256Hex(JSON.stringify(['event', uid, generation, from, to, reason, snapshot ?? ''])).slice(0, 16);
  return {
    kind: 'events',
    namespace,
    job: name,
    uid,
    name: `${name}.${hash}`,
    type: ALARMING.includes(to) || reason === 'Rewound' ? 'Warning' : 'Normal',
    reason,
    message: `${from} → ${to} (generation ${generation})${snapshot === undefined ? '' : `, snapshot ${snapshot}`}`,
    at,
  };
}

/** Puts what came of the duties into status. An Event that was not made is missed by nobody's decision. */
export function fulfilled(outcome: Outcome, results: readonly DutyResult[]): Outcome {
  const status = results.reduce(told, outcome.status);
  return status === outcome.status ? outcome : { ...outcome, status };
}

function told(status: Status, { duty, kind, text }: DutyResult): Status {
  switch (duty.kind) {
    case 'clean-high-availability': {
      const highAvailability = [...cleanedBy(status.highAvailability ?? [], duty, { kind, text })];
      const left = leftoversOf({ name: duty.job, uid: duty.uid }, highAvailability, true);
      return withLeftovers({ ...status, highAvailability }, left);
    }
    case 'delete-self': {
      if (kind === 'done') return status;
      const field = 'spec.policies.deletion.trigger';
      const others = (status.plan ?? []).filter((note) => note.field !== field);
      return {
        ...status,
        plan: [
          ...others,
          {
            field,
            note: `The FlinkJob could not be deleted: ${kind === 'unknown' ? 'the API server did not answer' : text}.`,
          },
        ],
      };
    }
    case 'events':
      return status;
    default:
      return duty satisfies never;
  }
}
