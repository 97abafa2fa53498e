import { jobJar } from '../lib/kit.ts';
import { kubectl } from '../lib/kube.ts';

/** Folder on the node that old and new pods share. */
export const STATE = '/var/tmp/flork-e2e';

const OPENS = [
  'add-exports=java.base/sun.net.util',
  'add-exports=java.rmi/sun.rmi.registry',
  'add-exports=java.security.jgss/sun.security.krb5',
  ...[
    'lang',
    'net',
    'io',
    'nio',
    'lang.reflect',
    'text',
    'time',
    'util',
    'util.concurrent',
    'util.concurrent.atomic',
    'util.concurrent.locks',
  ].map((p) => `add-opens=java.base/java.${p}`),
  'add-opens=java.base/sun.nio.ch',
]
  .map((flag) => `--${flag}=ALL-UNNAMED`)
  .join(' ');

const LOG4J = `rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c{1} %m%n
`;

export type Bare = {
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  readonly conf?: Record<string, string>;
  /** Options of standalone-job before `--`, and arguments of the job after it. */
  readonly options?: readonly string[];
  readonly args?: readonly string[];
};

/** Runs a shell command as root in a pod that sees the state folder at /s; `$0` is the namespace. */
async function onNode(namespace: string, version: string, command: string): Promise<void> {
  const name = 'state-folder';
  const container = {
    name,
    image: `flink:${version}`,
    command: ['sh', '-c', command, namespace],
    securityContext: { runAsUser: 0 },
    volumeMounts: [{ name: 'state', mountPath: '/s' }],
  };
  const volumes = [{ name: 'state', hostPath: { path: STATE, type: 'DirectoryOrCreate' } }];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { restartPolicy: 'Never', containers: [container], volumes },
  };
  await kubectl(['delete', 'pod', name, '-n', namespace, '--ignore-not-found']);
  await kubectl(['apply', '-f', '-'], JSON.stringify(pod));
  await kubectl(['wait', '-n', namespace, `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s']);
  await kubectl(['delete', 'pod', name, '-n', namespace]);
}

/** Creates the namespace, a writable state folder on the node, and the ConfigMap of the job's jar. */
export async function prepare(namespace: string, version: string): Promise<void> {
  await kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }),
  );
  await onNode(namespace, version, 'mkdir -p /s/$0 && chmod 777 /s /s/$0');
  const metadata = { name: `counter-${version}`, namespace };
  const jar = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata,
    binaryData: { 'counter.jar': await jobJar(version, 'Counter') },
  };
  await kubectl(['apply', '-f', '-'], JSON.stringify(jar));
}

/** Takes away what `prepare` made; the namespace goes in the background. */
export async function cleanUp(namespace: string, version: string): Promise<void> {
  await onNode(namespace, version, 'rm -rf /s/$0').catch((error: unknown) => console.error(`# ${String(error)}`));
  await kubectl(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
}

/** A Flink cluster as bare pods, without Flork: JobManager and TaskManager are created on their own. */
export function bareObjects(bare: Bare): {
  readonly conf: unknown;
  readonly jobManager: unknown;
  readonly taskManager: unknown;
} {
  const { name, namespace, version } = bare;
  const jm = `${name}-jm`;
  const conf: Record<string, string> = {
    'jobmanager.rpc.address': jm,
    'blob.server.port': '6124',
    'taskmanager.rpc.port': '6122',
    'rest.address': jm,
    'jobmanager.memory.process.size': '1024m',
    'taskmanager.memory.process.size': '1024m',
    'taskmanager.numberOfTaskSlots': '1',
    'env.java.opts.all': OPENS,
    'execution.shutdown-on-application-finish': 'false',
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    'execution.checkpointing.dir': `file://${STATE}/${namespace}/checkpoints`,
    'heartbeat.interval': '2000',
    'heartbeat.timeout': '10000',
    ...bare.conf,
  };
  const text = Object.entries(conf)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
  const pod = (role: string, args: readonly string[], extra: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${name}-${role}`, namespace, labels: { bare: name, role } },
    spec: {
      terminationGracePeriodSeconds: 5,
      ...extra,
      containers: [
        {
          name: 'flink-main-container',
          image: `flink:${version}`,
          args,
          terminationMessagePolicy: 'FallbackToLogsOnError',
          volumeMounts: [
            { name: 'conf', mountPath: '/opt/flink/conf' },
            { name: 'jar', mountPath: '/opt/flink/usrlib' },
            { name: 'state', mountPath: STATE },
          ],
        },
      ],
      volumes: [
        { name: 'conf', configMap: { name } },
        { name: 'jar', configMap: { name: `counter-${version}` } },
        { name: 'state', hostPath: { path: STATE } },
      ],
    },
  });
  const args = ['standalone-job', ...(bare.options ?? []), '--job-classname', 'Counter', '--', ...(bare.args ?? [])];
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: jm, namespace, labels: { bare: name } },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { bare: name, role: 'jm' },
      ports: [
        { name: 'rpc', port: 6123 },
        { name: 'blob', port: 6124 },
      ],
    },
  };
  return {
    conf: {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace, labels: { bare: name } },
          data: { 'config.yaml': text, 'log4j-console.properties': LOG4J },
        },
        service,
      ],
    },
    jobManager: pod('jm', args, {}),
    taskManager: pod('tm', ['taskmanager'], {}),
  };
}
