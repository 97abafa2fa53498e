import { GROUP, VERSION } from '../../src/api/flinkjob.ts';

/**
 * A rule of a policy: what is wrong, each as a text `path: what is` (CEL giving a list of texts), and what is wanted in its place;
 * without `want` the texts say that themselves.
 */
export type PolicyRule = { readonly id: string; readonly found: string; readonly want?: string };
export type Variable = { readonly name: string; readonly expression: string };

/** What a policy looks at. */
export type Scope = {
  readonly name: string;
  readonly objectSelector?: Manifest;
  readonly resource: { readonly group: string; readonly version: string; readonly plural: string };
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
};

type Manifest = Readonly<Record<string, unknown>>;
const API = { apiVersion: 'admissionregistration.k8s.io/v1' };

/** Only a spec that is new is judged: finalizers and status have to change whatever a later rule says of an older object. */
export const NEW_FLINKJOB: Pick<Scope, 'resource' | 'matchConditions'> = {
  resource: { group: GROUP, version: VERSION, plural: 'flinkjobs' },
  matchConditions: [
    { name: 'the-spec-is-new', expression: 'oldObject == null || object.?spec != oldObject.?spec' },
    { name: 'it-is-not-being-deleted', expression: '!has(object.metadata.deletionTimestamp)' },
  ],
};

/** A ValidatingAdmissionPolicy that refuses with the first thing that each rule finds. */
export function policy(scope: Scope, variables: readonly Variable[], rules: readonly PolicyRule[]): Manifest {
  const { group, version, plural } = scope.resource;
  return {
    ...API,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: scope.name, labels: { 'app.kubernetes.io/name': 'flork' } },
    spec: {
      failurePolicy: scope.failurePolicy,
      matchConstraints: {
        matchPolicy: 'Equivalent',
        ...(scope.objectSelector !== undefined && { objectSelector: scope.objectSelector }),
        resourceRules: [
          { apiGroups: [group], apiVersions: [version], resources: [plural], operations: ['CREATE', 'UPDATE'] },
        ],
      },
      matchConditions: scope.matchConditions,
      variables: [...variables, ...rules.map(({ id, found }) => ({ name: nameOf(id), expression: found }))],
      validations: rules.map(({ id, want }) => ({
        expression: `variables.${nameOf(id)}.size() == 0`,
        messageExpression: `variables.${nameOf(id)}[0] + ${JSON.stringify(`${want === undefined ? '' : `; want ${want}`} (${id})`)}`,
        reason: 'Invalid',
      })),
    },
  };
}

/** Its binding: refused, for every namespace. */
export function binding(name: string): Manifest {
  return {
    ...API,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name, labels: { 'app.kubernetes.io/name': 'flork' } },
    spec: { policyName: name, validationActions: ['Deny'] },
  };
}

function nameOf(id: string): string {
  return id.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
