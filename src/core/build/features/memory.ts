import { canonicalQuantity, parseMemory, parseQuantity } from '../../quantity.ts';
import type { Role } from '../../role.ts';
import type { Conf, Context } from '../context.ts';
import type { Feature } from '../feature.ts';
import { main, userResources } from '../pod.ts';

/** Size of a process when neither the configuration nor the container says one, as in the original. */
const DEFAULT_SIZE = '1g';

const MEBI = 1024n * 1024n;

/** Options that size a process by other means; one of them suffices. */
const SIZES: Readonly<Record<Role, readonly string[]>> = {
  jobmanager: ['jobmanager.memory.process.size', 'jobmanager.memory.flink.size', 'jobmanager.memory.heap.size'],
  taskmanager: [
    'taskmanager.memory.process.size',
    'taskmanager.memory.flink.size',
    'taskmanager.memory.task.heap.size',
  ],
};

/** The process takes the memory that its container has; a container of which nothing is said gets what its process takes. */
export const memory: Feature = {
  name: 'memory',
  conf: (context) => ({
    ...sizeOf(context, 'jobmanager'),
    ...sizeOf(context, 'taskmanager'),
    ...(context.user['taskmanager.memory.managed.size'] === undefined
      ? { 'taskmanager.memory.managed.fraction': '0.2' }
      : {}),
  }),
  pod: (context, role, conf) => {
    const { requests, limits } = userResources(context, role);
    if (requests?.['memory'] !== undefined || limits?.['memory'] !== undefined) return main({});
    const bytes = parseMemory(conf[`${role}.memory.process.size`] ?? '');
    if (bytes === undefined) return main({});
    const most = (bytes * limitFactor(conf[`kubernetes.${role}.memory.limit-factor`])) / 1000n;
    return main({ resources: { requests: { memory: quantity(bytes) }, limits: { memory: quantity(most) } } });
  },
};

function sizeOf(context: Context, role: Role): Conf {
  if (SIZES[role].some((key) => context.user[key] !== undefined)) return {};
  const limit = userResources(context, role).limits?.['memory'];
  const nano = limit === undefined ? undefined : parseQuantity(limit);
  return { [`${role}.memory.process.size`]: nano === undefined ? DEFAULT_SIZE : flinkSize(nano / 1_000_000_000n) };
}

/** Bytes as Flink reads them; in Flink `m` is MiB, and a fraction is not allowed. */
function flinkSize(bytes: bigint): string {
  return bytes % MEBI === 0n ? `${bytes / MEBI}m` : `${bytes}b`;
}

function quantity(bytes: bigint): string {
  const text = bytes % MEBI === 0n ? `${bytes / MEBI}Mi` : String(bytes);
  return canonicalQuantity(text) ?? text;
}

/** Native mode's factor between a process's size and its container's limit, in thousandths. */
function limitFactor(text: string | undefined): bigint {
  const factor = Number(text ?? '1');
  return Number.isFinite(factor) && factor >= 1 ? BigInt(Math.round(factor * 1000)) : 1000n;
}
