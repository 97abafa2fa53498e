import type { FlinkJobSpec } from '../api/flinkjob.ts';
import { spelled } from './build/conf-spelling.ts';
import { confText, flattenConf } from './flink-conf-keys.ts';

/**
 * What a change of a configuration key does to a running job. A key is `ignore` only where no process of an application cluster
 * reads it: neither JobManager, nor TaskManager, nor main(), nor the shell scripts that start them. Everything else, and every
 * key that is not known, is an upgrade. `scale` is said by a row of change-table.ts (`parallelism.default`).
 *
 * Gone through: the option groups of Flink 1.19 to 2.3 (docs/layouts/shortcodes/generated of apache/flink). Not ignored although
 * it looks so: `client.*` (ClientOptions is read by the embedded executor in the JobManager), `kubernetes.*` (pods of native mode,
 * client of high availability), `containerized.*` (environment of the pods), `table.*` and `python.*` (main()), `web.*` and `rest.*`
 * (JobManager), `env.hadoop.conf.dir` and `env.yarn.conf.dir` (class path), `jobmanager.archive.fs.dir` (written by the JobManager),
 * `yarn.security.*` (SecurityOptions falls back to such keys).
 */
export type ConfEffect = {
  /** The keys: a name, or a prefix that ends in `.*`. */
  readonly keys: string;
  readonly note: string;
  /** Keys below the prefix that are read all the same. */
  readonly but?: string;
};

/** Keys whose change is ignored: each names who reads them. */
export const IGNORED_KEYS: readonly ConfEffect[] = [
  { keys: 'env.java.opts.client', note: 'Read by the command line `flink` (bin/config.sh).' },
  { keys: 'env.java.opts.historyserver', note: 'Read by the history server’s script.' },
  { keys: 'env.java.opts.sql-gateway', note: 'Read by the SQL gateway’s script.' },
  { keys: 'env.ssh.opts', note: 'Read by start-cluster.sh and stop-cluster.sh.' },
  { keys: 'historyserver.*', note: 'Read by the history server (HistoryServerOptions).' },
  { keys: 'job.autoscaler.*', note: 'Read by the autoscaler of Flink’s own operator.' },
  { keys: 'kubernetes.operator.*', note: 'Read by Flink’s own operator.' },
  { keys: 'sql-client.*', note: 'Read by the SQL client (SqlClientOptions).' },
  { keys: 'sql-gateway.*', note: 'Read by the SQL gateway.' },
  { keys: 'yarn.*', note: 'Read on YARN (YarnConfigOptions).', but: 'yarn.security.*' },
];

/** Whether no process of an application cluster reads a key. */
export function isIgnoredKey(key: string): boolean {
  return IGNORED_KEYS.some(({ keys, but }) => covers(keys, key) && !(but !== undefined && covers(but, key)));
}

function covers(pattern: string, key: string): boolean {
  return pattern.endsWith('.*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}

/** The configuration as text by newest spelling, however it was written. */
export function newestSpelling(spec: FlinkJobSpec): ReadonlyMap<string, string> {
  const { entries } = flattenConf(spec.flinkConf);
  return new Map([...entries].map(([key, value]) => [spelled(key, '2.3'), confText(value)]));
}

/** What a spec's configuration says under a key of the newest spelling. */
export function configured(spec: FlinkJobSpec, key: string): string | undefined {
  return newestSpelling(spec).get(key);
}
