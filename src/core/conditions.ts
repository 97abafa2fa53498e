import type { Reason } from '../api/reasons.ts';
import type { Condition } from '../api/status.ts';
import type { Answer, Say } from './answer.ts';
import type { Facts } from './facts/facts.ts';
import { notEnabled } from './optional-children.ts';
import { parseTime } from './time.ts';

/** A child that was asked for this long ago and is not there is reported. */
const APPLY_PATIENCE_MS = 60_000;

/** Wanted condition before it is compared with the prior one. */
type Wanted = {
  readonly type: string;
  readonly status: Condition['status'];
  readonly reason: Reason;
  readonly message: string;
};

/**
 * The only writer of conditions. Ready is always there; Reconciling and Stalled are abnormal-true and absent when false (kstatus).
 * A transition time moves only when the status of its condition does. A condition's generation is the one that was decided upon.
 */
export function conditionsOf(facts: Facts, answer: Answer, say: Say, missing: readonly string[]): Condition[] {
  const wanted: Wanted[] = [
    { type: 'Ready', status: say.as === 'ready' ? 'True' : 'False', reason: say.reason, message: say.message },
    ...(say.as === 'progress'
      ? [{ type: 'Reconciling', status: 'True' as const, reason: say.reason, message: say.message }]
      : []),
    ...(say.as === 'stalled'
      ? [{ type: 'Stalled', status: 'True' as const, reason: say.reason, message: say.message }]
      : []),
    ...stateSafe(facts, answer),
    ...childrenApplied(facts, missing),
  ];
  return wanted.map((condition) => dated(condition, facts));
}

/** StateSafe is said where it is known and stays as it was while nothing new is; it ends with the epoch it spoke of. */
function stateSafe(facts: Facts, answer: Answer): Wanted[] {
  if (answer.stateSafe) return [{ type: 'StateSafe', ...answer.stateSafe }];
  const prior = facts.prior?.conditions?.find((condition) => condition.type === 'StateSafe');
  const outdated = answer.epoch !== undefined && answer.epoch.number !== facts.epoch?.number;
  if (!prior || outdated || facts.epoch?.ended || prior.reason === 'StateAtRisk') return [];
  return [{ type: 'StateSafe', status: prior.status, reason: prior.reason as Reason, message: prior.message }];
}

function childrenApplied(facts: Facts, missing: readonly string[]): Wanted[] {
  const refused =
    facts.prior &&
    [facts.jobManager, facts.taskManager]
      .flatMap((deployment) => deployment?.status.conditions ?? [])
      .find((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True');
  if (refused) return [{ type: 'ChildrenApplied', status: 'False', reason: 'PodsRefused', message: refused.message }];
  const [first, ...others] = notEnabled(facts);
  if (first !== undefined) {
    const fields = [first, ...others].map(({ field }) => `spec.${field}`).join(', ');
    return [
      {
        type: 'ChildrenApplied',
        status: 'False',
        reason: 'KindNotEnabled',
        message: `Nothing comes of ${fields}: Flork's CompositeController does not list the kind (kustomize component ${first.component}). The job runs without it.`,
      },
    ];
  }
  const since = parseTime(facts.epoch?.startedAt) ?? facts.now;
  if (missing.length > 0 && facts.now - since > APPLY_PATIENCE_MS) {
    return [
      {
        type: 'ChildrenApplied',
        status: 'False',
        reason: 'ChildMissing',
        message: `Not there: ${missing.join(', ')}. See the Events of the FlinkJob.`,
      },
    ];
  }
  return [];
}

function dated(wanted: Wanted, facts: Facts): Condition {
  const prior = facts.prior?.conditions?.find((condition) => condition.type === wanted.type);
  const lastTransitionTime =
    prior?.status === wanted.status && prior.reason === wanted.reason ? prior.lastTransitionTime : facts.at;
  return {
    ...wanted,
    message: wanted.message.slice(0, 1024),
    observedGeneration: facts.input.job.generation,
    lastTransitionTime,
  };
}
