/**
 * Configuration keys that belong to Flork: another value would break what Flork promises (where a job starts from, how it is reached,
 * what is left when it ends). The CRD refuses them too (tools/crd/rules.ts).
 */
export type OwnedKey = { readonly key: string; readonly want: string };

const CLUSTER_ID = 'no such key: the cluster id is made of the job and its epoch';
const RESTORE_PATH = 'spec.restore.from in its place';
const UNCLAIMED = 'spec.restore.allowNonRestoredState in its place';
const CLAIM = 'no such key: a snapshot is restored without claiming it, so that it outlives the job';
const ADDRESS = 'no such key: the processes find each other by the Services of the job';
const PORT = 'no such key: the ports are those of the Services (6123, 6124, 8081, 6122)';

/** Keys refused by their whole name. */
export const OWNED_KEYS: readonly OwnedKey[] = [
  { key: 'kubernetes.namespace', want: 'no such key: a job runs in the namespace of its FlinkJob' },
  { key: 'kubernetes.cluster-id', want: CLUSTER_ID },
  { key: 'high-availability.cluster-id', want: CLUSTER_ID },
  { key: 'cluster.id', want: CLUSTER_ID },
  { key: 'execution.target', want: 'no such key: a FlinkJob is always an application cluster of its own' },
  { key: 'execution.savepoint.path', want: RESTORE_PATH },
  { key: 'execution.state-recovery.path', want: RESTORE_PATH },
  { key: 'execution.savepoint.ignore-unclaimed-state', want: UNCLAIMED },
  { key: 'execution.state-recovery.ignore-unclaimed-state', want: UNCLAIMED },
  { key: 'execution.savepoint-restore-mode', want: CLAIM },
  { key: 'execution.state-recovery.claim-mode', want: CLAIM },
  {
    key: 'execution.shutdown-on-application-finish',
    want: 'no such key: the JobManager stays until the end of the job has been seen',
  },
  { key: 'jobmanager.rpc.address', want: ADDRESS },
  { key: 'rest.address', want: ADDRESS },
  { key: 'taskmanager.host', want: ADDRESS },
  { key: 'jobmanager.rpc.port', want: PORT },
  { key: 'jobmanager.rpc.bind-port', want: PORT },
  { key: 'blob.server.port', want: PORT },
  { key: 'rest.port', want: PORT },
  { key: 'rest.bind-port', want: PORT },
  { key: 'taskmanager.rpc.port', want: PORT },
  { key: 'taskmanager.rpc.bind-port', want: PORT },
  { key: 'high-availability.jobmanager.port', want: PORT },
];

/** Keys refused by their beginning. */
export const OWNED_PREFIXES: readonly OwnedKey[] = [
  { key: '$internal.', want: 'no such key: it is internal to Flink' },
  { key: 'kubernetes.pod-template-file', want: 'spec.jobManagerPodSpec and spec.taskManagerPodSpec in its place' },
  { key: 'job-result-store.', want: 'no such key: the result of a job is kept in its status' },
  { key: 'application-result-store.', want: 'no such key: the result of a job is kept in its status' },
];
