import type { FlinkJobSpec } from '../../api/flinkjob.ts';
import { effectiveSpec } from '../platform/effective.ts';
import { NO_PLATFORM, type Platform } from '../platform/platform.ts';
import type { EpochRecord, JobRef } from '../record.ts';
import { configurationConfigMap } from './configuration.ts';
import { contextOf, isOn, type Conf, type Context } from './context.ts';
import { PORTS } from './features/addresses.ts';
import { checkpointIntervalOf, retainedCheckpointsOf, savepointDirectoryOf } from './features/checkpoints.ts';
import { FEATURES } from './features/list.ts';
import { taskManagerReplicasOf } from './features/parallelism.ts';
import { effectiveConf } from './flink-conf.ts';
import { jobManager } from './jobmanager.ts';
import { internalService, restService } from './services.ts';
import { taskManager } from './taskmanager.ts';

/** What an epoch is made from. */
export type EpochInput = {
  readonly ref: JobRef;
  readonly number: number;
  readonly generation: number;
  /** A valid spec. */
  readonly spec: FlinkJobSpec;
  readonly restoredFrom?: string | undefined;
  readonly handled: EpochRecord['handled'];
  readonly platform?: Platform | undefined;
};

/**
 * Renders an epoch: everything that runs it, and all that a later Flork must know of it. The record has the spec as the user wrote it,
 * its children also what the platform makes of it. Throws `DecoratorFailure` where a decorator does not do its part.
 */
export function renderEpoch(input: EpochInput): EpochRecord {
  const { ref, number, generation, spec, restoredFrom, handled, platform = NO_PLATFORM } = input;
  const effective = effectiveSpec(platform, ref, spec);
  const context = contextOf(ref, number, effective, platform.decorators);
  const conf = effectiveConf(context, FEATURES);
  const savepointDirectory = savepointDirectoryOf(context, conf);
  const checkpointIntervalMs = checkpointIntervalOf(conf);
  return {
    version: 1,
    uid: ref.uid,
    number,
    generation,
    spec,
    ...(restoredFrom === undefined ? {} : { restoredFrom }),
    allowNonRestoredState: spec.restore?.allowNonRestoredState === true,
    highAvailability: context.highAvailability !== 'none',
    handled,
    rest: { scheme: schemeOf(context, conf), port: PORTS.rest },
    ...(savepointDirectory === undefined ? {} : { savepointDirectory }),
    ...(checkpointIntervalMs === undefined ? {} : { checkpointIntervalMs }),
    retainedCheckpoints: retainedCheckpointsOf(context, conf),
    replicas: { jobManager: spec.jobManagerReplicas ?? 1, taskManager: taskManagerReplicasOf(context) },
    children: {
      configuration: configurationConfigMap(context, conf),
      services: [internalService(context), restService(context)],
      jobManager: jobManager(context, conf),
      taskManager: taskManager(context, conf),
    },
  };
}

/** `security.ssl.enabled` is the spelling before 2.0 for both kinds of TLS. */
function schemeOf({ version }: Context, conf: Conf): 'http' | 'https' {
  const before2 = version.startsWith('1.') ? conf['security.ssl.enabled'] : undefined;
  return isOn(conf['security.ssl.rest.enabled'] ?? before2) ? 'https' : 'http';
}
