/**
 * Every reason that a condition or a line of history can carry: end-user contract, one documented constant each.
 * The runbook (docs/runbook.md) has a section for each: meaning, check, remedy. Renaming one is a breaking change.
 */
export const REASONS = {
  // Progress
  Starting: 'The children of an epoch have been asked for; the JobManager is not up yet',
  JobStarting: 'The JobManager answers; the job is not running yet',
  TasksStarting: 'The job runs, not all of its tasks do yet',
  Stabilizing: 'All tasks run; the first checkpoint of this epoch is awaited',
  Restarting: 'Flink restarts the job after a failure',
  JobManagerRestarting: 'The JobManager process ended and is being started again',
  TakingSavepoint: 'The job is being stopped with a savepoint',
  RollingBack: 'An epoch that did not become stable makes room for the last stable one',
  Canceling: 'The job is being canceled',
  StoppingPods: 'The job has ended; its pods are being stopped',
  Replacing: 'An epoch that never ran makes room for the next one',
  Deleting: 'The FlinkJob is being deleted',
  ChangeWaits: 'The change waits until the job can be left with its state',
  WaitingForPods: 'Pods of an earlier epoch, or of a former FlinkJob of that name, still exist',
  Rescaling: 'The job is being rescaled in place',
  ScaleCooldown: 'A change of scale that needs a restart waits for policies.scaleCooldown',
  // Waiting for the cluster
  Unschedulable: 'No node takes a pod',
  PodsWaiting: 'A container waits to be created',
  PodsRefused: 'The cluster refuses to create pods (quota, Pod Security, admission)',
  // Settled
  Running: 'All tasks run and the epoch is stable',
  Suspended: 'The job is suspended, as spec.state says',
  Finished: 'The job has finished',
  Canceled: 'Somebody canceled the job in Flink',
  // A person is needed
  ImagePullFailed: 'An image cannot be pulled',
  CrashLooping: 'A container ends again and again',
  OutOfMemory: 'A container was killed because it used more memory than its limit',
  PodFailed: 'A pod was given up by its node (eviction, shutdown); another one takes its place',
  ContainerConfigInvalid: 'A container cannot be created as configured',
  RolledBack: 'The epoch before runs again, as the newer spec did not become stable (policies.upgrade.rollback)',
  NotStable: 'The epoch did not become stable in its time (policies.upgrade.readiness)',
  JobFailed: 'The job has failed for good',
  InvalidSpec: 'The spec breaks a rule; what runs is left as it was',
  PlatformFailed: 'A decorator or the defaults of the platform fail for this FlinkJob; what runs is left as it was',
  SpecForbidden: 'The spec asks for pods that the tenant profile does not allow; what runs is left as it was',
  Paused: 'Annotation flork.itom.com/paused freezes every decision',
  OperationUnknown:
    'Another version of Flork has begun something that this one does not know; nothing is done until it is over',
  JobManagerUnreachable: 'The JobManager runs and does not answer; nothing is concluded from that',
  ForeignJob: 'The JobManager runs another job than the one of this epoch',
  CheckpointFailed: 'A checkpoint that was asked for failed; the job goes on and a new attempt follows',
  SavepointFailed: 'The savepoint failed; the job goes on and a new attempt follows',
  StateAtRisk: 'Going on could lose state: Flork holds until it is told how (the state-loss contract)',
  ScaleImpossible: 'The scale that is asked for cannot be had; the job goes on as it was',
  SnapshotMissing: 'The recorded snapshot is not there, and none that could take its place is known',
  RecordMissing: 'The record of the running epoch is gone or was edited; what runs is left as it is',
  PodStuckTerminating: 'A pod does not end, so that nothing can safely be started in its place',
  // StateSafe
  CheckpointsRecorded: 'The newest checkpoint is recorded for the next process',
  HighAvailability: 'Flink itself resumes from its metadata',
  CheckpointingDisabled: 'Checkpointing is off: a restart begins anew',
  RetentionTooShort: 'Flink may delete the recorded checkpoint before a newer one is recorded',
  // ChildrenApplied
  ChildrenApplied: 'The cluster holds all children as asked for',
  KindNotEnabled: 'The spec asks for an object of a kind that Flork was not set up for; the job runs without it',
  ChildMissing: 'A child that was asked for does not appear',
  // Lines of history
  FirstStart: 'The first epoch',
  SpecChanged: 'The spec changed',
  Rescaled: 'The job was rescaled in place',
  Resumed: 'The job was resumed',
  RestoreRequested: 'spec.restore.nonce asked for a start from spec.restore.from',
  Unhealthy: 'A job that runs is deployed anew from its newest snapshot, as policies.health asks',
  Redeployed: 'Flork deployed the job anew by itself, with the same spec',
  Rewound: 'The job went back to an older snapshot than it had reached',
} as const;

/** A documented reason. */
export type Reason = keyof typeof REASONS;
