import type { ApplyStrategy } from '../../../src/sim/models/metacontroller/sync.ts';
import { createRandom, type Random } from '../../../src/sim/models/random.ts';
import { DEEDS } from './deeds.ts';
import { adaptive, highlyAvailable, SPEC, suspended, withPolicies, type Spec } from './sample.ts';

/** A random history as a value: what is told can be shrunk, printed and told again. */
export type Script = {
  readonly seed: number;
  readonly strategy: ApplyStrategy;
  readonly countsTerminating: boolean;
  readonly repeatEvery: number;
  /** What the job is like. */
  readonly traits: readonly Trait[];
  readonly firstMs: number;
  readonly deeds: readonly { readonly deed: Deed; readonly value: number; readonly thenMs: number }[];
  readonly faults: readonly Fault[];
  /** The spec is changed once more when the faults are over. */
  readonly last: boolean;
  readonly settles: boolean;
};

/** A fault that may strike each time it can, between two points of the count of such times. */
export type Fault = { readonly kind: FaultKind; readonly from: number; readonly to: number };

export const FAULTS = [
  'crash',
  'stale status',
  'stale children',
  'stale pods',
  'answer lost',
  'two replicas',
  'write refused',
  'answer to a write lost',
  'Flink unreachable',
  'Flink answer lost',
  'garbage from Flink',
  'slow watches',
  'two Metacontrollers',
  'savepoints fail',
  'job fails while stopping',
  'clock skew',
] as const;
export type FaultKind = (typeof FAULTS)[number];

const TRAITS = [
  'high availability',
  'adaptive',
  'suspended at first',
  'last-state',
  'bounded',
  'no savepoint directory',
] as const;
/** 'rollback': what does not become stable is rolled back, and some edits never do. */
export type Trait = (typeof TRAITS)[number] | 'rollback';

const OWN_DEEDS = ['edit', 'resume', 'stateless', 'scale', 'hook down for a minute', 'no room for pods'] as const;
export type Deed = (typeof OWN_DEEDS)[number] | (typeof DEEDS)[number];

/** Two thirds of the deeds are what users do; of the rest each is as likely as the other. */
const FREQUENT: readonly [Deed, ...Deed[]] = [
  'edit',
  'edit',
  'edit',
  'suspended',
  'resume',
  'stateless',
  'scale',
  'spec edited and put back',
  'FlinkJob edited without a meaning',
  'JobManager killed',
  'JobManager killed',
];
const RARE: readonly [Deed, ...Deed[]] = [OWN_DEEDS[4], OWN_DEEDS[5], ...DEEDS];

/** Writes are guarded by a resourceVersion under dynamic-apply alone (docs/adr/0008). */
const GUARDED: ReadonlySet<FaultKind> = new Set([
  'stale children',
  'stale pods',
  'slow watches',
  'two Metacontrollers',
]);

/** The history of a seed. */
export function scriptOf(seed: number): Script {
  const random = createRandom(seed).fork('history');
  const strategy: ApplyStrategy = random.pick(['dynamic-apply', 'server-side-apply']);
  const possible = FAULTS.filter((kind) => strategy === 'dynamic-apply' || !GUARDED.has(kind));
  const chosen = possible.filter(() => random.chance(0.2));
  const faults = chosen.length > 0 ? chosen : (['crash'] as const);
  return {
    seed,
    strategy,
    countsTerminating: random.chance(0.8),
    repeatEvery: random.pick([0, 5, 11]),
    traits: traitsOf(seed, random),
    firstMs: random.between(200, 20_000),
    deeds: Array.from({ length: random.between(1, 4) }, () => ({
      deed: random.chance(0.7) ? random.pick(FREQUENT) : random.pick(RARE),
      value: random.between(1, 3),
      thenMs: random.pick([50, 500, 2_000, 8_000, 25_000]),
    })),
    faults: faults.map((kind) => ({ kind, from: 0, to: Infinity })),
    last: random.chance(0.7),
    settles: random.chance(0.25),
  };
}

function traitsOf(seed: number, random: Random): readonly Trait[] {
  const traits: readonly Trait[] = TRAITS.filter((trait) =>
    random.chance(['high availability', 'adaptive'].includes(trait) ? 0.3 : 0.08),
  );
  // Drawn beside the others: a seed tells what it told before. The arguments of a bounded job are taken.
  const rollsBack = drawOf('rollback', seed, 0).chance(0.15) && !traits.includes('bounded');
  return rollsBack ? [...traits, 'rollback'] : traits;
}

/** The spec of a job with these traits. */
export function specOf(traits: readonly Trait[]): Spec {
  let spec = traits.includes('adaptive') ? adaptive(SPEC, 1) : SPEC;
  if (traits.includes('no savepoint directory')) spec = { ...spec, policies: {} };
  if (traits.includes('last-state'))
    spec = { ...spec, policies: { ...(spec['policies'] as object), upgrade: { mode: 'last-state' } } };
  if (traits.includes('bounded')) spec = { ...spec, jobArgs: ['--bounded-ms', '40000'] };
  if (traits.includes('rollback')) {
    const mode = traits.includes('last-state') ? { mode: 'last-state' } : {};
    spec = withPolicies(spec, { upgrade: { ...mode, rollback: 'automatic', readiness: '20s' } });
  }
  if (traits.includes('high availability')) spec = highlyAvailable(spec);
  return traits.includes('suspended at first') ? suspended(spec) : spec;
}

/** Whether the fault strikes at this point of its count: a function of seed, kind and number alone. */
export function strikes({ kind, from, to }: Fault, seed: number, index: number, probability: number): boolean {
  return index >= from && index < to && drawOf(kind, seed, index).chance(probability);
}

export function drawOf(kind: string, seed: number, index: number): Random {
  return createRandom(seed).fork(`${kind} ${index}`);
}

/** A script in one line each. */
export function print(script: Script): string {
  const deeds = script.deeds.map(({ deed, value, thenMs }) => `${deed} (${value}), then ${thenMs} ms`);
  const faults = script.faults.map(({ kind, from, to }) => `${kind} [${from}, ${to})`);
  return [
    `seed ${script.seed}, ${script.strategy}, ${script.traits.join(', ') || 'an ordinary job'}, ${script.firstMs} ms`,
    `deeds: ${deeds.join('; ') || 'none'}${script.last ? '; at the end: edit' : ''}`,
    `faults: ${faults.join('; ') || 'none'}`,
  ].join('\n');
}
