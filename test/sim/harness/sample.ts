import type { KubeObject } from '../../../src/sim/models/objects.ts';
import { NAMESPACE } from '../../../src/sim/world.ts';

/** The spec that the simulated histories begin with: a stateful job that checkpoints every 10 s and may take savepoints. */
export type Spec = Readonly<Record<string, unknown>>;

export const SPEC: Spec = {
  flinkVersion: '1.20',
  image: 'flink:1.20.4',
  jarURI: 'local:///opt/flink/usrlib/counter.jar',
  jobClassName: 'demo.Counter',
  parallelism: 1,
  flinkConf: {
    'execution.checkpointing.interval': '10s',
    'state.checkpoints.dir': 'file:///data/checkpoints',
  },
  policies: { savepoint: { directory: 'file:///data/savepoints' } },
};

export const NAME = 'orders';

export function flinkJob(spec: Spec = SPEC, name: string = NAME): KubeObject {
  return { apiVersion: 'flork.itom.com/v1', kind: 'FlinkJob', metadata: { name, namespace: NAMESPACE }, spec };
}

/** The spec with another configuration value: an upgrade. */
export function reconfigured(spec: Spec, value: string): Spec {
  return { ...spec, flinkConf: { ...(spec['flinkConf'] as object), 'pipeline.max-parallelism': value } };
}

export function suspended(spec: Spec): Spec {
  return { ...spec, state: 'suspended' };
}

export function stateless(spec: Spec): Spec {
  return { ...spec, policies: { ...(spec['policies'] as object), upgrade: { mode: 'stateless' } } };
}

/** The spec with a scale that its number of TaskManagers says, and the adaptive scheduler. */
export function adaptive(spec: Spec, taskManagerReplicas: number): Spec {
  const { parallelism: _, ...unscaled } = spec;
  const flinkConf = { ...(spec['flinkConf'] as object), 'jobmanager.scheduler': 'adaptive' };
  return { ...unscaled, taskManagerReplicas, flinkConf };
}

/** The spec with Flink's own high availability, and so many JobManagers. */
export function highlyAvailable(spec: Spec, jobManagerReplicas = 1): Spec {
  const conf = {
    ...(spec['flinkConf'] as object),
    'high-availability.type': 'kubernetes',
    'high-availability.storageDir': 'file:///data/ha',
  };
  return { ...spec, flinkConf: conf, ...(jobManagerReplicas === 1 ? {} : { jobManagerReplicas }) };
}

/** The spec with more policies; those of the same name are replaced. */
export function withPolicies(spec: Spec, more: Readonly<Record<string, unknown>>): Spec {
  return { ...spec, policies: { ...(spec['policies'] as object | undefined), ...more } };
}
