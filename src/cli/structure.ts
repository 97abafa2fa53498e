import { isObject } from '../api/json.ts';
import type { Finding } from '../core/types.ts';
import { suggestion } from '../core/validate/unknown-fields.ts';

/** A structural schema as the CRD carries it, the keywords in use. */
export type Structure = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Structure>>;
  readonly required?: readonly string[];
  readonly items?: Structure;
  readonly additionalProperties?: Structure;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
};

/** Checks a value against a structural schema as an API server does at apply: types, unknown and missing fields, enums, patterns. */
export function checkStructure(schema: Structure, value: unknown, path: string): Finding[] {
  if (value === undefined || value === null) return [];
  const type = expectedType(schema, value);
  if (type !== undefined) return [{ rule: 'type', path, is: `is ${shortened(value)}`, want: type }];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item, index) => checkStructure(items, item, `${path}[${index}]`));
  }
  if (isObject(value)) return checkFields(schema, value, path);
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [{ rule: 'type', path, is: `is ${shortened(value)}`, want: `one of ${schema.enum.join(', ')}` }];
  }
  if (fits(schema, value)) return [];
  const isQuantity = schema['x-kubernetes-int-or-string'] === true;
  const want = isQuantity ? 'a quantity such as 500m, 2 or 2Gi' : `a text such as ${String(schema.pattern)}`;
  return [{ rule: isQuantity ? 'quantity' : 'pattern', path, is: `is ${shortened(value)}`, want }];
}

function fits({ pattern, minimum }: Structure, value: unknown): boolean {
  if (typeof value === 'number') return minimum === undefined || value >= minimum;
  return pattern === undefined || typeof value !== 'string' || new RegExp(pattern).test(value);
}

function checkFields(schema: Structure, value: Readonly<Record<string, unknown>>, path: string): Finding[] {
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined || value[name] === null);
  const fields = Object.entries(value).flatMap(([name, member]): Finding[] => {
    const at = /^[A-Za-z]\w*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
    const known = Object.hasOwn(schema.properties ?? {}, name)
      ? schema.properties?.[name]
      : schema.additionalProperties;
    if (known !== undefined) return checkStructure(known, member, at);
    if (schema.properties === undefined || schema['x-kubernetes-preserve-unknown-fields'] === true) return [];
    const want = suggestion(name, Object.keys(schema.properties).toSorted());
    return [{ rule: 'unknown-field', path: at, is: 'is not a field', want }];
  });
  return [
    ...missing.map((name) => ({ rule: 'type', path: `${path}.${name}`, is: 'is absent', want: 'a value' })),
    ...fields,
  ];
}

/** What the schema wants, when the value is of another type. */
function expectedType(schema: Structure, value: unknown): string | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return typeof value === 'string' || Number.isInteger(value) ? undefined : 'a text or a whole number';
  }
  switch (schema.type) {
    case 'object':
      return isObject(value) ? undefined : 'a map';
    case 'array':
      return Array.isArray(value) ? undefined : 'a list';
    case 'string':
      return typeof value === 'string' ? undefined : 'a text';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'integer':
      return Number.isInteger(value) ? undefined : 'a whole number';
    case 'number':
      return typeof value === 'number' ? undefined : 'a number';
    default:
      return undefined;
  }
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
