import { Broken } from './history.ts';
import type { Fault, Script } from './script.ts';

export type Shrunk = { readonly script: Script; readonly error: Broken; readonly tries: number };

/**
 * Takes away from a script whatever it does not need to break the same invariant: deeds, faults, traits, and of a fault's reach
 * ever more, by halves. A run costs as much as the history, so that there is an end to it.
 */
export async function shrink(
  given: Script,
  broken: Broken,
  tell: (script: Script) => Promise<unknown>,
  most = 120,
): Promise<Shrunk> {
  let best: Shrunk = { script: given, error: broken, tries: 0 };
  let tries = 0;
  const breaks = async (script: Script): Promise<boolean> => {
    if (tries >= most) return false;
    tries++;
    try {
      await tell(script);
      return false;
    } catch (error) {
      if (!(error instanceof Broken) || error.violation.invariant !== broken.violation.invariant) return false;
      best = { script, error, tries };
      return true;
    }
  };
  for (let smaller = true; smaller;) {
    smaller = false;
    for (const candidate of candidates(best.script)) {
      // oxlint-disable-next-line no-await-in-loop -- each step builds on the one before
      if (await breaks(candidate)) {
        smaller = true;
        break;
      }
    }
  }
  return { ...best, tries };
}

/** Scripts that are a little less, the greatest steps first. */
function* candidates(script: Script): Generator<Script> {
  const { deeds, faults, traits } = script;
  for (const index of deeds.keys()) yield { ...script, deeds: deeds.toSpliced(index, 1) };
  for (const index of faults.keys()) yield { ...script, faults: faults.toSpliced(index, 1) };
  for (const index of traits.keys()) yield { ...script, traits: traits.toSpliced(index, 1) };
  if (script.last) yield { ...script, last: false };
  if (script.settles) yield { ...script, settles: false };
  for (const [index, fault] of faults.entries()) {
    for (const part of halves(fault)) yield { ...script, faults: faults.with(index, part) };
  }
}

const WIDEST = 4096;

function halves({ kind, from, to }: Fault): readonly Fault[] {
  const end = Math.min(to, from + WIDEST);
  const middle = Math.floor((from + end) / 2);
  if (end - from <= 1) return [];
  return [
    { kind, from, to: middle },
    { kind, from: middle, to: end },
  ];
}
