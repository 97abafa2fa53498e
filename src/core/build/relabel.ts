import type { EpochRecord, JobRef } from '../record.ts';
import { openRecord } from '../record.ts';
import { EPOCH } from './children.ts';
import { epochNames } from './names.ts';

/**
 * The record of another epoch that runs what this record says, byte for byte: nothing is rendered anew. Only what is the epoch's own
 * differs, which is its ten hex digits in names and cluster ids, and the annotation of its pods.
 */
export function relabelled(
  ref: JobRef,
  record: EpochRecord,
  as: Pick<EpochRecord, 'number' | 'handled'> & Pick<Partial<EpochRecord>, 'restoredFrom' | 'failed'>,
): EpochRecord {
  const { restoredFrom: _, failed: __, ...kept } = openRecord(record);
  const [from, to] = [epochNames(ref, record.number), epochNames(ref, as.number)];
  const text = JSON.stringify(kept.children)
    .replaceAll(`-${from.hash}`, `-${to.hash}`)
    .replaceAll(`"${EPOCH}":"${record.number}"`, `"${EPOCH}":"${as.number}"`);
  return { ...kept, ...as, children: JSON.parse(text) as EpochRecord['children'] };
}
