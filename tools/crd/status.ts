/** Descriptions of the parts of status that are built from parts; src/api/status.ts describes the fields themselves. */
export const STATUS_TEXTS: Readonly<Record<string, string>> = {
  epoch: 'The deployment of the job that runs, or ran last',
  'epoch.ended': 'How that deployment ended; absent while it may run',
  stableEpoch: 'The newest deployment whose tasks all ran, where it is another one',
  failedEpoch: 'The newest deployment that failed, where it is another one',
  operation: 'What Flork is about to do or doing',
  'operation.result': 'What came of it',
  retry: 'Failed attempts of what Flork is doing',
  handled: 'Nonces that have been acted on',
  job: 'What Flink says about the job',
  snapshots: 'Snapshots of the job’s state that are known',
  'snapshots.lastCheckpoint': 'Newest checkpoint, as of the last transition',
  'snapshots.lastSavepoint': 'Newest savepoint',
  'snapshots.history': 'Savepoints, newest first, at most ten',
  history: 'Transitions, newest first, at most ten',
  leftovers: 'What a deleted or ended deployment left that Flork may not remove',
  plan: 'Fields of spec that do not act now, and why',
};
