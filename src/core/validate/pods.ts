import { isObject } from '../../api/json.ts';
import { canonical, canonicalJson } from '../build/canonical.ts';
import { parseMemory, parseQuantity } from '../quantity.ts';
import { mainContainerOf, MAIN_CONTAINER, ROLES } from '../role.ts';
import { confPath, configured, containersOf, quoted, type Problem, type Rule, type Subject } from './rule.ts';

/** Containers of a pod, init containers too, have names of their own. */
export const containerNames: Rule = {
  id: 'container-names',
  check: ({ spec }) =>
    (['jobManagerPodSpec', 'taskManagerPodSpec'] as const).flatMap((field): Problem[] => {
      const initContainers = spec[field]?.['initContainers'];
      const all = [
        ...(Array.isArray(initContainers) ? initContainers : []).map((container, index) =>
          named(container, `initContainers[${index}]`),
        ),
        ...(spec[field]?.containers ?? []).map((container, index) => named(container, `containers[${index}]`)),
      ];
      return all
        .filter(({ name }, index) => name !== undefined && all.findIndex((other) => other.name === name) < index)
        .map(({ at, name }) => ({
          path: `spec.${field}.${at}.name`,
          is: `is ${quoted(name)} for a second time`,
          want: 'a name of its own',
        }));
    }),
};

function named(container: unknown, at: string): { readonly at: string; readonly name: unknown } {
  return { at, name: isObject(container) ? container['name'] : undefined };
}

type Placed = { readonly path: string; readonly resources: unknown };

/** Every resource requirement that Flork passes on, with its path. */
function allResources({ spec }: Subject): Placed[] {
  const containers = ROLES.flatMap((role) => containersOf(spec, role));
  return [
    { path: 'spec.jobManagerResources', resources: spec.jobManagerResources },
    { path: 'spec.taskManagerResources', resources: spec.taskManagerResources },
    ...containers.map(({ path, container }) => ({ path: `${path}.resources`, resources: container['resources'] })),
  ];
}

function amounts(resources: unknown, kind: 'requests' | 'limits'): [string, string | number][] {
  const map = isObject(resources) ? resources[kind] : undefined;
  return Object.entries(isObject(map) ? map : {}).filter(
    (entry): entry is [string, string | number] => typeof entry[1] === 'string' || typeof entry[1] === 'number',
  );
}

/** Quantities are written as Kubernetes reads them, and are not negative. */
export const quantityForm: Rule = {
  id: 'quantity',
  check: (subject) =>
    allResources(subject).flatMap(({ path, resources }) =>
      (['requests', 'limits'] as const).flatMap((kind) =>
        amounts(resources, kind)
          .filter(([, amount]) => (parseQuantity(amount) ?? -1n) < 0n)
          .map(([name, amount]): Problem => {
            return {
              path: `${path}.${kind}.${name}`,
              is: `is ${quoted(amount)}`,
              want: 'a quantity such as 500m, 2 or 2Gi',
            };
          }),
      ),
    ),
};

/** A container cannot be promised more than it may use. */
export const requestWithinLimit: Rule = {
  id: 'request-within-limit',
  check: (subject) =>
    allResources(subject).flatMap(({ path, resources }) => {
      const limits = new Map(amounts(resources, 'limits'));
      return amounts(resources, 'requests').flatMap(([name, request]): Problem[] => {
        const limit = limits.get(name);
        const most = limit === undefined ? undefined : parseQuantity(limit);
        const least = parseQuantity(request);
        if (most === undefined || least === undefined || least <= most) return [];
        return [
          {
            path: `${path}.requests.${name}`,
            is: `is ${quoted(request)}, more than the limit ${quoted(limit)}`,
            want: 'at most the limit',
          },
        ];
      });
    }),
};

/** The shorthand and the main container say one thing. */
export const oneResources: Rule = {
  id: 'one-resources',
  check: ({ spec }) =>
    ROLES.flatMap((role): Problem[] => {
      const field = role === 'jobmanager' ? 'jobManagerResources' : 'taskManagerResources';
      const own = mainContainerOf(spec, role)?.['resources'];
      if (spec[field] === undefined || own === undefined || isSame(spec[field], own)) return [];
      return [
        {
          path: `spec.${field}`,
          is: `differs from the resources of ${MAIN_CONTAINER} in the pod spec`,
          want: 'one of the two',
        },
      ];
    }),
};

function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson(canonical({ resources: one })) === canonicalJson(canonical({ resources: other }));
}

/** A process that is told to use more than its container may is killed under load. */
export const memoryWithinLimit: Rule = {
  id: 'memory-within-limit',
  check: (subject) =>
    ROLES.flatMap((role): Problem[] => {
      const key = configured(subject, `${role}.memory.process.size`);
      const resources = mainContainerOf(subject.spec, role)?.['resources'];
      const shorthand = role === 'jobmanager' ? subject.spec.jobManagerResources : subject.spec.taskManagerResources;
      const limit = new Map(amounts(resources ?? shorthand, 'limits')).get('memory');
      const most = limit === undefined ? undefined : parseQuantity(limit);
      const size = key === undefined ? undefined : parseMemory(key.text);
      if (key === undefined || size === undefined || most === undefined || size * 1_000_000_000n <= most) return [];
      const want = 'at most that; without the key it is the limit';
      return [
        {
          path: confPath(key.key),
          is: `is ${quoted(key.text)}, more than the container’s memory limit ${quoted(limit)}`,
          want,
        },
      ];
    }),
};
