import type { CheckName } from '../../src/core/profile/checks.ts';
import { OPTIONAL_KINDS } from '../../src/api/optional-children.ts';
import { IMAGE_KEYS } from '../../src/core/flink-version.ts';
import { literal } from './cel.ts';
import { linesOf, pathOf, valueOf } from './flink-conf.ts';
import type { PolicyRule } from './policy.ts';
import { checkOf } from './profile-checks.ts';

/** The ways into a pod and its Services other than pod specs: spec.image, keys of native mode, values from Secrets. */

const ROLES = ['jobmanager', 'taskmanager'] as const;
const ofRoles = (name: string): readonly string[] => ROLES.map((role) => `kubernetes.${role}.${name}`);
const keyOf = (line: string): string => `${line}.split('\\t')[0]`;

/** Parts of a value, as Flink splits it; each `x` of them is looked at. */
type Parts = (value: string) => string;
const whole: Parts = (value) => `[${value}]`;
/** `a;b` */
const items: Parts = (value) => `${value}.split(';').map(t, t.trim()).filter(t, t != '')`;
/** The keys of `k:v,k2:v2` */
const keys: Parts = (value) => `${value}.split(',').map(t, t.split(':')[0].trim()).filter(t, t != '')`;
/** One field of `k:v,k2:v2;k:v` */
const column =
  (name: string): Parts =>
  (value) =>
    `${value}.split(';').map(t, t.split(',').map(s, s.trim()).filter(s, s.startsWith('${name}:')).map(s, s.substring(${name.length + 1}).trim()).join('')).filter(t, t != '')`;

function rule(id: string, names: readonly string[], check: CheckName, parts: Parts): PolicyRule {
  const { passes, want } = checkOf(check);
  const found = `${linesOf(...names)}.filter(l, !${parts(valueOf('l'))}.all(v, ${passes('v')})).map(l, ${pathOf(keyOf('l'))} + 'is not allowed')`;
  return { id, found, want };
}

const QUOTABLE = [
  'kubernetes.container.image.pull-secrets',
  'kubernetes.secrets',
  'kubernetes.env.secretKeyRef',
  ...['labels', 'annotations', 'node-selector', 'tolerations'].flatMap(ofRoles),
  'kubernetes.rest-service.annotations',
  'kubernetes.rest-service.labels',
];
const SECRET_REFERENCE = '[.]valueFrom[.]secretKeyRef[.]name$';
const image = checkOf('image');
const secret = checkOf('secret');
const serviceType = checkOf('serviceType');
const EXPOSED = 'kubernetes.rest-service.exposed.type';

const optionalChild = checkOf('optionalChild');
const optional = OPTIONAL_KINDS.map(
  ({ field }) =>
    `(has(object.spec.${field}) && !${optionalChild.passes(literal(field))} ? ['spec.${field}: is not allowed'] : [])`,
).join(' + ');

export const NATIVE_RULES: readonly PolicyRule[] = [
  { id: 'optional-children', found: optional, want: optionalChild.want },
  {
    id: 'image',
    found: `(has(object.spec.image) && !${image.passes('object.spec.image')} ? ['spec.image: is not allowed'] : [])`,
    want: image.want,
  },
  rule('native-image', IMAGE_KEYS, 'image', whole),
  rule(
    'native-service-account',
    ['kubernetes.service-account', ...ofRoles('service-account')],
    'serviceAccount',
    whole,
  ),
  rule('native-pull-secrets', ['kubernetes.container.image.pull-secrets'], 'secret', items),
  rule('native-secrets', ['kubernetes.secrets'], 'secret', keys),
  rule('native-secret-env', ['kubernetes.env.secretKeyRef'], 'secret', column('secret')),
  rule('native-node-selector', ofRoles('node-selector'), 'nodeLabel', keys),
  rule('native-labels', [...ofRoles('labels'), 'kubernetes.rest-service.labels'], 'metadataKey', keys),
  rule('native-annotations', [...ofRoles('annotations'), 'kubernetes.rest-service.annotations'], 'metadataKey', keys),
  {
    id: 'native-tolerations',
    found: `${linesOf(...ofRoles('tolerations'))}.filter(l, !${items(valueOf('l'))}.all(v, ${column('key')('v')}.size() == 1 && ${checkOf('tolerationKey').passes(`${column('key')('v')}[0]`)})).map(l, ${pathOf(keyOf('l'))} + 'is not allowed')`,
    want: checkOf('tolerationKey').want,
  },
  {
    id: 'native-host-network',
    found: `${linesOf('kubernetes.hostnetwork.enabled')}.filter(l, ${valueOf('l')}.lowerAscii() == 'true').map(l, ${pathOf(keyOf('l'))} + 'is true')`,
    want: checkOf('no').want,
  },
  {
    id: 'native-exposed',
    found: `${linesOf(EXPOSED)}.filter(l, ${valueOf('l')} in ['NodePort', 'LoadBalancer'] && !${serviceType.passes(valueOf('l'))}).map(l, ${pathOf(keyOf('l'))} + 'is not allowed')`,
    want: serviceType.want,
  },
  {
    // Inside quotes a separator is none: nobody needs them here, and an allowed name must not hide another one.
    id: 'native-quotes',
    found: `${linesOf(...QUOTABLE)}.filter(l, l.matches(${literal(`["']`)})).map(l, ${pathOf(keyOf('l'))} + 'has quotes')`,
    want: 'a value without quotes under a tenant profile',
  },
  {
    id: 'secret-value',
    found: `variables.lines.filter(l, ${keyOf('l')}.matches('${SECRET_REFERENCE}') && ![${valueOf('l')}].all(v, ${secret.passes('v')})).map(l, ${pathOf(keyOf('l'))} + 'is not allowed')`,
    want: secret.want,
  },
];
