/**
 * Strategic merge of pod templates: maps are merged, lists of named things are merged by their key, everything else is replaced.
 * Of two layers the upper one wins field by field.
 */

type Fields = Readonly<Record<string, unknown>>;

/** Lists merged item by item, and what names an item. */
const MERGED_BY: Readonly<Record<string, (item: Fields) => unknown>> = {
  containers: (item) => item['name'],
  initContainers: (item) => item['name'],
  imagePullSecrets: (item) => item['name'],
  env: (item) => item['name'],
  volumes: (item) => item['name'],
  volumeMounts: (item) => item['mountPath'],
  volumeDevices: (item) => item['devicePath'],
  ports: (item) => `${String(item['containerPort'])}/${String(item['protocol'] ?? 'TCP')}`,
  hostAliases: (item) => item['ip'],
};

/** Lists whose items are alternatives inside (a value or a source, one kind of volume): the upper item replaces the lower whole. */
const WHOLE_ITEMS = new Set(['env', 'volumes', 'volumeMounts', 'volumeDevices', 'ports', 'hostAliases']);

/** Maps whose fields are alternatives or depend on each other: the upper one replaces the lower whole. */
const WHOLE = new Set([
  'affinity',
  'appArmorProfile',
  'capabilities',
  'dnsConfig',
  'lifecycle',
  'livenessProbe',
  'readinessProbe',
  'seccompProfile',
  'seLinuxOptions',
  'startupProbe',
  'strategy',
]);

/** All layers in one, the last on top. Inputs are left as they are. */
export function merge(...layers: readonly (Fields | undefined)[]): Fields {
  return layers.reduce<Fields>((lower, upper) => (upper === undefined ? lower : mergeMaps(lower, upper)), {});
}

function mergeMaps(lower: Fields, upper: Fields): Fields {
  const entries = new Map(Object.entries(lower));
  for (const [name, value] of Object.entries(upper)) {
    if (value === undefined || value === null) continue;
    entries.set(name, mergeField(name, entries.get(name), value));
  }
  return Object.fromEntries(entries);
}

function mergeField(name: string, lower: unknown, upper: unknown): unknown {
  const key = MERGED_BY[name];
  if (key !== undefined && Array.isArray(upper)) return mergeLists(name, key, Array.isArray(lower) ? lower : [], upper);
  if (isMap(lower) && isMap(upper) && !WHOLE.has(name)) return mergeMaps(lower, upper);
  return upper;
}

/** The lower items keep their places, new ones follow; an item named twice in one list is one item. */
function mergeLists(
  name: string,
  keyOf: (item: Fields) => unknown,
  lower: readonly unknown[],
  upper: readonly unknown[],
): readonly unknown[] {
  const items = new Map<unknown, unknown>();
  for (const item of [...lower, ...upper]) {
    const key = isMap(item) ? keyOf(item) : item;
    const known = items.get(key);
    items.set(key, isMap(known) && isMap(item) && !WHOLE_ITEMS.has(name) ? mergeMaps(known, item) : item);
  }
  return [...items.values()];
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
