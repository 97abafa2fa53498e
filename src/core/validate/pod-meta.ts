import { quoted, type Problem, type Rule } from './rule.ts';

const NAME = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const KEY = new RegExp(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?${NAME}$`);
const VALUE = new RegExp(`^(${NAME})?$`);
const FIELDS = ['jobManagerPodMeta', 'taskManagerPodMeta'] as const;

/** Labels and annotations of Flork's own tell pods of one epoch from those of another. */
export const ownedLabel: Rule = {
  id: 'owned-label',
  check: ({ spec }) =>
    FIELDS.flatMap((field) =>
      (['labels', 'annotations'] as const).flatMap((kind): Problem[] =>
        Object.keys(spec[field]?.[kind] ?? {})
          .filter((key) => key.startsWith('flork.itom.com/'))
          .map((key) => ({ path: pathOf(field, kind, key), is: 'is set by Flork', want: 'no such key' })),
      ),
    ),
};

/** A label that Kubernetes does not take would keep the pods from being made. */
export const labelForm: Rule = {
  id: 'label-form',
  check: ({ spec }) =>
    FIELDS.flatMap((field): Problem[] => [
      ...Object.entries(spec[field]?.labels ?? {})
        .filter(([key, value]) => !KEY.test(key) || !VALUE.test(value))
        .map(([key, value]) => ({
          path: pathOf(field, 'labels', key),
          is: `is ${quoted(value)}`,
          want: 'key and value of at most 63 characters, letters, digits, -, _ and ., beginning and ending with a letter or digit',
        })),
      ...Object.keys(spec[field]?.annotations ?? {})
        .filter((key) => !KEY.test(key))
        .map((key) => ({
          path: pathOf(field, 'annotations', key),
          is: 'is not a key of Kubernetes',
          want: 'a key such as example.com/name',
        })),
    ]),
};

function pathOf(field: string, kind: string, key: string): string {
  return `spec.${field}.${kind}[${JSON.stringify(key)}]`;
}
