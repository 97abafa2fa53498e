import type { Missing } from '../../api/status.ts';
import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { diesWithItsJob, isDyingOfIt, isProvenMissing, missingOf, stepOf } from '../missing.ts';
import { isSamePath } from '../snapshot-path.ts';
import { lossAllowed, waysOut } from './contract.ts';
import { CLUSTER_SECONDS, TRANSITION_SECONDS } from './pace.ts';
import { progress, stalled } from './say.ts';
import { unreadHint } from './snapshots.ts';

/**
 * The recorded snapshot is not there, so that no process can start from it (lifecycle.md, Trap 1):
 *
 *   said by one process, by two ──► another process tries      by three ──► one step back in status ──observed──► restore ConfigMap
 *   nothing to step to, or not there either, or a stop's savepoint may be newer ──► hold
 */
export function snapshotMissing(facts: Facts): Answer | undefined {
  const { epoch, restore } = facts;
  if (!epoch || epoch.ended || facts.restoreNonce !== undefined) return undefined;
  if (isDyingOfIt(facts)) return waitForDeath();
  const missing = missingOf(facts);
  if (!missing) return undefined;
  const current = isSamePath(restore?.path, missing.path);
  if (!isProvenMissing(missing)) return current ? tryAgain(facts, missing) : undefined;
  if (missing.exhausted) return giveUp(facts, missing);
  // The step is taken: whatever follows is like any other start.
  if (!current) return undefined;
  const step = missing.steppedTo ?? stepOf(facts, missing);
  if (step === undefined) return giveUp(facts, missing);
  const told = facts.prior?.missing?.steppedTo === step;
  if (told && hasFailed(facts)) return endFor(facts, step, 'stepBackByEpoch');
  return {
    rule: told ? 'stepBack' : 'stepBackIntended',
    say: progress(
      'Running',
      'JobManagerRestarting',
      `The recorded snapshot ${missing.path} is not there, as ${missing.processes.length} processes said; the next one goes back to ${step}.`,
    ),
    workloads: 'run',
    ...(told
      ? { transition: { reason: 'Rewound' as const, snapshot: step } }
      : { missing: { ...missing, steppedTo: step } }),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** From Flink 2.0 such a job is FAILED and its JobManager lives on: nothing starts another process but another epoch. */
function hasFailed(facts: Facts): boolean {
  const { job } = facts.flink;
  return job?.state === 'FAILED' && job.tasks.total === 0 && !diesWithItsJob(facts);
}

/** What a dying process tells of its job is no end of the job. */
function waitForDeath(): Answer {
  return {
    rule: 'missingEndsProcess',
    say: progress(
      'Running',
      'JobManagerRestarting',
      'The JobManager cannot find the snapshot that it was to restore, and ends.',
    ),
    workloads: 'run',
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** The kubelet starts the next process; where Flink lives on, the next epoch does, from the same snapshot. */
function tryAgain(facts: Facts, missing: Missing): Answer | undefined {
  const given = isSamePath(facts.record?.spec.restore?.from, missing.path);
  return hasFailed(facts) && !given ? endFor(facts, missing.path, 'missingTriedAgain') : undefined;
}

function endFor(facts: Facts, path: string, rule: string): Answer {
  const back = rule === 'stepBackByEpoch';
  return {
    rule,
    say: progress('Upgrading', 'StoppingPods', `The job could not be restored; the next epoch starts from ${path}.`),
    workloads: 'keep',
    operation: null,
    ended: { how: 'failed', path, byFlork: true, over: true, at: facts.at },
    ...(back ? { transition: { reason: 'Rewound' as const, snapshot: path } } : {}),
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

function giveUp(facts: Facts, missing: Missing): Answer {
  if (lossAllowed(facts)) {
    return {
      rule: 'missingGivenUp',
      say: progress(
        'Upgrading',
        'StoppingPods',
        'No snapshot can be restored; the state is given up, as the spec allows.',
      ),
      workloads: 'keep',
      operation: null,
      ended: { how: 'failed', startsEmpty: true, byFlork: true, over: true, at: facts.at },
      resyncAfterSeconds: TRANSITION_SECONDS,
    };
  }
  const also = missing.exhausted && missing.steppedTo ? `, nor is ${missing.steppedTo}` : '';
  const why = [`The recorded snapshot ${missing.path} is not there${also}.`, unreadHint(facts)]
    .filter((part) => part !== undefined)
    .join(' ');
  return {
    rule: 'missingHolds',
    say: stalled('Stalled', 'SnapshotMissing', `${why} ${waysOut(facts)}`),
    workloads: 'run',
    stateSafe: { status: 'False', reason: 'StateAtRisk', message: why },
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}
