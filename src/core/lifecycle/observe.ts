import type { Answer } from '../answer.ts';
import type { Facts } from '../facts/facts.ts';
import { RECORDED_WITHIN_MS } from '../record.ts';
import { hasRun } from '../stability.ts';
import { CLUSTER_SECONDS, ENDING_SECONDS, settledSeconds, TRANSITION_SECONDS, unreachableSeconds } from './pace.ts';
import { progress, ready, stalled } from './say.ts';
import { troubleOf } from './trouble.ts';

/** What runs is what is wanted: say how it is. Pods speak before Flink does, as they know sooner. */

const startState = (facts: Facts) => {
  if (hasRun(facts)) return 'Running' as const;
  return facts.epoch?.number === 1 ? ('Deploying' as const) : ('Upgrading' as const);
};

/** A pod, or the workload, says what is wrong. */
export function podTrouble(facts: Facts): Answer | undefined {
  if (facts.flink.allTasksRun) return undefined;
  const trouble = troubleOf(facts);
  if (!trouble) return undefined;
  return {
    rule: `pods${trouble.reason}`,
    say: trouble.stalls
      ? stalled('Stalled', trouble.reason, trouble.message)
      : progress(startState(facts), trouble.reason, trouble.message),
    workloads: 'run',
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}

/** The JobManager is not there to be asked. */
export function jobManagerStarting(facts: Facts): Answer | undefined {
  if (facts.flink.heard !== 'not-asked') return undefined;
  const again = hasRun(facts) || facts.process.kind === 'dead';
  return {
    rule: again ? 'jobManagerRestarting' : 'jobManagerStarting',
    say: progress(
      startState(facts),
      again ? 'JobManagerRestarting' : 'Starting',
      again
        ? 'The JobManager is being started again; the job goes on from its newest recorded checkpoint.'
        : 'The JobManager is starting.',
    ),
    workloads: 'run',
    resyncAfterSeconds: facts.process.kind === 'running' ? TRANSITION_SECONDS * 2 : CLUSTER_SECONDS,
  };
}

/** It runs and does not answer: nothing follows but patience. */
export function unreachable(facts: Facts): Answer | undefined {
  if (facts.flink.heard !== 'unreachable') return undefined;
  const { view } = facts;
  const why = view.kind === 'unreachable' ? view.text : '';
  // Not to be reached at first is how every start looks; missing trust stays until somebody does something about it.
  const distrust = view.kind === 'unreachable' && view.error === 'tls' ? ` (${why})` : '';
  const starting = !hasRun(facts);
  return {
    rule: starting ? 'notYetReachable' : 'unreachable',
    say: starting
      ? progress(startState(facts), 'Starting', `The JobManager does not answer yet${distrust}.`)
      : stalled(
          'Running',
          'JobManagerUnreachable',
          `The JobManager does not answer${why ? ` (${why})` : ''}; nothing is concluded from that.`,
        ),
    workloads: 'run',
    resyncAfterSeconds: starting ? TRANSITION_SECONDS * 2 : unreachableSeconds(facts),
  };
}

/** Another job answers on this address: an old JobManager, or somebody else's. */
export function foreignJob(facts: Facts): Answer | undefined {
  if (!facts.flink.foreign) return undefined;
  return {
    rule: 'foreignJob',
    say: stalled('Stalled', 'ForeignJob', 'The JobManager that answers does not run this job; nothing is asked of it.'),
    workloads: 'run',
    resyncAfterSeconds: CLUSTER_SECONDS,
  };
}

/** JobManager and job are on their way. */
export function jobStarting(facts: Facts): Answer | undefined {
  const { job } = facts.flink;
  if (
    facts.flink.heard !== 'answered' ||
    (job && !['INITIALIZING', 'CREATED', 'RECONCILING', 'SUSPENDED', 'UNKNOWN'].includes(job.state))
  )
    return undefined;
  return {
    rule: 'jobStarting',
    say: progress(
      startState(facts),
      'JobStarting',
      job
        ? `The job is ${job.state}${facts.scale?.wanted.taskManagers === 0 ? ' and waits: spec.taskManagerReplicas is 0' : ''}.`
        : 'The JobManager runs main(); no job yet.',
    ),
    workloads: 'run',
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** Flink restarts the job after a failure. */
export function restarting(facts: Facts): Answer | undefined {
  const { job } = facts.flink;
  if (!job || !['RESTARTING', 'FAILING', 'CANCELLING'].includes(job.state)) return undefined;
  const newest =
    facts.view.kind === 'answered' && facts.view.exceptions.kind === 'value'
      ? facts.view.exceptions.value.newest
      : undefined;
  return {
    rule: 'restarting',
    say: progress(
      'Running',
      job.state === 'CANCELLING' ? 'Canceling' : 'Restarting',
      `The job is ${job.state}${newest ? `: ${newest.text}` : ''}.`,
    ),
    workloads: 'run',
    resyncAfterSeconds: TRANSITION_SECONDS * 2,
  };
}

/** The job runs; some of its tasks do not yet. */
export function tasksStarting(facts: Facts): Answer | undefined {
  const { job } = facts.flink;
  if (job?.state !== 'RUNNING' || facts.flink.allTasksRun) return undefined;
  return {
    rule: 'tasksStarting',
    say: progress(startState(facts), 'TasksStarting', 'The job runs; not all of its tasks do yet.'),
    workloads: 'run',
    resyncAfterSeconds: TRANSITION_SECONDS,
  };
}

/** All tasks run and the epoch is stable: all is as it should be. */
export function running(facts: Facts): Answer | undefined {
  if (!facts.flink.allTasksRun || !facts.epoch) return undefined;
  const { epoch, record, view } = facts;
  const config =
    view.kind === 'answered' && view.checkpointConfig.kind === 'value' ? view.checkpointConfig.value : undefined;
  return {
    rule: epoch.stableAt === undefined ? 'stable' : 'running',
    say: ready(
      'Running',
      'Running',
      `All tasks run${epoch.restoredFrom ? `; epoch ${epoch.number} started from ${epoch.restoredFrom}` : ''}.`,
    ),
    workloads: 'run',
    operation: null,
    retry: null,
    ...(record?.highAvailability
      ? {
          stateSafe: {
            status: 'True' as const,
            reason: 'HighAvailability' as const,
            message: 'Flink resumes the job by itself.',
          },
        }
      : config && record
        ? { stateSafe: stateSafety(config, record.retainedCheckpoints) }
        : {}),
    // Where tasks have finished, the end is near: with it seen soon, no JobManager that dies runs a bounded job again.
    resyncAfterSeconds:
      (facts.flink.job?.tasks.finished ?? 0) > 0 ? ENDING_SECONDS : settledSeconds(facts.input.job.ref.uid),
  };
}

/** Whether the checkpoint recorded once a minute still exists when a process that died is started again (lifecycle.md, Trap 1). */
function stateSafety(
  config: { readonly enabled: boolean; readonly intervalMs: number | undefined },
  retained: number,
): NonNullable<Answer['stateSafe']> {
  if (!config.enabled) {
    return {
      status: 'False',
      reason: 'CheckpointingDisabled',
      message: 'Checkpointing is off: a restart of the JobManager begins anew.',
    };
  }
  if (config.intervalMs !== undefined && config.intervalMs * (retained - 1) < RECORDED_WITHIN_MS) {
    return {
      status: 'False',
      reason: 'RetentionTooShort',
      message: `${retained} checkpoints are retained, one each ${config.intervalMs} ms: the one recorded once a minute may be gone. Use high availability or a longer interval.`,
    };
  }
  return {
    status: 'True',
    reason: 'CheckpointsRecorded',
    message: 'The newest checkpoint is recorded for the next process, once a minute.',
  };
}
