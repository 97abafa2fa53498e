import type { Reason } from '../../api/reasons.ts';
import type { State } from '../../api/status.ts';
import type { Answer, Say } from '../answer.ts';

/** Something is under way and will go on by itself. */
export function progress(state: State, reason: Reason, message: string): Say {
  return { state, reason, message, as: 'progress' };
}

/** What was asked for is so. */
export function ready(state: State, reason: Reason, message: string): Say {
  return { state, reason, message, as: 'ready' };
}

/** A person is needed. */
export function stalled(state: State, reason: Reason, message: string): Say {
  return { state, reason, message, as: 'stalled' };
}

/** The line of history that a job which may have got further goes back to what is on record. */
export function toldRewound({ path }: { readonly path?: string | undefined }): Pick<Answer, 'transition'> {
  return { transition: { reason: 'Rewound', ...(path === undefined ? {} : { snapshot: path }) } };
}
