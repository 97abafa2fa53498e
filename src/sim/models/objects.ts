/** Kubernetes objects as plain values. A stored object is never mutated: every write makes a new one, so views are references. */

/** A JSON object whose fields are not known here. */
export type Tree = { readonly [key: string]: unknown };

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

export type Metadata = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
};

export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
};

/** Which object; `namespace` is '' for cluster-scoped ones. */
export type ObjectRef = { readonly kind: string; readonly namespace: string; readonly name: string };

export function refOf(object: KubeObject): ObjectRef {
  return { kind: object.kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}

export function keyOf(ref: ObjectRef): string {
  return `${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** The value as an object, `{}` when it is none. */
export function tree(value: unknown): Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The text fields of an object. */
export function texts(value: unknown): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const [name, field] of Object.entries(tree(value))) if (typeof field === 'string') fields[name] = field;
  return fields;
}

/** The value at a path of fields. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found: unknown = value;
  for (const name of path) found = tree(found)[name];
  return found;
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (Array.isArray(b)) return false;
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = b as Tree;
  const size = Object.values(right).filter((value) => value !== undefined).length;
  return left.length === size && left.every(([name, value]) => equal(value, right[name]));
}

const printed = new WeakMap<object, string>();

/** The JSON of a stored object. It is never changed, so that it is printed once. */
export function jsonOf(object: object): string {
  const known = printed.get(object);
  if (known !== undefined) return known;
  const json = JSON.stringify(object);
  printed.set(object, json);
  return json;
}

/** Whether all wanted labels are there; no wanted label selects nothing. */
export function matches(wanted: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  const entries = Object.entries(wanted);
  return entries.length > 0 && entries.every(([name, value]) => labels[name] === value);
}

/** RFC 3339 as Kubernetes prints it. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
