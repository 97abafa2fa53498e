import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { parsePolicyDuration } from '../duration.ts';
import { dueEntries, mayClean, metadataOf } from '../metadata.ts';
import { sameJson } from '../memo.ts';
import { parseTime } from '../time.ts';
import { TRANSITION_SECONDS } from './pace.ts';
import { progress } from './say.ts';

/**
 * A deleted FlinkJob whose pods are proven gone: what its high availability left is removed before its last children go, or is listed.
 *
 *   pods gone ──► metadata listed in status ──observed──► ConfigMaps removed ──► children
 */

const TIMEOUT_MS = 5 * 60_000;

/**
 * `undefined`: nothing is left that Flork may remove, or it has waited long enough (policies.deletion.timeout), or the API server
 * refused it. `rest` is what becomes of the children meanwhile: `gone` where there are none any more.
 */
export function metadataLeft(facts: Facts, rest: 'stop' | 'gone'): Answer | undefined {
  const { input, prior, now } = facts;
  if (!mayClean(facts) || input.observed.namespace?.metadata.deletionTimestamp !== undefined) return undefined;
  const since = parseTime(input.job.deletionTimestamp) ?? now;
  const timeout = parsePolicyDuration(facts.wanted?.policies?.deletion?.timeout ?? '') ?? TIMEOUT_MS;
  const patient = now - since <= timeout;
  const answer = { workloads: rest, resyncAfterSeconds: TRANSITION_SECONDS } as const;
  const listing: Answer = {
    rule: 'deleteListsMetadata',
    say: progress('Deleting', 'Deleting', 'The pods are gone; the metadata of high availability is removed next.'),
    ...answer,
  };
  if (!sameJson(metadataOf(facts, listing), prior?.highAvailability ?? [])) return listing;
  const due = dueEntries(facts);
  if (due.every((entry) => entry.refused === true || (entry.failure !== undefined && !patient))) return undefined;
  // Without children only the pods themselves tell whether a JobManager is left that would write it anew.
  if (rest === 'gone' && facts.jobManagerPods !== 0) {
    if (facts.jobManagerPods === undefined || !patient) return undefined;
    return {
      rule: 'deleteWaitsForPods',
      say: progress('Deleting', 'StoppingPods', 'Waiting until the JobManager is gone, to remove its metadata.'),
      ...answer,
    };
  }
  return {
    rule: 'deleteCleansMetadata',
    say: progress('Deleting', 'Deleting', 'The pods are gone; the metadata of high availability is being removed.'),
    ...answer,
  };
}
