import { text } from 'node:stream/consumers';

/**
 * Pins the schema of a pod spec: reads an API server's OpenAPI document and prints what a PodSpec refers to, without descriptions.
 *   kubectl get --raw /openapi/v3/api/v1 | node tools/crd/extract.ts v1.36.3 > tools/crd/pod-spec.json
 */
type Document = { readonly components: { readonly schemas: Readonly<Record<string, unknown>> } };

const ROOT = 'io.k8s.api.core.v1.PodSpec';
const REF = '#/components/schemas/';
const version = process.argv[2];
if (version === undefined) throw new Error('usage: node tools/crd/extract.ts VERSION < openapi.json');

const document = JSON.parse(await text(process.stdin)) as Document;
const schemas: Record<string, unknown> = {};
const pending = [ROOT];
for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
  if (schemas[name] === undefined) schemas[name] = bare(document.components.schemas[name], pending);
}
const sorted = Object.fromEntries(
  Object.keys(schemas)
    .sort()
    .map((name) => [name, schemas[name]]),
);
process.stdout.write(
  `${JSON.stringify({ source: '/openapi/v3/api/v1', kubernetes: version, root: ROOT, schemas: sorted }, null, 1)}\n`,
);

/** A schema without descriptions (a property may be called so); what it refers to is put on the list. */
function bare(schema: unknown, found: string[]): unknown {
  if (Array.isArray(schema)) return schema.map((item) => bare(item, found));
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key, value]) => key !== 'description' || typeof value !== 'string');
  return Object.fromEntries(
    entries.map(([key, value]) => {
      if (key === '$ref' && typeof value === 'string') found.push(value.slice(REF.length));
      return [key, bare(value, found)];
    }),
  );
}
