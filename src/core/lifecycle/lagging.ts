import type { ObservedPod } from '../../api/kube.ts';
import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { epochOfDeployment } from '../facts/epoch.ts';
import { ofEpoch, podsOf } from '../facts/process.ts';
import { parseTime } from '../time.ts';
import { clockOf } from './forgotten.ts';
import { progress } from './say.ts';

/**
 * Caches of different kinds lag each other by moments. A view that contradicts itself about something so young is no basis for
 * any answer: Metacontroller is asked to come again in a second (429), nothing is written. What still contradicts itself after
 * that is real, and the rules below deal with it.
 */
const YOUNG_MS = 10_000;

/** The second that Metacontroller waits before it shows the job again. */
export const RETRY_SECONDS = 1;

/** A pod of this epoch, or of a later one, is there, and its Deployment is shown missing, at 0, or of an earlier epoch. */
export function deploymentLagsPod(facts: Facts): Answer | undefined {
  const { input, epoch, deployed, endedInStatus, prior } = facts;
  const { pods } = input.observed;
  if (endedInStatus || prior?.operation?.kind === 'delete' || pods === undefined) return undefined;
  const number = Math.max(epoch?.number ?? 1, deployed);
  const ahead = [number, number + 1]
    .flatMap((candidate) => ofEpoch(pods, input.job.ref.uid, candidate))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .find((pod) => {
      const deployment = podsOf([pod], 'jobmanager').length > 0 ? facts.jobManager : facts.taskManager;
      // A Deployment never goes back to an earlier epoch: no clock is needed to tell that it is shown late.
      if (deployment && epochOfDeployment(deployment) < epochOfPod(pod)) return true;
      // Nor does anything but its own Deployment make such a pod: it is there, and status will tell of it.
      if (!epoch && !deployment) return true;
      return (deployment?.replicas ?? 0) === 0 && isYoung(facts, pod.metadata.creationTimestamp);
    });
  return ahead && again('deploymentLagsPod', `Deployment and pod ${ahead.metadata.name} do not fit each other yet`);
}

function epochOfPod(pod: ObservedPod): number {
  return Number(pod.metadata.annotations?.['flork.itom.com/epoch']);
}

/** The JobManager Deployment is there, status does not know of it, and the record that came before it is not shown yet. */
export function recordLagsDeployment(facts: Facts): Answer | undefined {
  const { adopted, record, jobManager } = facts;
  if (!adopted || record || !isYoung(facts, jobManager?.metadata.creationTimestamp)) return undefined;
  return again('recordLagsDeployment', 'the Deployment is shown before its record');
}

/** Status knows of the first epoch, whose Deployment is not shown yet. */
export function deploymentLagsStatus(facts: Facts): Answer | undefined {
  const { epoch, jobManager, input } = facts;
  if (epoch?.number !== 1 || jobManager || epoch.ended || input.finalizing || !isYoung(facts, epoch.startedAt))
    return undefined;
  return again('deploymentLagsStatus', 'the Deployment is not shown yet');
}

/**
 * A savepoint or checkpoint that was asked for is done, and the restore ConfigMap, which is written before status, has its number and
 * what it made; this status does not even know that it was asked for. Whoever believed it would ask a second time.
 */
export function statusLagsSnapshot(facts: Facts): Answer | undefined {
  const { prior, adopted, restore, aside } = facts;
  if (adopted || !prior || restore?.asked === undefined) return undefined;
  const known = Math.max(prior.epoch?.asked ?? 0, aside?.attempt ?? 0);
  // By Flink's clock, as the time of the snapshot is; wherever the two stand, they do not stay so near.
  if (restore.asked <= known || Math.abs(clockOf(facts) - restore.pathAt) >= YOUNG_MS) return undefined;
  return again('statusLagsSnapshot', `status does not tell yet of the snapshot with number ${restore.asked}`);
}

function isYoung(facts: Facts, since: string | undefined): boolean {
  const at = parseTime(since);
  return at !== undefined && facts.now - at < YOUNG_MS;
}

function again(rule: string, message: string): Answer {
  return {
    rule,
    say: progress('Created', 'Starting', message),
    workloads: 'keep',
    retry429: true,
    resyncAfterSeconds: RETRY_SECONDS,
  };
}
