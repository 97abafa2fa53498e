import { GROUP, VERSION } from '../../api/flinkjob.ts';
import { TENANT } from '../../core/observe-job.ts';
import type { Manifest } from './manifests.ts';

const NAME = 'flork-tenant';
const labelOf = (object: string): string => `${object}.metadata.?labels[?'${TENANT}']`;

/**
 * Ties the tenant of a FlinkJob to the label of its namespace, which only an administrator may set: otherwise users would pick the
 * Metacontroller, and so the rights, that act for them. A job whose label does not change may be written, whatever its namespace
 * says by now: its former controller still has to take its finalizer off.
 */
export function tenantPolicy(): readonly Manifest[] {
  const api = { apiVersion: 'admissionregistration.k8s.io/v1' };
  return [
    {
      ...api,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: NAME },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [GROUP], apiVersions: [VERSION], operations: ['CREATE', 'UPDATE'], resources: ['flinkjobs'] },
          ],
        },
        validations: [
          {
            expression: [
              `(oldObject != null && ${labelOf('object')} == ${labelOf('oldObject')})`,
              `${labelOf('object')}.hasValue() && ${labelOf('object')} == ${labelOf('namespaceObject')}`,
            ].join(' || '),
            messageExpression: `"metadata.labels[${TENANT}]: is " + ${labelOf('object')}.orValue("absent") + "; want the tenant of the namespace: " + ${labelOf('namespaceObject')}.orValue("none, its administrator has to label it")`,
            reason: 'Forbidden',
          },
        ],
      },
    },
    {
      ...api,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: NAME },
      spec: { policyName: NAME, validationActions: ['Deny'] },
    },
  ];
}
