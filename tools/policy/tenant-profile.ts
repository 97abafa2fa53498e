import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { METADATA, POD, SERVICE_TYPE, type Node } from '../../src/core/profile/allowed.ts';
import { readProfile, variableOf, type ListName, type TenantProfile } from '../../src/core/profile/profile.ts';
import { flattened, map } from './cel.ts';
import { CONF_VARIABLES } from './flink-conf.ts';
import { binding, NEW_FLINKJOB, policy, type PolicyRule, type Scope, type Variable } from './policy.ts';
import { NATIVE_RULES } from './profile-native.ts';
import { found } from './profile-walk.ts';

/** The profile as it is shipped; not the ConfigMap as a parameter of the policies, which a policy that comes a second time does not see. */
const FILE = new URL('../../kustomize/components/tenant-profile/profile.yaml', import.meta.url);

/** Labels and annotations that Flork itself gives. */
const OWN = '^(flork[.]itom[.]com|app[.]kubernetes[.]io)/';
const LIST_VARIABLES: readonly Variable[] = Object.entries(shippedProfile()).map(([list, items]) => ({
  name: variableOf(list as ListName),
  expression: JSON.stringify(items),
}));
/** Of each field of a pod a rule of its own: all of them in one expression would cost more than one may. */
const REQUIRED = ['containers', 'securityContext'];

type Root = { readonly pods: string; readonly metadata: string; readonly isFinal: boolean };

function rulesOf({ pods, metadata, isFinal }: Root): readonly PolicyRule[] {
  const of = (list: string, expression: string): string => flattened(`${list}.map(p, ${expression})`);
  const fields = Object.fromEntries(Object.keys(POD).map((name): [string, Node] => [name, 'any']));
  const shape: Node = { kind: 'fields', fields, required: REQUIRED };
  const each = Object.entries(POD).filter(([, node]) => node !== 'any');
  return [
    { id: 'pod-fields', found: of(pods, found(shape, 'p.of', 'p.path', isFinal)) },
    ...each.map(([name, node]): PolicyRule => {
      const inner = found(node, `p.of.${name}`, `p.path + '.${name}'`, isFinal);
      return { id: `pod-${name}`, found: of(`${pods}.filter(p, has(p.of.${name}))`, inner) };
    }),
    ...metadataRules(metadata, 'pod'),
  ];
}

function metadataRules(list: string, prefix: string): readonly PolicyRule[] {
  return Object.entries(METADATA).map(([kind, node]): PolicyRule => {
    const foreign = `p.of.?${kind}.orValue({}).map(k, k).filter(k, !k.matches('${OWN}'))`;
    return {
      id: `${prefix}-${kind}`,
      found: flattened(`${list}.map(p, ${found(node, foreign, `p.path + '.${kind}'`, false)})`),
    };
  });
}

const root = (path: string, of: string): string => `{'path': dyn('${path}'), 'of': dyn(${of})}`;
const roles = ['jobManager', 'taskManager'];
const given = (kind: string): string =>
  roles
    .map(
      (role) =>
        `(has(object.spec.${role}${kind}) ? [${root(`spec.${role}${kind}`, `object.spec.${role}${kind}`)}] : [])`,
    )
    .join(' + ');

/** Children that are Flork's, whenever what is looked at changes: what runs is left alone, whatever the profile says by now. */
function ofChildren(name: string, group: string, plural: string, changed: string): Scope {
  return {
    name: `flork-tenant-profile-${name}`,
    resource: { group, version: 'v1', plural },
    objectSelector: { matchExpressions: [{ key: 'flork.itom.com/job', operator: 'Exists' }] },
    failurePolicy: 'Fail',
    matchConditions: [{ name: 'it-is-new', expression: `oldObject == null || ${changed}` }],
  };
}

const FLINKJOBS: Scope = { ...NEW_FLINKJOB, name: 'flork-tenant-profile', failurePolicy: 'Fail' };
const DEPLOYMENTS = ofChildren('deployments', 'apps', 'deployments', 'object.spec.template != oldObject.spec.template');
const SERVICES = ofChildren(
  'services',
  '',
  'services',
  'object.spec.type != oldObject.spec.type || object.metadata.?annotations != oldObject.metadata.?annotations',
);

/** The policies of component tenant-profile: on FlinkJobs, and on the children that come of them. */
export function tenantProfile(): readonly object[] {
  const wrap = (scope: Scope, variables: readonly Variable[], rules: readonly PolicyRule[]): readonly object[] => [
    policy(scope, [...LIST_VARIABLES, ...variables], rules),
    binding(scope.name),
  ];
  return [
    ...wrap(
      FLINKJOBS,
      [
        ...CONF_VARIABLES,
        { name: 'pods', expression: given('PodSpec') },
        { name: 'metadata', expression: given('PodMeta') },
      ],
      [...rulesOf({ pods: 'variables.pods', metadata: 'variables.metadata', isFinal: false }), ...NATIVE_RULES],
    ),
    ...wrap(
      DEPLOYMENTS,
      [
        { name: 'pods', expression: `[${root('spec.template.spec', 'object.spec.template.spec')}]` },
        {
          name: 'metadata',
          expression: `[${root('spec.template.metadata', map('object.spec.template', 'metadata'))}]`,
        },
      ],
      rulesOf({ pods: 'variables.pods', metadata: 'variables.metadata', isFinal: true }),
    ),
    ...wrap(
      SERVICES,
      [{ name: 'metadata', expression: `[${root('metadata', 'object.metadata')}]` }],
      [
        { id: 'service-type', found: found(SERVICE_TYPE, 'object.spec.type', "'spec.type'", true) },
        ...metadataRules('variables.metadata', 'service'),
      ],
    ),
  ];
}

function shippedProfile(): TenantProfile {
  const { data } = parse(readFileSync(FILE, 'utf8')) as { readonly data: Readonly<Record<string, string>> };
  const read = readProfile(new Map(Object.entries(data)));
  if (read.kind === 'wrong') throw new Error(read.line);
  return read.profile;
}
