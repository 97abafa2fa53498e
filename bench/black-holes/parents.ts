import { createHash } from 'node:crypto';

/** FlinkJobs as a Metacontroller would show them, kept from answer to answer. */
export type Told = { readonly port: number };
type Tree = Record<string, unknown>;
type Labels = Readonly<Record<string, string>>;
type Template = { readonly metadata: { readonly labels: Labels; readonly annotations: Labels } };
type Child = { kind: string; apiVersion: string; metadata: Tree & { name: string }; spec?: Tree };
export type Answer = {
  status: Tree & { state: string; epoch?: { jobId: string } };
  children: Child[];
  resyncAfterSeconds?: number;
};

export type Parent = {
  readonly index: number;
  readonly name: string;
  readonly request: () => string;
  readonly take: (answer: Answer) => void;
  readonly state: () => string;
  readonly jobId: () => string;
};

const SPEC = {
  flinkVersion: '1.20',
  image: 'flink:1.20.4',
  jarURI: 'local:///opt/flink/usrlib/counter.jar',
  jobClassName: 'demo.Counter',
  parallelism: 1,
  flinkConf: { 'execution.checkpointing.interval': '10s', 'state.checkpoints.dir': 'file:///data/checkpoints' },
  policies: { savepoint: { directory: 'file:///data/savepoints' } },
};
const GROUPS: Readonly<Record<string, string>> = {
  ConfigMap: 'ConfigMap.v1',
  Service: 'Service.v1',
  Deployment: 'Deployment.apps/v1',
};

/** Job number `index` answers on a loopback address of its own. */
export function addressOf(name: string): string {
  const index = Number(/\d+/.exec(name)?.[0]);
  return `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

/** FlinkJob number `index`, created at `createdAt` with whatever belongs to it. */
export function createParent(index: number, createdAt: number): Parent {
  const started = new Date(createdAt).toISOString().replace(/\.\d+/, '');
  const name = `job-${index}`;
  const uid = uuid(name);
  let status: Answer['status'] | undefined;
  let children: Child[] = [];
  return {
    index,
    name,
    state: () => status?.state ?? '',
    jobId: () => status?.epoch?.jobId ?? '',
    take: (answer) => {
      status = answer.status;
      children = answer.children.map((child) => stored(child, started));
    },
    request: () => {
      const metadata = { name, namespace: 'default', uid, generation: 1, creationTimestamp: started };
      const groups: Record<string, Tree> = { 'ConfigMap.v1': {}, 'Service.v1': {}, 'Deployment.apps/v1': {} };
      for (const child of children) {
        const group = groups[GROUPS[child.kind] ?? ''];
        if (group !== undefined) group[`default/${child.metadata.name}`] = child;
      }
      const pods = children.filter((child) => child.kind === 'Deployment').map((child) => podOf(child, started));
      return JSON.stringify({
        controller: { metadata: { name: 'flork' } },
        parent: {
          apiVersion: 'flork.itom.com/v1',
          kind: 'FlinkJob',
          metadata,
          spec: SPEC,
          status: status === undefined ? { observedGeneration: -1 } : { ...status, observedGeneration: 1 },
        },
        children: groups,
        related: { 'Pod.v1': Object.fromEntries(pods) },
        finalizing: false,
      });
    },
  };
}

function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A child as the API server holds it; the controllers of its Deployments are prompt. */
function stored(child: Child, started: string): Child {
  const metadata = { ...child.metadata, uid: uuid(child.metadata.name), generation: 1, creationTimestamp: started };
  const replicas = Number(child.spec?.['replicas'] ?? 0);
  const counted = { observedGeneration: 1, replicas, readyReplicas: replicas };
  return { ...child, metadata, ...(child.kind === 'Deployment' ? { status: counted } : {}) };
}

/** The pod of a Deployment, up and ready. */
function podOf(deployment: Child, started: string): [string, Tree] {
  const template = (deployment.spec?.['template'] as Template | undefined)?.metadata;
  const name = `${deployment.metadata.name}-0`;
  const container = {
    name: 'flink-main-container',
    restartCount: 0,
    ready: true,
    state: { running: { startedAt: started } },
  };
  const pod = {
    metadata: { ...template, name, namespace: 'default', uid: uuid(name), creationTimestamp: started },
    status: { phase: 'Running', containerStatuses: [container], conditions: [{ type: 'Ready', status: 'True' }] },
  };
  return [`default/${name}`, pod];
}
