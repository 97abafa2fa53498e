import type { Status } from '../api/status.ts';
import { ignoredKeys } from './change.ts';
import type { Facts } from './facts/facts.ts';

/** The longest plan: status has room for so many notes. */
const MOST = 20;

/** Fields of the spec that do not act now, and why: nothing that a user writes is silently ignored. */
export function planOf(facts: Facts): NonNullable<Status['plan']> {
  const { wanted, epoch, record } = facts;
  if (!wanted || !epoch || !record) return [];
  const accepted = record.spec.restore?.from;
  const from = wanted.restore?.from;
  const notes = [];
  if (from !== undefined && from !== accepted && facts.restoreNonce === undefined && epoch.restoredFrom !== from) {
    notes.push({ field: 'spec.restore.from', note: 'It acts only together with a new spec.restore.nonce.' });
  }
  const over = epoch.ended && !epoch.ended.byFlork && epoch.ended.how !== 'failed';
  if (over && facts.upgrades.length > 0) {
    notes.push({
      field: 'spec',
      note: 'The job has ended for good; a changed spec does not run it again (policies.restart.finished).',
    });
  }
  for (const field of ignoredKeys(record.spec, wanted)) {
    notes.push({ field: `spec.${field}`, note: 'No process of the job reads it; it is written with the next epoch.' });
  }
  return notes.length <= MOST
    ? notes
    : [...notes.slice(0, MOST - 1), { field: 'spec', note: `${notes.length - MOST + 1} more fields do not act now.` }];
}
