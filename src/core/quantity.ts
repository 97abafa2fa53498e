/**
 * Kubernetes quantities (apimachinery pkg/api/resource) and Flink memory sizes (MemorySize.java).
 * They look alike and differ: in Flink `2g`, `2G` and `2048m` are 2 GiB; in Kubernetes `2G` is 2*10^9 and `2048m` is 2.048.
 */

type Format = 'binary' | 'decimal' | 'exponent';
type Parsed = { readonly nano: bigint; readonly format: Format };

const NANO = 1_000_000_000n;
const QUANTITY =
  /^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<fraction>\d*))?(?<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?$/;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);

/** A Kubernetes quantity in nano units (10^-9), rounded up as Kubernetes does; `undefined` when it is none. */
export function parseQuantity(text: string | number): bigint | undefined {
  return parse(text)?.nano;
}

/** The canonical text of a quantity, as the API server would print it; `undefined` when it is none. */
export function canonicalQuantity(text: string | number): string | undefined {
  const parsed = parse(text);
  if (parsed === undefined) return undefined;
  const { nano, format } = parsed;
  const size = nano < 0n ? -nano : nano;
  if (nano === 0n) return '0';
  if (format === 'binary' && size >= 1024n * NANO && nano % NANO === 0n) {
    const [mantissa, power] = reduce(nano / NANO, 1024n, BINARY.length - 1);
    return `${mantissa}${BINARY[power]}`;
  }
  const [mantissa, power] = reduce(nano, 1000n, 9);
  const exponent = power * 3 - 9;
  if (format === 'exponent') return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`;
  const suffix = [...DECIMAL].find(([, value]) => value === Math.min(exponent, 18))?.[0] ?? '';
  return `${exponent > 18 ? mantissa * 1000n ** BigInt(power - 9) : mantissa}${suffix}`;
}

/** Bytes of a memory size as Flink reads it (`1g`, `1024 mb`, `1073741824`), else as a Kubernetes quantity (`1Gi`); `undefined` when neither. */
export function parseMemory(text: string | number): bigint | undefined {
  const flink = /^(?<count>\d+)\s*(?<unit>[a-z]*)$/i.exec(String(text).trim())?.groups;
  const factor = flink === undefined ? undefined : FLINK_UNITS.get((flink['unit'] ?? '').toLowerCase());
  if (flink !== undefined && factor !== undefined) return BigInt(flink['count'] ?? '0') * factor;
  const nano = parseQuantity(text);
  return nano === undefined || nano < 0n ? undefined : (nano + NANO - 1n) / NANO;
}

const FLINK_UNITS: ReadonlyMap<string, bigint> = new Map(
  [
    ['', 'b', 'bytes'],
    ['k', 'kb', 'kibibytes'],
    ['m', 'mb', 'mebibytes'],
    ['g', 'gb', 'gibibytes'],
    ['t', 'tb', 'tebibytes'],
  ].flatMap((names, power) => names.map((name): [string, bigint] => [name, 1024n ** BigInt(power)])),
);

function parse(text: string | number): Parsed | undefined {
  const match = QUANTITY.exec(String(text))?.groups;
  const whole = match?.['whole'] ?? '';
  const fraction = match?.['fraction'] ?? '';
  if (match === undefined || whole + fraction === '' || whole.length + fraction.length > 40) return undefined;
  const suffix = match['suffix'] ?? '';
  const power = BINARY.indexOf(suffix);
  const format: Format = power > 0 ? 'binary' : /^[eE]./.test(suffix) ? 'exponent' : 'decimal';
  const exponent = format === 'exponent' ? Number(suffix.slice(1)) : (DECIMAL.get(suffix) ?? 0);
  const digits = BigInt(whole + fraction) * (power > 0 ? 1024n ** BigInt(power) : 1n);
  const size = scale(digits, exponent + 9 - fraction.length);
  return { nano: match['sign'] === '-' ? -size : size, format };
}

/** digits * 10^exponent, rounded up. */
function scale(digits: bigint, exponent: number): bigint {
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return (digits + divisor - 1n) / divisor;
}

/** Divides by `base` as long as nothing is lost, at most `most` times. */
function reduce(value: bigint, base: bigint, most: number): [bigint, number] {
  let mantissa = value;
  let power = 0;
  while (power < most && mantissa % base === 0n) {
    mantissa /= base;
    power += 1;
  }
  return [mantissa, power];
}
