import { rememberedByObject, rememberedByText } from '../../../src/core/memo.ts';
import type { Input, ObservedJob } from '../../../src/core/types.ts';
import { readShown, type Reader } from '../../../src/http/reader.ts';
import { decodeAnswer } from '../../../src/sim/models/metacontroller/hook.ts';
import { realCore, type Core } from './core.ts';

/**
 * Memory of all histories of a thread: two plans of a flow are the same, to the byte, until the fault of one of them strikes, and what
 * was read and decided of the very same input is not worked out again. It is all that the core depends on that is compared, time and
 * Flink's answers too. That the core depends on nothing else is what asking again finds out (S6), which uses none of this.
 */

/** Requests kept: those of the longest flow, and more. */
const MOST = 512;

const shownOf = rememberedByText(MOST, (text) => readShown(realCore, text));

/** Reads the text of a request by the real core. */
export const reader: Reader = (text) => {
  const shown = shownOf(text);
  return 'kind' in shown ? shown : { kind: 'shown', shown };
};

/** Decodes the text of an answer. */
export const decoder = rememberedByText(MOST, decodeAnswer);

type Asked = Omit<Input, 'flink'>;
type Decided = { readonly known: Asked; readonly values: Map<string, unknown> };

/** By what is shown, of which the same objects are handed out for the same text. */
const decided = rememberedByObject((_job: ObservedJob): Decided[] => []);

/** The real core, which decides once about the same input. */
export const rememberingCore: Core = {
  ...realCore,
  questions: (input) => of(input, 'questions', () => realCore.questions(input)),
  reconcile: (input) => of(input, JSON.stringify(input.flink), () => realCore.reconcile(input)),
};

function of<V>(input: Asked, what: string, compute: () => V): V {
  const { values } = decidedOn(input);
  if (!values.has(what)) values.set(what, compute());
  return values.get(what) as V;
}

function decidedOn(input: Asked): Decided {
  const entries = decided(input.job);
  const found = entries.find(({ known }) => isSame(known, input));
  if (found !== undefined) return found;
  const { job, observed, finalizing, duties, platform, now } = input;
  const made: Decided = {
    known: {
      job,
      observed,
      finalizing,
      now,
      ...(duties === undefined ? {} : { duties }),
      ...(platform === undefined ? {} : { platform }),
    },
    values: new Map(),
  };
  // A poll of a settled job is answered anew at each time.
  if (entries.length >= 64) entries.shift();
  entries.push(made);
  return made;
}

function isSame(one: Asked, other: Asked): boolean {
  return (
    one.now === other.now &&
    one.observed === other.observed &&
    one.finalizing === other.finalizing &&
    one.platform === other.platform &&
    String(one.duties) === String(other.duties)
  );
}
