import type { Parent, SyncRequest } from '../api/hook.ts';
import type { Observed } from '../api/kube.ts';
import type { DutyKind, DutyResult } from '../core/duty.ts';
import type { CommandResult, Questions } from '../core/flink-view.ts';
import type { Platform } from '../core/platform/platform.ts';
import type { TenantProfile } from '../core/profile/profile.ts';
import type { JobRef } from '../core/record.ts';
import type { Finding, Input, ObservedJob, Outcome } from '../core/types.ts';
import type { Execute } from '../flink/execute.ts';
import type { Observe } from '../flink/observe.ts';
import type { Transport } from '../flink/transport.ts';
import type { Perform } from '../kube/perform.ts';
import type { ReadPods } from '../kube/pods.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Authenticate } from './authenticate.ts';
import type { Views } from './older-view.ts';
import type { Reader } from './reader.ts';
import type { Slots } from './slots.ts';

/** Bounds and allow-list of the HTTP service. */
export type HookConfig = {
  /** Namespaces whose FlinkJobs are answered. */
  readonly namespaces: '*' | readonly string[];
  /** Only FlinkJobs with this `flork.itom.com/tenant` label are answered. */
  readonly tenant?: string;
  readonly maxBodyBytes: number;
  readonly maxInFlight: number;
  /** All of one sync, commands and duties included: with what the answer itself takes, below the 6 s that hold Metacontroller at most. */
  readonly syncBudgetMs: number;
  /** All Flink questions of one sync; the rest is for commands and duties. */
  readonly flinkBudgetMs: number;
  /** Reading the pods, where Flork does; Flink has so much less then. */
  readonly podsBudgetMs: number;
};

/** The values the shipped manifests use. */
export const DEFAULT_CONFIG: HookConfig = {
  namespaces: '*',
  maxBodyBytes: 16 * 1024 * 1024,
  maxInFlight: 64,
  syncBudgetMs: 5600,
  flinkBudgetMs: 5000,
  podsBudgetMs: 1900,
};

/** The pure functions that the service calls. */
export type Core = {
  readonly readJob: (parent: Parent) => ObservedJob;
  readonly readObserved: (children: SyncRequest['children'], related: SyncRequest['related'], ref: JobRef) => Observed;
  readonly questions: (input: Omit<Input, 'flink'>) => Questions;
  readonly reconcile: (input: Input) => Outcome;
  readonly acknowledge: (
    outcome: Outcome,
    results: readonly CommandResult[],
    duties?: readonly DutyResult[],
  ) => Outcome;
  readonly validateSpec: (
    raw: unknown,
    meta: Parent['metadata'],
  ) => { readonly kind: 'valid' } | { readonly kind: 'invalid'; readonly findings: readonly Finding[] };
};

/** Duties that are switched on, and what carries them out. */
export type Duties = { readonly kinds: readonly DutyKind[]; readonly perform: Perform };

/** What the service is made of; all but the first three have a default. */
export type AppDeps = {
  readonly transport: Transport;
  readonly now: () => number;
  readonly config?: Partial<HookConfig>;
  readonly log?: Log;
  readonly metrics?: Metrics;
  /** Who may call the hooks of Metacontroller; default: whoever the network lets through. */
  readonly authenticate?: Authenticate;
  /** The duties that need the API server, where this Flork has been given any. */
  readonly duties?: Duties;
  /** Reads the pods of a FlinkJob (docs/adr/0061); default: Metacontroller shows them. */
  readonly readPods?: ReadPods;
  /** Defaults and decorators of those who run Flork; default: none. */
  readonly platform?: Platform;
  /** What pods may hold (kustomize/components/tenant-profile), as it is now; default: whatever the API server takes. */
  readonly profile?: () => TenantProfile | undefined;
  /** What reads requests; default: by the core, with memory of the last text of each FlinkJob. */
  readonly reader?: Reader;
  /** What refuses a view that is older than one before; default: the memory of this process. */
  readonly views?: Views;
  /** Whether the process is about to end: /readyz fails and connections are not kept. */
  readonly draining?: () => boolean;
} & Partial<Core>;

/** The same, complete. */
export type Shell = {
  readonly core: Core;
  readonly reader: Reader;
  readonly config: HookConfig;
  readonly now: () => number;
  readonly observe: Observe;
  readonly execute: Execute;
  readonly duties: Duties;
  /** Absent: Metacontroller shows the pods. */
  readonly readPods: ReadPods | undefined;
  readonly platform: Platform;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly authenticate: Authenticate;
  readonly draining: () => boolean;
  /** Requests being answered, by kind of caller: slow syncs must not keep the API server's admission waiting. */
  readonly slots: { readonly hooks: Slots; readonly admission: Slots };
  /** Uids of the FlinkJobs being answered: a retry after a time-out must not overlap the first call. */
  readonly busy: Set<string>;
  readonly views: Views;
};
