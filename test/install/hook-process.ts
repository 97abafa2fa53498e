import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { join } from 'node:path';
import { until } from '../e2e/lib/kube.ts';
import { kubectl, ROOT } from './cluster.ts';
import { start, type Running } from './process.ts';

/** What of a Deployment a process needs to be what its container would be. */
export type HookDeployment = {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value?: string }[];
          readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
        }[];
        readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
      };
    };
  };
};

export type HookProcess = Running & {
  /** Its name, by which it is called and which its certificate has to hold. */
  readonly host: string;
  readonly port: number;
  /** The CA of its certificate; absent: it serves plain HTTP. */
  readonly ca: string | undefined;
};

/** The hook of a Deployment as a process of this machine: its variables, at a free port, and its Secrets in files. */
export async function startHook(deployment: HookDeployment, folder: string): Promise<HookProcess> {
  const { namespace, name } = deployment.metadata;
  const { containers, volumes } = deployment.spec.template.spec;
  const [container] = containers;
  const mounts = new Map<string, string>();
  for (const { name: volume, secret } of volumes) {
    if (secret === undefined) continue;
    const mount = container!.volumeMounts.find((one) => one.name === volume);
    const place = join(folder, name, volume);
    await writeSecret(namespace, secret.secretName, place);
    mounts.set(mount!.mountPath, place);
  }
  const here = (value: string): string =>
    [...mounts].reduce((text, [path, place]) => text.replaceAll(path, place), value);
  const given = container!.env.map((one) => [one.name, here(one.value ?? namespace)]);
  const env: Record<string, string> = { ...Object.fromEntries(given), PORT: '0' };
  const running = start(process.execPath, [join(ROOT, 'src/main.ts')], env, folder);
  const line = await until(
    `${name} listens`,
    30,
    async () => linesOf(running).find(({ message }) => message === 'listening'),
    async () => running.output(),
  );
  const certificate = env['TLS_CERT_FILE'];
  const ca = certificate === undefined ? undefined : await readFile(join(certificate, '../ca.crt'), 'utf8');
  return { ...running, host: `${name}.${namespace}.svc`, port: Number(line['port']), ca };
}

/** The answer of a hook to a POST, as JSON; its certificate has to be of its CA and for its name. */
export function ask({ host, port, ca }: HookProcess, path: string, body: unknown): Promise<unknown> {
  const options = { host: '127.0.0.1', port, path, method: 'POST', agent: false } as const;
  return new Promise((done, fail) => {
    const outgoing = ca === undefined ? plain(options) : secure({ ...options, ca, servername: host });
    outgoing.on('error', fail).on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (more: string) => (text += more));
      answer.on('end', () => done(JSON.parse(text)));
    });
    outgoing.end(JSON.stringify(body));
  });
}

/** The log of a hook. */
export function linesOf({ output }: Running): readonly Readonly<Record<string, unknown>>[] {
  const whole = output().split('\n').slice(0, -1);
  return whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function writeSecret(namespace: string, name: string, folder: string): Promise<void> {
  const secret = JSON.parse(await kubectl(['-n', namespace, 'get', 'secret', name, '-o', 'json'])) as {
    readonly data: Readonly<Record<string, string>>;
  };
  await mkdir(folder, { recursive: true });
  for (const [key, value] of Object.entries(secret.data))
    await writeFile(join(folder, key), Buffer.from(value, 'base64'), { mode: 0o600 });
}
