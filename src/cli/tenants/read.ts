import { parse } from 'yaml';
import { isObject } from '../../api/json.ts';

/** A tenant: the namespaces whose FlinkJobs are its own, or all of them. */
export type Tenant = { readonly id: string; readonly namespaces: '*' | readonly string[] };

/** The tenants of a file, or everything that is wrong with it: path, what is, what is wanted. */
export type Tenants =
  | { readonly kind: 'tenants'; readonly tenants: readonly Tenant[] }
  | { readonly kind: 'wrong'; readonly lines: readonly string[] };

/** It becomes a part of object names (`flork-<id>`, `metacontroller-<id>`) and a label's value. */
const ID = /^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Reads `tenants: [{id, namespaces: [...] | ['*']}]`, the form of the original's Helm values (there below `deployment`).
 * Throws when it is no YAML.
 */
export function readTenants(text: string): Tenants {
  const root: unknown = parse(text);
  const values = isObject(root) && isObject(root['deployment']) ? root['deployment'] : root;
  const list = isObject(values) ? values['tenants'] : undefined;
  if (!Array.isArray(list) || list.length === 0)
    return { kind: 'wrong', lines: [`tenants: is ${shown(list)}; want a list of {id, namespaces}`] };
  const read = list.map((item, index) => readTenant(item, `tenants[${index}]`));
  const tenants = read.flatMap(({ tenant }) => (tenant === undefined ? [] : [tenant]));
  const lines = [...read.flatMap((one) => one.lines), ...conflicts(tenants)];
  return lines.length > 0 ? { kind: 'wrong', lines } : { kind: 'tenants', tenants };
}

type Read = { readonly tenant?: Tenant; readonly lines: readonly string[] };

function readTenant(item: unknown, path: string): Read {
  const { id, namespaces, ...others } = isObject(item) ? item : {};
  const lines = Object.keys(others).map((name) => `${path}.${name}: is not a field; want id and namespaces alone`);
  if (typeof id !== 'string' || !ID.test(id))
    lines.push(`${path}.id: is ${shown(id)}; want at most 32 of a-z, 0-9 and -, beginning with a letter`);
  if (!Array.isArray(namespaces) || namespaces.length === 0) {
    lines.push(`${path}.namespaces: is ${shown(namespaces)}; want a list of namespaces, or ['*']`);
    return { lines };
  }
  if (namespaces.includes('*') && namespaces.length > 1)
    lines.push(`${path}.namespaces: has * beside others; want ['*'] or the names`);
  for (const [index, name] of namespaces.entries()) {
    if (name !== '*' && (typeof name !== 'string' || !NAMESPACE.test(name)))
      lines.push(`${path}.namespaces[${index}]: is ${shown(name)}; want the name of a namespace`);
  }
  if (lines.length > 0) return { lines };
  return { lines, tenant: { id: String(id), namespaces: namespaces.includes('*') ? '*' : namespaces.map(String) } };
}

/** What only shows between tenants: an id twice, a namespace twice, all namespaces beside some. */
function conflicts(tenants: readonly Tenant[]): string[] {
  const lines: string[] = [];
  const owners = new Map<string, string>();
  const ids = new Set<string>();
  for (const { id, namespaces } of tenants) {
    if (ids.has(id)) lines.push(`tenants: has ${id} twice; want each id once`);
    ids.add(id);
    if (namespaces === '*') {
      if (tenants.length > 1)
        lines.push(`tenants: ${id} has * beside other tenants; want it alone, or namespaces by name`);
      continue;
    }
    for (const name of namespaces) {
      const owner = owners.get(name);
      if (owner !== undefined)
        lines.push(`tenants: namespace ${name} is listed for ${owner} and for ${id}; want it once`);
      owners.set(name, id);
    }
  }
  return lines;
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
