import { IMAGE_KEYS } from '../../src/core/flink-version.ts';
import { FLINK_VERSIONS } from '../../src/api/flinkjob.ts';
import { MAIN_CONTAINER } from '../../src/core/role.ts';
import { list, literal, map, placed } from './cel.ts';
import { isSet, linesOf, pathOf, SAVEPOINT_KEYS, valueOf } from './flink-conf.ts';
import type { PolicyRule, Variable } from './policy.ts';

/** Rules over lists of pod specs, whose cost the CRD's CEL would not allow, and rules that compare fields with flinkConf. */

const FIELDS = ['jobManagerPodSpec', 'taskManagerPodSpec'] as const;
const containers = (field: string, kind: string): string =>
  placed(list('object.spec', field, kind), `spec.${field}.${kind}`);
const mainOf = (field: string): string =>
  `${list('object.spec', field, 'containers')}.filter(c, c.name == ${literal(MAIN_CONTAINER)})`;
/** The pod spec that a TaskManager has. */
const taskManagerField = "has(object.spec.taskManagerPodSpec) ? 'taskManagerPodSpec' : 'jobManagerPodSpec'";
const SUPPORTED = FLINK_VERSIONS.map((version) => version.replace('.', '[.]')).join('|');
const confImage = linesOf(...IMAGE_KEYS);
const imageOf = (mains: string): string =>
  `object.spec.?image.orValue(${mains}.exists(c, has(c.image)) ? ${mains}[0].image : ${confImage}.size() > 0 ? ${valueOf(`${confImage}[0]`)} : '')`;

export const SPEC_VARIABLES: readonly Variable[] = [
  {
    name: 'containers',
    expression: FIELDS.flatMap((field) => [containers(field, 'initContainers'), containers(field, 'containers')]).join(
      ' + ',
    ),
  },
  { name: 'taskManagerField', expression: taskManagerField },
  { name: 'jobManagerMain', expression: mainOf('jobManagerPodSpec') },
  {
    name: 'taskManagerMain',
    expression: `has(object.spec.taskManagerPodSpec) ? ${mainOf('taskManagerPodSpec')} : variables.jobManagerMain`,
  },
  { name: 'jobManagerImage', expression: imageOf('variables.jobManagerMain') },
  { name: 'taskManagerImage', expression: imageOf('variables.taskManagerMain') },
  {
    name: 'version',
    expression:
      "object.spec.?flinkVersion.orValue(variables.jobManagerImage.find(':[0-9]+[.][0-9]+').replace(':', ''))",
  },
];

/** Found where a condition holds. */
const when = (condition: string, found: string): string => `${condition} ? [${literal(found)}] : []`;
const foundAt = (filter: string, field: string, is: string): string =>
  `variables.containers.filter(c, ${filter}).map(c, c.path + ${literal(`${field}: ${is}`)})`;
const isMain = `(c.of.name == ${literal(MAIN_CONTAINER)} && !c.path.contains('.initContainers['))`;
const amount = (of: string): string => `quantity(string(${of}))`;
const more = (of: string): string =>
  `${map(of, 'resources', 'requests')}.exists(k, k in ${map(of, 'resources', 'limits')} && ${amount(`${of}.resources.requests[k]`)}.compareTo(${amount(`${of}.resources.limits[k]`)}) > 0)`;

const jars = linesOf('pipeline.jars');
const noDirectory = `!object.spec.?policies.?savepoint.?directory.hasValue() && !${isSet(...SAVEPOINT_KEYS)}`;
const policies = map('object.spec', 'policies');

/** A field and what the configuration says of it. */
const differs = (field: string, text: string, keys: readonly string[]): string =>
  `${linesOf(...keys)}.filter(l, ${text} != '' && ${valueOf('l')} != ${text}).map(l, ${literal(`${field}: differs from `)} + ${pathOf("l.split('\\t')[0]")} + 'two values for one thing')`;

