/** A bound on requests being answered at the same time. */
export type Slots = { readonly enter: () => boolean; readonly leave: () => void; readonly taken: () => number };

/** `enter` answers false when all are taken. */
export function createSlots(limit: number): Slots {
  let taken = 0;
  return {
    enter: () => {
      if (taken >= limit) return false;
      taken++;
      return true;
    },
    leave: () => {
      taken--;
    },
    taken: () => taken,
  };
}
