import { stringify } from 'yaml';

/** Objects as one file of YAML, no line folded, and no alias between them: each can be read by itself. */
export function yamlOf(objects: readonly object[]): string {
  const options = { lineWidth: 0, aliasDuplicateObjects: false } as const;
  return objects.map((one) => stringify(one, options)).join('---\n');
}