/** What Flink reads as a memory size, as a quantity: 2g, 1600m, 1 gb. */
const memory = (text: string): string => {
  const short = `${text}.lowerAscii().replace('b', '').replace(' ', '')`;
  return `quantity(${short}.replace('k', 'Ki').replace('m', 'Mi').replace('g', 'Gi').replace('t', 'Ti'))`;
};
const beyondLimit = (role: 'jobManager' | 'taskManager'): string => {
  const main = `variables.${role}Main`;
  const limit = `(${main}.exists(c, has(c.resources)) ? ${map(`${main}[0]`, 'resources', 'limits')} : ${map('object.spec', `${role}Resources`, 'limits')})`;
  const size = valueOf('l');
  return `${linesOf(`${role.toLowerCase()}.memory.process.size`)}.filter(l, 'memory' in ${limit} && ${size}.matches('^[0-9]+ ?[kKmMgGtT][bB]?$') && ${memory(size)}.compareTo(${amount(`${limit}.memory`)}) > 0).map(l, ${pathOf("l.split('\\t')[0]")} + 'is more than the container’s memory limit')`;
};
const oneResources = (role: 'jobManager' | 'taskManager'): string => {
  const given = `object.spec.${role}Resources`;
  const own = `variables.${role}Main[0].resources`;
  const same = (kind: string, one: string, other: string): string =>
    `${map(one, kind)}.all(k, k in ${map(other, kind)} && ${amount(`${one}.${kind}[k]`)}.compareTo(${amount(`${other}.${kind}[k]`)}) == 0)`;
  const both = ['requests', 'limits'].flatMap((kind) => [same(kind, given, own), same(kind, own, given)]).join(' && ');
  return when(
    `has(${given}) && variables.${role}Main.exists(c, has(c.resources)) && !(${both})`,
    `spec.${role}Resources: differs from the resources of ${MAIN_CONTAINER} in the pod spec`,
  );
};

