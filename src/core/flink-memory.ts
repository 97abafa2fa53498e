import { parseMemory } from './quantity.ts';
import type { Role } from './role.ts';

/**
 * How Flink divides the memory of a process (flink-runtime, util.config.memory: ProcessMemoryUtils, TaskExecutorFlinkMemoryUtils,
 * JobManagerFlinkMemoryUtils, 1.19 to 2.3): a size at which the fixed parts do not fit ends every start with an exception.
 */
type Read = (key: string) => string | undefined;

const MEBI = 1024n * 1024n;
const MOST_MEBI = 65_536;

/**
 * The least process size in MiB with which Flink starts, by the configuration as far as it is given; `undefined` when a value in it
 * cannot be read, or when no size up to 64 GiB would do.
 */
export function leastProcessMebi(role: Role, read: Read): number | undefined {
  const fits = role === 'jobmanager' ? jobManagerFits : taskManagerFits;
  try {
    if (!fits(BigInt(MOST_MEBI) * MEBI, read)) return undefined;
    let [low, high] = [1, MOST_MEBI];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (fits(BigInt(middle) * MEBI, read)) high = middle;
      else low = middle + 1;
    }
    return low;
  } catch {
    return undefined;
  }
}

function jobManagerFits(size: bigint, read: Read): boolean {
  const flink = withoutJvm(size, 'jobmanager', read);
  return flink > bytes(read, 'jobmanager.memory.off-heap.size', 128n);
}

function taskManagerFits(size: bigint, read: Read): boolean {
  const flink = withoutJvm(size, 'taskmanager', read);
  const network = share(flink, read, 'taskmanager.memory.network', 0.1, 64n, 1n << 40n);
  const given = read('taskmanager.memory.managed.size');
  const managed = given === undefined ? part(flink, read, 'taskmanager.memory.managed.fraction', 0.2) : parsed(given);
  const fixed =
    bytes(read, 'taskmanager.memory.framework.heap.size', 128n) +
    bytes(read, 'taskmanager.memory.framework.off-heap.size', 128n) +
    bytes(read, 'taskmanager.memory.task.off-heap.size', 0n) +
    bytes(read, 'taskmanager.memory.task.heap.size', 0n);
  return flink >= fixed + network + managed;
}

/** What is left of a process for Flink: metaspace and the JVM's overhead go off it. */
function withoutJvm(size: bigint, role: Role, read: Read): bigint {
  const metaspace = bytes(read, `${role}.memory.jvm-metaspace.size`, 256n);
  return size - metaspace - share(size, read, `${role}.memory.jvm-overhead`, 0.1, 192n, 1024n);
}

/** A fraction of the whole, but no less than its minimum and no more than its maximum (both in MiB where not given). */
function share(whole: bigint, read: Read, key: string, fraction: number, min: bigint, max: bigint): bigint {
  const wanted = part(whole, read, `${key}.fraction`, fraction);
  const [least, most] = [bytes(read, `${key}.min`, min), bytes(read, `${key}.max`, max)];
  return wanted < least ? least : wanted > most ? most : wanted;
}

function part(whole: bigint, read: Read, key: string, fallback: number): bigint {
  const fraction = Number(read(key) ?? fallback);
  if (!(fraction >= 0 && fraction <= 1)) throw new RangeError(key);
  if (whole <= 0n || fraction === 0) return 0n;
  // Flink's fractions are single floats: 0.2 is a little more.
  return (whole * BigInt(Math.round(fraction * 1_000_000))) / 1_000_000n + 1n;
}

function bytes(read: Read, key: string, mebi: bigint): bigint {
  const text = read(key);
  return text === undefined ? mebi * MEBI : parsed(text);
}

function parsed(text: string): bigint {
  const size = parseMemory(text);
  if (size === undefined) throw new RangeError(text);
  return size;
}
