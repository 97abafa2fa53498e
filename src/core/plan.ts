import type { Status } from '../api/status.ts';
import type { Facts } from './facts/facts.ts';

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
  return notes;
}
