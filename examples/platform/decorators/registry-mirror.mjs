/**
 * Every image of a Flink pod comes from the registry of the company: docker.io/flink:2.3 is taken from mirror.example.com/docker.io/flink:2.3.
 * Images that are there already stay.
 */
const MIRROR = 'mirror.example.com';

export const name = 'registry-mirror';
export const priority = 100;

/** @type {(podSpec: any) => any} */
export function podSpec(spec) {
  const mirrored = (containers) =>
    containers?.map((container) => ({ ...container, image: container.image && mirrorOf(container.image) }));
  return { ...spec, containers: mirrored(spec.containers), initContainers: mirrored(spec.initContainers) };
}

function mirrorOf(image) {
  const [first, ...rest] = image.split('/');
  if (first === MIRROR) return image;
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return `${MIRROR}/${hasRegistry ? image : `docker.io/${image}`}`;
}
