import { CHECKS, type CheckName } from '../../src/core/profile/checks.ts';
import { variableOf, type ListName } from '../../src/core/profile/profile.ts';

/** The checks of src/core/profile/checks.ts in CEL: whether the value that an expression gives is allowed. */

/** A list of the profile; `flork profile` gives the variable another value. */
export const listOfProfile = (list: ListName): string => `variables.${variableOf(list)}`;

const has = (list: ListName, fits: string): string => `${listOfProfile(list)}.exists(x, x == '*' || ${fits})`;
const listed = (list: ListName) => (value: string) => has(list, `x == ${value}`);

/** With the registry and folder that Docker fills in. */
const fullName = (image: string): string =>
  `(!${image}.contains('/') ? 'docker.io/library/' + ${image} : ${image}.split('/')[0].matches('[.:]|^localhost$') ? ${image} : 'docker.io/' + ${image})`;
const whole = "(x.endsWith('/') ? x.substring(0, x.size() - 1) : x)";

const IN_CEL: Readonly<Record<CheckName, (value: string) => string>> = {
  serviceAccount: listed('serviceAccounts'),
  priorityClass: listed('priorityClasses'),
  runtimeClass: listed('runtimeClasses'),
  tokenAudience: listed('tokenAudiences'),
  nodeLabel: listed('nodeLabels'),
  tolerationKey: listed('tolerationKeys'),
  serviceType: listed('serviceTypes'),
  optionalChild: listed('optionalChildren'),
  secret: (value) => has('secretPrefixes', `${value}.startsWith(x)`),
  image: (value) =>
    has(
      'imageRegistries',
      `[${fullName(value)}].exists(n, n == ${whole} || ['/', ':', '@'].exists(e, n.startsWith(${whole} + e)))`,
    ),
  metadataKey: (value) => `(!${value}.contains('/') || ${has('metadataPrefixes', `${value}.startsWith(x + '/')`)})`,
  no: (value) => `${value} == false`,
  yes: (value) => `${value} == true`,
  noPort: (value) => `${value} == 0`,
  notRoot: (value) => `${value} >= 1`,
  runtimeDefault: (value) => `${value} == 'RuntimeDefault'`,
  defaultProcMount: (value) => `${value} == 'Default'`,
  noPropagation: (value) => `${value} == 'None'`,
  defaultScheduler: (value) => `${value} == 'default-scheduler'`,
  capability: (value) => `${value} == 'NET_BIND_SERVICE'`,
  dropsAll: (value) => `'ALL' in ${value}`,
  subPath: (value) => `(${value}.matches('^[^/]') && !${value}.matches('(^|/)[.][.](/|$)'))`,
};

/** Whether a value passes a check, and what is wanted where it does not. */
export function checkOf(name: CheckName): { readonly passes: (value: string) => string; readonly want: string } {
  return { passes: IN_CEL[name], want: CHECKS[name].want };
}