export const SPEC_RULES: readonly PolicyRule[] = [
  {
    id: 'image-given',
    found: when("variables.jobManagerImage == '' || variables.taskManagerImage == ''", 'spec.image: is absent'),
    want: 'the image of the job, such as flink:2.2',
  },
  {
    id: 'one-image',
    found: `!has(object.spec.image) ? [] : ${confImage}.filter(l, ${valueOf('l')} != object.spec.image).map(l, ${pathOf("l.split('\\t')[0]")} + 'differs from spec.image') + variables.containers.filter(c, ${isMain} && has(c.of.image) && c.of.image != object.spec.image).map(c, c.path + '.image: differs from spec.image')`,
    want: 'one of the two',
  },
  {
    id: 'flink-version',
    found: when(
      `!has(object.spec.flinkVersion) && variables.jobManagerImage != '' && !variables.jobManagerImage.matches(':(${SUPPORTED})([.][0-9]+)?(-scala_?[0-9.]+)?(-java[0-9]+)?(@.*)?$')`,
      'spec.flinkVersion: is absent, and the tag of the image does not tell a version that Flork runs',
    ),
    want: `one of ${FLINK_VERSIONS.join(', ')}, here or in the image tag`,
  },
  {
    id: 'same-version',
    found: when(
      `!has(object.spec.flinkVersion) && variables.taskManagerImage.find(':[0-9]+[.][0-9]+') != variables.jobManagerImage.find(':[0-9]+[.][0-9]+')`,
      'spec.taskManagerPodSpec: has an image of another Flink version than the JobManager’s',
    ),
    want: 'one Flink version',
  },
  {
    id: 'one-jar',
    found: `${jars}.filter(l, ${valueOf('l')}.matches('[^; ] *; *[^; ]') || (has(object.spec.jarURI) && ${valueOf('l')} != object.spec.jarURI)).map(l, 'spec.flinkConf["pipeline.jars"]: names several jars, or another than spec.jarURI')`,
    want: 'one jar, at one of the two places; put further jars into /opt/flink/usrlib of the image',
  },
  {
    id: 'jar-uri',
    found: `${jars}.filter(l, !${valueOf('l')}.contains(';') && !${valueOf('l')}.matches('^[A-Za-z][A-Za-z0-9+.-]*://[^ ]+$')).map(l, 'spec.flinkConf["pipeline.jars"]: is no URI')`,
    want: 'a URI such as local:///opt/flink/usrlib/job.jar, https://… or s3://…',
  },
  {
    id: 'jar-uri-plain',
    found: `${linesOf('user.artifacts.raw-http-enabled')}.exists(l, ${valueOf('l')} == 'true') ? [] : (${when("object.spec.?jarURI.orValue('').lowerAscii().startsWith('http://')", 'spec.jarURI: is fetched by plain http')}) + ${jars}.filter(l, ${valueOf('l')}.lowerAscii().startsWith('http://')).map(l, 'spec.flinkConf["pipeline.jars"]: is fetched by plain http')`,
    want: 'https, or user.artifacts.raw-http-enabled: true in flinkConf',
  },
  {
    id: 'python-alone',
    found: `has(object.spec.python) ? ${jars}.map(l, 'spec.flinkConf["pipeline.jars"]: is set beside spec.python') : []`,
    want: 'one of the two',
  },
  {
    id: 'container-names',
    found: FIELDS.map(
      (field) =>
        `variables.containers.filter(c, c.path.contains(${literal(`${field}.containers[`)}) && variables.containers.exists(d, d.path.contains(${literal(`${field}.initContainers[`)}) && d.of.name == c.of.name)).map(c, c.path + '.name: is given to two containers')`,
    ).join(' + '),
    want: 'a name of its own',
  },
  {
    id: 'container-image',
    found: foundAt(`!${isMain} && c.of.?image.orValue('') == ''`, '.image', 'is absent'),
    want: `an image; only ${MAIN_CONTAINER} takes spec.image`,
  },
  {
    id: 'main-container-args',
    found: foundAt(
      `${isMain} && has(c.of.args)`,
      '.args',
      'is given, and Flork writes the arguments of this container',
    ),
    want: 'spec.jobArgs for the job, spec.flinkConf for Flink, or command to wrap the image’s entry point',
  },
  {
    id: 'mounted-volume',
    found: FIELDS.map(
      (field) =>
        `variables.containers.filter(c, c.path.contains(${literal(field)}) && c.of.?volumeMounts.orValue([]).exists(m, !m.name.startsWith('flork-') && !(m.name.endsWith('-volume') && 'kubernetes.secrets' in variables.keys) && !${list('object.spec', field, 'volumes')}.exists(v, v.name == m.name))).map(c, c.path + '.volumeMounts: has one that no volume is called like')`,
    ).join(' + '),
    want: 'a volume of that name in the pod spec',
  },
  {
    id: 'request-within-limit',
    found: foundAt(more('c.of'), '.resources.requests', 'asks for more than the limit'),
    want: 'at most the limit',
  },
  {
    id: 'one-resources',
    found: `(${oneResources('jobManager')}) + (${oneResources('taskManager')})`,
    want: 'one of the two',
  },
  {
    id: 'memory-within-limit',
    found: `${beyondLimit('jobManager')} + ${beyondLimit('taskManager')}`,
    want: 'at most that; without the key it is the limit',
  },
  {
    id: 'field-and-key',
    found: [
      differs('spec.policies.savepoint.directory', `${policies}.?savepoint.?directory.orValue('')`, SAVEPOINT_KEYS),
      ...FIELDS.map((field) =>
        differs(`spec.${field}.serviceAccountName`, `object.spec.?${field}.?serviceAccountName.orValue('')`, [
          `kubernetes.${field.replace('PodSpec', '').toLowerCase()}.service-account`,
          'kubernetes.service-account',
        ]),
      ),
    ].join(' + '),
    want: 'one of the two',
  },
  {
    id: 'savepoint-directory',
    found: when(
      `${policies}.?upgrade.?mode.orValue('') == 'savepoint' && ${noDirectory}`,
      'spec.policies.upgrade.mode: is savepoint without a savepoint directory',
    ),
    want: 'a directory in spec.policies.savepoint.directory',
  },
  {
    id: 'schedule',
    found: `(${when(`object.spec.?policies.?savepoint.?schedule.hasValue() && ${noDirectory}`, 'spec.policies.savepoint.schedule: is set without a savepoint directory')}) + (${when(`${policies}.?deletion.?savepoint.orValue(false) && ${noDirectory}`, 'spec.policies.deletion.savepoint: is true without a savepoint directory')})`,
    want: 'a directory in spec.policies.savepoint.directory',
  },
  {
    id: 'standby-needs-high-availability',
    found: when(
      `object.spec.?jobManagerReplicas.orValue(1) > 1 && !variables.lines.exists(l, l.matches('^high-availability([.]type)?\\t') && !(${valueOf('l')}.lowerAscii() in ['', 'none']))`,
      'spec.jobManagerReplicas: is more than 1 without high availability',
    ),
    want: `1, or spec.flinkConf["high-availability.type"]: kubernetes`,
  },
];
