/**
 * Durations as Flink writes them (TimeUtils.parseDuration), of which Flork's own `90s`, `30m`, `6h`, `7d` are a part:
 * a whole number and a unit, with or without a space; without a unit it is milliseconds.
 */
export function parseDuration(text: string | number): number | undefined {
  const match = /^(?<count>\d+)\s*(?<unit>[a-zµ]*)$/.exec(String(text).trim().toLowerCase())?.groups;
  const factor = match === undefined ? undefined : MILLISECONDS.get(match['unit'] ?? '');
  if (match === undefined || factor === undefined) return undefined;
  const ms = Math.floor(Number(match['count']) * factor);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** A duration of a policy (api.md): a whole number and one of s, m, h, d. Milliseconds, or `undefined`. */
export function parsePolicyDuration(text: string): number | undefined {
  return /^[1-9]\d*[smhd]$/.test(text) ? parseDuration(text) : undefined;
}

const MILLISECONDS: ReadonlyMap<string, number> = new Map(
  (
    [
      [86_400_000, ['d', 'day', 'days']],
      [3_600_000, ['h', 'hour', 'hours']],
      [60_000, ['m', 'min', 'minute', 'minutes']],
      [1000, ['s', 'sec', 'secs', 'second', 'seconds']],
      [1, ['', 'ms', 'milli', 'millis', 'millisecond', 'milliseconds']],
      [1e-3, ['us', 'µs', 'micro', 'micros', 'microsecond', 'microseconds']],
      [1e-6, ['ns', 'nano', 'nanos', 'nanosecond', 'nanoseconds']],
    ] as const
  ).flatMap(([factor, names]) => names.map((name): [string, number] => [name, factor])),
);
