import type { Feature } from '../feature.ts';
import { main } from '../pod.ts';

/** Configuration values that live in Secrets and ConfigMaps: read by the kubelet, given to the process as an option, in no file of Flork's. */
export const secretValues: Feature = {
  name: 'secret-values',
  ownedPod: ({ references }) =>
    main({
      env: references.map(({ from, name, entry }, index) => ({
        name: variable(index),
        valueFrom: { [from]: { name, key: entry, optional: false } },
      })),
    }),
  options: ({ references }) => references.flatMap(({ key }, index) => ['-D', `${key}=$(${variable(index)})`]),
};

function variable(index: number): string {
  return `FLORK_CONF_${index + 1}`;
}
