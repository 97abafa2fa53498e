import { names } from '../build/names.ts';
import type { Facts } from '../facts/facts.ts';
import type { Questions } from '../flink-view.ts';

/** The only address that is ever called: the REST Service named after the FlinkJob, in its namespace. */
export function restService(facts: Pick<Facts, 'input' | 'record'>): Extract<Questions, { kind: 'ask' }>['service'] {
  const { ref } = facts.input.job;
  const rest = facts.record?.rest ?? { scheme: 'http' as const, port: 8081 };
  return { name: names(ref).restService, namespace: ref.namespace, port: rest.port, scheme: rest.scheme };
}
