import { isObject } from '../../api/json.ts';
import { MAIN_CONTAINER } from '../role.ts';
import { quoted, type Problem, type Rule, type Subject } from './rule.ts';

/**
 * What the schema of a pod spec lets through and a Deployment does not take. Found late, it is a child that cannot be applied;
 * found here, it is a sentence at the person who wrote it.
 */
type Placed = { readonly path: string; readonly fields: Readonly<Record<string, unknown>> };

function podSpecs({ spec }: Subject): Placed[] {
  return (['jobManagerPodSpec', 'taskManagerPodSpec'] as const).flatMap((field) => {
    const fields = spec[field];
    return fields === undefined ? [] : [{ path: `spec.${field}`, fields }];
  });
}

function members({ path, fields }: Placed, list: string): Placed[] {
  const items = fields[list];
  if (!Array.isArray(items)) return [];
  return items.flatMap((item, index) => (isObject(item) ? [{ path: `${path}.${list}[${index}]`, fields: item }] : []));
}

function containers(pod: Placed): Placed[] {
  return [...members(pod, 'initContainers'), ...members(pod, 'containers')];
}

/** Pods of a Deployment live for ever and are always restarted. */
export const lastingPod: Rule = {
  id: 'lasting-pod',
  check: (subject) =>
    podSpecs(subject).flatMap(({ path, fields }): Problem[] => {
      const { restartPolicy, activeDeadlineSeconds } = fields;
      const policy = restartPolicy ?? 'Always';
      return [
        ...(policy === 'Always'
          ? []
          : [{ path: `${path}.restartPolicy`, is: `is ${quoted(policy)}`, want: 'Always or no such field' }]),
        ...(activeDeadlineSeconds === undefined
          ? []
          : [
              {
                path: `${path}.activeDeadlineSeconds`,
                is: 'ends the pods of a Deployment, which are to last',
                want: 'no such field',
              },
            ]),
      ];
    }),
};

/** A container beside Flink's brings an image of its own. */
export const containerImage: Rule = {
  id: 'container-image',
  check: (subject) =>
    podSpecs(subject).flatMap((pod) =>
      containers(pod)
        .filter(({ path, fields }) => !(fields['name'] === MAIN_CONTAINER && path.includes('.containers[')))
        .filter(({ fields }) => (fields['image'] ?? '') === '')
        .map(({ path }) => ({
          path: `${path}.image`,
          is: 'is absent',
          want: `an image; only ${MAIN_CONTAINER} takes spec.image`,
        })),
    ),
};

/** Names of containers are DNS labels. */
export const containerName: Rule = {
  id: 'container-name',
  check: (subject) =>
    podSpecs(subject).flatMap((pod) =>
      containers(pod)
        .filter(
          ({ fields }) =>
            typeof fields['name'] === 'string' && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(fields['name']),
        )
        .map(({ path, fields }) => ({
          path: `${path}.name`,
          is: `is ${quoted(fields['name'])}`,
          want: 'at most 63 characters, a-z, 0-9 and -, beginning and ending with a letter or digit',
        })),
    ),
};

/** What is mounted has to be there; Flork's own volumes and those of kubernetes.secrets are. */
export const mountedVolume: Rule = {
  id: 'mounted-volume',
  check: (subject) =>
    podSpecs(subject).flatMap((pod) => {
      const known = new Set(members(pod, 'volumes').map(({ fields }) => fields['name']));
      return containers(pod)
        .flatMap((container) => members(container, 'volumeMounts'))
        .filter(({ fields: { name } }) => typeof name === 'string' && !known.has(name) && !isAdded(subject, name))
        .map(({ path, fields }) => ({
          path: `${path}.name`,
          is: `is ${quoted(fields['name'])}, which no volume is called`,
          want: `a volume of ${pod.path}`,
        }));
    }),
};

function isAdded({ conf }: Subject, name: string): boolean {
  return name.startsWith('flork-') || (name.endsWith('-volume') && conf.has('kubernetes.secrets'));
}

/** The arguments of Flink's container say what it runs and from where it restores: they are Flork's. */
export const mainArgs: Rule = {
  id: 'main-container-args',
  check: (subject) =>
    podSpecs(subject).flatMap((pod) =>
      members(pod, 'containers')
        .filter(({ fields }) => fields['name'] === MAIN_CONTAINER && fields['args'] !== undefined)
        .map(({ path }) => ({
          path: `${path}.args`,
          is: 'is given, and Flork writes the arguments of this container',
          want: 'spec.jobArgs for the job, spec.flinkConf for Flink, or command to wrap the image’s entry point',
        })),
    ),
};
