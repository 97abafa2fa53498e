import { readFileSync } from 'node:fs';
import { QUANTITY, type JsonSchema } from './json-schema.ts';

/** A schema as the API server publishes it. */
type Published = JsonSchema & {
  readonly $ref?: string;
  readonly allOf?: readonly Published[];
  readonly properties?: Readonly<Record<string, Published>>;
  readonly items?: Published;
  readonly additionalProperties?: Published;
};
type Extract = {
  readonly kubernetes: string;
  readonly root: string;
  readonly schemas: Readonly<Record<string, Published>>;
};

const EXTRACT = JSON.parse(readFileSync(new URL('pod-spec.json', import.meta.url), 'utf8')) as Extract;
const KEPT = [
  'type',
  'format',
  'required',
  'enum',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
] as const;

/** The Kubernetes version whose pod spec is pinned. */
export const KUBERNETES_VERSION = EXTRACT.kubernetes;

/** The official PodSpec as one structural schema; the header of the CRD lists what differs. */
export function podSpecSchema(): JsonSchema {
  const { properties = {}, required: _required, ...rest } = flat({ $ref: `/${EXTRACT.root}` });
  const { ephemeralContainers: _dropped, ...fields } = properties;
  return { ...rest, properties: fields };
}

/** Resolves references: a CRD knows none. */
function flat(schema: Published): JsonSchema {
  const name = schema.$ref?.split('/').at(-1);
  if (name?.endsWith('.resource.Quantity') === true) return QUANTITY;
  if (name?.endsWith('.intstr.IntOrString') === true) return { 'x-kubernetes-int-or-string': true };
  const referred = name === undefined ? undefined : EXTRACT.schemas[name];
  if (name !== undefined && referred === undefined) throw new Error(`pod-spec.json does not hold ${name}`);
  const parts = [...(referred === undefined ? [] : [referred]), ...(schema.allOf ?? [])].map((part) => flat(part));
  return Object.assign({}, ...parts, ownPart(schema)) as JsonSchema;
}

function ownPart(schema: Published): JsonSchema {
  const result: JsonSchema = Object.fromEntries(
    KEPT.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]]),
  );
  if (schema.items !== undefined) result.items = withKeyDefaults(schema, flat(schema.items));
  if (schema.additionalProperties !== undefined) result.additionalProperties = flat(schema.additionalProperties);
  if (schema.properties !== undefined) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, flat(property)]),
    );
  }
  return result;
}

/** The keys of a list-map have to be required or have a default: these are the only defaults that stay. */
function withKeyDefaults(list: Published, items: JsonSchema): JsonSchema {
  const open = (list['x-kubernetes-list-map-keys'] ?? []).filter((key) => items.required?.includes(key) !== true);
  if (open.length === 0) return items;
  const defaults = open.map((key) => [key, { ...items.properties?.[key], default: key === 'protocol' ? 'TCP' : '' }]);
  return { ...items, properties: { ...items.properties, ...Object.fromEntries(defaults) } };
}
