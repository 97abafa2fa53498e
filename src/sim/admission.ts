import * as v from 'valibot';
import { FlinkJobSpec } from '../api/flinkjob.ts';
import { Status } from '../api/status.ts';
import type { Admitted } from './models/api-server.ts';
import type { KubeObject } from './models/objects.ts';

/** What the CRD does to a FlinkJob: its schema refuses wrong types and prunes fields it does not know. */
export function admitFlinkJob(object: KubeObject): Admitted {
  const spec = v.safeParse(FlinkJobSpec, object['spec'] ?? {});
  if (!spec.success) return refuse(spec.issues);
  const given = object['status'];
  if (given === undefined) return { kind: 'store', object: { ...object, spec: spec.output } };
  const status = v.safeParse(StoredStatus, given);
  if (!status.success) return refuse(status.issues);
  return { kind: 'store', object: { ...object, spec: spec.output, status: status.output } };
}

/** The CRD requires no field of the status: Metacontroller may write `{observedGeneration}` alone. */
const StoredStatus = v.partial(Status);

function refuse(issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): Admitted {
  const path = v.getDotPath(issues[0]) ?? '';
  return { kind: 'refuse', code: 422, message: `FlinkJob is invalid: ${path}: ${issues[0].message}` };
}
