import { createHash } from 'node:crypto';
import type { Case } from '../cases/case.ts';
import type { FlinkVersion } from './flink-job.ts';
import type { Result } from './results.ts';

/** Cases that are run one after the other in one namespace. */
export type Sampled = { readonly version: FlinkVersion; readonly ha: boolean; readonly cases: readonly Case[] };
/** A case on a Flink, with or without high availability. */
export type Variant = { readonly item: Case; readonly version: FlinkVersion; readonly ha: boolean };

const draw = (...parts: readonly string[]): number =>
  createHash('sha256').update(parts.join('\0')).digest().readUInt32BE(0);

/** Everything that the full matrix has. */
export function variantsOf(cases: readonly Case[]): readonly Variant[] {
  return cases.flatMap((item) => item.versions.flatMap((version) => item.ha.map((ha) => ({ item, version, ha }))));
}

/** What the full matrix was last seen to pass: what it never ran, or what fails there, tells nothing new in a sample. */
export function seenPassing(variants: readonly Variant[], results: readonly Result[]): readonly Variant[] {
  return variants.filter(
    ({ item, version, ha }) =>
      results.findLast((one) => one.name === item.name && one.flink === version && one.ha === ha)?.ok === true,
  );
}

/**
 * A sample that a seed decides: kills in one namespace (one Flink, with or without high availability), all other cases in one, as many of
 * each as take half of the seconds, and at least one.
 */
export function chooseSample(variants: readonly Variant[], seed: string, seconds: number): readonly Sampled[] {
  return ['kills', 'others'].flatMap((group) => {
    const ofGroup = variants.filter(
      ({ item }) => item.alone !== true && item.name.startsWith('kill/') === (group === 'kills'),
    );
    const first = ofGroup[draw(seed, group) % Math.max(1, ofGroup.length)];
    if (first === undefined) return [];
    const beside = ofGroup
      .filter((one) => one !== first && one.version === first.version && one.ha === first.ha)
      .toSorted((a, b) => draw(seed, a.item.name) - draw(seed, b.item.name));
    const chosen = new Set([first.item]);
    let taken = first.item.seconds;
    for (const { item } of beside) {
      if (taken + item.seconds > seconds / 2) continue;
      chosen.add(item);
      taken += item.seconds;
    }
    // In the order of the matrix: cases that share a job follow each other.
    const cases = ofGroup
      .map(({ item }) => item)
      .filter((item, index, all) => chosen.has(item) && all.indexOf(item) === index);
    return [{ version: first.version, ha: first.ha, cases }];
  });
}
