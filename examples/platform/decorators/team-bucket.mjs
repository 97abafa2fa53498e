/**
 * Checkpoints and savepoints of a team lie in its own bucket. The team is said by florkConf.team, else it is the namespace; a FlinkJob
 * that names directories itself keeps them.
 */
export const name = 'team-bucket';
export const priority = 10;

/** @type {(conf: any, florkConf: any, job: any) => any} */
export function flinkConf(conf, florkConf, job) {
  const bucket = `s3://flink-${florkConf.team ?? job.namespace}/${job.name}`;
  return {
    'execution.checkpointing.dir': `${bucket}/checkpoints`,
    'execution.checkpointing.savepoint-dir': `${bucket}/savepoints`,
    ...conf,
  };
}

/** The role of the pod gets the bucket by its service account. */
export function podSpec(spec) {
  return { serviceAccountName: 'flink-s3', ...spec };
}
