import { rememberedByObject } from '../../../src/core/memo.ts';
import { at, text, tree } from '../../../src/sim/models/objects.ts';

/**
 * What a spec says to the processes of its job, told without the core: two specs of one meaning are one deployment. In doubt two specs
 * are taken for different, so that only edits of which the harness is sure are held against the core.
 */
export const meaningOf = rememberedByObject((spec: object): string => {
  const said: Record<string, unknown> = { ...spec };
  for (const field of NOT_OF_A_PROCESS) delete said[field];
  const conf = confOf(spec);
  const directory = text(at(spec, 'policies', 'savepoint', 'directory')) || text(conf['state.savepoints.dir']);
  delete conf['state.savepoints.dir'];
  delete conf['parallelism.default'];
  return sorted({
    ...said,
    flinkVersion: at(spec, 'flinkVersion') ?? /:(\d+\.\d+)/.exec(text(at(spec, 'image')))?.[1],
    jobManagerReplicas: at(spec, 'jobManagerReplicas') ?? 1,
    flinkConf: conf,
    directory: directory.replace(/\/+$/, ''),
  });
});

/** What a spec says of the scale of its job, which may change within an epoch. */
export const scaleOf = rememberedByObject((spec: object): string =>
  [at(spec, 'parallelism') ?? confOf(spec)['parallelism.default'], at(spec, 'taskManagerReplicas')].map(String).join(),
);

/** Fields that no process of the job reads: they are of the FlinkJob, of children beside it, or act once and by themselves. */
const NOT_OF_A_PROCESS = [
  'state',
  'restore',
  'restartNonce',
  'savepointNonce',
  'checkpointNonce',
  'approveStateLoss',
  'policies',
  'parallelism',
  'taskManagerReplicas',
  'ingress',
  'httpRoute',
  'podDisruptionBudget',
  'networkPolicy',
  'podMonitor',
] as const;

/** Keys that the tests spell in two ways, the older of which both versions of Flink know. */
const OLDER: ReadonlyMap<string, string> = new Map([
  ['execution.checkpointing.dir', 'state.checkpoints.dir'],
  ['execution.checkpointing.savepoint-dir', 'state.savepoints.dir'],
]);

function confOf(spec: object): Record<string, unknown> {
  const entries = Object.entries(tree(at(spec, 'flinkConf')));
  return Object.fromEntries(
    entries
      .filter(([key]) => !key.startsWith('historyserver.'))
      .map(([key, value]) => [OLDER.get(key) ?? key, String(value)]),
  );
}

/** JSON in which order of keys and what is empty do not count. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one;
    const fields = Object.entries(one).filter(([, field]) => !isEmpty(field));
    return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  return Object.values(value).every(isEmpty);
}
