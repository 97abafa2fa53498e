import type { Role } from '../role.ts';
import type { Conf, Context } from './context.ts';

/** A layer of a pod template; merged strategically (src/core/merge.ts). */
export type PodLayer = {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
};

/**
 * One thing that rendering cares for. Precedence, for configuration and pods alike:
 * features in their listed order < the user < what features own.
 */
export type Feature = {
  readonly name: string;
  /** Configuration where the user is silent. */
  readonly conf?: (context: Context) => Conf;
  /** Configuration that must be so. */
  readonly ownedConf?: (context: Context) => Conf;
  /** What the pods of a role get where the user is silent. `conf` is the whole effective configuration. */
  readonly pod?: (context: Context, role: Role, conf: Conf) => PodLayer;
  /** What the pods of a role must have. */
  readonly ownedPod?: (context: Context, role: Role, conf: Conf) => PodLayer;
  /** Options of the process (`-D key=value`), before all others. */
  readonly options?: (context: Context, role: Role) => readonly string[];
};
