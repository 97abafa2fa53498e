import { Cluster, kubectl, sleep, type KubeObject } from './kube.ts';

/**
 * Counts writes at the API server, per user and exactly: each kind of request under test gets a FlowSchema of its own that matches
 * only the verbs create, update, patch, delete and deletecollection, and the server counts what it dispatches by FlowSchema.
 * (Administrators, system:masters, are exempt and never counted, so the test's own requests are not.)
 */
const VERBS = ['create', 'update', 'patch', 'delete', 'deletecollection'];

type Rule = {
  readonly name: string;
  readonly subjects: readonly unknown[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly namespaces?: readonly string[];
  readonly clusterScope?: boolean;
};

const account = (namespace: string, name: string) => ({ kind: 'ServiceAccount', serviceAccount: { namespace, name } });
const METACONTROLLER = [account('metacontroller', 'metacontroller')];

/** In order of precedence: the first that matches counts. `namespaces` also takes what belongs to no namespace. */
function rules(namespace: string): readonly Rule[] {
  const all = { apiGroups: ['*'], resources: ['*'] };
  const here = { namespaces: [namespace] };
  const flork = [account('flork-system', 'flork')];
  return [
    {
      name: 'metacontroller-leases',
      subjects: METACONTROLLER,
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
    },
    {
      name: 'metacontroller-configmaps',
      subjects: METACONTROLLER,
      apiGroups: [''],
      resources: ['configmaps'],
      ...here,
    },
    {
      name: 'metacontroller-status',
      subjects: METACONTROLLER,
      apiGroups: ['flork.itom.com'],
      resources: ['flinkjobs/status'],
      ...here,
    },
    { name: 'metacontroller-rest', subjects: METACONTROLLER, ...all, ...here },
    // other jobs that the same Metacontroller may be serving: shown, never judged
    { name: 'metacontroller-other-namespaces', subjects: METACONTROLLER, ...all },
    { name: 'flork', subjects: flork, ...all },
    {
      name: 'others-in-namespace',
      subjects: [{ kind: 'Group', group: { name: 'system:authenticated' } }],
      ...all,
      ...here,
      clusterScope: false,
    },
  ];
}

const schemaName = (rule: string): string => `flork-e2e-${rule}`;

export type Writes = Readonly<Record<string, number>>;

/** Installs the FlowSchemas for this namespace and waits until the server counts by them. */
export async function prepareCounting(namespace: string): Promise<void> {
  const items = rules(namespace).map((rule, index) => ({
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: schemaName(rule.name) },
    spec: {
      priorityLevelConfiguration: { name: 'workload-high' },
      matchingPrecedence: 110 + index,
      rules: [
        {
          subjects: rule.subjects,
          resourceRules: [
            {
              verbs: VERBS,
              apiGroups: rule.apiGroups,
              resources: rule.resources,
              clusterScope: rule.clusterScope ?? true,
              namespaces: rule.namespaces ?? ['*'],
            },
          ],
        },
      ],
    },
  }));
  await kubectl(
    ['apply', '--server-side', '--force-conflicts', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  );
  await sleep(3000);
}

export async function stopCounting(): Promise<void> {
  await kubectl(['delete', 'flowschema', ...rules('').map((rule) => schemaName(rule.name)), '--ignore-not-found']);
}

async function totals(cluster: Cluster, namespace: string): Promise<Writes> {
  const { text } = await cluster.call('GET', '/metrics');
  const counts: Record<string, number> = Object.fromEntries(rules(namespace).map((rule) => [rule.name, 0]));
  for (const line of text.split('\n')) {
    const match = /^apiserver_flowcontrol_dispatched_requests_total\{flow_schema="flork-e2e-([^"]+)".*\} (\S+)$/.exec(
      line,
    );
    if (match?.[1] !== undefined) counts[match[1]] = (counts[match[1]] ?? 0) + Number(match[2]);
  }
  return counts;
}

async function objects(cluster: Cluster, namespace: string): Promise<Map<string, KubeObject>> {
  const found = new Map<string, KubeObject>();
  for (const [plural, path] of [
    ['configmaps', '/api/v1'],
    ['services', '/api/v1'],
    ['pods', '/api/v1'],
    ['deployments', '/apis/apps/v1'],
    ['flinkjobs', '/apis/flork.itom.com/v1'],
  ] as const) {
    for (const item of await cluster.list(`${path}/namespaces/${namespace}/${plural}`))
      found.set(`${plural}/${item.metadata.name}`, item);
  }
  return found;
}

export type Counted = { readonly writes: Writes; readonly changed: readonly string[]; readonly seconds: number };

function difference(before: Writes, after: Writes): Writes {
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]));
}

/** Counts the writes while something happens. */
export async function writesDuring(cluster: Cluster, namespace: string, run: () => Promise<unknown>): Promise<Writes> {
  const before = await totals(cluster, namespace);
  await run();
  return difference(before, await totals(cluster, namespace));
}

/** Counts the writes of `seconds`, and names the objects of the namespace that changed meanwhile. */
export async function countWrites(cluster: Cluster, namespace: string, seconds: number): Promise<Counted> {
  const before = await totals(cluster, namespace);
  const old = await objects(cluster, namespace);
  const start = Date.now();
  await sleep(seconds * 1000);
  const after = await totals(cluster, namespace);
  const now = await objects(cluster, namespace);
  const changed: string[] = [];
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(key), now.get(key)];
    if (was?.metadata.resourceVersion === is?.metadata.resourceVersion) continue;
    const manager = is?.metadata.managedFields?.toSorted((a, b) => b.time.localeCompare(a.time))[0];
    changed.push(`${key}${manager === undefined ? '' : ` by ${manager.manager} ${manager.operation}`}`);
  }
  return { writes: difference(before, after), changed, seconds: (Date.now() - start) / 1000 };
}
