import { isObject } from '../../api/json.ts';
import { quoted, type Problem } from '../validate/rule.ts';
import type { Node } from './allowed.ts';
import { CHECKS, type CheckName } from './checks.ts';
import type { TenantProfile } from './profile.ts';

/** What of a value the profile does not allow, each with its path. What has another type than it should have is not allowed. */
export function walk(node: Node, value: unknown, path: string, profile: TenantProfile): readonly Problem[] {
  if (node === 'any' || value === undefined || value === null) return [];
  switch (node.kind) {
    case 'value':
      return checked(node.check, value, path, profile);
    case 'items':
      return Array.isArray(value)
        ? value.flatMap((item) => walk(node.item, item, `${path}[${nameOf(item)}]`, profile))
        : [{ path, is: `is ${quoted(value)}`, want: 'a list' }];
    case 'keys':
      return Object.keys(isObject(value) ? value : { [quoted(value)]: '' }).flatMap((key) =>
        CHECKS[node.check].is(key, profile)
          ? []
          : [{ path: `${path}[${JSON.stringify(key)}]`, is: 'is not allowed', want: CHECKS[node.check].want }],
      );
    case 'volume':
      return profile.volumeKinds.some((kind) => kind === '*' || kind === node.name)
        ? walk(node.node, value, path, profile)
        : [{ path, is: 'is not allowed', want: 'a kind of volume that the tenant profile lists' }];
    case 'fields':
      return fieldsOf(node, value, path, profile);
    default:
      return node satisfies never;
  }
}

/** A named item is told by its name: its place in the final list is another than in the spec. */
function nameOf(item: unknown): string {
  const name = isObject(item) ? item['name'] : undefined;
  return typeof name === 'string' ? name : '';
}

function checked(name: CheckName, value: unknown, path: string, profile: TenantProfile): readonly Problem[] {
  const { is, want } = CHECKS[name];
  return is(value, profile) ? [] : [{ path, is: `is ${quoted(value)}`, want }];
}

function fieldsOf(
  { fields, required }: Extract<Node, { readonly kind: 'fields' }>,
  value: unknown,
  path: string,
  profile: TenantProfile,
): readonly Problem[] {
  if (!isObject(value)) return [{ path, is: `is ${quoted(value)}`, want: 'a map of fields' }];
  const present = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
  const absent = required.filter((name) => !present.some(([other]) => other === name));
  return [
    ...absent.map((name) => ({
      path: `${path}.${name}`,
      is: 'is absent',
      want: 'the field, as the tenant profile asks',
    })),
    ...present.flatMap(([name, member]): readonly Problem[] =>
      Object.hasOwn(fields, name)
        ? walk(fields[name] ?? 'any', member, `${path}.${name}`, profile)
        : [{ path: `${path}.${name}`, is: 'is not allowed', want: 'no such field under this tenant profile' }],
    ),
  ];
}
