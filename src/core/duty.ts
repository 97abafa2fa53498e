/**
 * Duties: what only the API server can do, and Flork only where a platform team has given it the right (kustomize/components/duty-*).
 * The core names them, src/kube carries them out. Each rests on something observed, repeating it changes nothing, and nothing but
 * a deletion waits for one.
 */
export const DUTIES = ['clean-high-availability', 'delete-self', 'events'] as const;
export type DutyKind = (typeof DUTIES)[number];

export type Duty =
  | {
      readonly kind: 'clean-high-availability';
      readonly namespace: string;
      /** Name of the FlinkJob. */
      readonly job: string;
      readonly uid: string;
      /** Epochs that are over. */
      readonly epochs: readonly number[];
      /** Exact names, each with a hash of this FlinkJob's uid in it. */
      readonly configMaps: readonly string[];
    }
  | {
      readonly kind: 'delete-self';
      readonly namespace: string;
      readonly job: string;
      /** Precondition: another FlinkJob of that name is left alone. */
      readonly uid: string;
    }
  | {
      readonly kind: 'events';
      readonly namespace: string;
      readonly job: string;
      readonly uid: string;
      /** Name of the Event: a hash of what it says, so that it is there once. */
      readonly name: string;
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
      /** RFC 3339. */
      readonly at: string;
    };

/** How a duty ended: `refused` and `not-allowed` (403) are definite, `unknown` is asked for again. */
export type DutyResult = {
  readonly duty: Duty;
  readonly kind: 'done' | 'refused' | 'not-allowed' | 'unknown';
  /** One line for people; empty when done. */
  readonly text: string;
};
