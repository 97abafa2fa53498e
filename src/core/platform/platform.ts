import type { FlinkJobSpec, FlinkVersion } from '../../api/flinkjob.ts';
import type { Role } from '../role.ts';

/**
 * What the people who run Flork add to every FlinkJob of theirs. It acts where an epoch is rendered and nowhere else: what runs has its
 * rendered objects in its record (S10), so that a change of the platform reaches a job with its next epoch.
 */
export type Platform = {
  /** From the most general to the most special: a later entry wins over an earlier one. */
  readonly defaults: readonly DefaultsEntry[];
  /** By ascending priority, then by name. */
  readonly decorators: readonly Decorator[];
  /** Namespace of Flork's own pods; absent: flork-system. */
  readonly home?: string;
};

/** A Flork without defaults and decorators. */
export const NO_PLATFORM: Platform = { defaults: [], decorators: [] };

/** The fields of a spec that an entry of the defaults may give. */
export const DEFAULT_FIELDS = [
  'flinkConf',
  'florkConf',
  'jobManagerPodMeta',
  'jobManagerPodSpec',
  'taskManagerPodMeta',
  'taskManagerPodSpec',
  'jobManagerResources',
  'taskManagerResources',
  'additionalConfFiles',
] as const;

/** An entry of defaults.yaml: what FlinkJobs get where they are silent, and which FlinkJobs. */
export type DefaultsEntry = {
  readonly name: string;
  /** Namespaces, each a name or a pattern with `*`; absent: all. */
  readonly namespaces?: readonly string[];
  /** Absent: all. */
  readonly flinkVersions?: readonly FlinkVersion[];
  readonly spec: Pick<FlinkJobSpec, (typeof DEFAULT_FIELDS)[number]>;
};

/** Flat keys and values in Flink's text form, or `{valueFrom: {secretKeyRef or configMapKeyRef: {name, key}}}`. */
export type DecoratedConf = Readonly<Record<string, unknown>>;

/** The FlinkJob that is being rendered. */
export type DecoratedJob = {
  readonly name: string;
  readonly namespace: string;
  readonly tenant?: string;
  readonly flinkVersion: FlinkVersion;
};

/** What a pod decorator is told beside the pod spec. */
export type AboutPod = {
  readonly role: Role;
  readonly podMeta: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly florkConf: Readonly<Record<string, unknown>>;
  readonly job: DecoratedJob;
};

/**
 * A plug-in of the platform. Its functions are pure: they get copies, return the whole new value, and for the same input always the
 * same one. `flinkConf` gets what defaults and user say, before Flork's own; `podSpec` gets the pod spec without what Flork owns.
 */
export type Decorator = {
  readonly name: string;
  readonly priority: number;
  readonly flinkConf?: (
    conf: DecoratedConf,
    florkConf: Readonly<Record<string, unknown>>,
    job: DecoratedJob,
  ) => unknown;
  readonly podSpec?: (podSpec: Readonly<Record<string, unknown>>, about: AboutPod) => unknown;
};
