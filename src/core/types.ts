import type { Child, Observed } from '../api/kube.ts';
import type { FlinkJobSpec } from '../api/flinkjob.ts';
import type { Status, StrangeOperation } from '../api/status.ts';
import type { Duty, DutyKind } from './duty.ts';
import type { FlinkCommand, FlinkView } from './flink-view.ts';
import type { Platform } from './platform/platform.ts';
import type { JobRef } from './record.ts';

/** A validation finding: what is, at which path, and what is wanted. `rule` is its stable id. */
export type Finding = { readonly rule: string; readonly path: string; readonly is: string; readonly want: string };

/** The FlinkJob as Metacontroller showed it. `spec.kind` is `invalid` when the rules of src/core/validate refuse it. */
export type ObservedJob = {
  readonly ref: JobRef;
  readonly generation: number;
  readonly deletionTimestamp: string | undefined;
  readonly finalizers: readonly string[];
  readonly paused: boolean;
  readonly spec:
    | { readonly kind: 'valid'; readonly spec: FlinkJobSpec }
    | { readonly kind: 'invalid'; readonly findings: readonly Finding[] };
  /** The prior status; `undefined` when there is none or it was wiped. */
  readonly status: Partial<Status> | undefined;
  /** The intent in that status where another version has written it and this one cannot read it. */
  readonly strange?: StrangeOperation;
};

/** Everything one decision depends on. `now` is epoch milliseconds. */
export type Input = {
  readonly job: ObservedJob;
  readonly observed: Observed;
  readonly finalizing: boolean;
  readonly flink: FlinkView;
  /** Duties that this Flork has been given; none when absent. */
  readonly duties?: readonly DutyKind[];
  /** What the platform adds to a FlinkJob; nothing when absent. */
  readonly platform?: Platform;
  readonly now: number;
};

/** The decision: Metacontroller's answer and the commands to Flink that come before it. */
export type Outcome = {
  readonly children: readonly Child[];
  readonly status: Status;
  readonly commands: readonly FlinkCommand[];
  /** What the API server is asked for after them; nothing of the answer waits for it but the status of the duty itself. */
  readonly duties: readonly Duty[];
  /** 0: no timer. */
  readonly resyncAfterSeconds: number;
  readonly finalized: boolean;
  /** The view contradicts itself: nothing is answered (429), and it is to be shown again after so many seconds. */
  readonly retryAfterSeconds?: number;
  /** Name of the rule that answered, for logs, metrics and the simulator's coverage report. */
  readonly rule: string;
  /** The time of the decision, as written into status (RFC 3339). */
  readonly at: string;
};
