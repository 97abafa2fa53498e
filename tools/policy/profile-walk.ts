import type { Node } from '../../src/core/profile/allowed.ts';
import { flattened, listOf, literal } from './cel.ts';
import { checkOf, listOfProfile } from './profile-checks.ts';

/**
 * A tree of src/core/profile/allowed.ts as CEL, which gives what is not allowed of a value as texts `path: what is; want …`. `path` is
 * CEL, too. Only in a final pod do fields have to be there; a user may be silent about them.
 */
export function found(node: Node, of: string, path: string, isFinal: boolean, depth = 0): string {
  if (node === 'any') return '[]';
  switch (node.kind) {
    case 'value': {
      const { passes, want } = checkOf(node.check);
      return `(${passes(of)} ? [] : [${path} + ${literal(`: is not allowed; want ${want}`)}])`;
    }
    case 'items': {
      const item = `i${depth}`;
      const name = mayHaveName(node.item) ? `${path} + '[' + ${item}.?name.orValue('') + ']'` : `${path} + '[]'`;
      return flattened(`${of}.map(${item}, ${found(node.item, item, name, isFinal, depth + 1)})`);
    }
    case 'keys': {
      const key = `k${depth}`;
      const { passes, want } = checkOf(node.check);
      return `${of}.filter(${key}, !${passes(key)}).map(${key}, ${path} + '["' + ${key} + ${literal(`"]: is not allowed; want ${want}`)})`;
    }
    case 'volume': {
      const why = `[${path} + ': is not allowed; want a kind of volume that the tenant profile lists']`;
      return `(${listOfProfile('volumeKinds')}.exists(x, x == '*' || x == ${literal(node.name)}) ? ${found(node.node, of, path, isFinal, depth)} : ${why})`;
    }
    case 'fields':
      return `(${[...ofFields(node, of, path, isFinal, depth)].join(' + ')})`;
    default:
      return node satisfies never;
  }
}

function* ofFields(
  { fields, required }: Extract<Node, { readonly kind: 'fields' }>,
  of: string,
  path: string,
  isFinal: boolean,
  depth: number,
): Generator<string> {
  const key = `k${depth}`;
  const is = 'is not allowed; want no such field under this tenant profile';
  yield `${of}.filter(${key}, !(${key} in ${listOf(Object.keys(fields))})).map(${key}, ${path} + '.' + ${key} + ${literal(`: ${is}`)})`;
  if (isFinal && required.length > 0) {
    const absent = ': is absent; want the field, as the tenant profile asks';
    yield `${listOf(required)}.filter(${key}, !(${key} in ${of})).map(${key}, ${path} + '.' + ${key} + ${literal(absent)})`;
  }
  for (const [name, node] of Object.entries(fields)) {
    if (node === 'any') continue;
    const inner = found(node, `${of}.${name}`, `${path} + ${literal(`.${name}`)}`, isFinal, depth);
    yield `(has(${of}.${name}) ? ${inner} : [])`;
  }
}

function mayHaveName(node: Node): boolean {
  return node !== 'any' && node.kind === 'fields' && Object.hasOwn(node.fields, 'name');
}
