import * as v from 'valibot';
import { FlinkJobSpec } from '../api/flinkjob.ts';
import { Status } from '../api/status.ts';
import type { Admitted } from './models/api-server.ts';
import type { KubeObject } from './models/objects.ts';

/** What the CRD does to a FlinkJob: its schema refuses wrong types and prunes fields it does not know. */
export function admitFlinkJob(object: KubeObject): Admitted {
  const spec = admit(FlinkJobSpec, object['spec'] ?? {});
  if ('kind' in spec) return spec;
  const given = object['status'];
  if (given === undefined) return { kind: 'store', object: { ...object, spec: spec.output } };
  const status = admit(StoredStatus, given);
  if ('kind' in status) return status;
  return { kind: 'store', object: { ...object, spec: spec.output, status: status.output } };
}

/** What was admitted before, and is never changed: a write of the status brings the spec along as it is, and the other way round. */
const admitted = new WeakSet();

function admit(schema: Schema, given: unknown): { readonly output: object } | Refused {
  if (typeof given === 'object' && given !== null && admitted.has(given)) return { output: given };
  const parsed = v.safeParse(schema, given);
  if (!parsed.success) return refuse(parsed.issues);
  admitted.add(parsed.output);
  return { output: parsed.output };
}

type Refused = Extract<Admitted, { readonly kind: 'refuse' }>;
type Schema = v.GenericSchema<unknown, object>;

/** The CRD requires no field of the status: Metacontroller may write `{observedGeneration}` alone. */
const StoredStatus = v.partial(Status);

function refuse(issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): Refused {
  const path = v.getDotPath(issues[0]) ?? '';
  return { kind: 'refuse', code: 422, message: `FlinkJob is invalid: ${path}: ${issues[0].message}` };
}
