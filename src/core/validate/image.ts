import { FLINK_VERSIONS } from '../../api/flinkjob.ts';
import { IMAGE_KEYS, mainImageOf, versionInTag } from '../flink-version.ts';
import { MAIN_CONTAINER, ROLES } from '../role.ts';
import { confPath, containersOf, quoted, type Problem, type Rule, type Subject } from './rule.ts';

const SUPPORTED = FLINK_VERSIONS.join(', ');

/** Whether a field that may name the image did not parse, so that nothing can be said about its absence. */
function imageUnread({ spec, unread }: Subject): boolean {
  return (
    spec.image === undefined &&
    ['image', 'jobManagerPodSpec', 'taskManagerPodSpec', 'flinkConf'].some((field) => unread.has(field))
  );
}

/** Both main containers have an image. */
export const imageGiven: Rule = {
  id: 'image-given',
  check: (subject) => {
    if (imageUnread(subject)) return [];
    const without = ROLES.filter((role) => mainImageOf(subject.spec, role) === undefined);
    const is = without.length === 1 ? `is absent, and the pod spec of the ${without[0]} names none` : 'is absent';
    return without.length === 0 ? [] : [{ path: 'spec.image', is, want: 'the image of the job, such as flink:2.2' }];
  },
};

/** The image is named once, or the same wherever it is named for a role. */
export const oneImage: Rule = {
  id: 'one-image',
  check: (subject) => {
    const general = imagesForAll(subject);
    const [first] = general;
    if (first === undefined) return [];
    const others = [...general.slice(1), ...ROLES.flatMap((role) => imagesOf(subject, role))];
    return others
      .filter((other) => other.image !== first.image)
      .map((other): Problem => {
        return {
          path: other.path,
          is: `is ${quoted(other.image)} while ${first.path} is ${quoted(first.image)}`,
          want: 'one of the two',
        };
      });
  },
};

type Named = { readonly path: string; readonly image: unknown };

function imagesForAll({ spec, conf }: Subject): Named[] {
  const keys = IMAGE_KEYS.filter((key) => conf.has(key)).map((key) => ({ path: confPath(key), image: conf.get(key) }));
  return spec.image === undefined ? keys : [{ path: 'spec.image', image: spec.image }, ...keys];
}

function imagesOf({ spec }: Subject, role: (typeof ROLES)[number]): Named[] {
  return containersOf(spec, role)
    .filter(({ container }) => container.name === MAIN_CONTAINER && container['image'] !== undefined)
    .map(({ path, container }) => ({ path: `${path}.image`, image: container['image'] }));
}

/** Which Flink runs decides file names, option spellings and defaults. */
export const flinkVersion: Rule = {
  id: 'flink-version',
  check: (subject) => {
    const image = mainImageOf(subject.spec, 'jobmanager');
    if (subject.version !== undefined || subject.unread.has('flinkVersion') || imageUnread(subject)) return [];
    if (image === undefined) return [{ path: 'spec.flinkVersion', is: 'is absent', want: `one of ${SUPPORTED}` }];
    const told = versionInTag(image);
    const tag = 'x.y[.z][-scala…][-java…]';
    const is =
      told === undefined
        ? `is absent, and the tag of image ${quoted(image)} is not written ${tag}`
        : `is absent, and image ${quoted(image)} is of Flink ${told}, which Flork does not run`;
    return [{ path: 'spec.flinkVersion', is, want: `one of ${SUPPORTED}, here or in the image tag` }];
  },
};

/** Without flinkVersion both images have to be of one version. */
export const sameVersion: Rule = {
  id: 'same-version',
  check: ({ spec }) => {
    if (spec.flinkVersion !== undefined) return [];
    const [jobManager, taskManager] = ROLES.map((role) => versionInTag(mainImageOf(spec, role) ?? ''));
    if (jobManager === undefined || taskManager === undefined || jobManager === taskManager) return [];
    const is = `has an image of Flink ${taskManager} while the JobManager’s is of ${jobManager}`;
    return [{ path: 'spec.taskManagerPodSpec', is, want: 'one Flink version' }];
  },
};
