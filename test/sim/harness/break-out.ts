import { epochNames } from '../../../src/core/build/names.ts';
import { at, text, type KubeObject } from '../../../src/sim/models/objects.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';
import { statusOf } from './checker.ts';
import type { DeedName } from './deeds.ts';
import { BOUND_MS, epochOf, isReady, isUp, jobOf, podNames, runsNewest, stateOf } from './flows.ts';
import type { History } from './history.ts';
import type { Spec } from './sample.ts';

/**
 * A new spec breaks out of any step of any flow, and one that is taken back before the stop costs nothing. Each is done after a write of
 * status, which are the steps of a flow: plans of these deeds are held to it, beyond the good end that all plans must have.
 */

/** Deeds that cost nothing: the job is started, and its savepoints are taken, as often as without. */
export function isFree(deed: DeedName): boolean {
  return deed === 'FlinkJob edited without a meaning' || (changesSpec(deed) && deed !== 'spec edited');
}

/** Deeds that ask for another spec, for good or for a moment. */
export function changesSpec(deed: DeedName): boolean {
  return deed.startsWith('spec edited');
}

/**
 * What a flow has cost so far. An epoch of which no task ever ran is not counted: there is nothing to stop, so that it makes room for the
 * first glimpse of another spec, and another epoch starts from what it was given.
 */
export type Cost = { readonly starts: number; readonly savepoints: number };

export function costOf(h: History): Cost {
  const { restored, savepoint } = h.ledger.counts;
  return { starts: restored ?? 0, savepoints: savepoint ?? 0 };
}

export function checkFree(h: History, undisturbed: Cost): void {
  const [cost, expected] = [costOf(h), undisturbed].map((one) => JSON.stringify(one));
  if (cost !== expected) h.fail('break-out', `${cost}, and ${expected} where nobody edits anything`);
}

/** The epoch that runs, as long as nothing has been done to leave it. */
function standing(h: History): string {
  const { epoch } = statusOf(h.job() as KubeObject);
  const { 'stop-asked': stops, 'cancel-asked': cancels } = h.ledger.counts;
  return JSON.stringify([epoch?.number, epoch?.ended?.how, stops, cancels]);
}

/**
 * Edits the spec, and puts it back as soon as a status tells that it was seen. Where a stop was on its way by then, or no epoch stood that
 * could go on, what follows is a full change back, and the flow is `over`.
 */
export function editAndPutBackWhenSeen(h: History, edited: Spec, over: () => void): void {
  const live = h.job() as KubeObject;
  const spec = live['spec'] as Spec;
  const before = standing(h);
  h.apply(edited);
  const generation = h.job()?.metadata.generation ?? 0;
  const unwatch = h.world.api.watch(({ object }) => {
    if (object.kind !== 'FlinkJob') return;
    const { conditions = [] } = statusOf(object);
    if (!conditions.some(({ observedGeneration }) => observedGeneration >= generation)) return;
    unwatch();
    h.clock.after(1, () => {
      // The flow has gone on, and asks for something else by now.
      if (h.job()?.metadata.generation !== generation || h.job()?.metadata.deletionTimestamp !== undefined) return;
      h.tell('user: put back');
      h.apply(spec);
      h.clock.after(200, () => {
        if (h.job() !== undefined && standing(h) !== before) over();
      });
    });
  });
}

/** What must be reached after a deed that ended the flow: the job runs what the spec says now, or rests as it says. */
export async function reachSpec(h: History): Promise<void> {
  await h.run(1_000);
  await h.until(() => isUp(h) && asSpecSays(h), BOUND_MS, 'as the newest spec says');
}

function asSpecSays(h: History): boolean {
  const job = h.job();
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return true;
  const spec = job['spec'] as Spec;
  if (spec['state'] === 'suspended') return isReady(h, 'Suspended') && podNames(h).length === 0;
  const args = JSON.stringify(spec['jobArgs'] ?? []);
  // What fails for good is rolled back, or deployed again and again: as another spec of its kind, it ends well.
  if (args.includes('--fail')) return !['Upgrading', 'Stopping', 'RollingBack'].includes(stateOf(h) ?? '');
  if (args.includes('--bounded') && isReady(h, 'Finished')) return isOf(h, spec) || !restarts(spec);
  return isReady(h) && jobOf(h)?.state() === 'RUNNING' && runsNewest(h) && isOf(h, spec);
}

const restarts = (spec: Spec): boolean => at(spec, 'policies', 'restart', 'finished') === 'onSpecChange';

/** Whether the epoch was made of this spec, as its configuration shows. */
function isOf(h: History, spec: Spec): boolean {
  const { name, uid = '' } = (h.job() as KubeObject).metadata;
  const conf = epochNames({ name, uid }, epochOf(h)).configuration;
  const found = h.world.api.get({ kind: 'ConfigMap', namespace: NAMESPACE, name: conf });
  const said = /pipeline\.max-parallelism: \W*(\d+)/.exec(JSON.stringify(found?.['data'] ?? ''))?.[1] ?? '';
  return said === text(at(spec, 'flinkConf', 'pipeline.max-parallelism'));
}
