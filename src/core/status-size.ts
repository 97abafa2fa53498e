import type { Status } from '../api/status.ts';

/** A status is at most so many characters as JSON (api.md, status). */
const MOST_CHARACTERS = 16 * 1024;
/** A line of `leftovers`, in characters: more than the names and directory of an entry come to that the API server accepts. */
export const LONGEST_LEFTOVER = 1000;

/**
 * A status that is not too large, where long paths make it so: without the oldest snapshots of its list, then without the snapshots that
 * the oldest transitions name (the newest is told apart by its own). What a start may begin from is never left out: a status that is
 * too large without the lists is told as it is.
 */
export function fitted(status: Status): Status {
  let excess = JSON.stringify(status).length - MOST_CHARACTERS;
  if (excess <= 0) return status;
  const snapshots = [...(status.snapshots?.history ?? [])];
  while (excess > 0 && snapshots.length > 0) excess -= JSON.stringify(snapshots.pop()).length + 1;
  const history = [...(status.history ?? [])];
  for (let index = history.length - 1; excess > 0 && index > 0; index--) {
    const entry = history[index];
    if (entry?.snapshot === undefined) continue;
    const { snapshot: _path, ...rest } = entry;
    excess -= JSON.stringify(entry).length - JSON.stringify(rest).length;
    history[index] = rest;
  }
  const { history: _, ...others } = status.snapshots ?? {};
  const listed = { ...others, ...(snapshots.length > 0 ? { history: snapshots } : {}) };
  return {
    ...status,
    ...(history.length > 0 ? { history } : {}),
    ...(status.snapshots ? { snapshots: listed } : {}),
  };
}
