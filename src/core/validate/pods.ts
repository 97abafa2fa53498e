import { isObject } from '../../api/json.ts';
import { canonical, canonicalJson } from '../build/canonical.ts';
import { parseMemory, parseQuantity } from '../quantity.ts';
import { leastProcessMebi } from '../flink-memory.ts';
import { mainContainerOf, MAIN_CONTAINER, ROLES, type Role } from '../role.ts';
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

/** Options that size a process by other means than its whole. */
const OTHER_SIZES = {
  jobmanager: ['jobmanager.memory.flink.size', 'jobmanager.memory.heap.size'],
  taskmanager: ['taskmanager.memory.flink.size'],
} as const;

/** A process that is too small for Flink's own parts ends at every start with an exception. */
export const memoryMinimum: Rule = {
  id: 'memory-minimum',
  check: (subject) =>
    ROLES.flatMap((role): Problem[] => {
      const read = (key: string) => configured(subject, key)?.text;
      const placeholder = [...subject.conf].some(
        ([key, value]) => key.includes('.memory.') && String(value).includes('{{'),
      );
      if (subject.unread.has('flinkConf') || placeholder) return [];
      if (OTHER_SIZES[role].some((key) => read(key) !== undefined)) return [];
      const size = sizeGiven(subject, role);
      const least = leastProcessMebi(role, read);
      if (size === undefined || least === undefined || size.bytes >= BigInt(least) * 1024n * 1024n) return [];
      const want = `at least ${least}Mi, as Flink’s own parts take that (memory model of the ${role === 'jobmanager' ? 'JobManager' : 'TaskManager'})`;
      return [{ path: size.path, is: `is ${quoted(size.text)}`, want }];
    }),
};

/** The size of a process that the spec gives: its key, else the memory limit of its container. */
function sizeGiven(subject: Subject, role: Role): { path: string; text: string | number; bytes: bigint } | undefined {
  const key = configured(subject, `${role}.memory.process.size`);
  if (key !== undefined) {
    const size = parseMemory(key.text);
    return size === undefined ? undefined : { path: confPath(key.key), text: key.text, bytes: size };
  }
  const main = mainContainerOf(subject.spec, role);
  const field = role === 'jobmanager' ? 'jobManagerResources' : 'taskManagerResources';
  const container = containersOf(subject.spec, role).find((one) => one.container === main);
  const places = [
    { path: container && `${container.path}.resources`, resources: main?.['resources'] },
    { path: `spec.${field}`, resources: subject.spec[field] },
  ];
  for (const { path, resources } of places) {
    const limit = new Map(amounts(resources, 'limits')).get('memory');
    const nano = limit === undefined ? undefined : parseQuantity(limit);
    // A TaskManager that has the JobManager's pod spec is told of by the JobManager's path.
    if (limit === undefined || nano === undefined) continue;
    return {
      path: `${path ?? 'spec.jobManagerPodSpec.containers[].resources'}.limits.memory`,
      text: limit,
      bytes: nano / 1_000_000_000n,
    };
  }
  return undefined;
}
