import type { ApiServer } from './api-server.ts';
import type { KubeObject, Tree } from './objects.ts';
import { at, list, text, texts, tree } from './objects.ts';

/** What a container gets at its start: its env and mounted files, from the ConfigMaps then in force. */

export type Env =
  | { readonly kind: 'env'; readonly env: Readonly<Record<string, string>> }
  | { readonly kind: 'missing'; readonly message: string };
export type Files =
  | { readonly kind: 'files'; readonly files: Readonly<Record<string, string>> }
  | { readonly kind: 'missing'; readonly message: string };

export function containerEnv(api: ApiServer, pod: KubeObject, container: Tree): Env {
  const env: Record<string, string> = {};
  const namespace = pod.metadata.namespace ?? '';
  for (const item of list(container['env'])) {
    const name = text(at(item, 'name'));
    const reference = tree(at(item, 'valueFrom', 'configMapKeyRef'));
    const field = text(at(item, 'valueFrom', 'fieldRef', 'fieldPath'));
    if (reference['name'] !== undefined) {
      const key = text(reference['key']);
      const configMap = api.get({ kind: 'ConfigMap', namespace, name: text(reference['name']) });
      const value = texts(configMap?.['data'])[key];
      if (value !== undefined) env[name] = value;
      else if (reference['optional'] !== true) {
        const message =
          configMap === undefined
            ? `configmap "${text(reference['name'])}" not found`
            : `couldn't find key ${key} in ConfigMap ${namespace}/${text(reference['name'])}`;
        return { kind: 'missing', message };
      }
    } else if (field !== '') env[name] = fieldValue(pod, field);
    else env[name] = expand(text(at(item, 'value')), env);
  }
  return { kind: 'env', env };
}

/** `$(NAME)` of known names, `$$(NAME)` as a literal `$(NAME)`. */
export function expand(value: string, env: Readonly<Record<string, string>>): string {
  return value.replace(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/g, (found, name: string | undefined) =>
    name === undefined ? '$' : (env[name] ?? found),
  );
}

export function mountedFiles(api: ApiServer, pod: KubeObject, container: Tree): Files {
  const files: Record<string, string> = {};
  const namespace = pod.metadata.namespace ?? '';
  for (const mount of list(container['volumeMounts'])) {
    const volume = list(at(pod, 'spec', 'volumes')).find((item) => at(item, 'name') === at(mount, 'name'));
    const sources = configMapSources(volume);
    for (const source of sources) {
      const name = text(source['name']);
      const configMap = api.get({ kind: 'ConfigMap', namespace, name });
      if (configMap === undefined && source['optional'] !== true)
        return { kind: 'missing', message: `configmap "${name}" not found` };
      const content = texts(configMap?.['data']);
      const items = list(source['items']);
      const paths = items.length === 0 ? Object.keys(content).map((key) => [key, key] as const) : items.map(pathOf);
      for (const [key, path] of paths) place(files, mount, path, content[key]);
    }
  }
  return { kind: 'files', files };
}

function configMapSources(volume: unknown): readonly Tree[] {
  const single = at(volume, 'configMap');
  const projected = list(at(volume, 'projected', 'sources')).map((source) => at(source, 'configMap'));
  return [single, ...projected].filter((source) => source !== undefined).map(tree);
}

function pathOf(item: unknown): readonly [string, string] {
  return [text(at(item, 'key')), text(at(item, 'path'))];
}

function place(files: Record<string, string>, mount: unknown, path: string, content: string | undefined): void {
  if (content === undefined) return;
  const directory = text(at(mount, 'mountPath'));
  const part = text(at(mount, 'subPath'));
  if (part === '') files[`${directory}/${path}`] = content;
  else if (part === path) files[directory] = content;
}

function fieldValue(pod: KubeObject, field: string): string {
  switch (field) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    default:
      return '10.0.0.1';
  }
}
